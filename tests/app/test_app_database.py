"""Transactions: what reads within one that writes is in it, none is within another; rows that go to the driver at once."""

import socket
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, select

from app.database import SILENCE, EngineDatabase, engine
from records import store
from records.database import is_away
from records.models import IdempotencyKey, RefusedRequest
from records.outbox.models import OutboxEvent
from records.rows import store as rows_store
from tests.world import World

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


def _refused(number: str) -> tuple[type[RefusedRequest], dict[str, Any]]:
    told = {"number": number, "at": NOW, "operation": "x", "status": 400, "code": "-", "caller": "-"}
    return RefusedRequest, told


def _key(result: str) -> tuple[type[IdempotencyKey], dict[str, Any]]:
    told = {"caller": "c", "key": "k", "operation": "x", "body_hash": "-", "result": result, "created_at": NOW}
    return IdempotencyKey, told


def _numbers(session: Session) -> list[str]:
    return list(session.exec(select(RefusedRequest.number).order_by(RefusedRequest.number)))


def test_what_reads_within_a_transaction_sees_what_it_wrote(world: World) -> None:
    """And nobody else does before it is committed; afterwards a reader stands alone again."""
    database = world.house.database
    with database.write() as session:
        rows_store.insert_each(session, [_refused("1")])
        with database.read() as inner:
            assert inner is session
            assert _numbers(inner) == ["1"]
        seen: list[list[str]] = []

        def elsewhere() -> None:
            with database.read() as other:
                seen.append(_numbers(other))

        thread = Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert seen == [[]]
    with database.read() as after:
        assert after is not session
        assert _numbers(after) == ["1"]


def test_no_transaction_within_another(world: World) -> None:
    """It would wait for itself on SQLite: a mistake in the code, told at once, and nothing is written."""
    database = world.house.database
    with pytest.raises(RuntimeError), database.write() as session:
        rows_store.insert_each(session, [_refused("1")])
        with database.write():
            pass
    with database.write() as session:
        assert _numbers(session) == []


def test_rows_that_are_taken(world: World) -> None:
    """A row that a constraint refuses is left out where that is said; else all are, and it is told as ever."""
    database = world.house.database
    with database.write() as session:
        rows_store.insert_each(session, [_key("first"), _refused("1")])
    with database.write() as session:
        rows_store.insert_each(session, [_key("second"), _refused("2")], unless_taken=[IdempotencyKey])
        assert store.idempotency_keys(session, "c", ["k"])["k"].result == "first"
    with pytest.raises(IntegrityError), database.write() as session:
        rows_store.insert_each(session, [_refused("3"), _key("third"), _refused("4")])
    with database.read() as session:
        assert _numbers(session) == ["1", "2"]


def test_whoever_listens_to_statements_hears_of_all(world: World) -> None:
    """What goes to the driver at once is told one by one, before it goes, and can be kept from going."""
    database, heard = world.house.database, list[str]()

    def listener(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        heard.append(statement)
        if "idempotency_key" in statement:
            raise ConnectionResetError

    event.listen(database.engine, "before_cursor_execute", listener)
    try:
        with pytest.raises(ConnectionResetError), database.write() as session:
            store.locked_heads(session, ["x"])
            rows_store.insert_each(session, [_refused("1"), _key("-"), _refused("2")])
    finally:
        event.remove(database.engine, "before_cursor_execute", listener)
    tables = ("audit_entry", "refused_request", "idempotency_key")
    said = [name for text in heard for name in tables if name in text]
    assert said == list(tables)
    with database.read() as session:
        assert _numbers(session) == []


def test_a_connection_once_open_stays_open(postgres: str) -> None:
    """Many at once, again and again: no more connections are opened than there may be, and none is opened anew."""
    made = engine(postgres, connections=6)
    opened: list[object] = []
    event.listen(made, "connect", lambda connection, _: opened.append(connection))
    together = Barrier(6)

    def ask() -> None:
        with made.connect() as connection:
            together.wait()  # all six at once
            connection.execute(text("SELECT 1"))

    for _ in range(3):
        threads = [Thread(target=ask) for _ in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    made.dispose()
    assert len(opened) == 6


def test_a_lock_that_is_not_had_is_no_database_that_is_away(postgres: str) -> None:
    """What the server refuses is one thing, a connection that is lost another: what was committed then nobody knows."""
    database = EngineDatabase(postgres, connections=4)
    with database.write() as holding:
        store.lock_stream(holding, "x")
        waits = Thread(target=lambda: refused.append(_refusal(database, "SET LOCAL lock_timeout = 50")))
        refused: list[OperationalError] = []
        waits.start()
        waits.join()
    assert "LockNotAvailable" in str(refused[0])
    assert not is_away(refused[0])
    lost = _refusal(database, "SELECT 1", then="SELECT pg_terminate_backend(pg_backend_pid())")
    assert is_away(lost)
    with database.write() as session:
        store.locked_heads(session, ["x"])
    database.engine.dispose()


def _refusal(database: EngineDatabase, before: str, then: str | None = None) -> OperationalError:
    with pytest.raises(OperationalError) as found, database.write() as session:
        session.execute(text(before))
        if then is None:
            store.locked_heads(session, ["x"])
        else:
            with rows_store.driver(session.connection()) as sent:
                sent.execute(then)
    return found.value


def test_rows_come_back_as_they_went(world: World) -> None:
    """An instant of another zone to the microsecond, JSON with whatever texts hold, numbers, and what is nothing."""
    odd = {"a": ["\\x41", 'b"\\', "\u2028", None, 1.5, {"c": True}], "NUL \u0000": "汉"}
    at = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=8)))
    for name, detail in (("plain", {"a": odd["a"]}), ("with NUL", odd), ("text", "null"), ("empty", {})):
        told = {"event_id": name, "type": "t", "stream": "s\\n", "subject": "'", "at": at, "detail": detail}
        with world.house.database.write() as session:
            rows_store.insert_each(session, [(OutboxEvent, told), _refused(name)])
        with world.house.database.read() as session:
            row = session.get(OutboxEvent, name)
        assert row is not None
        assert (row.at, row.detail, row.sorted_at) == (at, detail, None)
        assert (row.stream, row.subject) == ("s\\n", "'")


def test_a_server_that_says_nothing_is_away() -> None:
    """An address that takes connections and answers none is given up after seconds; the URL says how many."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        where = f"postgresql+psycopg://someone@127.0.0.1:{silent.getsockname()[1]}/licence"
        with pytest.raises(OperationalError) as gone:
            EngineDatabase(f"{where}?connect_timeout=2").ping()
    assert is_away(gone.value)
    arguments = []
    made = engine(where)
    event.listen(made, "do_connect", lambda _dialect, _record, _args, named: arguments.append(named))
    with pytest.raises(OperationalError):
        made.connect()
    assert arguments[0].items() >= SILENCE.items()
