"""The work on batches: lease a chunk, take it one stage on, let whoever comes next go on from there.

check → prepare → sign → deliver. A stage is one transaction of its own, in which the chunk's fence is held against the
one that was leased: a worker that was stopped too long has lost it, and nothing of what it did stays. A crash anywhere
leaves a chunk at the stage whose work is not committed; what is signed then are the bytes that were recorded before.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from credentials import base64url, strict_json
from credentials.claim_values import Fault, FaultsError
from credentials.errors import FormatError
from credentials.licence_type import ClaimsRefusedError, LicenceType
from issuers import store as issuers_store
from issuers.batch import store
from issuers.batch.batches import chunk_context
from issuers.batch.models import BatchChunk, BatchJob, JobState, Stage
from issuers.batch.preparing import EXPIRED, Preparer, Wanted
from issuers.errors import IssuerError
from issuers.holder_side import Signed
from issuers.issuer import Issuer
from issuers.models import LicenceState
from issuers.orders import check_order
from issuers.recording import Recorder
from issuers.schemas import IssueIn
from keys.encryption import Seal
from keys.errors import CustodyError
from keys.vault import Vault
from records import audit
from records.audit import Act
from records.database import Database

LEASE = timedelta(minutes=2)
AGAIN_AFTER = timedelta(seconds=20)  # what could not go on is tried again then
TRIES = 5  # of a chunk whose names or indices somebody else took meanwhile


class FenceLostError(Exception):
    """Another worker has this chunk now: nothing of what was done here stays."""


class BatchWorker:
    """Takes chunks on, stage by stage. Any number of them work at once, on any number of machines."""

    def __init__(
        self, *, database: Database, seal: Seal, vault: Vault, issuer: Issuer, preparer: Preparer,
        recorder: Recorder,
        deliver_many: Callable[[Sequence[Signed], datetime], None],
    ) -> None:  # fmt: skip
        self._database = database
        self._seal = seal
        self._vault = vault
        self._issuer = issuer
        self._preparer = preparer
        self._recorder = recorder
        self._deliver_many = deliver_many
        self._last = ""
        """Whose job it was at last."""

    def work(self, clock: Callable[[], datetime]) -> int:
        """Take one chunk as far as its job lets it; returns how many rows were worked on, 0 if nothing waits."""
        with self._database.read() as session:  # asked several times a second, and mostly in vain
            if not store.any_open(session):
                return 0
        chunk = self._lease(clock())
        if chunk is None and self._advance(clock()):
            chunk = self._lease(clock())
        if chunk is None:
            return 0
        job = self._job(chunk)
        try:
            stages = next(stages for stages in store.RUNS if chunk.stage in stages)
            while chunk.stage in stages:
                chunk = self._stage(job, chunk, clock)
        except FenceLostError:
            return chunk.rows
        except (CustodyError, IssuerError) as error:  # no key opens, or the right is gone: it waits, and says for what
            self._wait(chunk, getattr(error, "code", "issuer_error"), clock())
            return 0
        except Exception:
            self._wait(chunk, "internal_error", clock())  # it says so, and does not hold the others up
            raise
        with self._database.write() as session:
            store.go_on(session, chunk, leased_until=clock(), waits_for="")
        self._advance(clock())
        return chunk.rows

    def _lease(self, now: datetime) -> BatchChunk | None:
        with self._database.write() as session:
            jobs = store.with_work(session, now)
            after = next((at for at, one in enumerate(jobs, 1) if one == self._last), 0)
            for job_id in [*jobs[after:], *jobs[:after]]:  # in turn: a small one waits for no large one's end
                chunk = store.next_chunk(session, job_id, now)
                if chunk is not None and store.lease(session, chunk, now + LEASE):
                    self._last = job_id
                    session.refresh(chunk)
                    session.expunge(chunk)
                    return chunk
        return None

    def _wait(self, chunk: BatchChunk, code: str, now: datetime) -> None:
        with self._database.write() as session:
            store.go_on(session, chunk, waits_for=code, leased_until=now + AGAIN_AFTER)

    def _job(self, chunk: BatchChunk) -> BatchJob:
        with self._database.read() as session:
            job = session.get(BatchJob, chunk.job_id)
        assert job is not None  # noqa: S101 - a chunk has a job by its foreign key
        return job

    def _stage(self, job: BatchJob, chunk: BatchChunk, clock: Callable[[], datetime]) -> BatchChunk:
        work = {
            Stage.CHECK: self._check,
            Stage.PREPARE: self._prepare,
            Stage.SIGN: self._sign,
            Stage.DELIVER: self._deliver,
        }[Stage(chunk.stage)]
        for left in reversed(range(TRIES)):
            with suppress(*([IntegrityError, OperationalError] if left else [])):
                work(job, chunk, clock())
                break
            if (fresh := self._fresh(chunk)).stage != chunk.stage:  # it is done, and only the answer was lost
                return fresh
        return self._fresh(chunk)

    def _fresh(self, chunk: BatchChunk) -> BatchChunk:
        """Return a chunk as it is by now, or raise `FenceLostError`."""
        with self._database.read() as session:
            fresh = session.get(BatchChunk, (chunk.job_id, chunk.number))
        if fresh is None or fresh.fence != chunk.fence:
            raise FenceLostError
        return fresh

    def _advance(self, now: datetime) -> bool:
        """Move jobs on whose chunks have all come to the end of what they are at; of many workers one does it.

        Returns whether any job moved.
        """
        moved = False
        with self._database.read() as session:
            jobs = [(job, store.counts(session, job.job_id)) for job in store.open_jobs(session)]
        for job, by_stage in jobs:
            if job.state == JobState.CHECKING and Stage.CHECK not in by_stage:
                refused = sum(one[1] for one in by_stage.values())
                after = JobState.STOPPED if job.whole and refused else JobState.ISSUING
            elif job.state == JobState.ISSUING and set(by_stage) <= {Stage.DONE}:
                after = JobState.DONE
            else:
                continue
            over = after in {JobState.STOPPED, JobState.DONE}
            with self._database.write() as session:
                if not store.move_job(
                    session, job.job_id, JobState(job.state), after, finished_at=now if over else None
                ):
                    continue
                moved = True
                if over:
                    store.forget_orders(session, job.job_id)
                    audit.record(
                        session, stream=f"issuers/{job.agency}", actor=job.actor, act=f"batch.{after}",
                        subject=job.job_id, now=now,
                    )  # fmt: skip
        return moved

    # The stages. Each ends by `_go_on` in the transaction of its work.

    def _check(self, job: BatchJob, chunk: BatchChunk, now: datetime) -> None:
        kind = self._issuer.types[job.type_key]
        rows = self._rows(chunk)
        outcome = [_checked(row, kind, now) for row in rows]
        right = {row["reference"]: row["body"] for row, told in zip(rows, outcome, strict=True) if "faults" not in told}
        spent = self._preparer.spent(job.agency, kind, right, now)
        outcome = [
            told | {"faults": [spent[told["reference"]]]}
            if "faults" not in told and told["reference"] in spent
            else told
            for told in outcome
        ]
        told = _told(outcome)
        with self._database.write() as session:
            stage = Stage.PREPARE if told["refused"] < chunk.rows else Stage.DONE
            self._go_on(session, chunk, stage=stage, **told)

    def _prepare(self, job: BatchJob, chunk: BatchChunk, now: datetime) -> None:
        """Record what is right, with the bytes to sign; the rows' references make it happen once."""
        kind = self._issuer.authorised_type(job.agency, job.type_key, now)
        bad = {row["row"] for row in chunk.outcome if "faults" in row}
        wanted = [
            Wanted(row["reference"], row["body"], IssueIn.model_validate(_whole(row["body"], kind)).order())
            for row in self._rows(chunk)
            if row["row"] not in bad
        ]
        ready = self._preparer.ready(job.agency, kind, wanted, actor=job.actor, now=now)
        with self._database.write() as session:
            self._must_have(session, chunk)
            made = self._preparer.record(session, ready)
            outcome = [row if "faults" in row else {**row, **made[row["reference"]]} for row in chunk.outcome]
            self._go_on(session, chunk, stage=Stage.SIGN, **_told(outcome))

    def _sign(self, job: BatchJob, chunk: BatchChunk, now: datetime) -> None:
        self._issuer.authorised_type(job.agency, job.type_key, now)
        names = [row["licence_id"] for row in chunk.outcome if row.get("licence_id")]
        with self._database.read() as session:
            waiting = store.to_sign(session, names, now)
        signers = {kid: self._vault.by_kid(kid)[1] for kid in {kid for _, kid, _ in waiting}}
        signed = {
            name: base64url.encode(signer(to_sign.encode("ascii")))
            for name, kid, to_sign in waiting
            if (signer := signers[kid]) is not None
        }
        with self._database.write() as session:
            self._must_have(session, chunk)
            valid = store.sign_many(session, signed, now)
            of, detail = f"issuers/{job.agency}", {"supersedes": None}
            acts = [Act(of, job.actor, "licence.signed", name, now, detail) for name in names if name in valid]
            audit.record_many(session, acts)
            unsigned = (LicenceState.PREPARED, LicenceState.BURNT)
            late = {name for name, state in issuers_store.states(session, names).items() if state in unsigned}
            outcome = [_unsigned(row) if row.get("licence_id") in late else row for row in chunk.outcome]
            self._go_on(session, chunk, stage=Stage.DELIVER, **_told(outcome))

    def _deliver(self, _job: BatchJob, chunk: BatchChunk, now: datetime) -> None:
        names = [row["licence_id"] for row in chunk.outcome if row.get("licence_id")]
        with self._database.read() as session:
            rows = store.to_deliver(session, names)
        self._deliver_many([self._recorder.unsealed(row, row.signature or "") for row in rows], now)
        with self._database.write() as session:
            issuers_store.delivered(session, [row.licence_id for row in rows])
            self._go_on(session, chunk, stage=Stage.DONE, sealed=None)

    def _rows(self, chunk: BatchChunk) -> list[dict[str, Any]]:
        text = self._seal.open(chunk.sealed or b"", chunk_context(chunk.job_id, chunk.number))
        return strict_json.loads(text)  # type: ignore[no-any-return]

    def _must_have(self, session: Session, chunk: BatchChunk) -> None:
        self._go_on(session, chunk, waits_for="")

    def _go_on(self, session: Session, chunk: BatchChunk, **values: object) -> None:
        if not store.go_on(session, chunk, **values):
            raise FenceLostError


def _whole(body: dict[str, Any], kind: LicenceType) -> dict[str, Any]:
    return {"licence_type": kind.key, **body}


def _checked(row: dict[str, Any], kind: LicenceType, now: datetime) -> dict[str, Any]:
    """Return a row's outcome: that it is right, or every fault."""
    told = {"row": row["row"], "reference": row["reference"]}
    faults: Sequence[Fault] = ()
    if "faults" in row:
        return told | {"faults": row["faults"]}
    if row["body"].get("licence_type", kind.key) != kind.key:
        faults = [Fault("/licence_type", "other_type", "a job is of one type")]
    else:
        try:
            check_order(kind, IssueIn.model_validate(_whole(row["body"], kind)).order(), now=now)
        except (ClaimsRefusedError, FaultsError) as error:
            faults = error.faults
        except ValidationError as error:
            faults = [
                Fault("".join(f"/{step}" for step in one["loc"]), one["type"], one["msg"]) for one in error.errors()
            ]
        except FormatError as error:
            faults = [Fault("", error.code, str(error))]
    if not faults:
        return told
    return told | {"faults": [asdict(one) for one in faults]}


def _told(outcome: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a chunk is to say of its rows."""
    refused, before = (sum(name in row for row in outcome) for name in ("faults", "issued_before"))
    return {"outcome": outcome, "refused": refused, "issued_before": before}


def _unsigned(row: dict[str, Any]) -> dict[str, Any]:
    """Return the outcome of a row whose licence waited for a signature until its time was over."""
    return {"row": row["row"], "reference": row["reference"], "faults": [EXPIRED]}
