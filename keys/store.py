"""All SQL of the custody room."""

from collections.abc import Sequence

from sqlalchemy import update
from sqlmodel import Session, col, select

from keys.models import (
    AccessToken,
    Authorisation,
    Certificate,
    KeyPurpose,
    KeyState,
    SigningKey,
    TrustedAgency,
    TrustPublication,
)


def keys_of(session: Session, owner: str | None = None, purpose: KeyPurpose | None = None) -> Sequence[SigningKey]:
    """Return keys of an owner (all owners if None) for a purpose (all if None), oldest first."""
    query = select(SigningKey).order_by(col(SigningKey.created_at), col(SigningKey.kid))
    if owner is not None:
        query = query.where(SigningKey.owner == owner)
    if purpose is not None:
        query = query.where(SigningKey.purpose == purpose)
    return session.exec(query).all()


def active_key(session: Session, owner: str, purpose: KeyPurpose) -> SigningKey | None:
    """Return the one key that signs for `owner` and `purpose` now."""
    query = select(SigningKey).where(
        SigningKey.owner == owner, SigningKey.purpose == purpose, SigningKey.state == KeyState.ACTIVE
    )
    return session.exec(query).first()


def raise_trust_version(session: Session) -> None:
    """Note that the trust list must be signed anew; waits for anybody else doing so."""
    statement = update(TrustPublication).values(version=TrustPublication.version + 1)
    if not session.execute(statement).rowcount:  # type: ignore[attr-defined]
        session.add(TrustPublication(version=1))
        session.flush()


def trust_publication(session: Session) -> TrustPublication | None:
    """Return the stored trust list."""
    return session.get(TrustPublication, 1, populate_existing=True)


def store_trust_list(session: Session, *, version: int, token: str, issued_at: int) -> bool:
    """Keep a signed list unless a later one is there already."""
    statement = (
        update(TrustPublication)
        .where(col(TrustPublication.published_version) <= version, col(TrustPublication.issued_at) <= issued_at)
        .values(published_version=version, token=token, issued_at=issued_at)
    )
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def trusted_agencies(session: Session) -> Sequence[TrustedAgency]:
    """Return every agency the operator vouches for."""
    return session.exec(select(TrustedAgency).order_by(col(TrustedAgency.agency))).all()


def authorisations(session: Session) -> Sequence[Authorisation]:
    """Return who may sign what."""
    return session.exec(select(Authorisation).order_by(col(Authorisation.agency), col(Authorisation.vct))).all()


def access_token(session: Session, secret_hash: str) -> AccessToken | None:
    """Return the token of a hashed secret."""
    return session.exec(select(AccessToken).where(AccessToken.secret_hash == secret_hash)).first()


def anchors(session: Session) -> Sequence[bytes]:
    """Return the certificates of the operator's authorities that are not compromised."""
    query = select(Certificate.der).join(SigningKey)
    query = query.where(SigningKey.purpose == KeyPurpose.AUTHORITY, SigningKey.state != KeyState.COMPROMISED)
    return session.exec(query.order_by(col(SigningKey.created_at))).all()
