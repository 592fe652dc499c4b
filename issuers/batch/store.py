"""All SQL of batch issue."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, update
from sqlmodel import Session, and_, col, or_, select

from issuers.batch.models import BatchChunk, BatchJob, JobState, Stage
from issuers.models import LicenceCopy, LicenceRow, LicenceState
from records.rows import store as rows_store

RUNS = ((Stage.CHECK,), (Stage.PREPARE, Stage.SIGN), (Stage.DELIVER,))
"""Stages that a worker takes a chunk through in one go."""
BEGUN = (JobState.CHECKING, JobState.ISSUING)
"""What a job is at while workers work on it."""


def job(session: Session, agency: str, job_id: str) -> BatchJob | None:
    """Return a job of an agency, freshly read."""
    row = session.get(BatchJob, job_id, populate_existing=True)
    return row if row is not None and row.agency == agency else None


def jobs(session: Session, agency: str, *, limit: int) -> Sequence[BatchJob]:
    """Return an agency's newest jobs."""
    query = select(BatchJob).where(BatchJob.agency == agency).order_by(col(BatchJob.created_at).desc())
    return session.exec(query.limit(limit)).all()


def forget_chunks(session: Session, job_id: str) -> None:
    """Forget what was received of a job whose stream broke off."""
    session.execute(delete(BatchChunk).where(col(BatchChunk.job_id) == job_id))


def counts(session: Session, job_id: str) -> dict[str, tuple[int, int, int]]:
    """Return rows of a job, of them refused and of them issued before, by stage."""
    sums = func.sum(BatchChunk.rows), func.sum(BatchChunk.refused), func.sum(BatchChunk.issued_before)
    query = select(BatchChunk.stage, *sums).where(BatchChunk.job_id == job_id).group_by(BatchChunk.stage)
    return {stage: (int(rows), int(refused), int(before)) for stage, rows, refused, before in session.exec(query)}


def waits_for(session: Session, job_id: str) -> str:
    """Return the code of what keeps a job from going on; empty if nothing does."""
    query = select(BatchChunk.waits_for).where(BatchChunk.job_id == job_id, BatchChunk.waits_for != "")
    return session.exec(query.limit(1)).first() or ""


def held_up(session: Session) -> Sequence[tuple[str, str, str]]:
    """Return job, agency and the code of what for, of jobs of which a part cannot go on."""
    query = select(BatchJob.job_id, BatchJob.agency, func.min(BatchChunk.waits_for)).join(BatchChunk)
    query = query.where(BatchChunk.waits_for != "", BatchChunk.stage != Stage.DONE, col(BatchJob.state).in_(BEGUN))
    return session.exec(query.group_by(col(BatchJob.job_id), col(BatchJob.agency))).all()


def kept_back(session: Session) -> Sequence[tuple[str, int]]:
    """Return agencies with licences that are signed and in no wallet while none of their batches is at work."""
    busy = select(BatchJob.agency).where(col(BatchJob.state).in_(BEGUN))
    these = col(LicenceRow.undelivered).is_not(None), col(LicenceRow.signature).is_not(None)
    query = select(LicenceRow.agency, func.count()).where(*these, col(LicenceRow.agency).not_in(busy))
    return session.exec(query.group_by(LicenceRow.agency)).all()


def rows_since(session: Session, agency: str, since: datetime) -> tuple[int, int]:
    """Return how many rows an agency sent in jobs since an instant, and how many of them were or may be taken up.

    Not taken up is what was refused, was issued before or is of a job that was stopped. What is being received is not
    counted.
    """
    sent, kept_out = func.sum(BatchChunk.rows), func.sum(BatchChunk.refused + BatchChunk.issued_before)
    query = select(BatchJob.state, sent, kept_out).join(BatchChunk).where(BatchJob.state != JobState.RECEIVING)
    query = query.where(BatchJob.agency == agency, BatchJob.created_at >= since).group_by(col(BatchJob.state))
    found = {state: (int(rows), int(out)) for state, rows, out in session.exec(query)}
    taken = sum(rows - out for state, (rows, out) in found.items() if state != JobState.STOPPED)
    return sum(rows for rows, _ in found.values()), taken


def outcomes(
    session: Session, job_id: str, after: int, limit: int, *, refused: bool
) -> Sequence[tuple[int, list[dict[str, Any]]]]:
    """Return what came of the rows of up to `limit` chunks behind one, by number; or of chunks with refused rows."""
    query = select(BatchChunk.number, BatchChunk.outcome).where(BatchChunk.job_id == job_id, BatchChunk.number > after)
    query = query.where(BatchChunk.refused > 0) if refused else query
    return [(number, list(rows)) for number, rows in session.exec(query.order_by(col(BatchChunk.number)).limit(limit))]


def with_work(session: Session, now: datetime) -> Sequence[str]:
    """Return the jobs of which a part waits for a worker, the oldest first."""
    at_hand = or_(*(and_(BatchJob.state == state, BatchChunk.stage == stage) for state, stage in AT_HAND))
    parts = select(BatchChunk.number).where(BatchChunk.job_id == BatchJob.job_id, _free(now), at_hand)
    query = select(BatchJob.job_id).where(col(BatchJob.state).in_(BEGUN), parts.exists())
    return session.exec(query.order_by(col(BatchJob.created_at), col(BatchJob.job_id))).all()


def next_chunk(session: Session, job_id: str, now: datetime) -> BatchChunk | None:
    """Return the chunk of a job that comes next and that nobody is at work on: what is begun first, deliveries last."""
    for state, stage in AT_HAND:
        query = select(BatchChunk.number).join(BatchJob).where(BatchChunk.job_id == job_id, BatchChunk.stage == stage)
        query = query.where(BatchJob.state == state, _free(now)).order_by(col(BatchChunk.number)).limit(1)
        if session.get_bind().dialect.name == "postgresql":
            query = query.with_for_update(of=BatchChunk, skip_locked=True)
        number = session.exec(query).first()  # the rows are long
        if number is not None:
            return session.get(BatchChunk, (job_id, number), populate_existing=True)
    return None


def _free(now: datetime) -> ColumnElement[bool]:
    return col(BatchChunk.leased_until) <= now


AT_HAND = (
    (JobState.CHECKING, Stage.CHECK),
    (JobState.ISSUING, Stage.SIGN),
    (JobState.ISSUING, Stage.PREPARE),
    (JobState.ISSUING, Stage.DELIVER),
)
"""What there is to do for jobs of which state, what comes first first."""


def lease(session: Session, chunk: BatchChunk, until: datetime) -> bool:
    """Take a chunk until an instant, and its fence from whoever had it; of any number of workers one gets it."""
    return go_on(session, chunk, leased_until=until, fence=chunk.fence + 1)


def go_on(session: Session, chunk: BatchChunk, **values: object) -> bool:
    """Write a chunk's next stage, unless another worker has taken its fence; holds its row until the commit."""
    mine = (
        col(BatchChunk.job_id) == chunk.job_id,
        col(BatchChunk.number) == chunk.number,
        col(BatchChunk.fence) == chunk.fence,
    )
    return bool(rows_store.changed(session, update(BatchChunk).where(*mine).values(**values)))


def receiving(session: Session, job_id: str, receipt: str) -> bool:
    """Whether a job still receives what this receipt stands for; holds its row until the commit."""
    this = update(BatchJob).where(col(BatchJob.job_id) == job_id, col(BatchJob.state) == JobState.RECEIVING)
    this = this.where(col(BatchJob.body_sha256) == receipt).values(body_sha256=receipt)
    return bool(rows_store.changed(session, this))


def move_job(session: Session, job_id: str, before: JobState, after: JobState, **values: object) -> bool:
    """Move a job on; of any number of workers one does."""
    this = update(BatchJob).where(col(BatchJob.job_id) == job_id, col(BatchJob.state) == before)
    return bool(rows_store.changed(session, this.values(state=after, **values)))


def forget_orders(session: Session, job_id: str) -> None:
    """Drop the orders of a job that is over."""
    session.execute(update(BatchChunk).where(col(BatchChunk.job_id) == job_id).values(sealed=None))


def any_open(session: Session) -> bool:
    """Whether there is a job that workers work on."""
    return session.exec(select(BatchJob.job_id).where(col(BatchJob.state).in_(BEGUN)).limit(1)).first() is not None


def open_jobs(session: Session) -> Sequence[BatchJob]:
    """Return the jobs that workers work on."""
    return session.exec(select(BatchJob).where(col(BatchJob.state).in_(BEGUN)).order_by(col(BatchJob.created_at))).all()


def taken_indices(session: Session, list_id: str, indices: Collection[int]) -> set[int]:
    """Return those of some indices of a list that a licence has."""
    own = select(LicenceRow.status_index).where(
        LicenceRow.status_list_id == list_id, rows_store.among(session, col(LicenceRow.status_index), indices)
    )
    copies = select(LicenceCopy.status_index).where(
        LicenceCopy.status_list_id == list_id, rows_store.among(session, col(LicenceCopy.status_index), indices)
    )
    return {*session.exec(own), *session.exec(copies)}


def given(session: Session, list_id: str) -> int:
    """Return how many indices of a list are given."""
    return session.exec(select(func.count()).where(LicenceRow.status_list_id == list_id)).one()


def to_sign(session: Session, licence_ids: Collection[str], now: datetime) -> Sequence[tuple[str, str, str]]:
    """Return identifier, key and bytes to sign of those licences that wait for their signature, within their time."""
    query = select(LicenceRow.licence_id, LicenceRow.kid, LicenceRow.signing_input).where(
        rows_store.among(session, col(LicenceRow.licence_id), licence_ids),
        LicenceRow.state == LicenceState.PREPARED,
        col(LicenceRow.prepared_until) > now,
    )
    return session.exec(query).all()


def never_signed(session: Session, licence_ids: Collection[str], now: datetime) -> set[str]:
    """Return those licences that are burnt, or will be: their time was over before they were signed."""
    waits = and_(LicenceRow.state == LicenceState.PREPARED, col(LicenceRow.prepared_until) <= now)
    query = select(LicenceRow.licence_id).where(
        rows_store.among(session, col(LicenceRow.licence_id), licence_ids),
        or_(LicenceRow.state == LicenceState.BURNT, waits),
    )
    return set(session.exec(query))


def sign_many(session: Session, signatures: Mapping[str, str], now: datetime) -> set[str]:
    """Make licences valid that still wait for their signature, within their time; returns which were."""
    ledger, signed = rows_store.table_of(LicenceRow), rows_store.each_of(session, signatures)
    statement = (
        update(ledger)
        .where(ledger.c.licence_id == signed.c.key, ledger.c.state == LicenceState.PREPARED)
        .where(ledger.c.prepared_until > now)
        .values(state=LicenceState.VALID, state_since=now, signature=signed.c.value)
    )
    return set(session.connection().execute(statement.returning(ledger.c.licence_id)).scalars())


def to_deliver(session: Session, licence_ids: Collection[str]) -> Sequence[LicenceRow]:
    """Return signed licences that have not reached their wallets."""
    query = select(LicenceRow).where(
        rows_store.among(session, col(LicenceRow.licence_id), licence_ids),
        col(LicenceRow.undelivered).is_not(None),
        col(LicenceRow.signature).is_not(None),
    )
    return session.exec(query).all()


def broken_off(session: Session, before: datetime) -> Sequence[str]:
    """Return the jobs whose stream began before an instant and never ended."""
    halves = select(BatchJob.job_id).where(BatchJob.state == JobState.RECEIVING, BatchJob.created_at < before)
    return session.exec(halves).all()


def forget(session: Session, before: datetime, broken_off: Sequence[str]) -> int:
    """Forget jobs that ended before an instant, and what was received of those that broke off; returns how many."""
    ended = select(BatchJob.job_id).where(col(BatchJob.finished_at) < before)
    names = [*session.exec(ended), *broken_off]
    session.execute(delete(BatchChunk).where(rows_store.among(session, col(BatchChunk.job_id), names)))
    session.execute(delete(BatchJob).where(rows_store.among(session, col(BatchJob.job_id), names)))
    return len(names)
