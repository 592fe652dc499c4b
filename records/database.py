"""What a room needs of a database: short transactions that commit before anybody is answered."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from datetime import timedelta
from typing import Protocol, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlmodel import Session

Made = TypeVar("Made")
OUTLAST = timedelta(minutes=15)
"""How long what was remembered counts while the database is away: as long as a status list does on line."""
_at_once: ContextVar[bool] = ContextVar("at_once", default=False)


def is_away(error: DBAPIError) -> bool:
    """Whether a database could not be reached, or was lost; not that it is busy, full or refuses a statement."""
    return isinstance(error, OperationalError | InterfaceError) and (
        error.connection_invalidated or error.statement is None
    )


class WouldWaitError(Exception):
    """The database would be asked by what must not wait for it."""


class Database(Protocol):
    """Opens transactions; `app/database.py` has the one implementation, for SQLite and PostgreSQL."""

    def write(self) -> AbstractContextManager[Session]:
        """Open a transaction that may write; commits on leaving, rolls back on any exception. Not within another."""

    def read(self) -> AbstractContextManager[Session]:
        """Open a session that only reads and blocks no writer; each of its statements sees the present.

        Within `write` it is that transaction's own session.
        """


def at_once(work: Callable[[], Made]) -> Made:
    """Do what needs memory alone; raises `WouldWaitError` where it would ask the database, and nothing was asked."""
    before = _at_once.set(True)
    try:
        return work()
    finally:
        _at_once.reset(before)


def may_wait() -> None:
    """Raise `WouldWaitError` within `at_once`; whoever opens transactions calls it first."""
    if _at_once.get():
        raise WouldWaitError
