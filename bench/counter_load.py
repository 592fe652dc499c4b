"""Counter acts on PostgreSQL: a code claimed, the licence verified, receipt, audit and outbox committed; two workers.

Beside it, what is measured against: one SQLModel row, inserted and committed, one after another on one connection.
"""

import multiprocessing
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlmodel import Session

from app import clock
from app.cli.demo_city import ITEM
from app.house import House
from bench import batch_load, city
from issuers.batch.models import JobState
from issuers.models import LicenceState
from records import idempotency
from records.models import RefusedRequest

COUNTER = "bench_desk"
DESKS = tuple(f"bench_desk_{number}" for number in range(20))
HOLDERS, THREADS, WORKERS = 200, 10, 2
REVOKED = 15  # licences more, which are revoked


class Counters:
    """Workers that are told how long to work; each has codes of its own, made before the clock starts."""

    def __init__(self, url: str, house: House, pipes: list[Any], spare: list[tuple[str, str]]) -> None:
        self._url = url
        self._house = house
        self._pipes = pipes
        self._spare = spare

    def acts(self, seconds: float) -> float:
        """Return whole counter acts a second, of all workers together."""
        for pipe in self._pipes:
            pipe.send(seconds)
        for pipe in self._pipes:
            pipe.recv()  # the codes are made
        for pipe in self._pipes:
            pipe.send("go")
        found = [pipe.recv() for pipe in self._pipes]
        return float(sum(count / spent for count, spent in found))

    def commits(self, seconds: float) -> float:
        """Return rows inserted and committed a second, one by one on one connection."""
        made, started = 0, time.perf_counter()
        with Session(self._house.database.engine) as session:
            while (spent := time.perf_counter() - started) < seconds:
                session.add(
                    RefusedRequest(
                        number=secrets.token_hex(8), at=clock.now(), operation="bench", status=400, code="-", caller="-"
                    )
                )
                session.commit()
                made += 1
        return made / spent

    def refused_after(self) -> list[float]:
        """Return after how many seconds a counter at another worker refuses what was revoked, each time."""
        other, found = city.house(self._url), []
        for holder, licence in self._spare:
            scan(other, code(other, holder, licence))  # it knows the list as of now
            now = clock.now()
            this = idempotency.attempt(f"agency:{city.AGENCY}", f"revoke {licence}", "revoke", {})
            self._house.changes.change(
                city.AGENCY, licence, LicenceState.REVOKED, this, cause="moved_away", actor="bench", now=now
            )
            acknowledged = time.perf_counter()
            while said(other, code(other, holder, licence)) != "revoked":
                time.sleep(0.005)
            found.append(time.perf_counter() - acknowledged)
        other.database.engine.dispose()
        return found


@contextmanager
def running(url: str, workers: int = WORKERS) -> Iterator[Counters]:
    """A city with holders and a counter, and workers that wait to be told."""
    house = city.house(url)
    city.found(house)
    for name in (COUNTER, *DESKS):
        add_counter(house, name)
    every = issued_to(house, HOLDERS + REVOKED)
    spare, held = every[:REVOKED], every[REVOKED:]
    context = multiprocessing.get_context("spawn")
    pipes, crew = [], []
    for number in range(workers):
        ours, theirs = context.Pipe()
        one = context.Process(target=_work, args=(url, held[number::workers], theirs), daemon=True)
        with city.on_core(number):
            one.start()
        pipes.append(ours)
        crew.append(one)
    try:
        yield Counters(url, house, pipes, spare)
    finally:
        for one in crew:
            one.terminate()
            one.join()
        house.database.engine.dispose()


def issued_to(house: House, people: int) -> list[tuple[str, str]]:
    """Issue a licence to each of so many people; returns whose wallet has which."""
    job = batch_load.receive(house, people)
    while house.batches.progress(city.AGENCY, job).job.state != JobState.DONE:
        if not house.batch_worker.work(clock.now):  # a server that runs beside may be at it
            time.sleep(0.05)
    rows = [house.issuer.read(city.AGENCY, one["licence_id"]) for one in house.batches.report(city.AGENCY, job)]
    return [(row.holder_ref, row.licence_id) for row in rows]


def add_counter(house: House, name: str = COUNTER) -> None:
    """Take a counter in."""
    house.counters.add(name, agency="school2", name={"zh": "台", "en": "desk"}, channel="hall_counter",
                       actor="bench", now=clock.now())  # fmt: skip


def _work(url: str, held: list[tuple[str, str]], pipe: Any) -> None:
    house = city.house(url)
    city.settle()
    with ThreadPoolExecutor(THREADS) as pool:
        while True:
            seconds = pipe.recv()
            codes = [code(house, *held[at % len(held)]) for at in range(int(400 * seconds))]
            pipe.send("ready")
            pipe.recv()
            started = time.perf_counter()
            parts = [pool.submit(_scan, house, at, codes[at::THREADS], started + seconds) for at in range(THREADS)]
            count = sum(one.result() for one in parts)
            pipe.send((count, time.perf_counter() - started))


def code(house: House, holder: str, licence: str) -> str:
    """Return a fresh show code of a holder's."""
    show = house.wallet.show(holder, {licence: ["residence_district"]}, now=clock.now())
    return str(show.url)


def _scan(house: House, first: int, codes: list[str], until: float) -> int:
    for done, one in enumerate(codes):
        if time.perf_counter() >= until:
            return done
        scan(house, one, DESKS[(first + done) % len(DESKS)])
    return len(codes)


def scan(house: House, code: str, desk: str = COUNTER) -> None:
    """Do one whole counter act that ends well."""
    if (reason := said(house, code, desk)) != "accepted":
        raise RuntimeError(reason)


def said(house: House, code: str, desk: str = COUNTER) -> str:
    """Do one whole counter act; returns its reason."""
    now = clock.now()
    question = house.verifier.question(desk, ITEM, None, now=now)
    return house.verifier.verify_scan(code, question, now=now).reason
