"""The table of asks."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from records.models import Instant


class Ask(SQLModel, table=True):
    """One question of a counter to a holder, by way of the wallet's consent; answered once."""

    __tablename__ = "ask"

    ask_id: str = Field(primary_key=True)
    counter: str = Field(foreign_key="counter.key", index=True)
    operator: str | None = Field(default=None)
    service_item: str
    nonce: str
    consent_id: str
    asked_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    answered_at: datetime | None = Field(default=None, sa_type=Instant)
    verification_id: str | None = Field(default=None)
