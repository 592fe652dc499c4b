"""Batch issue: a job is received row by row, checked whole, then signed; how far it is, what was refused and why.

The work itself, chunk by chunk, is in `working.py`; any number of workers do it at once.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sqlmodel import Session

from credentials import base64url, strict_json
from credentials.claim_values import Fault
from credentials.licence_type import LicenceType
from issuers.batch import store
from issuers.batch.models import BatchChunk, BatchJob, JobState, Stage
from issuers.batch.rows import MOST_ROWS, Row
from issuers.errors import AgencyKeepsKeyError, BatchLimitError, SameAtOnceError, TooManyRowsError, UnknownJobError
from issuers.issuer import Issuer
from keys.encryption import Seal
from keys.models import KeyPurpose
from keys.vault import Vault
from records import audit, idempotency
from records import store as records_store
from records.database import Database
from records.errors import IdempotencyKeyReusedError
from records.idempotency import Attempt

SENT_AGAIN = 3  # times what may be taken up in a day may be sent in it
OPERATION = "batch "
"""How the operations begin under whose idempotency keys jobs are sent in."""
CHUNK_ROWS = 500
DAY, KEPT = timedelta(days=1), timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: rows by what came of them so far; those issued before are among the signed and delivered."""

    job: BatchJob
    rows: int
    checked: int
    refused: int
    issued_before: int
    signed: int
    delivered: int
    waits_for: str


class Batches:
    """The verbs on an agency's jobs."""

    def __init__(
        self, *, database: Database, seal: Seal, vault: Vault, issuer: Issuer, rows_per_day: int,
        randomness: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        self._database = database
        self._seal = seal
        self._vault = vault
        self._issuer = issuer
        self._rows_per_day = rows_per_day
        self._randomness = randomness

    def kind(self, agency: str, type_key: str, *, now: datetime) -> LicenceType:
        """Return a type that an agency may issue many of: it may sign it, with a key in the vault; raises why not."""
        kind = self._issuer.authorised_type(agency, type_key, now)
        if self._vault.active(agency, KeyPurpose.LICENCE).signer is None:
            raise AgencyKeepsKeyError
        return kind

    def open(self, agency: str, type_key: str, this: Attempt, *, whole: bool, actor: str, now: datetime) -> BatchJob:
        """Open a job to receive rows, or return the one of the same attempt."""
        job = BatchJob(
            job_id=base64url.name(self._randomness(12)), agency=agency, type_key=type_key, actor=actor,
            state=JobState.RECEIVING, whole=whole, created_at=now,
        )  # fmt: skip
        with self._database.write() as session:
            if (earlier := idempotency.claim(session, this, result=job.job_id, now=now)) is not None:
                return self.job(agency, earlier)
            session.add(job)
            audit.record(
                session, stream=f"issuers/{agency}", actor=actor, act="batch.opened", subject=job.job_id, now=now,
                detail={"licence_type": type_key},
            )  # fmt: skip
        return job

    def receive(self, job: BatchJob, rows: Iterable[Row], body_sha256: Callable[[], str], *, now: datetime) -> BatchJob:
        """Take a job's rows in, sealed; whole, it waits for workers. What broke off is received anew.

        A job that was received before takes nothing: another body under its key raises `IdempotencyKeyReusedError`.
        """
        if job.state != JobState.RECEIVING:
            for _ in rows:
                pass
            if body_sha256() != job.body_sha256:
                raise IdempotencyKeyReusedError
            return job
        receipt = self._randomness(16).hex()
        try:
            self._take(job, rows, receipt, body_sha256, now)
        except (BatchLimitError, TooManyRowsError):
            with self._database.write() as session:
                if store.receiving(session, job.job_id, receipt):  # not what the same upload, begun anew, brings in
                    store.forget_chunks(session, job.job_id)
            raise
        return self.job(job.agency, job.job_id)

    def _left(self, session: Session, agency: str, now: datetime) -> int:
        """Return how many rows an agency may still send: mended and sent again they are no more, within bounds."""
        sent, taken = store.rows_since(session, agency, now - DAY)
        return min(self._rows_per_day - taken, SENT_AGAIN * self._rows_per_day - sent)

    def _take(
        self, job: BatchJob, rows: Iterable[Row], receipt: str, body_sha256: Callable[[], str], now: datetime
    ) -> None:
        known: set[bytes] = set()
        with self._database.write() as session:
            begun = {"body_sha256": receipt, "created_at": now}  # a day's rows are those of streams begun in it
            if not store.move_job(session, job.job_id, JobState.RECEIVING, JobState.RECEIVING, **begun):
                raise SameAtOnceError
            store.forget_chunks(session, job.job_id)
            left = self._left(session, job.agency, now)
        count = number = 0
        for number, some in enumerate(_chunks(_told(row, known) for row in rows), 1):
            count += len(some)
            if count > MOST_ROWS:
                raise TooManyRowsError
            if count > left:
                raise BatchLimitError
            with self._database.write() as session:
                if not store.receiving(session, job.job_id, receipt):
                    raise SameAtOnceError  # the same upload began anew: it is the one that counts
                session.add(self._chunk(job, number, some, now))
        with self._database.write() as session:
            records_store.lock_stream(session, f"issuers/{job.agency}")  # of streams side by side each sees the others
            if not store.receiving(session, job.job_id, receipt):
                raise SameAtOnceError
            if count > self._left(session, job.agency, now):
                raise BatchLimitError
            after = JobState.CHECKING if number else JobState.DONE
            store.move_job(session, job.job_id, JobState.RECEIVING, after, body_sha256=body_sha256())

    def _chunk(self, job: BatchJob, number: int, rows: Sequence[Mapping[str, Any]], now: datetime) -> BatchChunk:
        sealed = self._seal.close(strict_json.dumps(list(rows)), chunk_context(job.job_id, number))
        return BatchChunk(
            job_id=job.job_id, number=number, stage=Stage.CHECK, rows=len(rows), sealed=sealed, leased_until=now
        )

    def job(self, agency: str, job_id: str) -> BatchJob:
        """Return a job, or raise `UnknownJobError`."""
        with self._database.read() as session:
            row = store.job(session, agency, job_id)
        if row is None:
            raise UnknownJobError
        return row

    def jobs(self, agency: str) -> list[Progress]:
        """Return an agency's newest jobs and how far they are."""
        with self._database.read() as session:
            rows = store.jobs(session, agency, limit=20)
        return [self.progress(agency, row.job_id) for row in rows]

    def progress(self, agency: str, job_id: str) -> Progress:
        """Return how far a job is."""
        with self._database.read() as session:
            job = store.job(session, agency, job_id)
            by_stage, waits_for = store.counts(session, job_id), store.waits_for(session, job_id)
        if job is None:
            raise UnknownJobError
        rows, refused = (sum(one[at] for one in by_stage.values()) for at in (0, 1))
        beyond = {stage: by_stage.get(stage, (0, 0, 0)) for stage in Stage}
        right = {stage: count - bad for stage, (count, bad, _) in beyond.items()}
        stopped = job.state == JobState.STOPPED
        before = beyond[Stage.DELIVER][2] + beyond[Stage.DONE][2]
        return Progress(
            job, rows, rows - beyond[Stage.CHECK][0], refused, before,
            0 if stopped else right[Stage.DELIVER] + right[Stage.DONE], 0 if stopped else right[Stage.DONE], waits_for,
        )  # fmt: skip

    def report(self, agency: str, job_id: str, *, refused: bool = False) -> Iterator[dict[str, Any]]:
        """Yield what came of every row that was checked, its licence or why it was refused; or of these alone."""
        self.job(agency, job_id)
        last, found = 0, True
        while found:  # a page in a transaction of its own: whoever reads slowly holds none
            with self._database.read() as session:
                found = bool(page := store.outcomes(session, job_id, last, 20, refused=refused))
            for number, outcome in page:
                yield from (one for one in outcome if not refused or "faults" in one)
                last = number

    def forget(self, *, now: datetime) -> int:
        """Forget jobs that ended three months ago, and streams that broke off yesterday; returns how many.

        The licences stay, and so do their references' keys: a row that is sent again is still the same licence.
        """
        with self._database.write() as session:
            halves = store.broken_off(session, now - DAY)
            idempotency.free(session, OPERATION, halves)  # nothing came of them: sent again, each is a new job
            return store.forget(session, now - KEPT, halves)


def chunk_context(job_id: str, number: int) -> str:
    """Return what a chunk's sealed orders are bound to."""
    return f"rows of batch {job_id} chunk {number}"


def _told(row: Row, known: set[bytes]) -> dict[str, Any]:
    """Return a row as it is kept; a reference that stood in this job before is a fault."""
    faults, reference = list(row.faults), row.body.get("reference")
    if not faults and not isinstance(reference, str):
        faults.append(Fault("/reference", "reference_missing", "each row has your own number of the case"))
    if isinstance(reference, str):
        digest = blake2b(reference.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if digest in known:
            faults.append(Fault("/reference", "reference_twice", "an earlier row of this job has the same reference"))
        known.add(digest)
    if "\\u0000" in json.dumps([reference, row.body]):
        faults.append(Fault("", "row_malformed", "a NUL character"))
        reference = None
    told: dict[str, Any] = {"row": row.number, "reference": reference if isinstance(reference, str) else None}
    if faults:
        return told | {"faults": [asdict(one) for one in faults]}
    return told | {"body": dict(row.body)}


def _chunks(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append(row)
        if len(some) == CHUNK_ROWS:
            yield some
            some = []
    if some:
        yield some
