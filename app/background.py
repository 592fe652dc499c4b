"""What the service does by itself, beside answering: of any number of workers, each thing is done by one at a time.

`licence serve` does it in the same process, `licence worker` does nothing else. Each round is one call in a thread; one
that fails is logged, and the next round tries again: the more failed in turn, the later.
"""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from app import logs, webhooks
from app.database import why
from app.house import House
from issuers.errors import ListsBehindError
from issuers.publishing import Held
from keys.auth import Clock
from records.leases import Leases, must_hold

MINUTE = timedelta(minutes=1)
FIRST_SECONDS = 5.0  # after the start, whatever is seldom is done for the first time
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0  # seconds after a round that failed, and after many in turn


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing that is done again and again: every so many seconds, under a lease if only one worker may."""

    name: str
    every: float
    work: Callable[[House, Clock, Held], object]
    """Does a round; what it is handed last raises, in a transaction, if another worker has the lease by now.

    A list must have that: a late one would be older than what is out. Checkpoints, reminders and forgetting, done once
    more by a worker that comes back late, find nothing left to do; the lease only keeps workers from doing it twice.
    """
    lease: timedelta | None = None


def worker_name() -> str:
    """Return a name that no other process has."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


def _batches(house: House, now: Clock, _held: Held) -> None:
    """Work on some chunks of batches, and come back for more: a process that is to end waits for no more than that."""
    for _ in range(8):
        if not house.batch_worker.work(now):
            return


DUTIES = (
    Duty("checkpoint", 60.0, lambda house, now, _: house.log.checkpoint(now=now()), lease=3 * MINUTE),
    Duty("publish", 5.0, lambda house, now, held: house.publisher.publish_due(now=now(), held=held), lease=MINUTE),
    Duty("sort", 1.0, lambda house, now, _: house.outbox.sort(now())),
    Duty("outbox", 2.0, lambda house, now, _: house.outbox.work(now)),
    Duty("batch", 0.2, _batches),
    Duty("remind", 3600.0, lambda house, now, _: webhooks.remind(house, now=now()), lease=10 * MINUTE),
    Duty("forget", 3600.0, lambda house, now, _: house.forget_what_is_over(now=now()), lease=10 * MINUTE),
)


def start(house: House, now: Clock, failed: Callable[[str], None]) -> list[asyncio.Task[None]]:
    """Begin every duty; cancel what is returned to end them. `failed` hears of each round that did, by its duty."""
    leases = Leases(database=house.database, worker=worker_name())
    return [asyncio.create_task(_again_and_again(one, house, leases, now, failed)) for one in DUTIES]


async def until_stopped(house: House, now: Clock) -> None:
    """Do every duty until the process is asked to end (SIGTERM, SIGINT); what is begun is finished."""
    stopped = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stopped.set)
    tasks = start(house, now, lambda _duty: None)  # the log says so; nobody scrapes this process
    await stopped.wait()
    for task in tasks:
        task.cancel()


def once(duty: Duty, house: House, leases: Leases, now: Clock) -> bool:
    """Do a duty's round, unless another worker is at it."""
    if duty.lease is None:
        duty.work(house, now, lambda _session: None)
        return True
    return leases.alone(
        duty.name, duty.lease, lambda lease: duty.work(house, now, partial(must_hold, lease=lease)), now=now()
    )


async def _again_and_again(duty: Duty, house: House, leases: Leases, now: Clock, failed: Callable[[str], None]) -> None:
    wait, pause = min(duty.every, FIRST_SECONDS), FIRST_PAUSE
    while True:
        await asyncio.sleep(wait)
        try:
            await asyncio.to_thread(once, duty, house, leases, now)
            wait, pause = duty.every, FIRST_PAUSE
        except Exception as error:  # noqa: BLE001 - whatever it was, the next round tries again
            failed(duty.name)
            said = why(error) if isinstance(error, SQLAlchemyError) else type(error).__name__
            told = {"lists": str(error)} if isinstance(error, ListsBehindError) else {}
            logs.log.error("duty.failed", duty=duty.name, kind=said, **told)
            wait, pause = max(duty.every, pause), min(pause * 2, LONGEST_PAUSE)
