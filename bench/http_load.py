"""The demonstration's city on a server of one worker and one core, with a fresh SQLite file."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.cli.demo_city import City
from app.cli.demo_server import environment, first_token, free_port, server
from app.cli.demo_teller import Teller
from bench.checks import LIMITS


class Load:
    """A city with one parent's permit, and where it is served."""

    def __init__(self, url: str, operator: str, place: Path) -> None:
        self.host = url.removeprefix("http://")
        self.city = City(url, operator, Teller(as_json=True, quiet=True), place)
        self.city.found()
        self.city.issue()


@contextmanager
def running() -> Iterator[Load]:
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="licence-bench-") as name:
        place, port = Path(name), free_port()
        env = environment(place, port) | dict.fromkeys(LIMITS, "1000000000/minute")
        env |= {"LICENCE_REFRESH_SECONDS": "2"}  # as it is by default
        operator = first_token(env)
        os.sched_setaffinity(0, {cores[0]})  # the server inherits this core …
        with server(place, env, port) as url:
            os.sched_setaffinity(0, set(cores[1:]) or {cores[0]})  # … and the clients take the others
            try:
                yield Load(url, operator, place)
            finally:
                os.sched_setaffinity(0, set(cores))
