"""Tables of the custody room."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from records.models import Instant


class KeyPurpose(StrEnum):
    """What a key is for, and nothing else: signing, but for ENCRYPTION, which agrees (ECDH-ES)."""

    LICENCE = "licence"
    STATUS_LIST = "status_list"
    TRUST_LIST = "trust_list"
    RECEIPT = "receipt"
    REQUEST = "request"
    AUTHORITY = "authority"
    ENCRYPTION = "encryption"
    WALLET = "wallet"
    LOG = "log"


VERIFIED = frozenset({KeyPurpose.LICENCE, KeyPurpose.STATUS_LIST})
"""What verifiers check agencies' signatures of: these keys are published before they are used."""


class KeyState(StrEnum):
    """A key's life: published before use, used, kept for verifying, or never to be believed again."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"
    COMPROMISED = "compromised"


class SigningKey(SQLModel, table=True):
    """A key pair of one owner for one purpose; `sealed` is None where the owner never shared the private part."""

    __tablename__ = "signing_key"
    __table_args__ = (
        Index(
            "one_active_key",
            "owner",
            "purpose",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    kid: str = Field(primary_key=True)
    owner: str = Field(index=True)
    purpose: str
    state: str
    jwk: dict[str, str] = Field(sa_type=JSON)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=Instant)
    activated_at: datetime | None = Field(default=None, sa_type=Instant)
    retired_at: datetime | None = Field(default=None, sa_type=Instant)
    compromised_from: datetime | None = Field(default=None, sa_type=Instant)


class WrappedRoot(SQLModel, table=True):
    """The secret that everything at rest is sealed under, wrapped by the custodian's key-encryption key; one row."""

    __tablename__ = "wrapped_root"

    id: int = Field(default=1, primary_key=True)
    custodian: str
    wrapped: bytes = Field(sa_type=LargeBinary)


class Certificate(SQLModel, table=True):
    """The certificate of a signing key, issued by the operator's authority (its own: self-signed)."""

    __tablename__ = "certificate"

    kid: str = Field(primary_key=True, foreign_key="signing_key.kid")
    der: bytes = Field(sa_type=LargeBinary)
    not_after: datetime = Field(sa_type=Instant)


class TrustedAgency(SQLModel, table=True):
    """An agency as the operator vouches for it."""

    __tablename__ = "trusted_agency"

    agency: str = Field(primary_key=True)
    name: dict[str, str] = Field(sa_type=JSON)


class Authorisation(SQLModel, table=True):
    """An agency may sign licences of one type, from when to when."""

    __tablename__ = "authorisation"

    agency: str = Field(primary_key=True, foreign_key="trusted_agency.agency")
    vct: str = Field(primary_key=True)
    valid_from: datetime = Field(sa_type=Instant)
    valid_until: datetime | None = Field(default=None, sa_type=Instant)


class TrustPublication(SQLModel, table=True):
    """The one signed trust list; `version` runs ahead of `published_version` while a change awaits signing."""

    __tablename__ = "trust_publication"

    id: int = Field(default=1, primary_key=True)
    version: int = 0
    published_version: int = 0
    issued_at: int = Field(default=0, sa_type=BigInteger)
    token: str = Field(default="", sa_type=Text)


class Proposal(SQLModel, table=True):
    """An act that one person proposes and another approves, bound to the hash of its content; decided once.

    `stream` is whose act it is, and where it is audited: the operator's, or one agency's. Approved and not `done_at`
    any instant is what a crash left.
    """

    __tablename__ = "proposal"

    proposal_id: str = Field(primary_key=True)
    stream: str = Field(index=True)
    kind: str
    content: dict[str, Any] = Field(sa_type=JSON)
    content_hash: str
    proposed_by: str
    proposed_at: datetime = Field(sa_type=Instant, index=True)
    expires_at: datetime = Field(sa_type=Instant)
    decided_by: str | None = Field(default=None)
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    approved: bool | None = Field(default=None)
    done_at: datetime | None = Field(default=None, sa_type=Instant)


class OAuthClient(SQLModel, table=True):
    """A system or device that gets its own tokens (RFC 6749 section 4.4): by a signed assertion, or by a secret.

    `jwk` is its public key, `secret_hash` the sandbox's other way. With `dpop` its tokens are bound to that key.
    """

    __tablename__ = "oauth_client"

    client_id: str = Field(primary_key=True)
    role: str
    subject: str = Field(index=True)
    name: str
    scopes: str
    jwk: dict[str, str] | None = Field(default=None, sa_type=JSON)
    secret_hash: str | None = Field(default=None)
    dpop: bool = False
    created_at: datetime = Field(sa_type=Instant)
    suspended_at: datetime | None = Field(default=None, sa_type=Instant)


class EnrolmentCode(SQLModel, table=True):
    """A one-time code with which a device becomes a counter's client, hashed."""

    __tablename__ = "enrolment_code"

    code_hash: str = Field(primary_key=True)
    counter: str = Field(index=True)
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class AccessToken(SQLModel, table=True):
    """A caller's opaque token, hashed; `subject` is an agency, counter, operator or holder.

    `person` is who of the subject's staff it is, `client_id` the system it was given to, `jkt` the key it is bound to.
    A browser's session is one too: it ends when it was not used for `idle_seconds`; `label` says which browser.
    `passkey_id` opened it; `shown_at` is when a passkey was shown last, `shown_with` which.
    """

    __tablename__ = "access_token"

    token_id: str = Field(primary_key=True)
    secret_hash: str = Field(unique=True)
    role: str
    subject: str = Field(index=True)
    person: str | None = Field(default=None)
    scopes: str
    client_id: str | None = Field(default=None, foreign_key="oauth_client.client_id", index=True)
    jkt: str | None = Field(default=None)
    label: str | None = Field(default=None)
    passkey_id: str | None = Field(default=None, index=True)
    shown_at: datetime | None = Field(default=None, sa_type=Instant)
    shown_with: str | None = Field(default=None, index=True)
    idle_seconds: int | None = Field(default=None)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)


class Spent(SQLModel, table=True):
    """Something that counts once: a nonce or the `jti` of a proof."""

    __tablename__ = "spent"

    kind: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant, index=True)
