"""Many at once: of any number of requests for one thing, one gets it; afterwards the books are sound."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

import pytest
from sqlmodel import select

from issuers.models import LicenceRow, StatusListRow
from tests.issuers.city import signature, status_of, univ
from tests.issuers.claims_of_types import order
from tests.records.tables import acts, counts, findings
from tests.world import KEK, Answer, Caller, World

T = TypeVar("T")
ROOT = Path(__file__).parents[2]


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make every call at the same moment, each in a thread of its own; return what came, in order."""
    together = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        together.wait(timeout=30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def verdicts(answers: Sequence[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """How often each verdict and reason came."""
    return Counter((one["verdict"], one["reason"]) for one in answers)


@pytest.mark.parametrize("how", ["url", "typed_code"])
def test_one_show_code_is_redeemed_once(world: World, how: str) -> None:
    """Of sixteen redemptions of one code at once, scanned or typed, one is accepted and fifteen came too late."""
    world.issue()
    shown = world.show()
    world.counter()
    made = at_once([lambda: world.scan(shown[how])] * 16)
    assert verdicts(made) == {("accepted", "accepted"): 1, ("refused", "already_used"): 15}
    uses = world.holder().get("/wallet/uses")["items"]
    assert [(one["verdict"], one["reason"]) for one in uses] == [("accepted", "accepted")]
    assert len({one["verification_id"] for one in made}) == 16
    assert findings(world) == []


def test_one_code_at_many_counters_is_redeemed_once(world: World) -> None:
    """A forwarded screenshot scanned at four counters at once is good at one of them."""
    world.issue()
    shown = world.show()
    counters = [f"office_{number}" for number in range(4)]
    for key in counters:
        world.counter(key)
    calls = [lambda key=key: world.scan(shown["url"], counter=key) for key in counters * 4]
    made = at_once(calls)
    assert verdicts(made) == {("accepted", "accepted"): 1, ("refused", "already_used"): 15}
    assert findings(world) == []


def test_withdrawn_or_redeemed_but_not_both(world: World) -> None:
    """A code that its holder takes back while counters scan it is either used once or withdrawn, never both."""
    world.issue()
    shown, holder = world.show(), world.holder()
    world.counter()
    calls: list[Callable[[], Any]] = [lambda: world.scan(shown["url"])] * 7
    calls.insert(3, lambda: holder.delete(f"/wallet/shows/{shown['show_id']}"))
    made = at_once(calls)
    withdrawn: Answer = made.pop(3)
    reasons = verdicts(made)
    if withdrawn.status == 204:
        assert reasons == {("refused", "code_withdrawn"): 7}
    else:
        assert (withdrawn.status, withdrawn["code"]) == (409, "already_used")
        assert reasons == {("accepted", "accepted"): 1, ("refused", "already_used"): 6}
    assert findings(world) == []


def test_one_pass_counts_once_at_a_counter(world: World) -> None:
    """Of sixteen scans of one offline pass at once at one counter, one is accepted."""
    text = world.offline_pass(world.issue(), ["residence_district"])
    world.counter()
    made = at_once([lambda: world.scan(text)] * 16)
    assert verdicts(made) == {("accepted", "accepted"): 1, ("refused", "already_used"): 15}
    assert findings(world) == []


def test_one_request_is_answered_once(world: World) -> None:
    """Of sixteen answers to one request at once, one is accepted and fifteen find it answered."""
    world.issue()
    request = world.ask()
    vp_token = world.present(request)
    made = at_once([lambda: world.answer(request, vp_token)] * 16)
    assert verdicts(made) == {("accepted", "accepted"): 1, ("refused", "request_already_answered"): 15}
    assert findings(world) == []


def test_one_key_issues_once(world: World) -> None:
    """Of sixteen identical issues under one idempotency key at once, all answer the same one licence."""
    police, body = world.agency("police"), world.order()
    made = at_once([lambda: police.post("/issuers/police/licences", body, headers={"Idempotency-Key": "case-1"})] * 16)
    assert Counter(one.status for one in made) == {201: 16}
    assert len({one["licence_id"] for one in made}) == 1
    rows = counts(world)
    assert (rows["licence"], rows["held_licence"], rows["holder_key"], rows["holder"]) == (1, 1, 1, 1)
    assert rows["idempotency_key"] == 1
    assert [act for _, act, _ in acts(world, "issuers/police")] == [
        "agency.added",
        "licence.prepared",
        "licence.signed",
    ]
    assert findings(world) == []


def test_issues_at_once_to_a_new_holder_make_one_wallet(world: World) -> None:
    """Sixteen different licences at once for somebody without a wallet go into one new wallet."""
    police = world.agency("police")
    made = at_once([lambda: police.post("/issuers/police/licences", world.order())] * 16)
    assert Counter(one.status for one in made) == {201: 16}
    rows = counts(world)
    assert (rows["licence"], rows["held_licence"], rows["holder_key"], rows["holder"]) == (16, 16, 16, 1)
    assert rows["status_list"] == 1
    held = world.holder().get("/wallet/licences")["items"]
    assert {one["licence_id"] for one in held} == {one["licence_id"] for one in made}
    assert findings(world) == []


def test_one_preparation_is_completed_once(world: World) -> None:
    """Of eight completions at once, all answer alike, and the licence is signed and delivered once."""
    prepared = univ(world).post("/issuers/univ/licences/prepare", order(world, "graduation_certificate"))
    path, body = f"/issuers/univ/licences/{prepared['licence_id']}/complete", signature(prepared)
    made = at_once([lambda: univ(world).post(path, body)] * 8)
    assert Counter((one.status, one.body.get("state"), one.body.get("delivered")) for one in made) == {
        (200, "valid", True): 8
    }
    assert [act for _, act, _ in acts(world, "issuers/univ")] == ["agency.added", "licence.prepared", "licence.signed"]
    assert counts(world)["held_licence"] == 1
    assert findings(world) == []


def test_late_completions_burn_once(world: World) -> None:
    """Of eight completions at once after the time is over, every one is refused and the index burns once."""
    prepared = univ(world).post("/issuers/univ/licences/prepare", order(world, "graduation_certificate"))
    path, body = f"/issuers/univ/licences/{prepared['licence_id']}/complete", signature(prepared)
    world.wait(600)
    made = at_once([lambda: univ(world).post(path, body)] * 8)
    assert Counter((one.status, one["code"]) for one in made) == {(410, "preparation_expired"): 8}
    assert [act for _, act, _ in acts(world, "issuers/univ")] == ["agency.added", "licence.prepared", "licence.burnt"]
    assert findings(world) == []


def test_two_renewals_give_one(world: World) -> None:
    """Of eight renewals of one licence at once one succeeds, and the others are told why not."""
    police, permit = world.agency("police"), world.issue()
    made = at_once([lambda: police.post(f"/issuers/police/licences/{permit}/renew", world.order())] * 8)
    assert Counter(one.status for one in made) == {201: 1, 409: 7}
    assert {one["code"] for one in made if one.status == 409} <= {"wrong_state", "licence_revoked"}
    new = next(one["licence_id"] for one in made if one.status == 201)
    assert [one["licence_id"] for one in world.holder().get("/wallet/licences")["items"]] == [new]
    assert (status_of(world, permit), status_of(world, new)) == (1, 0)
    assert findings(world) == []


def test_renewals_under_one_key_give_one(world: World) -> None:
    """Eight renewals at once under one idempotency key all answer the same next version."""
    police, permit = world.agency("police"), world.issue()
    path, headers = f"/issuers/police/licences/{permit}/renew", {"Idempotency-Key": "case-1"}
    made = at_once([lambda: police.post(path, world.order(), headers=headers)] * 8)
    assert Counter((one.status, one.body.get("version")) for one in made) == {(201, 2): 8}
    assert len({one["licence_id"] for one in made}) == 1
    assert findings(world) == []


@pytest.mark.parametrize(
    ("verb", "cause", "code"),
    [("suspend", "endorsement_lapsed", "wrong_state"), ("revoke", "fraud", "licence_revoked")],
)
def test_one_change_wins(world: World, verb: str, cause: str, code: str) -> None:
    """Of eight equal changes at once one wins; the others are told the state that it left, not the one before."""
    permit = world.issue()
    made = at_once([lambda: world.change(verb, permit, cause)] * 8)
    assert Counter(one.status for one in made) == {200: 1, 409: 7}
    assert {(one["code"], "is valid" in one["detail"]) for one in made if one.status == 409} == {(code, False)}
    assert [act for _, act, _ in acts(world, "issuers/police")[3:]] == [f"licence.{verb}ed".replace("eed", "ed")]
    assert status_of(world, permit) == {"suspend": 2, "revoke": 1}[verb]
    assert findings(world) == []


def test_suspending_and_revoking_at_once(world: World) -> None:
    """Suspensions and revocations of one licence at once: one of each at most, and it ends revoked."""
    permit = world.issue()
    verbs = [("suspend", "endorsement_lapsed"), ("revoke", "fraud")] * 6
    made = at_once([lambda verb=verb, cause=cause: (verb, world.change(verb, permit, cause)) for verb, cause in verbs])
    won = Counter(verb for verb, one in made if one.status == 200)
    assert won["revoke"] == 1
    assert won["suspend"] <= 1
    assert {one.status for _, one in made} <= {200, 409}
    assert world.house.issuer.read("police", permit).state == "revoked"
    assert status_of(world, permit) == 1
    assert findings(world) == []


def test_changes_of_many_licences_are_all_in_the_list(world: World) -> None:
    """Twelve different licences revoked at once are all revoked in the list that is served afterwards."""
    permits = [world.issue() for _ in range(12)]
    made = at_once([lambda one=one: world.change("revoke", one, "fraud") for one in permits])
    assert Counter(one.status for one in made) == {200: 12}
    assert [status_of(world, one) for one in permits] == [1] * 12
    assert findings(world) == []


def test_audit_of_one_stream_keeps_its_order(world: World) -> None:
    """Acts of one agency at once are chained one behind another, none lost."""
    police = world.agency("police")
    at_once([lambda: police.post("/issuers/police/licences", world.order())] * 8)
    told = acts(world, "issuers/police")
    assert Counter(act for _, act, _ in told) == {"agency.added": 1, "licence.prepared": 8, "licence.signed": 8}
    assert findings(world) == []


def test_one_token_is_revoked_for_everybody_while_it_is_used(world: World) -> None:
    """While a token is taken back its calls either happen or are refused as such; afterwards none happens."""
    world.agency("police")
    granted = world.operator.post("/admin/tokens", {"role": "agency", "subject": "police"})
    caller = Caller(world.http, granted["secret"])
    calls: list[Callable[[], Answer]] = [lambda: caller.get("/issuers/police/licences")] * 8
    calls.insert(4, lambda: world.operator.delete(f"/admin/tokens/{granted['key']}"))
    made = at_once(calls)
    assert made.pop(4).status == 204
    assert {one.status for one in made} <= {200, 401}
    assert caller.get("/issuers/police/licences").status == 401


def test_processes_give_no_index_twice(world: World) -> None:
    """Eight processes that issue 25 licences each give 200 serials and 200 places, none twice.

    The list has 512 places: without the look-up and the constraint 200 random ones would collide for certain.
    """
    world.agency("police")
    with world.house.database.write() as session:
        session.add(StatusListRow(list_id="police/1", agency="police", kind="", number=1, size=512, bits=2, decoys=[]))
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.races.worker", world.database_url, KEK, str(number), "25"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(8)
    ]  # fmt: skip
    try:
        for one in workers:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n", one.stderr.read() if one.stderr else ""
        for one in workers:
            assert one.stdin is not None
            one.stdin.write(json.dumps(world.order()) + "\n")
            one.stdin.flush()
        said = [one.communicate(timeout=60) for one in workers]
    finally:
        for one in workers:
            one.kill()
            one.communicate()
    assert [(one.returncode, err[-500:]) for one, (_, err) in zip(workers, said, strict=True)] == [(0, "")] * 8
    licence_ids = [line for out, _ in said for line in out.split()]
    assert len(set(licence_ids)) == len(licence_ids) == 200
    with world.house.database.read() as session:
        rows = session.exec(select(LicenceRow)).all()
    assert {row.licence_id for row in rows} == set(licence_ids)
    assert len({row.serial for row in rows}) == 200
    assert len({(row.status_list_id, row.status_index) for row in rows}) == 200
    assert "police/1" in {row.status_list_id for row in rows} <= {"police/1", "police/2"}
    assert len(world.holder().get("/wallet/licences")["items"]) == 200
    assert findings(world) == []
