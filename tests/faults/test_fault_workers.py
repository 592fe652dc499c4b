"""Two and sixteen workers at once: one has the lease, one wins, the lists say what the ledger says.

Sixteen requests of one worker are in `tests/races`; here are several houses, as several processes have them, and leases.
"""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlmodel import Session, select

from app import background
from app.house import House
from keys.models import KeyPurpose, KeyState
from records import audit
from records.leases import Lease, LeaseLostError, Leases, must_hold
from records.models import AuditEntry
from tests.issuers.city import another_worker, status_of, statuses
from tests.races.test_many_at_once import at_once
from tests.records.tables import acts, findings
from tests.world import Caller, World

LIFE = timedelta(minutes=1)
PUBLISH = next(one for one in background.DUTIES if one.name == "publish")


def _leases(world: World, count: int) -> list[Leases]:
    """What that many workers take leases with, in two houses."""
    houses = [world.house, world.build()]
    return [Leases(database=houses[at % 2].database, worker=f"worker {at}") for at in range(count)]


def _note(session: Session, who: str, world: World) -> None:
    audit.record(session, stream="fault", actor=who, act="fault.done", subject="x", now=world.now)


@pytest.mark.parametrize("count", [2, 16])
def test_one_takes_a_lease(world: World, count: int) -> None:
    """Of workers that want a lease at once one gets it, new or when it is over; the fence grows by one each time."""
    workers = _leases(world, count)
    for fence in (1, 2, 3):
        made = at_once([lambda one=one: one.take("publish", LIFE, now=world.now) for one in workers])
        assert [one.fence for one in made if one is not None] == [fence]
        assert (
            at_once([lambda one=one: one.take("publish", LIFE, now=world.now) for one in workers]).count(None)
            == count - 1
        )
        world.wait(60)
    assert findings(world) == []


def test_a_lost_lease_writes_nothing(world: World) -> None:
    """Stopped too long, a worker finds its lease taken: of what it comes back with nothing stays."""
    first, second = _leases(world, 2)
    old = first.take("publish", LIFE, now=world.now)
    assert second.take("publish", LIFE, now=world.now) is None
    world.wait(61)
    new = second.take("publish", LIFE, now=world.now)
    assert old is not None
    assert new is not None
    for house in world.houses:
        with pytest.raises(LeaseLostError), house.database.write() as session:
            _note(session, "late", world)
            session.flush()
            must_hold(session, old)
        with house.database.write() as session:
            must_hold(session, new)
            _note(session, "right", world)
    assert [actor for actor, _, _ in acts(world, "fault")] == ["right", "right"]
    assert findings(world) == []


def test_letting_go(world: World) -> None:
    """A lease that was let go is taken at once; letting go of a lost one leaves whoever has it now alone."""
    first, second = _leases(world, 2)
    old = first.take("publish", LIFE, now=world.now)
    assert old is not None
    world.wait(LIFE.total_seconds() + 1)
    new = second.take("publish", LIFE, now=world.now)
    assert new is not None
    assert new.fence == old.fence + 1
    assert first.take("publish", LIFE, now=world.now) is None
    with pytest.raises(LeaseLostError), world.house.database.write() as session:
        must_hold(session, old)
    assert findings(world) == []


def test_nobody_takes_it_while_its_work_is_written(world: World) -> None:
    """Who holds a lease in a transaction, be it over, is waited for: the next one comes after the commit."""
    first, second = _leases(world, 2)
    lease = first.take("publish", LIFE, now=world.now)
    assert lease is not None
    world.wait(61)
    held, done = Event(), []

    def slow(lease: Lease) -> None:
        with world.house.database.write() as session:
            must_hold(session, lease)
            _note(session, "first", world)
            session.flush()
            held.set()
            time.sleep(0.5)
            done.append("written")

    thread = Thread(target=slow, args=(lease,))
    thread.start()
    assert held.wait(10)
    taken = second.take("publish", LIFE, now=world.now)
    done.append("taken")
    thread.join()
    assert taken is not None
    assert done == ["written", "taken"]
    with world.house.database.read() as session:
        assert session.exec(select(AuditEntry.actor).where(AuditEntry.stream == "fault")).all() == ["first"]
    assert findings(world) == []


@pytest.mark.parametrize("count", [2, 16])
def test_one_holds_and_the_other_takes(world: World, count: int) -> None:
    """At the moment a lease is over, its holder's write and others' taking meet: one fence wins, nothing is half done."""
    workers = _leases(world, count)
    for round_ in range(6):
        world.wait(61)
        lease = workers[0].take("publish", LIFE, now=world.now)
        assert lease is not None
        world.wait(61)

        def write(lease: Lease = lease, name: str = f"round {round_}") -> str:
            try:
                with world.house.database.write() as session:
                    must_hold(session, lease)
                    _note(session, name, world)
            except LeaseLostError:
                return "lost"
            return "written"

        calls: list[Callable[[], Any]] = [write]
        calls += [lambda one=one: one.take("publish", LIFE, now=world.now) for one in workers[1:]]
        wrote, *taken = at_once(calls)
        assert len([one for one in taken if one is not None]) == 1
        noted = [actor for actor, _, _ in acts(world, "fault") if actor == f"round {round_}"]
        assert len(noted) == (1 if wrote == "written" else 0)
    assert findings(world) == []


@pytest.mark.parametrize("count", [2, 16])
def test_one_publishes(world: World, count: int) -> None:
    """Of workers whose turn to publish comes at once one does it; the list is current, and signed once."""
    world.change("revoke", world.issue(), "fraud")
    world.wait(400)
    published: list[str] = []
    for house in [world.house, world.build()]:
        _counted(house, published)
    houses = world.houses * (count // 2)
    leases = [Leases(database=one.database, worker=f"worker {at}") for at, one in enumerate(houses)]
    did = at_once([
        lambda one=one, mine=mine: background.once(PUBLISH, one, mine, lambda: world.now)
        for one, mine in zip(houses, leases, strict=True)
    ])  # fmt: skip
    assert did.count(True) == 1
    assert published == ["police/1"]
    assert statuses(world).issued_at == int(world.now.timestamp())
    assert findings(world) == []


def _counted(house: House, published: list[str]) -> None:
    publish = house.publisher.publish

    def counted(list_id: str, **how: Any) -> str:
        published.append(list_id)
        return publish(list_id, **how)

    house.publisher.publish = counted  # type: ignore[method-assign]


def test_revoke_rotate_and_publish_at_once(world: World) -> None:
    """Two workers change, rotate keys and publish at once: each licence changes once, one key signs, the list is true."""
    permits = [world.issue() for _ in range(4)]
    police, operator = world.agency("police"), world.operator
    with another_worker(world) as worker:
        both = [(police, operator), (Caller(worker.http, police.token), Caller(worker.http, operator.token))]
        calls: list[Callable[[], Any]] = []
        for who, op in both:
            rotate = {"owner": "police", "purpose": "status_list"}
            calls += [
                lambda who=who, one=one: who.post(f"/issuers/police/licences/{one}/revoke", {"cause": "fraud"})
                for one in permits
            ]
            calls += [lambda op=op, body=rotate: op.post("/admin/keys/rotate", body)]
            calls += [lambda who=who: who.get("/issuers/police/status/1")] * 2
            house = world.house if who is police else world.houses[-1]
            calls += [lambda house=house: house.publisher.publish_due(now=world.now)]
        made = at_once(calls)
    half = len(calls) // 2
    for at in range(len(permits)):
        assert Counter([made[at].status, made[half + at].status]) == {200: 1, 409: 1}
    assert {made[at].status for at in (4, half + 4)} <= {200, 201, 409}
    rows = [one for one in world.house.vault.key_rows("police") if one.purpose == KeyPurpose.STATUS_LIST]
    assert Counter(one.state for one in rows)[KeyState.ACTIVE] == 1
    assert [status_of(world, one) for one in permits] == [1] * 4
    assert world.house.publisher.behind("police") == []
    assert findings(world) == []
