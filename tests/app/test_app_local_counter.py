"""A counter on its own machine: green with the line down only for what can be known there, and home hears of it once."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.cli.client import Answer, CallRefusedError
from app.local_counter import line
from app.local_counter.desk import LOG, REFUSED, Desk
from app.local_counter.line import Line
from app.local_counter.server import create_app
from tests.records.tables import acts, findings
from tests.world import BASE_URL, COUNTER, ITEM, World

HERE = "http://127.0.0.1:8090"


@dataclass
class Wire:
    """The command line's HTTP client over the world's own service; `cut` it, and nobody answers."""

    world: World
    cut: bool = False
    calls: list[str] = field(default_factory=list)

    def pass_on(self, method: str, path: str, **how: Any) -> Answer:
        how.pop("timeout", None)
        if self.cut:
            raise CallRefusedError({"code": "unreachable", "detail": "nobody answers"})
        self.calls.append(f"{method} {path}")
        got = self.world.http.request(method, path, **how)
        return Answer(got.status_code, got.headers.get("content-type", ""), got.content)

    def call(self, method: str, path: str, **how: Any) -> Any:
        got = self.pass_on(method, path, **how)
        if got.status >= 400:
            raise CallRefusedError(json.loads(got.body))
        return json.loads(got.body)

    def close(self) -> None:
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

    def log(self) -> list[dict[str, Any]]:
        file = self.folder / LOG
        return [json.loads(one) for one in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


@pytest.fixture
def machine(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Enrolled with the operator's code, and fresh."""
    world.counter()
    code = world.operator.post(f"/admin/counters/{COUNTER}/enrolment-codes")["code"]
    wire = Wire(world)
    monkeypatch.setattr(line, "Client", lambda _url: wire)
    folder = tmp_path / "counter"
    device = line.enrol(folder, BASE_URL, code, "desk", now=world.now)
    assert line.read(folder) == device or line.read(folder) is not None
    made = restarted(world, wire, folder)
    made.desk.keep_fresh()
    return made


def restarted(world: World, wire: Wire, folder: Path) -> Machine:
    device = line.read(folder)
    assert device is not None
    desk = Desk(folder, Line(device, now=lambda: world.now), now=lambda: world.now)
    return Machine(desk, wire, TestClient(create_app(desk, port=8090, by_itself=False), HERE), folder)


CLAIMS = ["residence_district", "endorsed_until"]


def test_with_the_line_up_home_answers(world: World, machine: Machine) -> None:
    """A show code and a pass are verified at home, with receipts; the key is the owner's alone to read."""
    permit = world.issue()
    made = machine.scan(world.show()["url"])
    assert (made["verdict"], made["offline"], bool(made["receipt"])) == ("accepted", False, True)
    made = machine.scan(world.offline_pass(permit, CLAIMS))
    assert (made["verdict"], made["offline"], bool(made["receipt"])) == ("accepted", False, True)
    assert machine.log() == []
    assert machine.http.get("/line").json()["up"] is True
    assert machine.http.get("/verifier/counter").json()["key"] == COUNTER
    assert (machine.folder / line.KEY).stat().st_mode & 0o077 == 0


def test_down_and_home_again(world: World, machine: Machine) -> None:
    """With the line down a pass is verified here, once; a show code is amber; the log goes home once and tells the holder."""
    permit = world.issue()
    machine.desk.keep_fresh()
    world.wait(61)
    machine.desk.keep_fresh()  # the permit's status list came meanwhile
    text, code = world.offline_pass(permit, CLAIMS), world.show()["url"]
    machine.wire.cut = True
    made = machine.scan(text)
    assert (made["verdict"], made["offline"], made["receipt"]) == ("accepted", True, None)
    assert made["licences"][0]["claims"]["residence_district"] == "440106"
    assert machine.scan(text)["reason"] == "already_used"
    amber = machine.scan(code)
    assert (amber["verdict"], amber["reason"]) == ("cannot_confirm", "no_network")
    assert "440106" not in (machine.folder / LOG).read_text(encoding="utf-8")
    assert machine.http.get("/line").json() == {
        "up": False, "fresh_at": machine.http.get("/line").json()["fresh_at"], "waiting": 2,
    }  # fmt: skip
    assert machine.http.post("/verifier/class-lists", json={}).json()["code"] == "no_line"
    again = restarted(world, machine.wire, machine.folder)
    assert again.scan(text)["reason"] == "already_used", "a restart forgets nothing"
    machine.wire.cut = False
    assert again.scan(text)["reason"] == "already_used", "nor does the line's coming back"
    again.desk.keep_fresh()
    assert again.log() == []
    (use,) = [one for one in world.holder().get("/wallet/uses")["items"] if one["channel"] == "offline_pass"]
    assert (use["verifier"], use["verdict"], use["service_item"]) == (COUNTER, "accepted", ITEM)
    told = [act for _, act, _ in acts(world, f"verifier/{COUNTER}") if act.startswith("verification")]
    assert told.count("verification.accepted") == 1
    assert findings(world) == []


def test_what_home_does_not_take_is_kept_aside(world: World, machine: Machine) -> None:
    """A log of two months ago is refused whole, kept for people, and does not stop the next."""
    permit = world.issue()
    world.wait(61)
    machine.desk.keep_fresh()
    machine.wire.cut = True
    machine.scan(world.offline_pass(permit, CLAIMS))
    row = machine.log()[0] | {"at": "2026-09-01T00:00:00+00:00"}
    (machine.folder / LOG).write_text(json.dumps(row) + "\n", encoding="utf-8")
    machine.wire.cut = False
    world.wait(61)
    machine.desk.keep_fresh()
    assert machine.log() == []
    assert "wrong_date" in (machine.folder / REFUSED).read_text(encoding="utf-8")


def test_old_knowledge_is_amber(world: World, machine: Machine) -> None:
    """Past its type's limit what was fetched says nothing any more; and without anything fetched nothing is green."""
    permit = world.issue()
    world.wait(61)
    machine.desk.keep_fresh()
    machine.wire.cut = True
    world.wait(25 * 3600)
    world._holders.clear()
    made = machine.scan(world.offline_pass(permit, CLAIMS))
    assert (made["verdict"], made["reason"]) in {
        ("cannot_confirm", "status_stale"), ("cannot_confirm", "trust_list_refused"),
    }  # fmt: skip
    (machine.folder / "bundle.json").unlink()
    bare = restarted(world, machine.wire, machine.folder)
    assert bare.http.get("/verifier/counter").status_code == 503
    assert bare.desk.verify("EL1:X", ITEM, None)["reason"] == "trust_list_refused"


def test_another_operator_s_bundle_is_not_taken(world: World, machine: Machine) -> None:
    """What was pinned at enrolment stays: a bundle under other keys changes nothing."""
    before = (machine.folder / "bundle.json").read_bytes()
    told = json.loads(before)
    told["bundle"]["operator_keys"]["keys"][0]["kid"] = "another"
    (machine.folder / "bundle.json").write_text(json.dumps(told), encoding="utf-8")
    world.wait(61)
    machine.desk.keep_fresh()
    assert json.loads((machine.folder / "bundle.json").read_bytes())["at"] == json.loads(before)["at"]


def test_this_machine_s_pages_alone(machine: Machine) -> None:
    """Another name for this machine, another site's page, an unknown item: refused; the page has nothing to enrol."""
    assert machine.http.get("/c", headers={"Host": "evil.example"}).status_code == 421
    crossed = machine.http.post("/verifier/scans", json={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 421
    machine.wire.cut = True
    body = {"scanned": "x", "service_item": "none", "operator": "c7"}
    assert machine.http.post("/verifier/scans", json=body).status_code == 404
    page = machine.http.get("/c")
    assert 'class="counter local"' in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_reports_that_lie(world: World) -> None:
    """A reason that does not make its verdict, an unknown item, another's verification, a future: nothing is recorded."""
    counter = world.counter()
    good = {
        "verification_id": "offline-x0T4bV9sLr2pNq7a", "verdict": "accepted", "reason": "accepted", "checks": [],
        "at": world.now.isoformat(), "service_item": ITEM, "digests": [],
    }  # fmt: skip
    for bent in (
        {"reason": "revoked"},
        {"service_item": "none"},
        {"at": "2026-12-24T00:00:00Z"},
        {"verification_id": "x"},
        {"digests": ["a", "b"]},
        {"claims": {}},
    ):
        got = counter.post("/verifier/offline-verdicts", {"items": [good, good | bent]})
        assert got.status == 422, bent
    assert counter.post("/verifier/offline-verdicts", {"items": [good, good]})["recorded"] == 1
    assert counter.post("/verifier/offline-verdicts", {"items": [good]})["recorded"] == 0
