"""The table of mandates."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from records.models import Instant


class Kind(StrEnum):
    """What somebody is to the one whose licences they show; the first two are an agency's word, in a licence."""

    PARENT = "parent"
    REPRESENTATIVE = "representative"
    MANAGER = "manager"
    AGENT = "agent"
    HELPER = "helper"


class Mandate(SQLModel, table=True):
    """`agent` may show `principal`'s licences of `types` (None: all), until it ends by itself or is withdrawn.

    One that a licence gave (`source_licence`) lasts while that licence does; one for a type alone is for licences of
    that `issuer` alone. `granted_under` is the mandate by whose power it was given: it ends with that one.
    """

    __tablename__ = "mandate"
    __table_args__ = (Index("mandates_between", "principal", "agent"),)

    mandate_id: str = Field(primary_key=True)
    principal: str = Field(foreign_key="holder.holder_id", index=True)
    agent: str = Field(foreign_key="holder.holder_id", index=True)
    kind: str
    types: list[str] | None = Field(default=None, sa_type=JSON)
    issuer: str | None = Field(default=None)
    source_licence: str | None = Field(default=None, index=True)
    granted_by: str
    granted_under: str | None = Field(default=None, foreign_key="mandate.mandate_id", index=True)
    created_at: datetime = Field(sa_type=Instant)
    ends_at: datetime | None = Field(default=None, sa_type=Instant)
    withdrawn_at: datetime | None = Field(default=None, sa_type=Instant)
    withdrawn_by: str | None = Field(default=None)
