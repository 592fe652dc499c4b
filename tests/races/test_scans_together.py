"""Scans that come together share transactions, and nothing else: each counter gets its own answer, each code goes once."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep
from typing import Any

import pytest

from records import audit, together
from records import store as records_store
from tests.contracts.test_costs import counted
from tests.records.tables import acts, findings
from tests.wallet.test_wallet_mandates import CLERK, give
from tests.world import COUNTER, PARENT, World
from wallet.accounts import stream

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
