"""Verifying over HTTP with nothing recorded: one worker on one core, each presentation of another licence."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from app import clock
from app.building import build
from app.cli.demo_city import ITEM
from app.cli.demo_server import environment, first_token, free_port, server
from app.house import House
from app.settings import Settings
from bench import city
from bench.counter_load import COUNTER, add_counter, issued_to
from bench.load import fire, request
from credentials import jws, key_binding, sd_jwt
from credentials.jwk import export_public
from keys.access import Role
from keys.models import KeyPurpose

LIMITS = ("LICENCE_LIMIT_ALL", "LICENCE_LIMIT_ADDRESS", "LICENCE_LIMIT_CALLER", "LICENCE_LIMIT_DOORS")
AT_MOST = 6000  # requests a second that a round has licences for
AGAIN = 300  # licences that come back, for the figure of those seen before


class Checks:
    """A city with a counter, and a server that checks what holders of ever new licences present."""

    def __init__(self, house: House, host: str, token: str) -> None:
        self.house = house
        self.host = host
        self._headers = {"Authorization": f"Bearer {token}"}
        self._numbers = count()
        ((holder, licence),) = issued_to(house, 1)
        (held,) = house.wallet._keeping.opened(holder, [licence], now=clock.now())  # noqa: SLF001
        self._parts = sd_jwt.select(held.parts, ["residence_district"])
        self._payload = jws.parse(held.parts.jwt, jws.LICENCE).unverified_payload()
        self._key = house.vault.active(city.AGENCY, KeyPurpose.LICENCE)

    def rate(self, seconds: float) -> float:
        """Return presentations verified a second, each of a licence and a key that the server never saw."""
        return self._fired(self.requests(int(AT_MOST * seconds)), seconds)

    def rate_again(self, seconds: float) -> float:
        """Return the same of licences that the server saw a moment ago."""
        requests = self.requests(AGAIN)
        self._fired(requests, AGAIN / 1000)
        return self._fired(requests, seconds)

    def _fired(self, requests: list[bytes], seconds: float) -> float:
        return fire([self.host], requests, seconds, expect=b'"verdict":"accepted"').rate

    def requests(self, number: int) -> list[bytes]:
        """Return so many requests, made beforehand: a presentation lives a minute."""
        nonce, audience = f"nonce-{next(self._numbers)}", self.house.verifier.audience(COUNTER)
        return [self._request(nonce, audience) for _ in range(number)]

    def _request(self, nonce: str, audience: str) -> bytes:
        """Return the request of a new licence: the one that was issued, for another key."""
        assert self._key.signer is not None
        key = generate_private_key(SECP256R1())
        payload = {**self._payload, "cnf": {"jwk": export_public(key)}}
        parts = replace(self._parts, jwt=jws.sign(jws.LICENCE, payload, self._key.signer, kid=self._key.kid))
        text = key_binding.bind(parts, jws.es256(key), audience=audience, nonce=nonce, now=clock.now())
        body = {"service_item": ITEM, "nonce": nonce, "presentations": [text]}
        return request(self.host, "/verifier/checks", json.dumps(body).encode(), self._headers)


@contextmanager
def running(place: Path, core: int) -> Iterator[Checks]:
    """A server on one core, and what to ask it."""
    port = free_port()
    env = environment(place, port) | dict.fromkeys(LIMITS, "1000000000/minute") | {"LICENCE_REFRESH_SECONDS": "2"}
    first_token(env)
    settings = settings_of(env)
    house = build(settings)
    house.found_city(now=clock.now())
    city.found(house)
    add_counter(house)
    token = house.access.grant(Role.COUNTER, COUNTER, life=city.DAY, actor="bench", now=clock.now())
    with ExitStack() as stack:
        with city.on_core(core):
            url = stack.enter_context(server(place, env, port))
        yield Checks(house, url.removeprefix("http://"), token)
    house.database.engine.dispose()


def settings_of(env: dict[str, str]) -> Settings:
    """Return the settings that a server has with this environment."""
    told: dict[str, Any] = {
        name.removeprefix("LICENCE_").lower(): value for name, value in env.items() if name.startswith("LICENCE_")
    }
    return Settings(**told)
