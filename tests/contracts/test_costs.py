"""What acts cost the database: so many statements and so many transactions that write, and no more unnoticed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from app.database import EngineDatabase
from app.house import House
from issuers.batch import store
from tests.world import World

BEGIN = "BEGIN IMMEDIATE"  # a statement of ours on SQLite alone


@dataclass
class Cost:
    """What was said to the database: statements, and how many transactions with one that writes were committed."""

    statements: list[str] = field(default_factory=list)
    written: int = 0
    _writing: set[int] = field(default_factory=set)

    def said(self, connection: Connection, _cursor: object, text: str, *_rest: object) -> None:
        """Note a statement."""
        if text == BEGIN:
            return
        self.statements.append(text)
        if not text.startswith("SELECT"):
            self._writing.add(id(connection))

    def committed(self, connection: Connection) -> None:
        """Note the end of a transaction."""
        self.written += id(connection) in self._writing
        self._writing.discard(id(connection))

    @property
    def asked(self) -> list[str]:
        """The tables that were read, but for the ends of the audit's streams, which are held meanwhile, sorted."""
        own = [one for one in self.statements if "audit_entry" not in one and "pg_advisory" not in one]
        tables = (re.search(r"\sFROM (\w+)", one) for one in own if one.startswith("SELECT"))
        return sorted(one[1] for one in tables if one is not None)


@contextmanager
def counted(house: House) -> Iterator[Cost]:
    """Count what a house says to its database meanwhile."""
    cost, engine = Cost(), house.database.engine
    event.listen(engine, "before_cursor_execute", cost.said)
    event.listen(engine, "commit", cost.committed)
    try:
        yield cost
    finally:
        event.remove(engine, "before_cursor_execute", cost.said)
        event.remove(engine, "commit", cost.committed)


@pytest.fixture
def warm(world: World) -> World:
    """A worker that has done each thing before, and remembers for two seconds as it does in a city."""
    world.counter()
    world.restart(refresh_seconds=2)
    world.scan(_shown(world))
    return world


def _shown(world: World) -> str:
    licence = {"licence_id": world.issue(), "claims": ["residence_district"]}
    return str(world.show(licences=[licence])["url"])


def test_a_counter_s_act(warm: World) -> None:
    """Code claimed, licence opened and shown; verdict, receipt, audit and events written: two transactions, one read."""
    code = _shown(warm)
    with counted(warm.house) as cost:
        assert warm.scan(code)["verdict"] == "accepted"
    assert cost.asked == ["held_licence"]  # trust, keys, lists, the counter and its token come from memory
    assert cost.written == 2
    assert len(cost.statements) <= 15, cost.statements


def test_a_licence(warm: World) -> None:
    """Account and key; recorded, with its index; signed and in its wallet: three transactions that write."""
    with counted(warm.house) as cost:
        warm.issue()
    assert cost.written == 3
    assert len(cost.statements) <= 30, cost.statements


def test_the_next_part_of_a_job(sqlite_template: Path) -> None:
    """However many parts a job has, the next is found by an index, in order: nothing is looked through or sorted."""
    made = EngineDatabase(f"sqlite:///{sqlite_template}")
    said: list[tuple[str, tuple[object, ...]]] = []

    def listen(_connection: Connection, _cursor: object, text: str, values: tuple[object, ...], *_rest: object) -> None:
        said.append((text, values))

    with made.read() as session:
        event.listen(made.engine, "before_cursor_execute", listen)
        assert store.next_chunk(session, "none", datetime(2026, 11, 29, tzinfo=UTC)) is None
        event.remove(made.engine, "before_cursor_execute", listen)
        plans = [session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values) for text, values in said]
        told = [" ".join(row[3] for row in plan) for plan in plans]
    assert len(told) == len(store.AT_HAND)
    for one in told:
        assert "INDEX batch_chunk_of_job (job_id=? AND stage=?)" in one
        assert "TEMP B-TREE" not in one
