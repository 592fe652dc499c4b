"""Tables of the wallet. Never bound to request bodies: table models do not validate."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, LargeBinary, Text
from sqlmodel import Field, SQLModel

from records.models import Instant


class HolderRow(SQLModel, table=True):
    """A person or company with a wallet; name and code are sealed, `lookup` is a keyed digest."""

    __tablename__ = "holder"

    holder_id: str = Field(primary_key=True)
    lookup: str = Field(unique=True)
    identity: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=Instant)


class HolderKey(SQLModel, table=True):
    """The key one licence is bound to; never shared by two licences or two people."""

    __tablename__ = "holder_key"

    thumbprint: str = Field(primary_key=True)
    holder_id: str = Field(foreign_key="holder.holder_id", index=True)
    reference: str = Field(unique=True)
    jwk: dict[str, str] = Field(sa_type=JSON)
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=Instant)


class HeldLicence(SQLModel, table=True):
    """A licence in a wallet: the whole SD-JWT, sealed. `described` names a type that the catalogue does not have."""

    __tablename__ = "held_licence"

    licence_id: str = Field(primary_key=True)
    holder_id: str = Field(foreign_key="holder.holder_id", index=True)
    issuer: str | None = Field(default=None)
    vct: str
    described: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    thumbprint: str = Field(foreign_key="holder_key.thumbprint")
    sealed: bytes = Field(sa_type=LargeBinary)
    superseded_by: str | None = Field(default=None)
    received_at: datetime = Field(sa_type=Instant)


class ShowCode(SQLModel, table=True):
    """A show code, hashed; `choice` is what the holder agreed to show: licence identifier → claim names."""

    __tablename__ = "show_code"

    show_id: str = Field(primary_key=True)
    code_hash: str = Field(unique=True)
    typed_hash: str = Field(index=True)
    holder_id: str = Field(foreign_key="holder.holder_id", index=True)
    choice: dict[str, list[str]] = Field(sa_type=JSON)
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    withdrawn_at: datetime | None = Field(default=None, sa_type=Instant)


class WrongCode(SQLModel, table=True):
    """How many wrong codes a counter typed in one minute; counter `*` counts them all."""

    __tablename__ = "wrong_code"

    counter: str = Field(primary_key=True)
    minute: int = Field(primary_key=True)
    count: int


class Use(SQLModel, table=True):
    """One use of somebody's licences: who showed them to whom, when, for what, which claims left, what came of it."""

    __tablename__ = "use"

    use_id: str = Field(primary_key=True)
    holder_id: str = Field(foreign_key="holder.holder_id", index=True)
    actor: str = Field(foreign_key="holder.holder_id", index=True)
    at: datetime = Field(sa_type=Instant)
    channel: str
    verifier: str
    verifier_name: dict[str, str] = Field(sa_type=JSON)
    service_item: str | None = Field(default=None)
    licences: list[dict[str, Any]] = Field(sa_type=JSON)
    verdict: str | None = Field(default=None)
    reason: str | None = Field(default=None)
    receipt: str | None = Field(default=None, sa_type=Text)
    reusable_until: datetime | None = Field(default=None, sa_type=Instant)
    reuse_permitted_by: str | None = Field(default=None)
    reuse_withdrawn_at: datetime | None = Field(default=None, sa_type=Instant)


class ChangeNotice(SQLModel, table=True):
    """A counter that relied on a licence is told when it is suspended or revoked, until an instant, or taken back."""

    __tablename__ = "change_notice"

    licence_id: str = Field(primary_key=True)
    counter: str = Field(primary_key=True)
    use_id: str = Field(primary_key=True, foreign_key="use.use_id")
    until: datetime = Field(sa_type=Instant)


class UsePresentation(SQLModel, table=True):
    """Finds the use that a presentation belongs to, by the digest of what was presented."""

    __tablename__ = "use_presentation"

    digest: str = Field(primary_key=True)
    use_id: str = Field(foreign_key="use.use_id")


class SignInLink(SQLModel, table=True):
    """A one-time sign-in link of the demonstration, hashed."""

    __tablename__ = "sign_in_link"

    secret_hash: str = Field(primary_key=True)
    holder_id: str = Field(foreign_key="holder.holder_id")
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
