"""The table of passkeys: public keys of authenticators, and whose they are."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel

from records.models import Instant


class Passkey(SQLModel, table=True):
    """A passkey of a person: `role`, `subject` and `person` as in their tokens; it opens `scopes` and no more.

    `registered_with` is the token that it was registered with: revoked by the operator, it takes the passkey along.
    """

    __tablename__ = "passkey"
    __table_args__ = (Index("passkeys_of", "role", "subject"),)

    passkey_id: str = Field(primary_key=True)
    role: str
    subject: str
    person: str | None = Field(default=None)
    scopes: str
    label: str
    public_key: bytes = Field(sa_type=LargeBinary)
    sign_count: int = Field(default=0, sa_type=BigInteger)
    registered_with: str = Field(foreign_key="access_token.token_id", index=True)
    created_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    removed_at: datetime | None = Field(default=None, sa_type=Instant)
