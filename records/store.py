"""All SQL of the records room."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy import (
    Integer,
    and_,
    bindparam,
    delete,
    func,
    or_,
    tuple_,
    update,
)
from sqlmodel import Session, col, select

from records.models import AuditEntry, IdempotencyKey, LeaseRow, LogCheckpoint, LogNode, RefusedRequest
from records.rows import store as rows_store

PAGE = 1000  # rows of a walk through a whole table


def idempotency_key(session: Session, caller: str, key: str) -> IdempotencyKey | None:
    """Return what `caller` did with `key`."""
    return session.get(IdempotencyKey, (caller, key), populate_existing=True)


def lock_stream(session: Session, stream: str) -> None:
    """Hold the stream for this transaction; SQLite's writers are alone already."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCK, {"stream": stream})


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(stream)s, 0))"


def wait_briefly(session: Session) -> None:
    """Wait for no lock longer than a moment in this transaction: what shares it with others is done alone then."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout = '200ms'")


def locked_heads(session: Session, streams: Collection[str]) -> dict[str, tuple[int, str]]:
    """Hold streams for this transaction; returns sequence and hash of the last entry of each that has any."""
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return last_entries(session, streams)
    named = {"streams": list(streams)}
    with rows_store.driver(connection) as sent, sent.pipeline():  # both at once, the one after the other
        rows_store.tell(connection, _LOCKS)
        sent.execute(_LOCKS, named)
        rows_store.tell(connection, _HEADS)
        return {stream: (sequence, hashed) for stream, sequence, hashed in sent.execute(_HEADS, named).fetchall()}


_LOCKS = (  # in one order for everybody who holds several
    "SELECT pg_advisory_xact_lock(one) FROM (SELECT DISTINCT hashtextextended(name, 0) AS one"
    " FROM unnest(%(streams)s::text[]) AS name ORDER BY 1) AS locks"
)
_HEADS = (
    "SELECT name, last.sequence, last.hash FROM unnest(%(streams)s::text[]) AS name, LATERAL (SELECT sequence, hash"
    " FROM audit_entry WHERE stream = name ORDER BY sequence DESC LIMIT 1) AS last"
)


def newest_act(session: Session, stream: str, among: int) -> datetime | None:
    """Return the latest instant of a stream's last so many acts, None if there are none."""
    newest: datetime | None = session.connection().execute(_NEWEST, {"stream": stream, "among": among}).scalar()
    return newest


_NEWEST = select(
    func.max(
        select(AuditEntry.at)
        .where(AuditEntry.stream == bindparam("stream"))
        .order_by(col(AuditEntry.sequence).desc())
        .limit(bindparam("among", type_=Integer))
        .subquery()
        .c.at
    )
)


def lock_streams(session: Session, streams: Collection[str]) -> None:
    """Hold many streams for this transaction, in one order for everybody who holds several."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCKS, {"streams": list(streams)})


def last_entries(session: Session, streams: Collection[str]) -> dict[str, tuple[int, str]]:
    """Return sequence and hash of the last entry of each stream that has any."""
    entry, named = rows_store.table_of(AuditEntry), rows_store.each(session, streams)
    of = rows_store.table_of(AuditEntry).alias()
    last = (  # one step down the key's index for each stream; its largest by GROUP BY would read all of its entries
        select(of.c.sequence)
        .where(of.c.stream == named.c.value)
        .order_by(of.c.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(entry.c.stream, entry.c.sequence, entry.c.hash).where(
        entry.c.stream == named.c.value, entry.c.sequence == last
    )
    return {stream: (sequence, hashed) for stream, sequence, hashed in session.execute(query)}


def idempotency_keys(session: Session, caller: str, keys: Collection[str]) -> dict[str, IdempotencyKey]:
    """Return what `caller` did with each of many keys, by key."""
    query = select(IdempotencyKey).where(
        IdempotencyKey.caller == caller, rows_store.among(session, col(IdempotencyKey.key), keys)
    )
    return {row.key: row for row in session.exec(query)}


def log_size(session: Session) -> int:
    """Return how many leaves the log has."""
    last = session.exec(select(func.max(AuditEntry.log_index))).one()
    return 0 if last is None else last + 1


def unlogged(session: Session, limit: int) -> Sequence[tuple[str, int, str]]:
    """Return stream, number and hash of acts that are no leaves yet, stream by stream, in order."""
    query = select(AuditEntry.stream, AuditEntry.sequence, AuditEntry.hash).where(col(AuditEntry.log_index).is_(None))
    return session.exec(query.order_by(col(AuditEntry.stream), col(AuditEntry.sequence)).limit(limit)).all()


_ACTS = rows_store.table_of(AuditEntry)
_BECOMES_A_LEAF = (
    update(_ACTS)
    .where(_ACTS.c.stream == bindparam("of"), _ACTS.c.sequence == bindparam("number"))
    .values(log_index=bindparam("index"))
)


def make_leaves(session: Session, places: Sequence[tuple[str, int, int]]) -> None:
    """Give acts, by stream and number, their places in the log."""
    said = [{"of": stream, "number": number, "index": index} for stream, number, index in places]
    session.connection().execute(_BECOMES_A_LEAF, said)


def logged(session: Session) -> Iterator[Sequence[AuditEntry]]:
    """Yield the acts that are leaves, in the log's order, page by page."""
    place = col(AuditEntry.log_index)
    page = select(AuditEntry).where(place.is_not(None)).order_by(place).limit(PAGE)
    rows = session.exec(page).all()
    while rows:
        yield rows
        rows = session.exec(page.where(place > rows[-1].log_index)).all()


def nodes(session: Session, first: int, end: int) -> dict[tuple[int, int], bytes]:
    """Return the subtrees whose last leaf is one from `first` until before `end`, by level and place."""
    levels = range(end.bit_length())
    level, place = col(LogNode.level), col(LogNode.place)
    these = or_(*(and_(level == one, place >= first >> one, place < end >> one) for one in levels))
    rows = session.exec(select(LogNode.level, LogNode.place, LogNode.hash).where(these))
    return {(found, at): hashed for found, at, hashed in rows}


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


def checkpoints(session: Session) -> Iterator[LogCheckpoint]:
    """Yield every signed checkpoint, the smallest first."""
    page = select(LogCheckpoint).order_by(col(LogCheckpoint.size)).limit(PAGE)
    rows = session.exec(page).all()
    while rows:
        yield from rows
        rows = session.exec(page.where(col(LogCheckpoint.size) > rows[-1].size)).all()


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


def entries(session: Session) -> Iterator[AuditEntry]:
    """Yield every entry, stream by stream, in order."""
    order = col(AuditEntry.stream), col(AuditEntry.sequence)
    page = select(AuditEntry).order_by(*order).limit(PAGE)
    rows = session.exec(page).all()
    while rows:
        yield from rows
        rows = session.exec(page.where(tuple_(*order) > (rows[-1].stream, rows[-1].sequence))).all()


def free_keys(session: Session, operation: str, results: Collection[str]) -> None:
    """Forget the keys of operations, whose names begin so, with some results."""
    key, named = col(IdempotencyKey.operation), rows_store.among(session, col(IdempotencyKey.result), results)
    session.execute(delete(IdempotencyKey).where(named, key.startswith(operation, autoescape=True)))


def forget_keys(session: Session, before: datetime, *, callers: Sequence[str], operations: Sequence[str]) -> int:
    """Forget idempotency keys from before an instant, but for those of some callers and operations; returns how many.

    `operations` are how the names of those begin.
    """
    old = delete(IdempotencyKey).where(
        col(IdempotencyKey.created_at) < before, col(IdempotencyKey.caller).not_in(callers)
    )
    for one in operations:
        old = old.where(~col(IdempotencyKey.operation).startswith(one, autoescape=True))
    return rows_store.changed(session, old)


def lease(session: Session, name: str) -> LeaseRow | None:
    """Return who has a lease, freshly read."""
    return session.get(LeaseRow, name, populate_existing=True)


def take_lease(session: Session, row: LeaseRow, holder: str, fence: int, until: datetime) -> bool:
    """Take a lease from whoever has it in `row`; of any number of workers at once one does."""
    this = update(LeaseRow).where(col(LeaseRow.name) == row.name, col(LeaseRow.fence) == row.fence)
    this = this.where(col(LeaseRow.holder) == row.holder, col(LeaseRow.until) == row.until)
    return bool(rows_store.changed(session, this.values(holder=holder, fence=fence, until=until)))


def hold_lease(session: Session, name: str, fence: int) -> bool:
    """Whether a lease still has this fence; nobody takes it before the transaction ends."""
    this = update(LeaseRow).where(col(LeaseRow.name) == name, col(LeaseRow.fence) == fence)
    return bool(rows_store.changed(session, this.values(fence=fence)))
