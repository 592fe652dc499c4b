"""Tables of batch issue. Never bound to request bodies: table models do not validate."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary
from sqlmodel import Field, SQLModel

from records.models import Instant


class JobState(StrEnum):
    """Where a job is: every row is checked before any is signed."""

    RECEIVING = "receiving"
    CHECKING = "checking"
    ISSUING = "issuing"
    DONE = "done"
    STOPPED = "stopped"
    """Nothing was signed: it had refused rows and was to be issued whole, or not at all."""


class Stage(StrEnum):
    """What is to be done next with a chunk; a crash anywhere leaves it at the stage whose work is not committed."""

    CHECK = "check"
    PREPARE = "prepare"
    SIGN = "sign"
    DELIVER = "deliver"
    DONE = "done"


class BatchJob(SQLModel, table=True):
    """One file or stream of orders of one type. Its counts are its chunks' sums."""

    __tablename__ = "batch_job"

    job_id: str = Field(primary_key=True)
    agency: str = Field(foreign_key="agency.key", index=True)
    type_key: str
    actor: str
    state: str = Field(index=True)
    whole: bool
    """One refused row, and nothing is issued."""
    body_sha256: str = ""
    created_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)


class BatchChunk(SQLModel, table=True):
    """Some hundred rows of a job: leased by one worker at a time, whose `fence` the next one's lease takes away.

    `sealed` are the orders, until they are delivered; `outcome` tells each row's number, reference, licence or faults.
    """

    __tablename__ = "batch_chunk"
    __table_args__ = (
        Index("batch_chunk_by_stage", "stage", "leased_until"),
        Index("batch_chunk_of_job", "job_id", "stage", "number", "leased_until"),
    )

    job_id: str = Field(primary_key=True, foreign_key="batch_job.job_id")
    number: int = Field(primary_key=True)
    stage: str
    rows: int
    refused: int = 0
    issued_before: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Of the others, those whose reference had been taken up before this job came to it."""
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    outcome: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    fence: int = 0
    leased_until: datetime = Field(sa_type=Instant)
    waits_for: str = ""
    """The code of what kept it from going on when it was last tried; empty if nothing did."""
