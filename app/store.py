"""All SQL that looks over rooms: who is there, how much happened between two instants, what is undone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, inspect, text, update
from sqlmodel import Session, SQLModel, and_, col, func, select

from issuers.batch.models import BatchChunk, BatchJob, Stage
from issuers.batch.store import BEGUN
from issuers.models import Agency, LicenceCopy, LicenceRow, StatusListRow
from keys.models import AccessToken, TrustPublication
from records.models import AuditEntry, LogCheckpoint
from records.outbox.models import Delivery, OutboxEvent, Webhook
from records.rows import store as rows_store
from verifier.models import Counter, Verification, VerifiedPresentation
from verifier.reasons import Outcome
from wallet.consents.models import Consent

UNFINISHED = tuple(set(Stage) - {Stage.DONE})


def agencies(session: Session) -> Sequence[Agency]:
    """Return every agency by its short name."""
    return session.exec(select(Agency).order_by(col(Agency.key))).all()


def counters(session: Session) -> Sequence[Counter]:
    """Return every counter by its short name."""
    return session.exec(select(Counter).order_by(col(Counter.key))).all()


def reported_questions(session: Session, limit: int) -> Sequence[Consent]:
    """Return the questions that holders reported, newest first."""
    query = select(Consent).where(col(Consent.reported).is_not(None)).order_by(col(Consent.asked_at).desc())
    return session.exec(query.limit(limit)).all()


def issued_between(session: Session, start: datetime, end: datetime, agency: str | None) -> list[tuple[str, int]]:
    """Return how many licences of each type were signed that were ordered from one instant until before another."""
    query = select(LicenceRow.type_key, func.count()).where(
        col(LicenceRow.created_at) >= start, col(LicenceRow.created_at) < end, col(LicenceRow.signature).is_not(None)
    )
    query = query.where(LicenceRow.agency == agency) if agency else query
    return [tuple(row) for row in session.execute(query.group_by(col(LicenceRow.type_key)))]


def verdicts_between(
    session: Session, start: datetime, end: datetime, agency: str | None
) -> list[tuple[str, str, str, int]]:
    """Return how many verdicts there were of each service item, verdict and reason."""
    by = col(Verification.service_item), col(Verification.verdict), col(Verification.reason)
    query = select(*by, func.count()).where(*_between(start, end)).group_by(*by)
    return [tuple(row) for row in session.execute(_of(query, agency))]


def presented_between(session: Session, start: datetime, end: datetime, agency: str | None) -> list[tuple[str, int]]:
    """Return how many licences were shown in accepted verifications of each service item: proofs avoided."""
    query = (
        select(Verification.service_item, func.count())
        .join(VerifiedPresentation)
        .where(*_between(start, end), Verification.verdict == Outcome.ACCEPTED)
        .group_by(col(Verification.service_item))
    )
    return [tuple(row) for row in session.execute(_of(query, agency))]


def _between(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Verification.at) >= start, col(Verification.at) < end


def _of(query: Select, agency: str | None) -> Select:  # type: ignore[type-arg]
    if agency is None:
        return query
    return query.where(col(Verification.counter).in_(select(Counter.key).where(Counter.agency == agency)))


@dataclass(frozen=True, slots=True)
class Undone:
    """What waits to be done, and since when; an instant is None where nothing waits, or nothing was done yet."""

    outbox_waiting: int
    outbox_dead: int
    oldest_delivery: datetime | None
    oldest_event: datetime | None
    oldest_list_second: int | None
    lists_behind: int
    batch_rows: int
    batches_held_up: int
    oldest_batch: datetime | None
    checkpoint_at: datetime | None
    unlogged: int

    @property
    def oldest_owed(self) -> datetime | None:
        """Since when somebody is owed an event."""
        return min(filter(None, (self.oldest_delivery, self.oldest_event)), default=None)

    @property
    def oldest_list(self) -> datetime | None:
        """When the list was signed that was signed the longest ago."""
        return _instant(self.oldest_list_second)


def undone(session: Session) -> Undone:
    """Return what waits to be done: one statement, and each part of it has an index."""
    owed = col(Delivery.next_at).is_not(None)
    unsorted = col(OutboxEvent.sorted_at).is_(None)
    there = select(Webhook.webhook_id).where(col(Webhook.ended_at).is_(None))
    waiting = select(func.count(col(Delivery.at))).where(owed).scalar_subquery()  # of the index, not of the table
    begun = col(BatchJob.state).in_(BEGUN)
    chunks = select(func.coalesce(func.sum(BatchChunk.rows), 0)).join(BatchJob).where(begun)
    held_up = (
        select(func.count(col(BatchChunk.job_id).distinct())).join(BatchJob).where(begun, BatchChunk.waits_for != "")
    )
    parts = (
        waiting + select(func.count()).select_from(OutboxEvent).where(unsorted).scalar_subquery(),
        select(func.count()).where(col(Delivery.dead_at).is_not(None), col(Delivery.webhook_id).in_(there)),
        select(func.min(Delivery.at)).where(owed),
        select(func.min(OutboxEvent.at)).where(unsorted),
        _oldest_list(),
        select(func.count()).where(col(StatusListRow.version) != StatusListRow.published_version),
        chunks.where(col(BatchChunk.stage).in_(UNFINISHED)),
        held_up.where(col(BatchChunk.stage).in_(UNFINISHED)),
        select(func.min(BatchJob.created_at)).where(begun),
        select(func.max(LogCheckpoint.signed_at)),
        select(func.count()).select_from(AuditEntry).where(col(AuditEntry.log_index).is_(None)),
    )
    columns = [one.scalar_subquery() if isinstance(one, Select) else one for one in parts]
    return Undone(*session.execute(select(*columns)).one())


def readiness(session: Session) -> tuple[str | None, datetime | None]:
    """Return the schema's version, and when the list was signed that was signed the longest ago: one statement.

    A database that was never migrated raises `SQLAlchemyError`.
    """
    version = text("(SELECT version_num FROM alembic_version) AS version")
    row = session.execute(select(version, _oldest_list().scalar_subquery())).one()
    return row[0], _instant(row[1])


def _oldest_list() -> Select:  # type: ignore[type-arg]
    return select(func.min(StatusListRow.issued_at)).where(col(StatusListRow.published_version) >= 0)


def _instant(second: int | None) -> datetime | None:
    return datetime.fromtimestamp(second, UTC) if second is not None else None


# Backups


def audit_heads(session: Session) -> list[tuple[str, int, str]]:
    """Return the last act of each audit stream: stream, sequence, hash."""
    last = select(AuditEntry.stream, func.max(AuditEntry.sequence).label("sequence")).group_by(col(AuditEntry.stream))
    heads = last.subquery()
    same = and_(col(AuditEntry.stream) == heads.c.stream, col(AuditEntry.sequence) == heads.c.sequence)
    query = select(AuditEntry.stream, AuditEntry.sequence, AuditEntry.hash).join(heads, same)
    return [tuple(row) for row in session.execute(query.order_by(col(AuditEntry.stream)))]


def exported_snapshot(session: Session) -> str:
    """Return a name by which PostgreSQL's programs see what this transaction sees, while it is open."""
    return str(session.execute(text("SELECT pg_export_snapshot()")).scalar_one())


def strangers(session: Session) -> list[str]:
    """Return tables of the database that are none of ours."""
    ours = {*SQLModel.metadata.tables, "alembic_version"}
    return sorted(set(inspect(session.connection()).get_table_names()) - ours)


def any_row(session: Session) -> bool:
    """Whether any table of ours that is there has a row."""
    there = set(inspect(session.connection()).get_table_names())
    tables = [table for name, table in SQLModel.metadata.tables.items() if name in there]
    return any(session.execute(select(1).select_from(one).limit(1)).first() for one in tables)


def places(session: Session, list_id: str) -> tuple[dict[int, LicenceRow], dict[int, LicenceCopy]]:
    """Return which licence and which copy each index of a list was given to."""
    rows = session.exec(select(LicenceRow).where(LicenceRow.status_list_id == list_id))
    copies = session.exec(select(LicenceCopy).where(LicenceCopy.status_list_id == list_id))
    return {row.status_index: row for row in rows}, {copy.status_index: copy for copy in copies}


def end_tokens(session: Session, now: datetime) -> int:
    """End every access token that still opens; returns how many."""
    open_still = col(AccessToken.expires_at) > now, col(AccessToken.revoked_at).is_(None)
    statement = update(AccessToken).where(*open_still).values(expires_at=now)
    return rows_store.changed(session, statement)


def raise_trust_version_to(session: Session, version: int) -> None:
    """Let the trust list be signed anew, under a version that is at least this one."""
    row = session.get(TrustPublication, 1, populate_existing=True)
    if row is None:
        session.add(TrustPublication(version=version))
    else:
        row.version = max(row.version + 1, version)
