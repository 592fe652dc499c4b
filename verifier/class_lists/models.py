"""Tables of class lists. No claim is kept: verdicts, receipts, and what is still lacking."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Text
from sqlmodel import Field, SQLModel

from records.models import Instant


class ClassList(SQLModel, table=True):
    """Many people whom one counter verifies for one item."""

    __tablename__ = "class_list"

    list_id: str = Field(primary_key=True)
    counter: str = Field(foreign_key="counter.key", index=True)
    service_item: str
    name: str
    created_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)


class ClassEntry(SQLModel, table=True):
    """One of them, by the label that the counter gave; what was shown so far, and by which verifications."""

    __tablename__ = "class_entry"

    list_id: str = Field(primary_key=True, foreign_key="class_list.list_id")
    number: int = Field(primary_key=True)
    label: str
    shown: dict[str, list[str]] = Field(sa_type=JSON)
    lacks: list[dict[str, Any]] = Field(sa_type=JSON)
    person: str | None = Field(default=None)
    """Whose licences are added up here, where codes showed it: a digest that means nothing outside this entry."""
    others: list[str] = Field(default=[], sa_type=JSON)
    circle: list[str] = Field(default=[], sa_type=JSON)
    """Who else stood behind what was shown, and who may act for that person: digests likewise."""
    verdict: str | None = Field(default=None)
    reason: str | None = Field(default=None)
    verification_id: str | None = Field(default=None)
    receipt: str | None = Field(default=None, sa_type=Text)
    link_hash: str | None = Field(default=None, unique=True, index=True)
    link_until: datetime | None = Field(default=None, sa_type=Instant)
    updated_at: datetime | None = Field(default=None, sa_type=Instant)
