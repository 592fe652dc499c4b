"""kill -9 of real workers in the middle of a batch, at random moments: it resumes, the same bytes, no duplicate."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.cli.demo_server import free_port
from issuers.batch import batches
from issuers.models import LicenceRow, LicenceState
from tests.issuers.batch_rows import ndjson, progress, report, row, send
from tests.records.tables import findings
from tests.world import BASE_URL, KEK, World

ROWS, CHUNK, KILLS = 300, 10, 3
LEASE_SECONDS = 130  # a chunk in a dead worker's hand waits two minutes: each next worker's clock is that much ahead
SERVE, WORKER = ["serve", "--port"], ["worker"]


@contextmanager
def _process(world: World, words: list[str], ahead: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A real worker over the world's database; killed when the block ends, whatever it was doing."""
    env = {
        "LICENCE_BASE_URL": BASE_URL, "LICENCE_DATABASE_URL": world.database_url, "LICENCE_KEK": KEK,
        "LICENCE_DEMO": "true", "LICENCE_DEMO_CLOCK_AHEAD_SECONDS": str(ahead), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    port = [str(free_port())] if words is SERVE else []
    made = subprocess.Popen(
        [sys.executable, "-m", "app.cli.main", *words, *port],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield made
    finally:
        made.kill()
        made.wait()


def _signing_inputs(world: World) -> dict[str, str]:
    with world.house.database.read() as session:
        return dict(session.exec(select(LicenceRow.licence_id, LicenceRow.signing_input)).all())


def _delivered(world: World, job: str) -> int:
    return int(progress(world, job)["delivered"])


def _await(said: str, true: Any, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, said
        time.sleep(0.02)


@pytest.mark.parametrize("words", [WORKER, SERVE], ids=["worker", "serve"])
def test_killed_in_a_batch(database_url: str, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """Killed at random moments among 300 rows and restarted, it finishes: each row one licence, of the bytes recorded."""
    monkeypatch.setattr(batches, "CHUNK_ROWS", CHUNK)
    moments = random.Random()
    with World(database_url, now=datetime.now(UTC) - timedelta(seconds=5)) as world:
        job = send(world, ndjson([row(number) for number in range(ROWS)]))["job_id"]
        before: dict[str, str] = {}
        for kill in range(KILLS):
            world.now = datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS * kill)
            reached = len(before)
            with _process(world, words, LEASE_SECONDS * kill):
                _await("it never went on", lambda reached=reached: len(_signing_inputs(world)) > min(reached, ROWS - 1))
                time.sleep(moments.uniform(0, 0.4))
            after = _signing_inputs(world)
            assert before.items() <= after.items()
            before = after
        world.now = datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS * KILLS)
        with _process(world, words, LEASE_SECONDS * KILLS):
            _await("it never finished", lambda: progress(world, job)["state"] == "done")
        world.now = datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS * KILLS)
        after = _signing_inputs(world)
        assert before.items() <= after.items()
        assert (len(after), _delivered(world, job)) == (ROWS, ROWS)
        told = report(world, job)
        assert {one["licence_id"] for one in told} == after.keys()
        with world.house.database.read() as session:
            rows = session.exec(select(LicenceRow)).all()
        assert {one.state for one in rows} == {LicenceState.VALID}
        assert len({one.reference for one in rows}) == ROWS
        assert findings(world) == []
