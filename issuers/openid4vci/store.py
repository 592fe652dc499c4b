"""All SQL of the OpenID4VCI doors."""

from datetime import datetime

from sqlalchemy import and_, delete, func, or_, update
from sqlmodel import Session, col, select

from issuers.models import LicenceRow, LicenceState
from issuers.openid4vci.models import Authorization, Deferral, Grant, Notice, Offer
from records.models import IdempotencyKey
from records.rows import store as rows_store


def offer_by_uri(session: Session, agency: str, uri_hash: str) -> Offer | None:
    """Return an agency's offer by the secret of its address, hashed."""
    return session.exec(select(Offer).where(Offer.agency == agency, Offer.uri_hash == uri_hash)).first()


def offer_by_code(session: Session, agency: str, code_hash: str) -> Offer | None:
    """Return an agency's offer by its pre-authorized code, hashed."""
    return session.exec(select(Offer).where(Offer.agency == agency, Offer.code_hash == code_hash)).first()


def offer_by_issuer_state(session: Session, agency: str, state_hash: str) -> Offer | None:
    """Return an agency's offer by its issuer state, hashed."""
    return session.exec(select(Offer).where(Offer.agency == agency, Offer.issuer_state_hash == state_hash)).first()


def authorization(session: Session, agency: str, request_hash: str) -> Authorization | None:
    """Return a pushed request by its address, hashed."""
    query = select(Authorization).where(Authorization.agency == agency, Authorization.request_hash == request_hash)
    return session.exec(query).first()


def authorization_by_code(session: Session, agency: str, code_hash: str) -> Authorization | None:
    """Return an authorization by its code, hashed."""
    query = select(Authorization).where(Authorization.agency == agency, Authorization.code_hash == code_hash)
    return session.exec(query).first()


def decide(session: Session, row: Authorization, now: datetime) -> bool:
    """Take a pushed request for deciding; of any number of decisions at once, one gets True."""
    statement = update(Authorization).where(
        col(Authorization.authorization_id) == row.authorization_id,
        col(Authorization.decided_at).is_(None),
        col(Authorization.expires_at) > now,
    )
    return bool(rows_store.changed(session, statement.values(decided_at=now)))


def redeem_code(session: Session, authorization_id: str, now: datetime) -> bool:
    """Use an authorization code up; of any number of requests at once one gets True."""
    statement = update(Authorization).where(
        col(Authorization.authorization_id) == authorization_id,
        col(Authorization.redeemed_at).is_(None),
        col(Authorization.code_until) > now,
    )
    return bool(rows_store.changed(session, statement.values(redeemed_at=now)))


def redeem(session: Session, offer_id: str, now: datetime) -> bool:
    """Use an offer's code up; of any number of requests at once one gets True."""
    statement = update(Offer).where(
        col(Offer.offer_id) == offer_id, col(Offer.redeemed_at).is_(None), col(Offer.expires_at) > now
    )
    return bool(rows_store.changed(session, statement.values(redeemed_at=now)))


def count_try(session: Session, offer_id: str, limit: int) -> bool:
    """Count a try at the transaction code; False once there were `limit`."""
    statement = update(Offer).where(col(Offer.offer_id) == offer_id, col(Offer.wrong_tries) < limit)
    return bool(rows_store.changed(session, statement.values(wrong_tries=Offer.wrong_tries + 1)))


def approve(session: Session, offer_id: str, licence_id: str) -> bool:
    """Put a licence in the place of a waiting order; False if it waits no more."""
    statement = update(Offer).where(
        col(Offer.offer_id) == offer_id, col(Offer.licence_id).is_(None), ~col(Offer.denied)
    )
    return bool(rows_store.changed(session, statement.values(licence_id=licence_id, waiting=None)))


def deny(session: Session, offer_id: str) -> bool:
    """Deny a waiting order for good; False if it waits no more."""
    statement = update(Offer).where(
        col(Offer.offer_id) == offer_id, col(Offer.licence_id).is_(None), ~col(Offer.denied)
    )
    return bool(rows_store.changed(session, statement.values(denied=True, waiting=None)))


def decisions_that_came_to_nothing(session: Session, caller: str, offer_id: str, now: datetime) -> int:
    """Return how often an order was approved and its licence not signed in time: it is burnt, or will be."""
    waits = and_(col(LicenceRow.state) == LicenceState.PREPARED, col(LicenceRow.prepared_until) <= now)
    query = select(func.count()).join_from(
        IdempotencyKey, LicenceRow, col(LicenceRow.licence_id) == col(IdempotencyKey.result)
    )
    of_this = IdempotencyKey.caller == caller, col(IdempotencyKey.key).startswith(f"{offer_id}/", autoescape=True)
    query = query.where(*of_this)
    return session.exec(query.where(or_(col(LicenceRow.state) == LicenceState.BURNT, waits))).one()


def grant_by_access(session: Session, access_hash: str) -> Grant | None:
    """Return the grant of an access token, hashed."""
    return session.exec(select(Grant).where(Grant.access_hash == access_hash)).first()


def grant_by_refresh(session: Session, refresh_hash: str) -> Grant | None:
    """Return the grant of a refresh token, hashed."""
    return session.exec(select(Grant).where(Grant.refresh_hash == refresh_hash)).first()


def finish(session: Session, transaction_hash: str, now: datetime) -> bool:
    """Take a deferred request for answering; of any number at once one gets True."""
    statement = update(Deferral).where(
        col(Deferral.transaction_hash) == transaction_hash, col(Deferral.done_at).is_(None)
    )
    return bool(rows_store.changed(session, statement.values(done_at=now)))


def reopen(session: Session, transaction_hash: str) -> None:
    """Let a deferred request be answered again: nothing came of it."""
    session.execute(update(Deferral).where(col(Deferral.transaction_hash) == transaction_hash).values(done_at=None))


def forget_authorizations(session: Session, before: datetime) -> int:
    """Forget pushed requests that were over before an instant, with their codes; returns how many."""
    over = or_(col(Authorization.code_until).is_(None), col(Authorization.code_until) < before)
    old = delete(Authorization).where(col(Authorization.expires_at) < before, over)
    return rows_store.changed(session, old)


def forget_offers(session: Session, before: datetime) -> int:
    """Forget offers that were over before an instant and on which nothing hangs any more; returns how many."""
    used = [
        select(one.offer_id).where(one.offer_id == Offer.offer_id).correlate(Offer).exists()
        for one in (Grant, Authorization)
    ]
    old = delete(Offer).where(col(Offer.expires_at) < before, *(~one for one in used))
    return rows_store.changed(session, old)


def forget_grants(session: Session, before: datetime) -> int:
    """Forget grants whose tokens were over before an instant, and what hangs on them; returns how many grants."""
    over = or_(col(Grant.refresh_until).is_(None), col(Grant.refresh_until) < before)
    old = select(Grant.grant_id).where(col(Grant.access_until) < before, over)
    for table in (Notice, Deferral):
        session.execute(delete(table).where(col(table.grant_id).in_(old)))
    return rows_store.changed(session, delete(Grant).where(col(Grant.access_until) < before, over))
