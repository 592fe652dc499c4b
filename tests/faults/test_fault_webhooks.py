"""A webhook's receiver is down while workers die and the database restarts: each event once in the end, others unharmed.

Back-off over six hours, giving up after three days, the dead letter and its replay are in `tests/records/test_outbox.py`.
"""

from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from app.house import House
from tests.faults.outages import Breakable
from tests.issuers.city import CrashError, dies_at
from tests.records.tables import findings
from tests.records.test_outbox import GATEWAY, POLICE, listen
from tests.world import World

HOURS = 5


def _round(world: World, house: House) -> None:
    """One round as `app/background.py` does it: whatever fails is tried again."""
    with suppress(SQLAlchemyError, CrashError):
        house.outbox.work(lambda: world.now)


def test_down_for_hours_while_workers_die(world: World) -> None:
    """One receiver is down for hours, the workers die at statement after statement: each event once; the other in time."""
    police, gateway = listen(world, "agency:police", POLICE), listen(world, "gateway", GATEWAY)
    police.down, worker = True, world.build()
    permits = []
    for number in range(12):
        permits.append(world.issue())
        with dies_at(worker, number * 2):
            _round(world, worker)
        world.wait(HOURS * 3600 / 12)
        _round(world, world.house)
        assert {body["data"]["subject"] for _, body in gateway.got} == set(permits)
    assert police.got == []
    police.down = False
    for _ in range(20):
        world.wait(700)
        for house in (worker, world.house):
            _round(world, house)
    told = [body["data"]["subject"] for _, body in police.got]
    assert sorted(set(told)) == sorted(permits)
    assert sorted(told) == sorted(permits), "nothing crashed between sending to it and noting that"
    assert world.house.outbox.deliveries(world.house.outbox.webhooks()[0].webhook_id, dead=True, limit=5) == []
    assert findings(world) == []


def test_over_an_outage_of_the_database(breakable: Breakable, fragile: World) -> None:
    """What was owed when the database went away is told when it is back, once."""
    police = listen(fragile, "agency:police", POLICE)
    permits = [fragile.issue() for _ in range(3)]
    with breakable.away(fragile):
        _round(fragile, fragile.house)
        assert police.got == []
    for _ in range(3):
        _round(fragile, fragile.house)
        fragile.wait(130)
    assert sorted(body["data"]["subject"] for _, body in police.got) == sorted(permits)
    assert findings(fragile) == []
