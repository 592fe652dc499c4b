"""Tables of the verifying room. No claim value is kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Text
from sqlmodel import Field, SQLModel

from records.models import Instant


class Counter(SQLModel, table=True):
    """An enrolled desk, device, kiosk or system: of an agency, or of somebody else who may verify `opened_types`.

    Such a bank, landlord or intermediary always asks the holder.
    """

    __tablename__ = "counter"

    key: str = Field(primary_key=True)
    agency: str
    name: dict[str, str] = Field(sa_type=JSON)
    channel: str
    suspended: bool = False
    opened_types: list[str] | None = Field(default=None, sa_type=JSON)
    created_at: datetime = Field(sa_type=Instant)


class VerificationRequest(SQLModel, table=True):
    """One question to a holder: nonce and audience, answered once."""

    __tablename__ = "verification_request"

    request_id: str = Field(primary_key=True)
    counter: str = Field(foreign_key="counter.key", index=True)
    service_item: str
    nonce: str
    expires_at: datetime = Field(sa_type=Instant)
    answered_at: datetime | None = Field(default=None, sa_type=Instant)


class Verification(SQLModel, table=True):
    """What came of one verification: reason codes and steps, never claim values."""

    __tablename__ = "verification"

    verification_id: str = Field(primary_key=True)
    counter: str = Field(foreign_key="counter.key", index=True)
    operator: str | None = Field(default=None)
    at: datetime = Field(sa_type=Instant, index=True)
    channel: str
    service_item: str
    verdict: str
    reason: str
    checks: list[dict[str, Any]] = Field(sa_type=JSON)
    receipt: str = Field(sa_type=Text)


class VerifiedPresentation(SQLModel, table=True):
    """Which presentation (by digest) a verification was about: what a receipt is about, and how many were shown."""

    __tablename__ = "verified_presentation"

    digest: str = Field(primary_key=True)
    verification_id: str = Field(primary_key=True, foreign_key="verification.verification_id")


class SeenPass(SQLModel, table=True):
    """An offline pass that a counter has seen; it does not count twice while it lives."""

    __tablename__ = "seen_pass"

    digest: str = Field(primary_key=True)
    counter: str = Field(primary_key=True)
    seen_at: datetime = Field(sa_type=Instant)
