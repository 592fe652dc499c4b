"""The table of consents."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field, SQLModel

from records.models import Instant


class State(StrEnum):
    """What the holder said, or that the counter took it back; an unanswered one is over at its `expires_at`."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Consent(SQLModel, table=True):
    """One counter's question to one holder, and the holder's word.

    `sealed` holds the presentations from the holder's yes until the counter takes them, once.
    """

    __tablename__ = "consent"

    consent_id: str = Field(primary_key=True)
    holder_id: str = Field(foreign_key="holder.holder_id", index=True)
    counter: str
    counter_name: dict[str, str] = Field(sa_type=JSON)
    agency_name: dict[str, str] = Field(sa_type=JSON)
    service_item: str
    audience: str
    nonce: str
    copy_days: int = 0
    """How long the counter keeps a copy of what is shown; 0: it keeps none."""
    asked_at: datetime = Field(sa_type=Instant, index=True)
    expires_at: datetime = Field(sa_type=Instant)
    state: str = State.WAITING
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    taken_at: datetime | None = Field(default=None, sa_type=Instant)
    reported: str | None = Field(default=None)
