"""Tables of cases. What people write is sealed."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from records.models import Instant


class Kind(StrEnum):
    """What a holder wants: a licence put right, or a use looked into."""

    CORRECTION = "correction"
    OBJECTION = "objection"


class State(StrEnum):
    """How a case stands; the last two end it."""

    OPEN = "open"
    IN_HAND = "in_hand"
    UPHELD = "upheld"
    REJECTED = "rejected"


class Case(SQLModel, table=True):
    """One matter of a holder's with one agency, about a licence or a use."""

    __tablename__ = "holder_case"

    case_id: str = Field(primary_key=True)
    holder_id: str = Field(foreign_key="holder.holder_id", index=True)
    agency: str = Field(index=True)
    kind: str
    about: str
    state: str = State.OPEN
    opened_at: datetime = Field(sa_type=Instant)
    changed_at: datetime = Field(sa_type=Instant)


class CaseEvent(SQLModel, table=True):
    """One step of a case: when, who, which state it came to, what they wrote (sealed)."""

    __tablename__ = "case_event"

    case_id: str = Field(primary_key=True, foreign_key="holder_case.case_id")
    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    actor: str
    state: str
    text: bytes = Field(sa_type=LargeBinary)
