"""Scans that come together share transactions, and nothing else: each counter gets its own answer, each code goes once."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event
from time import sleep
from typing import Any

import pytest

from records import audit, together
from records import store as records_store
from tests.contracts.test_costs import counted
from tests.races.test_a_hall_full_of_people import settle
from tests.records.tables import acts, findings
from tests.wallet.test_wallet_mandates import CLERK, give
from tests.world import COUNTER, ITEM, PARENT, World
from wallet import claiming
from wallet.accounts import stream
from wallet.claiming import Asker

TYPE = "residence_permit"
DESKS = tuple(f"desk_{number}" for number in range(12))


@pytest.fixture
def hall(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A hall whose desks have all worked today, and where those who come together wait for each other."""
    monkeypatch.setattr(together, "PATIENCE_SECONDS", 10)
    for name in (COUNTER, *DESKS):
        world.counter(name)
    return world


def permit_shown(world: World) -> dict[str, Any]:
    """A fresh code for a permit of the parent's."""
    return world.show(licences=[{"licence_id": world.issue(), "claims": ["residence_district"]}])


def first_scan(world: World) -> Callable[[], Any]:
    """A scan of a good code, at the usual counter."""
    code = permit_shown(world)["url"]
    return lambda: world.scan(code)


def behind_the_first(world: World, first: Callable[[], Any], others: Sequence[Callable[[], Any]]) -> list[Any]:
    """Let one scan wait for its holder's audit stream while the others come; returns what they all said."""
    held, go = Event(), Event()

    def hold() -> None:
        with world.house.database.write() as session:
            records_store.lock_stream(session, stream(world.holder(PARENT).subject))
            held.set()
            go.wait(10)

    with ThreadPoolExecutor(len(others) + 2) as pool:
        holding = pool.submit(hold)
        held.wait(10)
        futures = [pool.submit(first)]
        sleep(0.3)
        futures += [pool.submit(one) for one in others]
        sleep(0.5)
        go.set()
        holding.result(10)
        return [one.result(20) for one in futures]


def test_a_hall_s_scans_share_what_they_cost(hall: World) -> None:
    """Eleven that come while one is written down: two transactions for all of them, and every stream is whole."""
    shown = [permit_shown(hall) for _ in DESKS]
    scans = [lambda at=at: hall.scan(shown[at]["url"], DESKS[at]) for at in range(len(DESKS))]
    hall.scan(permit_shown(hall)["url"])
    with counted(hall.house) as cost:
        came = behind_the_first(hall, scans[0], scans[1:])
    assert [(one["verdict"], bool(one["receipt"])) for one in came] == [("accepted", True)] * len(DESKS)
    assert cost.written <= 12, cost.statements
    uses = hall.holder().get("/wallet/uses", params={"limit": 100})["items"]
    assert Counter(one["verifier"] for one in uses) == Counter([COUNTER, *DESKS])
    assert {one["verdict"] for one in uses} == {"accepted"}
    assert {one["receipt"] is not None for one in uses} == {True}
    told = acts(hall, stream(hall.holder().subject))
    assert [act for _, act, _ in told].count("use.show_code") == len(DESKS) + 1
    with hall.house.database.read() as session:
        audit.verify(session)
    assert findings(hall) == []


@pytest.mark.parametrize("forms", [("url", "url"), ("typed_code", "typed_code"), ("url", "typed_code")])
def test_one_code_at_many_desks_in_one_turn(hall: World, forms: tuple[str, str]) -> None:
    """Scanned and typed, of those that come together one gets it."""
    shown = permit_shown(hall)
    code = [lambda at=at: hall.scan(shown[forms[at % 2]], DESKS[at]) for at in range(8)]
    came = behind_the_first(hall, first_scan(hall), code)
    assert Counter(one["reason"] for one in came[1:]) == {"accepted": 1, "already_used": 7}
    assert findings(hall) == []


def test_refusals_beside_what_is_accepted(hall: World) -> None:
    """Expired, withdrawn, unknown, used before, and one that can only be asked by: each its own reason, beside a good one."""
    used, withdrawn, asking = permit_shown(hall), permit_shown(hall), hall.show(ask=True)
    hall.scan(used["url"])
    assert hall.holder().delete(f"/wallet/shows/{withdrawn['show_id']}").status == 204
    good = permit_shown(hall)
    said = [used["url"], withdrawn["url"], asking["url"], good["url"].replace(good["url"][-4:], "0000"), good["url"]]
    scans = [lambda at=at: hall.scan(said[at], DESKS[at]) for at in range(len(said))]
    came = behind_the_first(hall, first_scan(hall), scans)
    reasons = ["already_used", "code_withdrawn", "consent_needed", "code_unknown", "accepted"]
    assert [one["reason"] for one in came[1:]] == reasons


def test_one_that_cannot_be_answered_does_not_spoil_the_others(hall: World) -> None:
    """A licence that its helper may not show any more: the code is not used up, and the neighbours are served."""
    permit = hall.issue()
    hall.holder(CLERK)
    mandate = give(hall.holder(), hall, CLERK, "helper")["mandate_id"]
    over = hall.show(CLERK, licences=[{"licence_id": permit, "claims": ["residence_district"]}])
    assert hall.holder().delete(f"/wallet/mandates/{mandate}").status == 204
    good = [permit_shown(hall) for _ in range(4)]
    scans = [lambda at=at: hall.scan(good[at]["url"], DESKS[at]) for at in range(4)]
    scans.insert(2, lambda: hall.scan(over["url"], DESKS[5]))
    came = behind_the_first(hall, first_scan(hall), scans)
    reasons = ["accepted", "accepted", "mandate_withdrawn", "accepted", "accepted"]
    assert [one["reason"] for one in came[1:]] == reasons
    assert hall.scan(over["url"], DESKS[5])["reason"] == "mandate_withdrawn"
    assert findings(hall) == []


def test_a_holder_whose_stream_is_held_stops_nobody_else(hall: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of a turn wait for a lock: the others of it are served meanwhile, and those when the lock is gone."""
    if hall.house.database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer: whoever holds it holds everybody")
    monkeypatch.setattr(together, "PATIENCE_SECONDS", 0.3)
    stuck, other = [permit_shown(hall) for _ in range(2)], settle(hall, 1)
    (permit,) = other.get("/wallet/licences")["items"]
    what = {"licences": [{"licence_id": permit["licence_id"], "claims": ["residence_district"]}], "qr": "none"}
    codes = [other.post("/wallet/shows", what) for _ in range(5)]
    held, go = Event(), Event()

    def hold() -> None:
        with hall.house.database.write() as session:
            records_store.lock_stream(session, stream(hall.holder(PARENT).subject))
            held.set()
            assert go.wait(20)

    with ThreadPoolExecutor(8) as pool:
        holding = pool.submit(hold)
        held.wait(10)
        wait = [pool.submit(hall.scan, stuck[0]["url"], DESKS[0])]
        sleep(0.1)
        wait.append(pool.submit(hall.scan, stuck[1]["url"], DESKS[1]))
        others = [pool.submit(hall.scan, one["url"], DESKS[at + 2]) for at, one in enumerate(codes)]
        assert {one.result(10)["verdict"] for one in others} == {"accepted"}
        assert [one.done() for one in wait] == [False, False]
        go.set()
        assert [one.result(10)["verdict"] for one in wait] == ["accepted", "accepted"]
        holding.result(10)
    assert findings(hall) == []


def test_each_code_is_judged_by_its_own_clock(hall: World) -> None:
    """In one transaction: in time a moment before it is over, too late a moment after, whoever else is there."""
    shown = [permit_shown(hall) for _ in range(3)]
    over = datetime.fromisoformat(shown[0]["expires_at"])
    hashes = [one["url"].rpartition("#")[2] for one in shown]
    moments = [over - timedelta(milliseconds=5), over + timedelta(milliseconds=5), over - timedelta(seconds=30)]
    with hall.house.database.write() as session:
        found = claiming.claim(session, list(zip(hashes, moments, strict=True)))
    assert [type(one).__name__ for one in found] == ["ClaimedCode", "CodeExpiredError", "ClaimedCode"]
    with hall.house.database.write() as session:
        (again,) = claiming.claim(session, [(hashes[0], over)])
    assert (type(again).__name__, getattr(again, "at", None)) == ("CodeUsedError", moments[0])


def test_of_two_verdicts_on_one_use_the_first_stands(hall: World) -> None:
    """Written down in one turn, each on another presentation of the same use, whichever digest is the smaller."""
    for order in (0, 1):
        licences = [{"licence_id": hall.issue(), "claims": ["residence_district"]} for _ in range(2)]
        presented = hall.house.wallet.redeem(
            hall.show(licences=licences)["url"], Asker(COUNTER, {"zh": "台", "en": "desk"}, ITEM, {TYPE: ["sex"]}),
            audience="a", nonce="n", now=hall.now,
        )  # fmt: skip
        digests = sorted(presented.of_digest)[:: -1 if order else 1]
        assert len(digests) == 2
        words = [{"verifier": COUNTER, "verifier_name": {}, "service_item": ITEM, "receipt": ""} for _ in digests]
        said = [
            {**word, "verdict": one, "reason": one} for word, one in zip(words, ("refused", "accepted"), strict=True)
        ]
        with hall.house.database.write() as session:
            hall.house.uses.record_verdicts(session, dict(zip(digests, said, strict=True)))
        (use,) = hall.house.uses.of_presentations(digests)
        assert (use.verdict, use.reason) == ("refused", "refused")
