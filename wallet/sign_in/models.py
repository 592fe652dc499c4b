"""Tables of signing in."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from records.models import Instant


class Identity(SQLModel, table=True):
    """An account at an identity provider, and whose it is."""

    __tablename__ = "identity"

    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    holder_id: str = Field(foreign_key="holder.holder_id", index=True)
    linked_at: datetime = Field(sa_type=Instant)


class SignInAttempt(SQLModel, table=True):
    """A browser that was sent to sign in: finished once, in that browser. What the answer must fit is sealed."""

    __tablename__ = "sign_in_attempt"

    state_hash: str = Field(primary_key=True)
    browser_hash: str
    sealed: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = Field(sa_type=Instant, index=True)
    done_at: datetime | None = Field(default=None, sa_type=Instant)
