"""Logs: what must never be logged is blotted out, by its name and by its shape."""

from typing import Any

import pytest

from app import logs

SECRETS = {
    "access token": "lw_holder_AbCdEf-_0123456789",
    "operator's token": "lw_operator_AbCdEf-_0123456789",
    "citizen number": "440199198708220021",
    "citizen number with X": "44019919850315001X",
    "JWS": "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl",
    "SD-JWT": "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln~WyJzYWx0Il0~eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
    "offline pass": "EL1:6BFOXN*TS0BI$ZD4N9:9S6RCVN5",
    "code in a URL": "http://127.0.0.1:8080/s#0123456789ABCDEFGHJKMNPQRS",
}


def _blotted(**event: Any) -> str:
    return str(logs.blot(None, "info", dict(event)))


def _core(secret: str) -> str:
    return secret.rpartition("#")[2]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("around", ["{}", "before {} after", "号码：{}，有误", "({})", '"{}"', "x={}&y=1"])
def test_secrets_are_blotted_by_their_shape(name: str, around: str) -> None:
    """Tokens, citizen numbers, presentations, passes and codes are blotted wherever they stand in a text."""
    secret = SECRETS[name]
    told = _blotted(event="something", detail=around.format(secret))
    assert _core(secret) not in told
    assert logs.BLOTTED in told


@pytest.mark.parametrize("around", ["公民身份号码{}有误", "张三{}"])
def test_a_citizen_number_between_hanzi_is_blotted(around: str) -> None:
    """Chinese is written without blanks: a number right between characters is blotted too."""
    assert "440199198708220021" not in _blotted(event="something", detail=around.format("440199198708220021"))


def test_a_citizen_number_with_a_small_x_is_blotted() -> None:
    """People write the check character small."""
    assert "44019919850315001x" not in _blotted(event="something", detail="44019919850315001x")


@pytest.mark.parametrize("name", ["authorization", "token", "secret", "code", "link", "scanned", "claims", "KEK"])
def test_secrets_are_blotted_by_their_name(name: str) -> None:
    """What bears a secret's name is blotted whatever it is."""
    for value in ("plain", {"a": "plain"}, ["plain"], 7):
        assert logs.blot(None, "info", {name: value})[name] == logs.BLOTTED


@pytest.mark.parametrize(
    "value", [{"inner": "440199198708220021"}, ["440199198708220021"], {"a": [{"b": "lw_holder_Ab1"}]}]
)
def test_secrets_inside_of_things_are_blotted(value: object) -> None:
    """Secrets in lists and objects are blotted as well as in texts."""
    told = _blotted(event="something", payload=value)
    assert "440199198708220021" not in told
    assert "lw_holder_Ab1" not in told


def test_what_is_no_secret_stays() -> None:
    """Ordinary words, numbers and routes are left as they are."""
    event = {"event": "http", "route": "/wallet/licences/{licence_id}", "status": 200, "request_id": "0f3c9a7be2d14c55"}
    assert logs.blot(None, "info", dict(event)) == event
