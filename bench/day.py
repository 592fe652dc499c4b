"""The city's day: desks scan over HTTP at given rates, everything is recorded; two workers, PostgreSQL and the client
share the machine's cores, and what an act costs of them is told.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from app import clock
from app.building import build
from app.cli.demo_city import ITEM
from app.cli.demo_server import environment, free_port, server
from app.house import House
from bench import city
from bench.checks import LIMITS, settings_of
from bench.counter_load import DESKS, add_counter, code, issued_to
from bench.load import Fired, fire, fire_at, request
from keys.access import Role

MEAN, PEAK = 23, 230  # scans a second: 2,000,000 in a day; ten times that
HOLDERS, WORKERS = 200, 2
TICKS = os.sysconf("SC_CLK_TCK")  # of a second, in which processor time is told


@dataclass
class Told:
    """What a rate came to: the answers, and milliseconds of a core that each cost the workers and PostgreSQL."""

    fired: Fired
    workers: float
    database: float

    def percentiles(self) -> tuple[float, float]:
        """Return the median and the 99th of a hundred, in milliseconds."""
        cuts = quantiles(self.fired.latencies, n=100)
        return cuts[49], cuts[98]


class Day:
    """A city with holders and desks, and workers that serve it."""

    def __init__(self, house: House, held: list[tuple[str, str]], hosts: list[str], tokens: list[str]) -> None:
        self._house = house
        self._held = held
        self._hosts = hosts
        self._headers = [{"Authorization": f"Bearer {token}"} for token in tokens]

    def scans(self, rate: int, seconds: float) -> Told:
        """Scan so many codes a second, whatever the answers do."""
        codes = self._requests(int(rate * seconds) + 1)
        before = _spent()
        fired = fire_at(self._hosts, codes, rate, seconds)
        return self._told(fired, before)

    def scans_at_most(self, seconds: float, codes: int) -> Told:
        """Scan as fast as sixteen desks are answered."""
        made = self._requests(codes)
        before = _spent()
        fired = fire(self._hosts, made, seconds, 16, expect=b'"verdict":"accepted"')
        return self._told(fired, before)

    def _told(self, fired: Fired, before: tuple[float, float]) -> Told:
        workers, database = (1000 * (now - then) / fired.count for now, then in zip(_spent(), before, strict=True))
        return Told(fired, workers, database)

    def _requests(self, number: int) -> list[bytes]:
        """Return requests, each with a fresh code: it lives a minute."""
        return [self._request(code(self._house, *self._held[at % HOLDERS]), at) for at in range(number)]

    def _request(self, scanned: str, at: int) -> bytes:
        body = json.dumps({"scanned": scanned, "service_item": ITEM}).encode()
        return request(self._hosts[0], "/verifier/verifications", body, self._headers[at % len(DESKS)])


def _spent() -> tuple[float, float]:
    """Return seconds of a core that workers and PostgreSQL have had."""
    workers = database = 0
    for one in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            name, _, numbers = (one / "stat").read_text().partition("(")[2].rpartition(")")
            ticks = sum(map(int, numbers.split()[11:13]))
            if name == "postgres":
                database += ticks
            elif "app.cli.main\0serve" in (one / "cmdline").read_text():
                workers += ticks
    return workers / TICKS, database / TICKS


@contextmanager
def running(url: str, workers: int = WORKERS) -> Iterator[Day]:
    """Workers over a database, each with a port of its own."""
    with tempfile.TemporaryDirectory(prefix="licence-bench-") as name, ExitStack() as stack:
        ports, place = [free_port() for _ in range(workers)], Path(name)
        env = environment(place, ports[0]) | dict.fromkeys(LIMITS, "1000000000/minute")
        env |= {"LICENCE_REFRESH_SECONDS": "2", "LICENCE_DATABASE_URL": url}  # seconds: as it is by default
        env |= {"LICENCE_SHOW_LIFE_SECONDS": "300"}  # codes are made before the clock starts
        house = build(settings_of(env))
        house.found_city(now=clock.now())
        city.found(house)
        tokens = []
        for desk in DESKS:
            add_counter(house, desk)
            tokens.append(house.access.grant(Role.COUNTER, desk, life=city.DAY, actor="bench", now=clock.now()))
        held = issued_to(house, HOLDERS)
        served = [stack.enter_context(server(place, env, port)) for port in ports]
        yield Day(house, held, [one.removeprefix("http://") for one in served], tokens)
        house.database.engine.dispose()
