"""Tables of the OpenID4VP exchange. The verdict waits sealed for the counter that asked, and is told once."""

from datetime import datetime

from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field, SQLModel

from records.models import Instant


class PresentationRequest(SQLModel, table=True):
    """One question to any wallet: answered once, within its minutes; its encryption key is used for it alone."""

    __tablename__ = "presentation_request"

    request_id: str = Field(primary_key=True)
    counter: str = Field(foreign_key="counter.key", index=True)
    service_item: str
    operator: str | None = Field(default=None)
    prefix: str
    client_id: str
    nonce: str
    state: str
    response_mode: str
    sealed_key: bytes | None = Field(default=None, sa_type=LargeBinary)
    transaction_data: list[str] = Field(sa_type=JSON)
    authorities: list[str] = Field(sa_type=JSON)
    return_to: str | None = Field(default=None)
    response_code_hash: str | None = Field(default=None)
    session_hash: str | None = Field(default=None)
    """The session of the page that asked, where it named one: nobody else is told the verdict."""
    entry: str | None = Field(default=None)
    """The class list's entry that this is for: `list/number`."""
    expires_at: datetime = Field(sa_type=Instant)
    answered_at: datetime | None = Field(default=None, sa_type=Instant)
    sealed_verdict: bytes | None = Field(default=None, sa_type=LargeBinary)
    told_at: datetime | None = Field(default=None, sa_type=Instant)
