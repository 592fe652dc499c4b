"""All SQL of the custody room."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, delete, func, update
from sqlmodel import Session, col, select

from keys.models import (
    AccessToken,
    Authorisation,
    Certificate,
    EnrolmentCode,
    KeyPurpose,
    KeyState,
    OAuthClient,
    Proposal,
    SigningKey,
    Spent,
    TrustedAgency,
    TrustPublication,
)
from keys.passkeys.models import Passkey
from records.rows import store as rows_store


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
    return session.execute(_ACTIVE, {"owner": owner, "purpose": purpose}).scalars().first()


def active_kid(session: Session, owner: str, purpose: KeyPurpose) -> str | None:
    """Return its name alone."""
    kid: str | None = session.connection().execute(_ACTIVE_KID, {"owner": owner, "purpose": purpose}).scalar()
    return kid


def active_kid_of(owner: ColumnElement[str], purpose: KeyPurpose) -> ScalarSelect[str]:
    """Return, within a statement about what an owner has, the name of the key that signs for it now."""
    found = select(SigningKey.kid).where(SigningKey.owner == owner, SigningKey.purpose == purpose)
    return found.where(SigningKey.state == KeyState.ACTIVE).scalar_subquery()


_IS_ACTIVE = (
    SigningKey.owner == bindparam("owner"),
    SigningKey.purpose == bindparam("purpose"),
    SigningKey.state == KeyState.ACTIVE,
)
_ACTIVE = select(SigningKey).where(*_IS_ACTIVE)
_ACTIVE_KID = select(SigningKey.kid).where(*_IS_ACTIVE)


def any_sealed_key(session: Session) -> SigningKey | None:
    """Return some key whose private part is kept here, None if there is none."""
    query = select(SigningKey).where(col(SigningKey.sealed).is_not(None), SigningKey.state != KeyState.COMPROMISED)
    return session.exec(query.limit(1)).first()


def raise_trust_version(session: Session) -> None:
    """Note that the trust list must be signed anew; waits for anybody else doing so."""
    statement = update(TrustPublication).values(version=TrustPublication.version + 1)
    if not rows_store.changed(session, statement):
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
    return bool(rows_store.changed(session, statement))


def trusted_agencies(session: Session) -> Sequence[TrustedAgency]:
    """Return every agency the operator vouches for."""
    return session.exec(select(TrustedAgency).order_by(col(TrustedAgency.agency))).all()


def authorisations(session: Session, agency: str | None = None) -> Sequence[Authorisation]:
    """Return who may sign what; what one agency may if it is named."""
    query = select(Authorisation).order_by(col(Authorisation.agency), col(Authorisation.vct))
    return session.exec(query if agency is None else query.where(Authorisation.agency == agency)).all()


def access_token(session: Session, secret_hash: str) -> AccessToken | None:
    """Return the token of a hashed secret, unless its client is suspended."""
    query = select(AccessToken).where(AccessToken.secret_hash == secret_hash)
    query = query.join(OAuthClient, isouter=True).where(col(OAuthClient.suspended_at).is_(None))
    return session.exec(query).first()


def access_tokens(session: Session, role: str, subject: str, now: datetime) -> Sequence[AccessToken]:
    """Return the tokens of somebody that are not revoked and not over, newest first."""
    query = select(AccessToken).where(
        AccessToken.role == role,
        AccessToken.subject == subject,
        col(AccessToken.revoked_at).is_(None),
        col(AccessToken.expires_at) > now,
    )
    return session.exec(query.order_by(col(AccessToken.created_at).desc(), col(AccessToken.token_id))).all()


def note_use(session: Session, token_id: str, now: datetime) -> None:
    """Note that a session was used."""
    session.execute(update(AccessToken).where(col(AccessToken.token_id) == token_id).values(used_at=now))


def revoke_token(session: Session, token_id: str, now: datetime) -> None:
    """Revoke a token for good; holds its row until the commit."""
    statement = update(AccessToken).where(col(AccessToken.token_id) == token_id, col(AccessToken.revoked_at).is_(None))
    session.execute(statement.values(revoked_at=now))


def hold_token(session: Session, token_id: str) -> bool:
    """Hold a token's row until the commit, so that nobody revokes it meanwhile; False if somebody has."""
    statement = update(AccessToken).where(col(AccessToken.token_id) == token_id, col(AccessToken.revoked_at).is_(None))
    return bool(rows_store.changed(session, statement.values(token_id=token_id)))


def clients_of(session: Session, role: str, subject: str) -> Sequence[OAuthClient]:
    """Return the clients of an agency or counter, oldest first."""
    query = select(OAuthClient).where(OAuthClient.role == role, OAuthClient.subject == subject)
    return session.exec(query.order_by(col(OAuthClient.created_at), col(OAuthClient.client_id))).all()


def decide_proposal(
    session: Session, proposal_id: str, content_hash: str, by: str, now: datetime, *, approved: bool
) -> bool:
    """Decide a proposal of that very content; of any number of decisions at once one gets True."""
    statement = update(Proposal).where(
        col(Proposal.proposal_id) == proposal_id,
        col(Proposal.content_hash) == content_hash,
        col(Proposal.decided_at).is_(None),
        col(Proposal.expires_at) > now,
    )
    decided = statement.values(decided_at=now, decided_by=by, approved=approved)
    return bool(rows_store.changed(session, decided))


def note_done(session: Session, proposal_id: str, now: datetime) -> None:
    """Note that what was approved is done."""
    session.execute(update(Proposal).where(col(Proposal.proposal_id) == proposal_id).values(done_at=now))


def approved_undone(session: Session, before: datetime) -> Sequence[Proposal]:
    """Return what was approved before an instant and never done: a crash came between."""
    query = select(Proposal).where(col(Proposal.approved).is_(True), col(Proposal.done_at).is_(None))
    query = query.where(col(Proposal.decided_at) < before)
    return session.exec(query.order_by(col(Proposal.decided_at), col(Proposal.proposal_id))).all()


def waiting_of(session: Session, stream: str, by: str, now: datetime) -> int:
    """Return how many proposals of somebody wait."""
    query = select(func.count()).where(Proposal.stream == stream, Proposal.proposed_by == by)
    return session.exec(query.where(col(Proposal.decided_at).is_(None), col(Proposal.expires_at) > now)).one()


def reopen_proposal(session: Session, proposal_id: str) -> None:
    """Let a proposal be decided again: nothing came of its approval."""
    statement = update(Proposal).where(col(Proposal.proposal_id) == proposal_id)
    session.execute(statement.values(decided_at=None, decided_by=None, approved=None))


def proposals(session: Session, stream: str, limit: int) -> Sequence[Proposal]:
    """Return an office's proposals, the newest first."""
    query = (
        select(Proposal)
        .where(Proposal.stream == stream)
        .order_by(col(Proposal.proposed_at).desc(), col(Proposal.proposal_id))
    )
    return session.exec(query.limit(limit)).all()


def claim_enrolment(session: Session, code_hash: str, now: datetime) -> str | None:
    """Use an enrolment code up and return its counter, or None; of any number of requests at once one gets it."""
    statement = update(EnrolmentCode).where(
        col(EnrolmentCode.code_hash) == code_hash,
        col(EnrolmentCode.used_at).is_(None),
        col(EnrolmentCode.expires_at) > now,
    )
    return session.execute(statement.values(used_at=now).returning(col(EnrolmentCode.counter))).scalars().first()


def anchors(session: Session) -> Sequence[bytes]:
    """Return the certificates of the operator's authorities that are not compromised."""
    query = select(Certificate.der).join(SigningKey)
    query = query.where(SigningKey.purpose == KeyPurpose.AUTHORITY, SigningKey.state != KeyState.COMPROMISED)
    return session.exec(query.order_by(col(SigningKey.created_at))).all()


def forget_spent(session: Session, before: datetime) -> None:
    """Forget what was spent before an instant: it is past its life and refused for that."""
    session.execute(delete(Spent).where(col(Spent.at) < before))


def forget_tokens(session: Session, before: datetime) -> int:
    """Forget access tokens that were over before an instant; returns how many. One that a passkey came of is needed."""
    needed = select(Passkey.registered_with)
    old = delete(AccessToken).where(col(AccessToken.expires_at) < before, col(AccessToken.token_id).not_in(needed))
    return rows_store.changed(session, old)


def forget_enrolment_codes(session: Session, before: datetime) -> int:
    """Forget enrolment codes that were over before an instant, used or not; returns how many."""
    old = delete(EnrolmentCode).where(col(EnrolmentCode.expires_at) < before)
    return rows_store.changed(session, old)
