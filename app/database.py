"""The one engine: SQLite for a desk, PostgreSQL for a city; the same short transactions on both."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from threading import Lock
from time import monotonic
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from records.database import may_wait

try:
    import pysqlite3 as _newer_sqlite
except ImportError:  # wheels exist for Linux only; elsewhere the standard library's SQLite serves
    _newer_sqlite = None

SAFE_WAL = (3, 51, 3)  # before it a known bug can lose committed writes in WAL mode
BUSY_SECONDS = 30
MOST_CONNECTIONS = 30  # of one worker to PostgreSQL
BEGIN = "licence_begin"
IDLE_SINCE, IDLE_SECONDS = "idle_since", 0.05
"""A connection that was not used for so long is asked whether it is still there before it is used."""


SILENCE = {
    "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}  # fmt: skip
"""When a server that swallows packets counts as away: seconds, the last milliseconds. The URL may say otherwise."""


class EngineDatabase:
    """Opens transactions on one engine (`records.database.Database`)."""

    def __init__(self, url: str, *, connections: int = MOST_CONNECTIONS) -> None:
        """Open `url`; a worker holds at most so many connections to a PostgreSQL."""
        self.engine = engine(url, connections)
        alone = {"isolation_level": "AUTOCOMMIT"} if self.engine.dialect.name == "postgresql" else {BEGIN: ""}
        self._reader = self.engine.execution_options(**alone)
        steady = {"isolation_level": "REPEATABLE READ"} if self.engine.dialect.name == "postgresql" else {}
        self._witness = self.engine.execution_options(**steady)
        self._writer = self.engine.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
        self._turn: AbstractContextManager[object] = Lock() if self.engine.dialect.name == "sqlite" else nullcontext()
        """SQLite has one writer; threads of one process queue here instead of polling its busy handler."""
        self._writing: ContextVar[Session | None] = ContextVar("writing", default=None)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction that may write; on SQLite it takes the writer's lock at once."""
        may_wait()
        if self._writing.get() is not None:
            raise RuntimeError("a transaction within a transaction")  # it would wait for itself on SQLite
        with self._turn, Session(self._writer, expire_on_commit=False) as session, session.begin():
            before = self._writing.set(session)
            try:
                yield session
            finally:
                self._writing.reset(before)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only reads; each statement sees the present, and none pays for BEGIN and COMMIT.

        Within a transaction that writes it is that one: it sees what was written, and waits for no second connection.
        """
        may_wait()
        writing = self._writing.get()
        if writing is not None:
            yield writing
            return
        with Session(self._reader, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def moment(self) -> Iterator[Session]:
        """Open a transaction that only reads, and all of whose statements see one moment."""
        may_wait()
        with Session(self._witness, expire_on_commit=False) as session, session.begin():
            yield session

    def ping(self) -> None:
        """Raise unless the database answers."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))


def engine(url: str, connections: int = MOST_CONNECTIONS) -> Engine:
    """Return an engine for `url` with this service's rules on it; PostgreSQL's connections, once open, stay so."""
    if make_url(url).get_backend_name() != "sqlite":
        named = make_url(url).query
        made = create_engine(
            url, hide_parameters=True, pool_size=connections, max_overflow=0, pool_use_lifo=True,
            connect_args={name: value for name, value in SILENCE.items() if name not in named},
        )  # fmt: skip
        for when in ("connect", "checkin"):
            event.listen(made, when, _note_idle)
        event.listen(made, "checkout", _ask_idle(made))
        return made
    module: ModuleType = _newer_sqlite or sqlite3
    made = create_engine(
        url,
        module=module,
        hide_parameters=True,  # an error's text goes to the log, and parameters may be claims
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    wal = module.sqlite_version_info >= SAFE_WAL
    event.listen(made, "connect", lambda connection, _record: _prepare(connection, wal=wal))
    event.listen(made, "begin", _begin)
    return made


def why(error: SQLAlchemyError) -> str:
    """Return of what kind an error is and, where no connection was made, why: as the driver says it, in one line.

    That names address, database and role, never a password; what a statement failed at may be claims, and is not told.
    """
    kind = type(error).__name__
    if not isinstance(error, DBAPIError) or error.statement is not None or error.orig is None:
        return kind
    return f"{kind}: {str(error.orig).strip().partition(chr(10))[0]}"


def _note_idle(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[IDLE_SINCE] = monotonic()


def _ask_idle(made: Engine) -> Callable[[Any, ConnectionPoolEntry, object], None]:
    """Return what asks a connection whether it is still there, unless it was used a moment ago.

    SQLAlchemy's `pool_pre_ping` asks each time, which costs as much as what is asked for.
    """

    def ask(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if monotonic() - record.info.get(IDLE_SINCE, 0.0) < IDLE_SECONDS:
            return
        try:
            made.dialect.do_ping(connection)
        except made.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    return ask


def _prepare(connection: Any, *, wal: bool) -> None:
    connection.isolation_level = None  # the driver begins nothing on its own; `_begin` does
    for statement in (
        "PRAGMA foreign_keys = ON",
        "PRAGMA journal_mode = WAL" if wal else "PRAGMA journal_mode = DELETE",
        "PRAGMA synchronous = FULL",
    ):
        connection.execute(statement)


def _begin(connection: Connection) -> None:
    if begin := connection.get_execution_options().get(BEGIN, "BEGIN"):
        connection.exec_driver_sql(begin)
