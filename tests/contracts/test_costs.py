"""What acts cost the database: so many statements and so many transactions that write, and no more unnoticed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Connection, event

from app.house import House
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
