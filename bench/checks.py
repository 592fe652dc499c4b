"""Verifying over HTTP with nothing recorded: one worker on one core, each presentation of another licence."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from app import clock
from app.building import build
from app.cli.demo_city import ITEM
from app.cli.demo_server import environment, first_token, free_port, server
from app.house import House
from app.settings import Settings
from bench import batch_load, city
from bench.load import Fired, fire, request
from credentials import key_binding, sd_jwt
from keys.access import Role

COUNTER = "bench_desk"
HOLDERS = 300
LIMITS = ("LICENCE_LIMIT_ALL", "LICENCE_LIMIT_ADDRESS", "LICENCE_LIMIT_CALLER", "LICENCE_LIMIT_DOORS")


class Checks:
    """A city with some hundred holders, a counter, and a server that checks what they present."""

    def __init__(self, house: House, host: str, token: str) -> None:
        self.house = house
        self.host = host
        self._headers = {"Authorization": f"Bearer {token}"}
        self._numbers = count()
        self._held = self._wallets()

    def rate(self, seconds: float) -> float:
        """Return presentations verified a second."""
        return self.fired(seconds).rate

    def fired(self, seconds: float) -> Fired:
        """Fire requests that were made beforehand: a presentation lives a minute."""
        return fire(self.host, self.requests(), seconds, expect=b'"verdict":"accepted"')

    def requests(self) -> list[bytes]:
        """Return requests with fresh presentations, one of each holder."""
        nonce, now = f"nonce-{next(self._numbers)}", clock.now()
        audience = self.house.verifier.audience(COUNTER)
        texts = [key_binding.bind(parts, sign, audience=audience, nonce=nonce, now=now) for parts, sign in self._held]
        bodies = [{"service_item": ITEM, "nonce": nonce, "presentations": [one]} for one in texts]
        return [request(self.host, "/verifier/checks", json.dumps(one).encode(), self._headers) for one in bodies]

    def _wallets(self) -> list[tuple[sd_jwt.SdJwt, Callable[[bytes], bytes]]]:
        job = batch_load.receive(self.house, HOLDERS)
        while self.house.batch_worker.work(clock.now):
            pass
        found = []
        keeping = self.house.wallet._keeping  # noqa: SLF001 - its holders' keys, to present with
        for told in self.house.batches.report(city.AGENCY, job):
            row = self.house.issuer.read(city.AGENCY, told["licence_id"])
            (one,) = keeping.opened(row.holder_ref, [row.licence_id], now=clock.now())
            found.append((sd_jwt.select(one.parts, ["residence_district"]), keeping.signer(one.row)))
        return found


@contextmanager
def running(place: Path, core: int) -> Iterator[Checks]:
    """A server on one core, and what to ask it."""
    port = free_port()
    env = environment(place, port) | dict.fromkeys(LIMITS, "1000000000/minute") | {"LICENCE_REFRESH_SECONDS": "2"}
    first_token(env)
    settings = _settings(env)
    house = build(settings)
    house.found_city(now=clock.now())
    city.found(house)
    house.counters.add(COUNTER, agency="school2", name={"zh": "台", "en": "desk"}, channel="hall_counter",
                       actor="bench", now=clock.now())  # fmt: skip
    token = house.access.grant(Role.COUNTER, COUNTER, life=city.DAY, actor="bench", now=clock.now())
    with ExitStack() as stack:
        with city.on_core(core):
            url = stack.enter_context(server(place, env, port))
        yield Checks(house, url.removeprefix("http://"), token)
    house.database.engine.dispose()


def _settings(env: dict[str, str]) -> Settings:
    told: dict[str, Any] = {
        name.removeprefix("LICENCE_").lower(): value for name, value in env.items() if name.startswith("LICENCE_")
    }
    return Settings(**told)
