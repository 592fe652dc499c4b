"""A counter on its own machine: green with the line down only for what can be known there, and home hears of it once."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from starlette.testclient import TestClient

from app.cli.client import Answer, CallRefusedError
from app.local_counter import line
from app.local_counter.desk import STORE, Desk
from app.local_counter.line import Line
from app.local_counter.server import create_app
from tests.records.tables import acts, findings
from tests.world import BASE_URL, COUNTER, ITEM, World

HERE = "http://127.0.0.1:8090"


@dataclass
class Wire:
    """The command line's HTTP client over the world's own service; `cut` it, and nobody answers; `mute`, too late."""

    world: World
    cut: bool = False
    mute: bool = False
    instead: Answer | None = None
    """What somebody else says in home's place."""

    def pass_on(self, method: str, path: str, **how: Any) -> Answer:
        how.pop("timeout", None)
        if self.cut:
            raise CallRefusedError({"code": "unreachable", "detail": "nobody answers", "sent": False})
        if self.instead is not None:
            return self.instead
        got = self.world.http.request(method, path, **how)
        if self.mute and path != "/oauth/token":
            raise CallRefusedError({"code": "unreachable", "detail": "too late", "sent": True})
        return Answer(got.status_code, got.headers.get("content-type", ""), got.content)

    def call(self, method: str, path: str, **how: Any) -> Any:
        got = self.pass_on(method, path, **how)
        known = got.kind.partition(";")[0].endswith("json")
        if got.status >= 400:
            raise CallRefusedError(json.loads(got.body) if known else {"code": "refused", "status": got.status})
        return json.loads(got.body) if known else got.text()

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def close(self) -> None:
        """Nothing to let go of."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to let go of."""

    def post(self, path: str, body: object, **how: Any) -> Any:
        return self.call("POST", path, json=body, **how)


@dataclass
class Machine:
    """A counter's machine: its desk, its wire, its page's API."""

    desk: Desk
    wire: Wire
    http: TestClient
    folder: Path

    def scan(self, text: str, **body: Any) -> dict[str, Any]:
        got = self.http.post("/verifier/scans", json={"scanned": text, "service_item": ITEM, "operator": "c7"} | body)
        assert got.status_code == 200, got.text
        return dict(got.json())

    def counts(self) -> tuple[int, int]:
        return self.desk.store.counts()


def enrolled(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch, counter: str = COUNTER) -> Machine:
    """A machine that became a counter's with the operator's code, and is fresh."""
    code = world.operator.post(f"/admin/counters/{counter}/enrolment-codes")["code"]
    wire = Wire(world)
    monkeypatch.setattr(line, "Client", lambda _url: wire)
    line.enrol(folder, BASE_URL, code, "desk", now=world.now)
    made = restarted(world, wire, folder)
    made.desk.keep_fresh()
    assert made.desk.trouble == ""
    return made


@pytest.fixture
def machine(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The school's."""
    world.counter()
    return enrolled(world, tmp_path / "counter", monkeypatch)


def restarted(world: World, wire: Wire, folder: Path) -> Machine:
    device = line.read(folder)
    assert device is not None
    desk = Desk(folder, Line(device, now=lambda: world.now), now=lambda: world.now)
    page = {"Sec-Fetch-Site": "same-origin"}
    return Machine(desk, wire, TestClient(create_app(desk, port=8090, by_itself=False), HERE, headers=page), folder)


def fresh(world: World, machine: Machine) -> None:
    """A minute later the machine knows what is new."""
    world.wait(61)
    machine.desk.keep_fresh()
    assert machine.desk.trouble == ""


CLAIMS = ["residence_district", "endorsed_until"]


def test_with_the_line_up_home_answers(world: World, machine: Machine) -> None:
    """A show code and a pass are verified at home, with receipts; the key is the owner's alone to read."""
    permit = world.issue()
    made = machine.scan(world.show()["url"])
    assert (made["verdict"], made["offline"], bool(made["receipt"])) == ("accepted", False, True)
    made = machine.scan(world.offline_pass(permit, CLAIMS))
    assert (made["verdict"], made["offline"], bool(made["receipt"])) == ("accepted", False, True)
    assert machine.counts() == (0, 0)
    assert machine.http.get("/line").json()["up"] is True
    assert machine.http.get("/verifier/counter").json()["key"] == COUNTER
    assert (machine.folder / line.KEY).stat().st_mode & 0o077 == 0


def test_down_and_home_again(world: World, machine: Machine) -> None:
    """With the line down a pass is verified here, once; a show code is amber; home hears of it once, and so the holder."""
    permit = world.issue()
    fresh(world, machine)
    text, code = world.offline_pass(permit, CLAIMS), world.show()["url"]
    machine.wire.cut = True
    made = machine.scan(text)
    assert (made["verdict"], made["offline"], made["receipt"]) == ("accepted", True, None)
    assert made["licences"][0]["claims"]["residence_district"] == "440106"
    assert machine.scan(text)["reason"] == "already_used"
    amber = machine.scan(code)
    assert (amber["verdict"], amber["reason"]) == ("cannot_confirm", "no_network")
    assert b"440106" not in (machine.folder / STORE).read_bytes()
    assert (machine.http.get("/line").json()["up"], machine.counts()) == (False, (1, 0))
    assert machine.http.post("/verifier/class-lists", json={}).json()["code"] == "no_line"
    again = restarted(world, machine.wire, machine.folder)
    assert again.scan(text)["reason"] == "already_used", "a restart forgets nothing"
    machine.wire.cut = False
    assert again.scan(text)["reason"] == "already_used", "nor does the line's coming back"
    again.desk.keep_fresh()
    assert again.counts() == (0, 0)
    assert again.scan(text)["reason"] == "already_used", "nor home's having heard of it"
    body = {"scanned": text, "service_item": ITEM}
    assert world.counter().post("/verifier/verifications", body)["reason"] == "already_used", "and home knows it too"
    (use,) = [one for one in world.holder().get("/wallet/uses")["items"] if one["channel"] == "offline_pass"]
    assert (use["verifier"], use["verdict"], use["service_item"]) == (COUNTER, "accepted", ITEM)
    told = [act for _, act, _ in acts(world, f"verifier/{COUNTER}") if act.startswith("verification")]
    assert told.count("verification.accepted") == 1
    assert findings(world) == []


def test_an_answer_that_comes_too_late_is_amber(world: World, machine: Machine) -> None:
    """Home was reached: nobody verifies a second time, and the pass is not green once more."""
    permit = world.issue()
    fresh(world, machine)
    text = world.offline_pass(permit, CLAIMS)
    machine.wire.mute = True
    assert (machine.scan(text)["verdict"], machine.counts()) == ("cannot_confirm", (0, 0))
    machine.wire.mute, machine.wire.cut = False, True
    assert machine.scan(text)["reason"] == "already_used"


def test_what_home_refused_may_be_shown_again(world: World, machine: Machine) -> None:
    """A pass that home did not look at, or could not confirm, is not used up here."""
    permit = world.issue()
    fresh(world, machine)
    text = world.offline_pass(permit, CLAIMS)
    got = machine.http.post("/verifier/scans", json={"scanned": text, "service_item": "nothing", "operator": "c7"})
    assert got.json()["code"] == "unknown_service_item"
    machine.wire.cut = True
    assert machine.scan(text)["verdict"] == "accepted"


def test_a_suspended_machine_verifies_nothing(world: World, machine: Machine) -> None:
    """Home's last word is remembered: cut off afterwards it stays refused; let in again it works."""
    permit = world.issue()
    fresh(world, machine)
    device = line.read(machine.folder)
    assert device is not None
    world.operator.post(f"/admin/clients/{device.client_id}/suspend")
    world.wait(700)
    world._holders.clear()
    text = world.offline_pass(permit, CLAIMS)
    body = {"scanned": text, "service_item": ITEM, "operator": "c7"}
    assert machine.http.post("/verifier/scans", json=body).json()["code"] == "device_refused"
    machine.desk.keep_fresh()
    machine.wire.cut = True
    assert machine.scan(text)["reason"] == "device_refused"
    machine.wire.cut = False
    world.operator.post(f"/admin/clients/{device.client_id}/resume")
    machine.desk.keep_fresh()
    assert machine.scan(text)["verdict"] == "accepted"


def test_a_refused_scan_is_remembered_at_once(world: World, machine: Machine) -> None:
    """Unplugged right after home refused it, the machine stays refused; so does a suspended counter's."""
    permit = world.issue()
    fresh(world, machine)
    world.operator.post(f"/admin/counters/{COUNTER}/suspend")
    text = world.offline_pass(permit, CLAIMS)
    body = {"scanned": text, "service_item": ITEM, "operator": "c7"}
    assert machine.http.post("/verifier/scans", json=body).json()["code"] == "counter_suspended"
    machine.wire.cut = True
    assert machine.scan(text)["reason"] == "device_refused"


@pytest.mark.parametrize("answer", [
    Answer(200, "text/html", b"<h1>Log in</h1>"), Answer(429, "application/json", b'{"error": "temporarily_unavailable"}'),
    Answer(403, "text/html", b"<h1>No</h1>"), Answer(502, "text/html", b"<h1>Bad gateway</h1>"),
])  # fmt: skip
def test_what_is_no_word_of_home_is_the_line_s(world: World, machine: Machine, answer: Answer) -> None:
    """A portal, a limit, a proxy: the machine goes on by itself, and nothing is remembered against it."""
    permit = world.issue()
    fresh(world, machine)
    world.wait(700)  # and a new token is wanted
    world._holders.clear()
    machine.wire.instead = answer
    made = machine.scan(world.offline_pass(permit, CLAIMS))
    assert (made["verdict"], made["offline"]) == ("accepted", True)
    machine.desk.keep_fresh()
    assert not machine.desk.store.said("refused by home")


def test_an_error_at_home_is_amber(world: World, machine: Machine) -> None:
    """Home began and broke: nobody knows, nothing is green, and the pass is not shown twice."""
    permit = world.issue()
    fresh(world, machine)
    text = world.offline_pass(permit, CLAIMS)
    machine.wire.instead = Answer(500, "application/problem+json", b"{}")
    assert machine.scan(text)["reason"] == "no_answer"


def test_whoever_is_no_agency_asks_here_too(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bank's machine verifies nothing without the holder's word, and home takes no such report."""
    permit = world.issue()
    body = {"key": "bank1", "agency": "police", "name": {"zh": "银行", "en": "Bank"}, "channel": "hall_counter"}
    opened = sorted(world.house.items["points_household"].listed)
    assert world.operator.post("/admin/counters", body | {"opened_types": opened}).status == 201
    bank = enrolled(world, tmp_path / "bank", monkeypatch, "bank1")
    bank.wire.cut = True
    made = bank.scan(world.offline_pass(permit, CLAIMS), service_item="points_household")
    assert (made["verdict"], made["reason"], made["licences"]) == ("refused", "consent_needed", [])
    assert bank.counts() == (0, 0)
    report = {"items": [GOOD | {"service_item": "points_household", "at": world.now.isoformat()}]}
    told = world.caller("counter", "bank1").post("/verifier/offline-verdicts", report)
    assert (told["recorded"], [one["code"] for one in told["refused"]]) == (0, ["consent_needed"])


def test_a_kiosk_s_machine(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item that kiosks do not offer is refused with the line down as with it up; no clerk is written down."""
    permit = world.issue()
    world.counter("kiosk_1", "kiosk")
    kiosk = enrolled(world, tmp_path / "kiosk", monkeypatch, "kiosk_1")
    kiosk.wire.cut = True
    text = world.offline_pass(permit, CLAIMS)
    body = {"scanned": text, "service_item": "points_household"}
    assert kiosk.http.post("/verifier/scans", json=body).json()["code"] == "item_not_offered"
    assert kiosk.scan(text)["verdict"] == "accepted"
    assert kiosk.desk.store.waiting(1)[0][1]["operator"] is None


def test_one_bad_report_stops_no_other(world: World, machine: Machine) -> None:
    """Of three, one of two months ago and one that is nonsense are set aside with why; the third reaches its holder."""
    permit = world.issue()
    fresh(world, machine)
    machine.wire.cut = True
    machine.scan(world.offline_pass(permit, CLAIMS))
    good = machine.desk.store.waiting(1)[0][1]
    machine.desk.store.write_down(good | {"verification_id": "offline-" + "a" * 16, "at": "2026-09-01T00:00:00+00:00"})
    machine.desk.store.write_down({"nonsense": True})
    machine.wire.cut = False
    machine.desk.keep_fresh()
    assert machine.counts() == (0, 2)
    uses = [one["verdict"] for one in world.holder().get("/wallet/uses")["items"]]
    assert uses == ["accepted"]


def test_somebody_else_answers(world: World, machine: Machine) -> None:
    """A portal's page is not home: passes are verified here, what is known stays, and what is wrong is said."""
    permit = world.issue()
    fresh(world, machine)
    text = world.offline_pass(permit, CLAIMS)
    machine.wire.instead = Answer(200, "text/html", b"<h1>Log in to the hotel</h1>")
    made = machine.scan(text)
    assert (made["verdict"], made["offline"]) == ("accepted", True)
    machine.desk.keep_fresh()
    assert "text/html" in machine.http.get("/line").json()["trouble"]
    machine.wire.instead = Answer(200, "application/json", b"[]")
    world.wait(61)
    machine.desk.keep_fresh()
    assert machine.desk.trouble
    machine.wire.instead = None
    machine.desk.keep_fresh()
    assert (machine.desk.trouble, machine.counts()) == ("", (0, 0))


def test_old_knowledge_is_amber(world: World, machine: Machine) -> None:
    """Past its type's limit what was fetched says nothing any more; and without anything fetched nothing is green."""
    permit = world.issue()
    fresh(world, machine)
    machine.wire.cut = True
    world.wait(25 * 3600)
    world._holders.clear()
    made = machine.scan(world.offline_pass(permit, CLAIMS))
    assert (made["verdict"], made["reason"]) == ("cannot_confirm", "status_stale")
    (machine.folder / "bundle.json").unlink()
    bare = restarted(world, machine.wire, machine.folder)
    assert bare.http.get("/verifier/counter").status_code == 503
    got = bare.http.post("/verifier/scans", json={"scanned": "EL1:X", "service_item": ITEM, "operator": "c7"})
    assert got.json()["code"] == "unknown_service_item"


def test_another_operator_s_list_is_not_taken(world: World, machine: Machine) -> None:
    """What was pinned at enrolment stays: a list under other keys changes nothing until somebody pins again."""
    before = machine.desk.fresh_at
    assert world.operator.post("/admin/keys/rotate", {"owner": "operator", "purpose": "trust_list"}).status == 200
    world.agency("police")  # and the list is signed anew
    world.wait(61)
    machine.desk.keep_fresh()
    assert (machine.desk.fresh_at, "operator" in machine.desk.trouble) == (before, True)
    device = line.read(machine.folder)
    assert device is not None
    line.pin_again(machine.folder, device)
    again = restarted(world, machine.wire, machine.folder)
    again.desk.keep_fresh()
    assert again.desk.trouble == ""
    assert again.desk.fresh_at == world.now


def test_this_machine_s_pages_alone(machine: Machine) -> None:
    """Another name for this machine, another site's page, a call of no page, a way that no page needs: refused."""
    http = machine.http
    assert http.get("/c", headers={"Host": "evil.example"}).status_code == 421
    for stranger in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": ""}, {"Sec-Fetch-Site": "none"}):
        assert http.post("/verifier/scans", json={}, headers=stranger).status_code == 403
        assert http.get("/verifier/asks/x", headers=stranger).status_code == 403
    assert http.post("/verifier/offline-verdicts", json={}).status_code == 404
    assert http.get("/verifier/presentation-requests/x").status_code == 404
    page = http.get("/c", headers={"Sec-Fetch-Site": "none"})
    assert 'class="counter local"' in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


GOOD: dict[str, Any] = {
    "verification_id": "offline-x0T4bV9sLr2pNq7a", "verdict": "accepted", "reason": "accepted", "checks": [],
    "service_item": ITEM, "digests": ["n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"],
}  # fmt: skip


@pytest.mark.parametrize(("bent", "code"), [
    ({"reason": "revoked"}, "reason_refused"), ({"service_item": "none"}, "unknown_service_item"),
    ({"at": "2026-12-24T00:00:00Z"}, "wrong_date"), ({"digests": []}, "nothing_presented"),
    ({"service_item": "graduate_household"}, "item_not_offered"),
])  # fmt: skip
def test_reports_that_lie(world: World, bent: dict[str, Any], code: str) -> None:
    """Each is refused alone, with its reason; what is good is recorded, once."""
    good = GOOD | {"at": world.now.isoformat()}
    wrong = good | {"verification_id": "offline-" + "b" * 16} | bent
    told = world.counter().post("/verifier/offline-verdicts", {"items": [wrong, good, good]})
    assert (told["recorded"], [one["code"] for one in told["refused"]]) == (1, [code])
    assert world.counter().post("/verifier/offline-verdicts", {"items": [good]})["recorded"] == 0


@pytest.mark.parametrize(
    "bent", [{"verification_id": "x"}, {"digests": ["a", "b"]}, {"claims": {}}, {"verdict": "yes"}]
)
def test_reports_that_are_none(world: World, bent: dict[str, Any]) -> None:
    """What is no report is refused whole."""
    body = {"items": [GOOD | {"at": world.now.isoformat()} | bent]}
    assert world.counter().post("/verifier/offline-verdicts", body).status == 422


@pytest.mark.parametrize(
    ("way", "body", "status", "code"),
    [
        ("/verifier/scans", '{"scanned":"a","service_item":"x","operator":"\\u202e"}', 422, "invalid_request"),
        ("/verifier/scans", '{"scanned":"\\ud800","service_item":"x"}', 400, "malformed_json"),
        ("/verifier/scans", '{"scanned":"a","scanned":"b","service_item":"x"}', 400, "malformed_json"),
        ("/verifier/scans", '{"scanned":1}', 422, "invalid_request"),
        ("/nowhere", "{}", 404, "not_found"),
        ("/line", "{}", 405, "method_not_allowed"),
    ],
)
def test_bad_input(machine: Machine, way: str, body: str, status: int, code: str) -> None:
    """The line down, what is no scan is refused as home refuses it: a problem with its code, in two languages."""
    machine.wire.cut = True
    got = machine.http.post(way, content=body.encode(), headers={"Content-Type": "application/json"})
    told = got.json()
    assert (got.status_code, told["code"], got.headers["content-type"]) == (status, code, "application/problem+json")
    assert told["type"] == f"{BASE_URL}/problems/{code}"
    assert told["instance"] != "urn:request:-"
    assert told["message"].keys() == {"zh", "en"}
