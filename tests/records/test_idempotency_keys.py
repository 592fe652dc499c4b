"""Idempotency keys: taken once, in the act's own transaction, for one caller, operation and body."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlmodel import select

from records import idempotency
from records.errors import IdempotencyKeyReusedError
from records.models import AuditEntry, IdempotencyKey, Instant
from tests.world import START, World

THIS = idempotency.attempt("agency:police", "key-1", "issue", {"a": 1, "b": ["二", {"c": None}]})


def claim(world: World, this: idempotency.Attempt, result: str) -> str | None:
    """Claim a key in a transaction of its own."""
    with world.house.database.write() as session:
        return idempotency.claim(session, this, result=result, now=world.now)


def test_first_claim_takes_the_key(world: World) -> None:
    """The first claim wins; every later one of the same attempt gets the first one's result."""
    assert claim(world, THIS, "one") is None
    assert claim(world, THIS, "two") == "one"
    assert claim(world, THIS, "three") == "one"
    with world.house.database.read() as session:
        assert idempotency.earlier_result(session, THIS) == "one"


def test_new_key_has_no_earlier_result(world: World) -> None:
    """An attempt that was never made has no result, and asking takes no key."""
    with world.house.database.read() as session:
        assert idempotency.earlier_result(session, THIS) is None
    assert claim(world, THIS, "one") is None


def test_key_of_a_rolled_back_act_is_free(world: World) -> None:
    """A claim whose transaction fails leaves the key free."""
    with pytest.raises(ZeroDivisionError), world.house.database.write() as session:
        assert idempotency.claim(session, THIS, result="one", now=world.now) is None
        raise ZeroDivisionError
    assert claim(world, THIS, "two") is None


@pytest.mark.parametrize(
    "other",
    [
        replace(THIS, operation="renew x"),
        replace(THIS, body_hash="0" * 64),
        idempotency.attempt("agency:police", "key-1", "issue", {"a": 1, "b": ["二", {"c": False}]}),
        idempotency.attempt("agency:police", "key-1", "issue", {"a": "1", "b": ["二", {"c": None}]}),
        idempotency.attempt("agency:police", "key-1", "issue", {"a": 1, "b": [{"c": None}, "二"]}),
        idempotency.attempt("agency:police", "key-1", "issue", {"a": True, "b": ["二", {"c": None}]}),
    ],
)
def test_key_means_one_thing(world: World, other: idempotency.Attempt) -> None:
    """A key that was used for one operation and body is refused for any other."""
    assert claim(world, THIS, "one") is None
    with pytest.raises(IdempotencyKeyReusedError):
        claim(world, other, "two")
    with pytest.raises(IdempotencyKeyReusedError), world.house.database.read() as session:
        idempotency.earlier_result(session, other)
    assert claim(world, THIS, "three") == "one"


def test_key_belongs_to_its_caller(world: World) -> None:
    """Another caller's key of the same name, and another key of the same caller, are free."""
    assert claim(world, THIS, "one") is None
    assert claim(world, replace(THIS, caller="agency:samr"), "two") is None
    assert claim(world, replace(THIS, key="key-2"), "three") is None
    assert claim(world, replace(THIS, key="KEY-1"), "four") is None


def test_bodies_are_compared_by_meaning() -> None:
    """Bodies with the same members in another order hash alike."""
    turned = idempotency.attempt("agency:police", "key-1", "issue", {"b": ["二", {"c": None}], "a": 1})
    assert turned == THIS


def test_body_is_not_kept(world: World) -> None:
    """Of the body only a digest is kept."""
    assert claim(world, THIS, "one") is None
    with world.house.database.read() as session:
        row = session.exec(select(IdempotencyKey)).one()
    assert len(row.body_hash) == 64
    assert "二" not in repr(row)


def test_instants_come_back_aware_and_in_utc(world: World) -> None:
    """An instant of any zone comes back as the same instant in UTC, microseconds and all."""
    local = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    with world.house.database.write() as session:
        idempotency.claim(session, THIS, result="one", now=local)
    with world.house.database.read() as session:
        found = session.exec(select(IdempotencyKey)).one().created_at
        entries = session.exec(select(AuditEntry)).all()
    assert (found, found.tzinfo) == (local, UTC)
    assert found == START + timedelta(microseconds=123456)
    assert entries
    assert all(one.at.tzinfo is UTC for one in entries)


def test_naive_instants_are_refused() -> None:
    """An instant without a zone never reaches the database."""
    with pytest.raises(ValueError, match="naive"):
        Instant().process_bind_param(datetime(2026, 11, 23), None)  # type: ignore[arg-type]  # noqa: DTZ001
