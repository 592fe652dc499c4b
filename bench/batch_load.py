"""A batch on PostgreSQL with two workers, or on SQLite with one: rows a second until the last is signed."""

import json
import multiprocessing
import time
from collections.abc import Iterator
from typing import Any

from app import clock
from app.house import House
from bench import city
from credentials.licence_type import LicenceType
from issuers.batch import rows
from issuers.batch.batches import OPERATION
from records import idempotency

WORKERS = 2


def measure(url: str, count: int, workers: int = WORKERS) -> dict[str, float]:
    """Return rates of checking, signing (ledger, index, audit, committed) and delivering a batch of `count` rows."""
    made = city.house(url)
    city.found(made)
    started = time.perf_counter()
    job_id = receive(made, count)
    received = time.perf_counter() - started
    context = multiprocessing.get_context("spawn")
    ready, go = context.Semaphore(0), context.Event()
    crew = [context.Process(target=_work, args=(url, ready, go), daemon=True) for _ in range(workers)]
    for number, one in enumerate(crew):
        with city.on_core(number):
            one.start()
    for _ in crew:
        ready.acquire()
    begun = time.perf_counter()
    go.set()
    ends: dict[str, float] = {}
    while "delivered" not in ends:
        time.sleep(0.05)
        said = made.batches.progress(city.AGENCY, job_id)
        for name in ("checked", "signed", "delivered"):
            if getattr(said, name) == count:
                ends.setdefault(name, time.perf_counter() - begun)
        if said.refused or not any(one.is_alive() for one in crew):
            raise RuntimeError(f"the batch came to a stop: {said}")
    for one in crew:
        one.terminate()
        one.join()
    made.database.engine.dispose()
    return {
        "received": count / received,
        "checked": count / ends["checked"],
        "issued": count / ends["signed"],
        "delivered": count / ends["delivered"],
    }


def receive(made: House, count: int, first: int = 0) -> str:
    """Send a batch of `count` people's orders in; returns the job."""
    kind: LicenceType = made.batches.kind(city.AGENCY, city.TYPE, now=clock.now())
    this = idempotency.attempt(f"agency:{city.AGENCY}", f"bench {first}", f"{OPERATION}{city.TYPE}", {})
    job = made.batches.open(city.AGENCY, city.TYPE, this, whole=False, actor="agency:bench", now=clock.now())
    sent = rows.read(_lines(first, count), rows.NDJSON, kind)
    made.batches.receive(job, sent, lambda: "0", now=clock.now())
    return job.job_id


def _lines(first: int, count: int) -> Iterator[bytes]:
    for number in range(first, first + count):
        yield json.dumps(city.row(number), ensure_ascii=False).encode() + b"\n"


def _work(url: str, ready: Any, go: Any) -> None:
    made = city.house(url)
    city.settle()
    ready.release()
    go.wait()
    while True:
        if not made.batch_worker.work(clock.now):
            time.sleep(0.02)


def main() -> None:
    """Measure once, by hand: `python -m bench.batch_load`."""
    for name, database, workers in (("postgresql", city.postgres, 2), ("sqlite", city.sqlite, 1)):
        with database() as url:
            found = measure(url, 10_000, workers)
        print(name, {one: round(value) for one, value in found.items()})


if __name__ == "__main__":
    main()
