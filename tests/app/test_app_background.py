"""What the service does by itself: by one worker at a time, and by none that has lost its lease."""

import asyncio
import re
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from app import background
from app.main import create_app
from issuers.models import StatusListRow
from records.leases import LeaseLostError, Leases
from tests.records.tables import findings
from tests.world import World

PUBLISH = next(one for one in background.DUTIES if one.name == "publish")


def test_lists_are_published_by_whoever_has_the_lease(world: World) -> None:
    """One worker publishes; another, meanwhile, does nothing; when the lease is over, the other may."""
    world.issue()
    first, second = (Leases(database=world.house.database, worker=name) for name in ("first", "second"))
    assert background.once(PUBLISH, world.house, first, lambda: world.now)
    assert not background.once(PUBLISH, world.house, second, lambda: world.now)
    world.wait(61)
    assert background.once(PUBLISH, world.house, second, lambda: world.now)
    assert findings(world) == []


def test_a_worker_that_lost_its_lease_publishes_nothing(world: World) -> None:
    """It stood still for longer than its lease: what it signed is not stored."""
    licence = world.issue()
    world.change("suspend", licence, "endorsement_lapsed")
    before = world.anybody.get("/issuers/police/status/1").body
    first, second = (Leases(database=world.house.database, worker=name) for name in ("first", "second"))
    world.wait(400)

    def stood_still() -> None:
        world.wait(61)
        assert second.take("publish", timedelta(minutes=1), now=world.now) is not None

    late = background.Duty(
        "publish", 5.0, lambda house, now, held: (stood_still(), PUBLISH.work(house, now, held)), timedelta(minutes=1)
    )
    with pytest.raises(LeaseLostError):
        background.once(late, world.house, first, lambda: world.now)
    with world.house.database.read() as session:
        assert session.get(StatusListRow, "police/1").token == before
    assert findings(world) == []


def test_a_round_that_fails_is_told_and_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever broke: it is counted, the duty goes on, and so do all others."""
    rounds: list[str] = []

    def broken(*_args: object) -> None:
        rounds.append("broken")
        raise KeyError

    duties = (
        background.Duty("broken", 0.001, broken),
        background.Duty("whole", 0.001, lambda *_: rounds.append("whole")),
    )
    monkeypatch.setattr(background, "DUTIES", duties)
    told: list[str] = []

    async def a_while() -> None:
        tasks = background.start(world.house, lambda: world.now, told.append)
        while not {"broken", "whole"} <= set(rounds) or len(told) < 2:
            await asyncio.sleep(0.001)
        for one in tasks:
            one.cancel()

    asyncio.run(asyncio.wait_for(a_while(), 30))
    assert set(told) == {"broken"}


def test_a_duty_that_fails_waits_longer_each_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to five seconds, so that an outage does not fill the log; after a round that went well it begins anew."""
    outcomes, waits = iter([False] * 7 + [True, False]), list[float]()

    def work(*_args: object) -> None:
        if not next(outcomes):
            raise KeyError

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 10:
            raise asyncio.CancelledError

    monkeypatch.setattr(background, "DUTIES", (background.Duty("broken", 0.1, work),))
    monkeypatch.setattr(background.asyncio, "sleep", sleep)

    async def a_while() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*background.start(world.house, lambda: world.now, lambda _name: None))

    asyncio.run(a_while())
    assert waits == [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 0.1, 0.25]


def test_a_round_that_fails_is_in_the_metrics(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that works by itself tells Prometheus which of its duties failed, and how often."""

    def broken(*_args: object) -> None:
        raise KeyError

    monkeypatch.setattr(background, "DUTIES", (background.Duty("broken", 0.001, broken),))
    app = create_app(world.house, now=lambda: world.now, by_itself=True)
    with TestClient(app, client=("127.0.0.1", 1), base_url=world.house.settings.base_url) as client:
        for _ in range(500):
            said = client.get("/metrics").text
            found = re.search(r'^licence_duty_failures_total\{duty="broken"\} ([0-9.]+)$', said, re.MULTILINE)
            if found and float(found[1]) >= 2:
                return
            time.sleep(0.01)
    raise AssertionError(said)


def test_a_worker_that_serves_its_metrics_alone(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """`licence worker --port`: probes and metrics, and no room's routes; the log says when it began and ended."""
    app = create_app(world.house, now=lambda: world.now, rooms=())
    with TestClient(app, client=("127.0.0.1", 1), base_url=world.house.settings.base_url) as client:
        assert {client.get(one).status_code for one in ("/healthz", "/readyz", "/metrics")} == {200}
        for room in ("/issuers/police/licences", "/admin/agencies", "/wallet/licences", "/verifier/asks/x", "/console"):
            assert client.get(room).status_code == 404, room
    said = [line for line in capfd.readouterr() if line]
    assert [word for word in ("started", "stopped") if f'"event": "{word}"' in "".join(said)] == ["started", "stopped"]
