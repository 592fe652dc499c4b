"""All SQL of the records room."""

from collections.abc import Generator

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, select

from records.models import AuditEntry, IdempotencyKey


def insert_unless_taken(session: Session, row: SQLModel) -> bool:
    """Insert `row` and return True, or return False if a uniqueness constraint refuses it."""
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        return False
    return True


def idempotency_key(session: Session, caller: str, key: str) -> IdempotencyKey | None:
    """Return what `caller` did with `key`."""
    return session.get(IdempotencyKey, (caller, key), populate_existing=True)


def lock_stream(session: Session, stream: str) -> None:
    """Hold the stream for this transaction; SQLite's writers are alone already."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:stream, 0))"), {"stream": stream})


def last_entry(session: Session, stream: str) -> tuple[int, str]:
    """Return sequence and hash of the stream's last entry, (0, "") for none."""
    query = select(AuditEntry.sequence, AuditEntry.hash).where(AuditEntry.stream == stream)
    row = session.exec(query.order_by(col(AuditEntry.sequence).desc()).limit(1)).first()
    return (row[0], row[1]) if row else (0, "")


def entries(session: Session) -> Generator[AuditEntry, None, None]:
    """Yield every entry, stream by stream, in order; close it if you stop early."""
    query = select(AuditEntry).order_by(col(AuditEntry.stream), col(AuditEntry.sequence))
    rows = session.exec(query.execution_options(yield_per=1000))
    try:
        yield from rows
    finally:
        rows.close()
