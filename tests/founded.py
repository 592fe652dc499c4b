"""What every test's city begins with, made once: the operator's keys, and an engine that knows its statements."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event, select
from sqlmodel import SQLModel

from app import database

Rows = Mapping[str, Sequence[dict[str, Any]]]
"""Rows by the name of their table."""

_made = database.engine


@lru_cache
def _engine(url: str, *limits: int) -> Engine:
    engine = _made(url, *limits)
    if engine.dialect.name == "sqlite":  # no test here is about power cuts
        event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous = OFF"))
    return engine


@contextmanager
def kept_engine() -> Iterator[None]:
    """Let a house that is built meanwhile use the engine that an earlier one had at its address."""
    with patch.object(database, "engine", _engine):
        yield


def rows(engine: Engine) -> Rows:
    """Read all that is in a database."""
    with engine.connect() as connection:
        tables = SQLModel.metadata.sorted_tables
        return {one.name: [dict(row) for row in connection.execute(select(one)).mappings()] for one in tables}


def put(url: str, found: Rows) -> None:
    """Write rows into a migrated, empty database."""
    engine = _engine(url)
    with engine.begin() as connection:
        for table in SQLModel.metadata.sorted_tables:
            if found[table.name]:
                connection.execute(table.insert(), found[table.name])
    engine.dispose()
