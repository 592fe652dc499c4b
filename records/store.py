"""All SQL of the records room."""

from collections.abc import Collection, Generator, Sequence
from datetime import datetime

from sqlalchemy import and_, delete, func, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, select

from records.models import AuditEntry, IdempotencyKey, LogCheckpoint, LogNode, RefusedRequest


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


def lock_streams(session: Session, streams: Collection[str]) -> None:
    """Hold many streams for this transaction, in one order for everybody who holds several."""
    if session.get_bind().dialect.name == "postgresql":
        locks = text("SELECT pg_advisory_xact_lock(one) FROM (SELECT DISTINCT hashtextextended(name, 0) AS one"
                     " FROM unnest(CAST(:names AS text[])) AS name ORDER BY 1) AS locks")  # fmt: skip
        session.execute(locks, {"names": list(streams)})


def last_entries(session: Session, streams: Collection[str]) -> dict[str, tuple[int, str]]:
    """Return sequence and hash of the last entry of each stream that has any."""
    newest = (
        select(AuditEntry.stream, func.max(AuditEntry.sequence).label("sequence"))
        .where(col(AuditEntry.stream).in_(streams))
        .group_by(AuditEntry.stream)
        .subquery()
    )
    query = select(AuditEntry.stream, AuditEntry.sequence, AuditEntry.hash).join(
        newest, and_(col(AuditEntry.stream) == newest.c.stream, col(AuditEntry.sequence) == newest.c.sequence)
    )
    return {stream: (sequence, hashed) for stream, sequence, hashed in session.exec(query)}


def idempotency_keys(session: Session, caller: str, keys: Collection[str]) -> dict[str, IdempotencyKey]:
    """Return what `caller` did with each of many keys, by key."""
    query = select(IdempotencyKey).where(IdempotencyKey.caller == caller, col(IdempotencyKey.key).in_(keys))
    return {row.key: row for row in session.exec(query)}


def log_size(session: Session) -> int:
    """Return how many leaves the log has."""
    last = session.exec(select(func.max(AuditEntry.log_index))).one()
    return 0 if last is None else last + 1


def unlogged(session: Session, limit: int) -> Sequence[AuditEntry]:
    """Return acts that are no leaves yet, stream by stream, in order."""
    query = select(AuditEntry).where(col(AuditEntry.log_index).is_(None))
    return session.exec(query.order_by(col(AuditEntry.stream), col(AuditEntry.sequence)).limit(limit)).all()


def logged(session: Session) -> Generator[AuditEntry, None, None]:
    """Yield the acts that are leaves, in the log's order; close it if you stop early."""
    query = select(AuditEntry).where(col(AuditEntry.log_index).is_not(None)).order_by(col(AuditEntry.log_index))
    rows = session.exec(query.execution_options(yield_per=1000))
    try:
        yield from rows
    finally:
        rows.close()


def leaves(session: Session, first: int, count: int) -> Sequence[bytes]:
    """Return the hashes of up to `count` leaves from `first` on."""
    query = select(LogNode.hash).where(LogNode.level == 0, col(LogNode.place) >= first)
    return session.exec(query.order_by(col(LogNode.place)).limit(count)).all()


def act(session: Session, stream: str, subject: str, name: str | None = None) -> AuditEntry | None:
    """Return the first act on a subject in a stream, of that name if one is given."""
    query = select(AuditEntry).where(AuditEntry.stream == stream, AuditEntry.subject == subject)
    if name is not None:
        query = query.where(AuditEntry.act == name)
    return session.exec(query.order_by(col(AuditEntry.sequence)).limit(1)).first()


def checkpoints(session: Session) -> Sequence[LogCheckpoint]:
    """Return every signed checkpoint, the smallest first."""
    return session.exec(select(LogCheckpoint).order_by(col(LogCheckpoint.size))).all()


def last_checkpoint(session: Session, before: datetime | None = None) -> LogCheckpoint | None:
    """Return the latest checkpoint, of those signed before an instant if one is given."""
    query = select(LogCheckpoint)
    if before is not None:
        query = query.where(col(LogCheckpoint.signed_at) < before)
    return session.exec(query.order_by(col(LogCheckpoint.size).desc()).limit(1)).first()


def forget_refused(session: Session, before: datetime) -> None:
    """Forget requests that were refused before an instant."""
    session.execute(delete(RefusedRequest).where(col(RefusedRequest.at) < before))


def stream_page(session: Session, stream: str, after: int, limit: int) -> Sequence[AuditEntry]:
    """Return a stream's acts after a sequence number, in order."""
    query = select(AuditEntry).where(AuditEntry.stream == stream, AuditEntry.sequence > after)
    return session.exec(query.order_by(col(AuditEntry.sequence)).limit(limit)).all()


def streams(session: Session) -> Sequence[tuple[str, int]]:
    """Return every stream and how many acts it has."""
    query = select(AuditEntry.stream, func.max(AuditEntry.sequence)).group_by(AuditEntry.stream)
    return [(stream, count) for stream, count in session.exec(query.order_by(AuditEntry.stream))]


def entries(session: Session) -> Generator[AuditEntry, None, None]:
    """Yield every entry, stream by stream, in order; close it if you stop early."""
    query = select(AuditEntry).order_by(col(AuditEntry.stream), col(AuditEntry.sequence))
    rows = session.exec(query.execution_options(yield_per=1000))
    try:
        yield from rows
    finally:
        rows.close()


def forget_keys(session: Session, before: datetime, *, callers: Sequence[str], operations: Sequence[str]) -> int:
    """Forget idempotency keys from before an instant, but for those of some callers and operations; returns how many.

    `operations` are how the names of those begin.
    """
    old = delete(IdempotencyKey).where(
        col(IdempotencyKey.created_at) < before, col(IdempotencyKey.caller).not_in(callers)
    )
    for one in operations:
        old = old.where(~col(IdempotencyKey.operation).startswith(one, autoescape=True))
    return int(session.execute(old).rowcount)  # type: ignore[attr-defined]
