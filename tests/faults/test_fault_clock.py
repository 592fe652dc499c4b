"""The clock goes back: nothing new is signed until it has caught up, revoking goes on, no `iat` ever decreases."""

from typing import Any

import pytest

from app.problem_codes import PROBLEMS
from credentials import base64url, strict_json
from tests.foreign import PRE_AUTHORIZED, ForeignWallet
from tests.issuers.batch_rows import ndjson, progress, row, send, work
from tests.issuers.city import signature, status_of, statuses, univ
from tests.issuers.claims_of_types import order
from tests.records.tables import alter, counts, findings
from tests.world import Answer, World

HOUR = 3600
KEY = {"Idempotency-Key": "case-2026-000123"}


@pytest.fixture(autouse=True)
def _long_open(world: World) -> None:
    """Let agencies have had their rights for a while: a clock that goes back does not go back to before them."""
    for one in ("police", "school1"):
        world.agency(one)
    univ(world)
    world.wait(2 * HOUR)


def _paused(made: Answer) -> None:
    assert (made.status, made["code"]) == (503, "clock_went_back")
    assert int(made.headers["retry-after"]) > 0
    assert made["message"]["zh"] == PROBLEMS["clock_went_back"].zh


def _issued_at(world: World) -> list[int]:
    """The `iat` of all licences in the order they were recorded in."""
    acts = (
        "SELECT subject FROM audit_entry WHERE act = 'licence.prepared' AND stream = 'issuers/police' ORDER BY sequence"
    )
    with world.house.database.read() as session:
        names = [one for (one,) in session.connection().exec_driver_sql(acts)]
    payloads = (world.house.issuer.read("police", one).signing_input.split(".")[1] for one in names)
    return [strict_json.loads_object(base64url.decode(one))["iat"] for one in payloads]


def test_licences_wait_for_the_clock(world: World) -> None:
    """An hour back, issuing, renewing and preparing are 503; the same key succeeds once the clock has caught up."""
    permit, police = world.issue(), world.agency("police")
    world.wait(-HOUR)
    before = counts(world)
    _paused(police.post("/issuers/police/licences", world.order(), headers=KEY))
    _paused(police.post(f"/issuers/police/licences/{permit}/renew", world.order(), headers=KEY))
    after = counts(world)
    assert (after["licence"], after["idempotency_key"]) == (before["licence"], before["idempotency_key"])
    world.wait(HOUR)
    assert police.post("/issuers/police/licences", world.order(), headers=KEY).status == 201
    assert _issued_at(world) == sorted(_issued_at(world))
    assert findings(world) == []


def test_a_minute_is_nothing(world: World) -> None:
    """Workers whose clocks are a minute apart hinder nobody; a second more pauses."""
    world.issue()
    world.wait(-60)
    assert world.agency("police").post("/issuers/police/licences", world.order()).status == 201
    world.wait(-1)
    _paused(world.agency("police").post("/issuers/police/licences", world.order()))
    world.wait(61)
    assert findings(world) == []


def test_revoking_goes_on_and_does_not_hide_it(world: World) -> None:
    """With the clock back a revocation is made and published at once; signing pauses after it as before it."""
    permits = [world.issue() for _ in range(3)]
    before = statuses(world)
    world.wait(-HOUR)
    for one in permits:
        assert world.change("revoke", one, "fraud").status == 200
        assert status_of(world, one) == 1
        _paused(world.agency("police").post("/issuers/police/licences", world.order()))
    after = statuses(world)
    assert after.issued_at == before.issued_at
    assert after.version > before.version
    world.wait(HOUR)
    assert world.agency("police").post("/issuers/police/licences", world.order()).status == 201
    assert findings(world) == []


def test_another_agency_is_not_kept_waiting(world: World) -> None:
    """An act of one agency by a clock that was ahead pauses nobody else's signing."""
    world.wait(HOUR)
    world.issue()
    world.wait(-HOUR + 1)
    made = world.agency("school1").post("/issuers/school1/licences", order(world, "enrolment_certificate"))
    assert made.status == 201
    _paused(world.agency("police").post("/issuers/police/licences", world.order()))
    world.wait(HOUR)
    assert findings(world) == []


def test_a_prepared_licence_is_completed(world: World) -> None:
    """What was prepared before the clock went back is signed: its bytes, and so its `iat`, are of before."""
    prepared = univ(world).post("/issuers/univ/licences/prepare", order(world, "graduation_certificate"))
    world.wait(-HOUR)
    path = f"/issuers/univ/licences/{prepared['licence_id']}/complete"
    assert univ(world).post(path, signature(prepared)).status == 200
    world.wait(HOUR)
    assert findings(world) == []


def test_a_batch_waits_and_says_for_what(world: World) -> None:
    """A batch's rows are recorded when the clock has caught up; until then the job says what it waits for."""
    world.issue()
    world.wait(-HOUR)
    job = send(world, ndjson([row(0), row(1)]))["job_id"]
    work(world)
    assert (progress(world, job)["state"], progress(world, job)["waits_for"]) == ("issuing", "clock_went_back")
    assert counts(world)["licence"] == 1
    world.wait(HOUR)
    work(world)
    assert progress(world, job)["delivered"] == 2
    assert _issued_at(world) == sorted(_issued_at(world))
    assert findings(world) == []


def test_copies_for_foreign_wallets_wait_too(world: World) -> None:
    """A foreign wallet gets no copy while the clock is back, and one afterwards."""
    offer = world.agency("police").post("/issuers/police/offers", {"licence_id": world.issue(), "qr": "none"})
    wallet = ForeignWallet(world)
    wallet.redeem(wallet.grants(offer.body)[PRE_AUTHORIZED]["pre-authorized_code"])
    world.wait(-120)
    told: Any = wallet.take()
    assert told.status >= 400
    assert counts(world)["licence_copy"] == 0
    world.wait(120)
    assert wallet.take().status == 200
    assert findings(world) == []


def test_iat_of_every_list_and_trust_list(world: World) -> None:
    """Over an hour back and forth, with changes all along, no list's `iat` is ever before the one that was out."""
    permits = [world.issue() for _ in range(8)]
    seen = [statuses(world).issued_at]
    for at, seconds in enumerate((-HOUR, 700, -20, HOUR, -400, 300, -1, 4000)):
        world.wait(seconds)
        assert world.change("revoke", permits[at], "fraud").status == 200
        world.house.publisher.publish_due(now=world.now)
        seen.append(statuses(world).issued_at)
    assert seen == sorted(seen)
    assert alter(world, "UPDATE status_list SET version = version WHERE published_version = version") > 0
    assert findings(world) == []
