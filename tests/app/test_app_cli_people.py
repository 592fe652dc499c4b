"""What holders, counters, agencies and the operator do by command: the same API, sentences for people, exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.cli import client
from tests.app.test_app_cli import Done, Run, run  # noqa: F401 - a fixture
from tests.browsing import sign_in_link
from tests.records.tables import findings
from tests.wallet.test_wallet_mandates import ENDS, certificate
from tests.world import COUNTER, OTHER_PARENT, PARENT, Caller, World


@pytest.fixture
def says(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: F811 - the fixture
    """Run a command as somebody, against the world's own service."""

    class Wire:
        """What the command line's HTTP client is over the world's own."""

        def __init__(self, *, base_url: str, headers: dict[str, str], **_: Any) -> None:
            self.base_url, self._headers = base_url, headers

        def request(self, method: str, path: str, **how: Any) -> Any:
            return world.http.request(method, path, headers=self._headers | how.pop("headers", {}), **how)

        def stream(self, method: str, path: str) -> Any:
            return world.http.stream(method, path, headers=self._headers)

        def close(self) -> None:
            """Let go of nothing: the connection is the world's."""

    monkeypatch.setattr(client.httpx2, "Client", Wire)

    def call(who: Caller, *words: str, stdin: str = "") -> Done:
        monkeypatch.setenv("LICENCE_TOKEN", str(who.token))
        return run(*words, stdin=stdin)

    return call


def test_asked_agreed_and_relied_on(world: World, says: Any) -> None:
    """A counter asks, the holder looks and agrees, sees the use, and lets another counter rely on the receipt."""
    permit = world.issue()
    mother, desk = world.holder(PARENT), world.counter()
    assert permit in says(mother, "wallet", "licences").out
    assert "小学生转学" in says(desk, "desk", "items").out
    assert says(mother, "show").code == says(mother, "show", "school_transfer", "--ask").code == 2
    code = says(mother, "show", "--ask").out.splitlines()[0]
    asked = desk.post("/verifier/asks", {"scanned": code, "service_item": "school_transfer"})
    waiting = says(mother, "wallet", "asked", "--json")
    (consent,) = [one["consent_id"] for one in json.loads(waiting.out)["items"]]
    seen = says(mother, "wallet", "asked", consent)
    for said in ("教务处", "小学生转学", "residence_permit", "keeps back", "missing: birth_certificate"):
        assert said in seen.out
    alone = says(mother, "wallet", "agree", consent)
    assert (alone.code, "add --yes" in alone.err) == (2, True)
    assert says(mother, "wallet", "agree", consent, stdin="n\n").code == 1
    assert says(mother, "wallet", "agree", consent, "--yes").out == "shown\n"
    made = desk.get(f"/verifier/asks/{asked['ask_id']}")
    assert made["verdict"] == "accepted"
    told = says(mother, "wallet", "uses").out
    use_id = told.split()[0]
    assert "residence_district" in told
    relied = says(desk, "desk", "rely", "-", "points_household", stdin=made["receipt"])
    assert (relied.code, "receipt_not_permitted" in relied.out) == (1, True)
    assert says(mother, "wallet", "permit-reuse", use_id, ENDS).code == 0
    relied = says(desk, "desk", "rely", made["receipt"], "points_household")
    assert (relied.code, f"shown to {COUNTER}" in relied.out) == (0, True)
    assert says(mother, "wallet", "withdraw-reuse", use_id).code == 0
    assert says(mother, "wallet", "permit-notice", use_id, ENDS).code == 0
    assert says(mother, "wallet", "withdraw-notice", use_id).code == 0
    assert says(desk, "desk", "rely", made["receipt"], "points_household").code == 1
    assert findings(world) == []


def test_signed_in_and_verified_without_a_network(world: World, says: Any, tmp_path: Path) -> None:
    """A link gives a token; a pass that is drawn with it is what `verify --trust` reads, as the README has it."""
    permit = world.issue()
    token = says(world.operator, "wallet", "sign-in", sign_in_link(world)).out.strip()
    assert token.startswith("lw_holder_")
    drawn, bundle = tmp_path / "pass.PNG", tmp_path / "bundle.json"
    mother = Caller(world.http, token)
    made = says(mother, "wallet", "pass", permit, "residence_district", "--qr", str(drawn))
    assert made.out.startswith("EL1:")
    assert says(mother, "wallet", "pass", permit, "residence_district", "--qr", "pass.gif").code == 2
    bundle.write_text(json.dumps(world.bundle()), "utf-8")
    second = str(int(world.now.timestamp()))
    words = ("verify", "--json", "--trust", str(bundle), "--now", second, "--service-item", "school_transfer")
    done = says(mother, *words, str(drawn))
    assert (done.code, done.json["verdict"]) == (0, "accepted")


def test_declined_is_a_refusal(world: World, says: Any) -> None:
    """The counter's command waits, and ends with 1 when the holder says no."""
    world.issue()
    mother, desk = world.holder(PARENT), world.counter()
    code = mother.post("/wallet/shows", {"ask": True, "qr": "none"})["url"]
    asked = desk.post("/verifier/asks", {"scanned": code, "service_item": "school_transfer"})
    (consent,) = [one["consent_id"] for one in mother.get("/wallet/consents")["items"]]
    assert says(mother, "wallet", "decline", consent, "--report", "为何要看居住证").out == "declined and reported\n"
    assert desk.get(f"/verifier/asks/{asked['ask_id']}")["reason"] == "declined"
    done = says(desk, "desk", "ask", code, "school_transfer")
    assert (done.code, "already_used" in done.out) == (1, True)


def test_mandates_by_command(world: World, says: Any, tmp_path: Path) -> None:
    """Given from a file, seen by both, ended."""
    world.issue()
    body = {"agent": world.person(OTHER_PARENT), "kind": "helper", "ends_at": ENDS}
    file = tmp_path / "mandate.json"
    file.write_text(json.dumps(body))
    mother, father = world.holder(PARENT), world.holder(OTHER_PARENT)
    (broken := tmp_path / "broken.json").write_text('{\n  "agent": ,\n}')
    refused = says(mother, "wallet", "entrust", str(broken))
    assert (refused.code, f"{broken}: not JSON at line 2, column 12" in refused.err) == (1, True)
    assert refused.err.startswith("malformed_json: ")
    assert "张示例 → 李样本" in says(mother, "wallet", "entrust", str(file)).out
    listed = says(father, "wallet", "mandates").out
    assert "in_force" in listed
    assert says(father, "wallet", "end-mandate", listed.split()[0]).code == 0
    assert "withdrawn" in says(mother, "wallet", "mandates").out


def test_cases_by_command(world: World, says: Any) -> None:
    """A holder asks for a correction, the agency answers, the holder reads it; a licence is suspended and back."""
    licence = world.issue()
    mother, police = world.holder(PARENT), world.agency("police")
    opened = says(mother, "wallet", "open-case", "correction", licence, "现居住地址有误")
    case = opened.out.split()[0]
    assert case in says(police, "case", "list", "police").out
    assert says(police, "case", "answer", "police", case, "upheld", "已更正").code == 0
    for told in (says(mother, "wallet", "cases", case), says(police, "case", "show", "police", case)):
        assert "upheld" in told.out
        assert "已更正" in told.out
    assert "upheld" in says(mother, "wallet", "cases").out
    assert says(police, "suspend", "police", licence, "no_such_cause").code == 1
    cause = next(one.code for one in world.house.types["residence_permit"].causes.values() if one.effect == "suspend")
    assert "is suspended" in says(police, "suspend", "police", licence, cause).out
    assert "is valid" in says(police, "reinstate", "police", licence).out


def test_a_class_by_command(world: World, says: Any) -> None:
    """A list is made, filled by code and by link, read, closed; a request waits for any wallet."""
    certificate(world, PARENT)
    desk = world.counter()
    made = json.loads(says(desk, "desk", "make-class-list", "school_transfer", "六（2）班", "07", "12", "--json").out)
    done = says(desk, "desk", "class-entry", made["list_id"], "1", world.show()["url"])
    assert done.code == 0
    assert made["list_id"] in says(desk, "desk", "class-list").out
    seen = says(desk, "desk", "class-list", made["list_id"]).out
    assert "07  lacking  birth_certificate" in seen
    assert "/verifier/class-lists/links/" in says(desk, "desk", "class-link", made["list_id"], "2").out
    assert says(desk, "desk", "close-class-list", made["list_id"]).code == 0
    request = json.loads(says(desk, "desk", "request", "school_transfer", "--json").out)
    assert request["link"].startswith("openid4vp://")
    assert says(desk, "desk", "answer", request["request_id"]).out == "waiting\n"


def test_a_copy_by_command(world: World, says: Any, tmp_path: Path) -> None:
    """The copy for the file is written as it is; of a verification without one it is said so."""
    from tests.verifier.test_verifier_file_copies import kept  # noqa: PLC0415 - one more fixture of the room

    verdict, file = kept(world), tmp_path / "copy.pdf"
    assert says(world.counter(), "desk", "copy", verdict["verification_id"], str(file)).code == 0
    assert file.read_bytes().startswith(b"%PDF-")
    other = world.scan(world.show()["url"])
    refused = says(world.counter(), "desk", "copy", other["verification_id"], str(file))
    assert (refused.code, "copy_over" in refused.err) == (1, True)


def test_webhooks_by_command(world: World, says: Any) -> None:
    """Added with its secret told once, listed without, replayed, ended."""
    world.agency("police")
    told = says(world.operator, "webhook", "add", "agency:police", "https://hooks.police.example/x", "licence.revoked")
    assert "whsec_" in told.out
    name = told.out.split()[0]
    listed = says(world.operator, "webhook", "list").out
    assert name in listed
    assert "whsec_" not in listed
    assert says(world.operator, "webhook", "deliveries", name).out == "nothing yet\n"
    assert "0 events" in says(world.operator, "webhook", "replay", name, "2026-11-01T00:00:00Z").out
    assert says(world.operator, "webhook", "end", name).code == 0
    assert says(world.operator, "webhook", "list").out == "no webhook\n"
