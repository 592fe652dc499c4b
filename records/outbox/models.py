"""Tables of the outbox. No claim of any licence is in any of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from records.models import Instant


class OutboxEvent(SQLModel, table=True):
    """One act that others are told of; its identifier is the act's hash in the audit, so that there is one of each."""

    __tablename__ = "outbox_event"

    event_id: str = Field(primary_key=True)
    type: str
    stream: str
    subject: str
    at: datetime = Field(sa_type=Instant)
    detail: dict[str, Any] = Field(sa_type=JSON)
    sorted_at: datetime | None = Field(default=None, sa_type=Instant, index=True)


class Webhook(SQLModel, table=True):
    """Where an agency, a counter or the city's message gateway (`owner`) is told of events of `types`."""

    __tablename__ = "webhook"

    webhook_id: str = Field(primary_key=True)
    owner: str = Field(index=True)
    url: str
    types: list[str] = Field(sa_type=JSON)
    secret: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    silent_since: datetime | None = Field(default=None, sa_type=Instant)
    """Since when it does not answer."""
    rests_until: datetime | None = Field(default=None, sa_type=Instant)
    """Until when it is left alone, because it does not answer."""


class Delivery(SQLModel, table=True):
    """One event for one webhook: delivered once in the end, or dead after three days of trying."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("deliveries_due", "webhook_id", "next_at"),  # for the release before: a later one takes it away
        Index("deliveries_of_a_webhook", "webhook_id", "at"),
        Index(
            "deliveries_waiting", "webhook_id", "next_at", "at", "event_id", sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index(
            "deliveries_owed", "at", sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index(
            "deliveries_dead", "webhook_id", sqlite_where=text("dead_at IS NOT NULL"),
            postgresql_where=text("dead_at IS NOT NULL"),
        ),
    )  # fmt: skip

    event_id: str = Field(primary_key=True, foreign_key="outbox_event.event_id")
    webhook_id: str = Field(primary_key=True, foreign_key="webhook.webhook_id")
    at: datetime = Field(sa_type=Instant)
    tries: int = 0
    owed_since: datetime | None = Field(default=None, sa_type=Instant)
    """Since when it is owed anew, where it was replayed."""
    next_at: datetime | None = Field(default=None, sa_type=Instant)
    delivered_at: datetime | None = Field(default=None, sa_type=Instant)
    dead_at: datetime | None = Field(default=None, sa_type=Instant)
    said: str | None = Field(default=None)
