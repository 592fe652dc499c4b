"""Tables of our wallet's dealings with other services."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from records.models import Instant


class OpenRequest(SQLModel, table=True):
    """A request that a holder is looking at: who asks for what, sealed; answered or declined once."""

    __tablename__ = "open_request"

    request_id: str = Field(primary_key=True)
    holder_id: str = Field(foreign_key="holder.holder_id", index=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = Field(sa_type=Instant)
    done_at: datetime | None = Field(default=None, sa_type=Instant)


class OpenIssuance(SQLModel, table=True):
    """An issuance under way, sealed: at the issuer's pages (`state_hash`), or waiting for its approval (None)."""

    __tablename__ = "open_issuance"

    issuance_id: str = Field(primary_key=True)
    holder_id: str = Field(foreign_key="holder.holder_id", index=True)
    state_hash: str | None = Field(default=None, unique=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = Field(sa_type=Instant)
    done_at: datetime | None = Field(default=None, sa_type=Instant)
