"""Tables of the records room, and the column type for instants."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Index, LargeBinary, Text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite forgets the zone, so it is taken off going in and put back coming out."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse naive instants and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return (value if value.tzinfo is UTC else value.astimezone(UTC)).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return aware UTC."""
        return value.replace(tzinfo=UTC) if value is not None else None


class AuditEntry(SQLModel, table=True):
    """One act, chained to the act before it in its stream. Holds no claim. `log_index` is its leaf, once it is one."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("acts_on_a_subject", "stream", "subject", "sequence"),)

    stream: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    actor: str
    act: str
    subject: str
    detail: str = Field(sa_type=Text)
    previous_hash: str
    hash: str
    log_index: int | None = Field(default=None, unique=True, sa_type=BigInteger)


class RefusedRequest(SQLModel, table=True):
    """A request that was refused, by the number its caller was told."""

    __tablename__ = "refused_request"

    number: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant, index=True)
    operation: str
    status: int
    code: str
    caller: str


class LogNode(SQLModel, table=True):
    """The hash of a complete subtree of the transparency log; level 0 are its leaves."""

    __tablename__ = "log_node"

    level: int = Field(primary_key=True)
    place: int = Field(primary_key=True, sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)


class LogCheckpoint(SQLModel, table=True):
    """The log at one size, as it was signed."""

    __tablename__ = "log_checkpoint"

    size: int = Field(primary_key=True, sa_type=BigInteger)
    note: str = Field(sa_type=Text)
    signed_at: datetime = Field(sa_type=Instant, index=True)


class IdempotencyKey(SQLModel, table=True):
    """One caller's key, what it was used for, and what came of it."""

    __tablename__ = "idempotency_key"

    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    operation: str
    body_hash: str
    result: str
    created_at: datetime = Field(sa_type=Instant, index=True)


class LeaseRow(SQLModel, table=True):
    """Who may do something alone, until when; `fence` counts who had it."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    fence: int = Field(sa_type=BigInteger)
    until: datetime = Field(sa_type=Instant)
