"""Tables of the OpenID4VCI doors. Secrets are kept hashed, orders that wait for approval sealed."""

from datetime import datetime

from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field, SQLModel

from records.models import Instant


class Offer(SQLModel, table=True):
    """What one foreign wallet may take: a licence of the ledger, or an order that the agency has yet to approve."""

    __tablename__ = "credential_offer"

    offer_id: str = Field(primary_key=True)
    agency: str = Field(foreign_key="agency.key", index=True)
    type_key: str
    licence_id: str | None = Field(default=None, foreign_key="licence.licence_id")
    waiting: bytes | None = Field(default=None, sa_type=LargeBinary)
    denied: bool = False
    uri_hash: str = Field(unique=True)
    sealed_grants: bytes = Field(sa_type=LargeBinary)
    code_hash: str | None = Field(default=None, unique=True)
    issuer_state_hash: str | None = Field(default=None, unique=True)
    tx_code_hash: str | None = Field(default=None)
    wrong_tries: int = 0
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    redeemed_at: datetime | None = Field(default=None, sa_type=Instant)


class Authorization(SQLModel, table=True):
    """One authorization request from push to code (RFC 9126): what a wallet wants, what the holder decided.

    `licences` are what the holder agreed to (type → licence), None where the offer says it, or while undecided.
    """

    __tablename__ = "credential_authorization"

    authorization_id: str = Field(primary_key=True)
    agency: str = Field(foreign_key="agency.key", index=True)
    request_hash: str = Field(unique=True)
    client_id: str
    client_name: str
    instance: str
    jkt: str | None = Field(default=None)
    redirect_uri: str
    state: str | None = Field(default=None)
    code_challenge: str
    type_keys: list[str] = Field(sa_type=JSON)
    by_details: bool = False
    offer_id: str | None = Field(default=None, foreign_key="credential_offer.offer_id")
    licences: dict[str, str] | None = Field(default=None, sa_type=JSON)
    expires_at: datetime = Field(sa_type=Instant)
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    code_hash: str | None = Field(default=None, unique=True)
    code_until: datetime | None = Field(default=None, sa_type=Instant)
    redeemed_at: datetime | None = Field(default=None, sa_type=Instant)


class Grant(SQLModel, table=True):
    """What a redeemed code gave: access and refresh tokens, hashed.

    `jkt` is the DPoP key they are bound to, `instance` the wallet instance that authenticated. What may be taken is
    the offer's licence, or `licences` (type → licence) where the holder asked without an offer.
    """

    __tablename__ = "credential_grant"

    grant_id: str = Field(primary_key=True)
    agency: str = Field(foreign_key="agency.key")
    offer_id: str | None = Field(default=None, foreign_key="credential_offer.offer_id", index=True)
    licences: dict[str, str] | None = Field(default=None, sa_type=JSON)
    client_id: str | None = Field(default=None)
    instance: str | None = Field(default=None)
    jkt: str | None = Field(default=None)
    access_hash: str = Field(unique=True)
    access_until: datetime = Field(sa_type=Instant)
    refresh_hash: str | None = Field(default=None, unique=True)
    refresh_until: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)


class Deferral(SQLModel, table=True):
    """A credential request that waits for the agency: which keys to bind to when it approves."""

    __tablename__ = "credential_deferral"

    transaction_hash: str = Field(primary_key=True)
    grant_id: str = Field(foreign_key="credential_grant.grant_id")
    type_key: str
    keys: list[dict[str, str]] = Field(sa_type=JSON)
    created_at: datetime = Field(sa_type=Instant)
    done_at: datetime | None = Field(default=None, sa_type=Instant)


class Notice(SQLModel, table=True):
    """What a wallet said became of the credentials of one response; None until it says so."""

    __tablename__ = "credential_notice"

    notification_id: str = Field(primary_key=True)
    grant_id: str = Field(foreign_key="credential_grant.grant_id", index=True)
    thumbprints: list[str] = Field(sa_type=JSON)
    event: str | None = Field(default=None)
    at: datetime = Field(sa_type=Instant)
