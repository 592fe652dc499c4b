"""Bodies, keys and crashes that the issuing tests share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from starlette.testclient import TestClient

from app.house import House
from app.main import create_app
from credentials import base64url, jws, status_list
from credentials.jwk import export_public, import_public
from tests.tokens import AGENCY, es256
from tests.world import BASE_URL, Answer, Caller, World

UNIV_KEY = AGENCY
"""The key that the university of these tests keeps itself."""


class CrashError(Exception):
    """What kills a worker in these tests."""


def univ(world: World) -> Caller:
    """The university, which keeps its own licence key."""
    return world.agency("univ", licence_key=export_public(UNIV_KEY))


def signature(prepared: Answer) -> dict[str, str]:
    """The university's signature over exactly the bytes it was given."""
    return {"signature": base64url.encode(es256(UNIV_KEY)(prepared["signing_input"].encode("ascii")))}


def statuses(world: World, agency: str = "police", number: int = 1) -> status_list.StatusListToken:
    """An agency's published list, verified with the key that the trust list has for it."""
    made = world.anybody.get(f"/issuers/{agency}/status/{number}")
    assert made.status == 200, made.body
    unverified = jws.parse(made.body, jws.STATUS_LIST)
    rows = [row for row in world.house.vault.key_rows(agency) if row.kid == unverified.kid]
    assert [row.purpose for row in rows] == ["status_list"]
    uri = f"http://127.0.0.1:8080/issuers/{agency}/status/{number}"
    return status_list.read_token(jws.verify(unverified, import_public(rows[0].jwk)), uri=uri)


def status_of(world: World, licence_id: str, agency: str = "police") -> int:
    """What the published list says of a licence."""
    row = world.house.issuer.read(agency, licence_id)
    list_agency, number = row.status_list_id.split("/")
    return statuses(world, list_agency, int(number)).list.read(row.status_index)


@contextmanager
def another_worker(world: World, house: House | None = None) -> Iterator[Caller]:
    """Another worker process over the same database, as nobody in particular; use `as_agency` to call it."""
    house = house or world.build()
    with TestClient(create_app(house, now=lambda: world.now), BASE_URL, raise_server_exceptions=False) as http:
        yield Caller(http)


@contextmanager
def dies_at(house: House, statement_number: int) -> Iterator[list[str]]:
    """Let the house's process die just before its n-th statement (commits count); yields what it said before."""
    said: list[str] = []

    def saying(what: str) -> None:
        if len(said) == statement_number:
            raise CrashError
        said.append(what)

    def statement(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        saying(text)

    def commit(_connection: Any) -> None:
        saying("COMMIT")

    engine = house.database.engine
    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", commit)
