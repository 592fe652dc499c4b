"""Over HTTP: one worker on one core, the clients on another where there is one; fresh SQLite, everything recorded."""

import http.client
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.cli.demo_city import ITEM, City
from app.cli.demo_server import environment, first_token, free_port, server
from app.cli.demo_teller import Teller

CLIENTS = 8
Work = Callable[[http.client.HTTPConnection], None]


class Load:
    """A city with one parent, and requests ready to be fired."""

    def __init__(self, url: str, operator: str, place: Path) -> None:
        self.host = url.removeprefix("http://")
        self.city = City(url, operator, Teller(as_json=True, quiet=True), place)
        self.city.found()
        self.city.issue()
        self.counter = {
            "Authorization": f"Bearer {self.city.tokens['school2_office']}",
            "Content-Type": "application/json",
        }
        self.parent = {"Authorization": f"Bearer {self.city.parent_token}", "Content-Type": "application/json"}
        self.police = {"Authorization": f"Bearer {self.city.tokens['police']}", "Content-Type": "application/json"}

    def call(self, line: http.client.HTTPConnection, method: str, path: str, headers: Any, body: object = None) -> Any:
        line.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = line.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return json.loads(data)

    def empty(self, line: http.client.HTTPConnection) -> None:
        self.call(line, "GET", "/healthz", {})

    def issue(self, line: http.client.HTTPConnection) -> None:
        body = {
            "licence_type": "residence_permit",
            "holder": self.city.person("li_si"),
            "claims": self.city.residence(),
        }
        self.call(line, "POST", "/issuers/police/licences", self.police, body)

    def show(self, line: http.client.HTTPConnection) -> str:
        body = {"licences": [{"licence_id": self.city.permit, "claims": ["residence_district"]}], "qr": "none"}
        return str(self.call(line, "POST", "/wallet/shows", self.parent, body)["url"])

    def verify(self, line: http.client.HTTPConnection, scanned: str) -> None:
        body = {"scanned": scanned, "service_item": ITEM}
        made = self.call(line, "POST", "/verifier/verifications", self.counter, body)
        if made["verdict"] != "accepted":
            raise RuntimeError(made["reason"])


@contextmanager
def running() -> Iterator[Load]:
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="licence-bench-") as name:
        place, port = Path(name), free_port()
        env = environment(place, port)
        operator = first_token(env)
        os.sched_setaffinity(0, {cores[0]})  # the server inherits this core …
        with server(place, env, port) as url:
            os.sched_setaffinity(0, set(cores[1:]) or {cores[0]})  # … and the clients take the others
            try:
                yield Load(url, operator, place)
            finally:
                os.sched_setaffinity(0, set(cores))
