"""What a room needs of a database: short transactions that commit before anybody is answered."""

from contextlib import AbstractContextManager
from typing import Protocol

from sqlmodel import Session


class Database(Protocol):
    """Opens transactions; `app/database.py` has the one implementation, for SQLite and PostgreSQL."""

    def write(self) -> AbstractContextManager[Session]:
        """Open a transaction that may write; commits on leaving, rolls back on any exception."""

    def read(self) -> AbstractContextManager[Session]:
        """Open a transaction that only reads; never blocks writers."""
