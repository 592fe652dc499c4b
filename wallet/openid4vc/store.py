"""All SQL of our wallet's dealings with other services."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from records.rows import store as rows_store
from wallet.openid4vc.models import OpenIssuance, OpenRequest


def claim(session: Session, request_id: str, holder_id: str, now: datetime) -> bool:
    """Take an open request for answering; of any number of times at once, one gets True."""
    statement = update(OpenRequest).where(
        col(OpenRequest.request_id) == request_id,
        col(OpenRequest.holder_id) == holder_id,
        col(OpenRequest.done_at).is_(None),
        col(OpenRequest.expires_at) > now,
    )
    return bool(rows_store.changed(session, statement.values(done_at=now)))


def by_state(session: Session, holder_id: str, state_hash: str, now: datetime) -> OpenIssuance | None:
    """Return the open issuance of a holder that came back with a state."""
    mine = select(OpenIssuance).where(OpenIssuance.state_hash == state_hash, OpenIssuance.holder_id == holder_id)
    return session.exec(mine.where(col(OpenIssuance.done_at).is_(None), col(OpenIssuance.expires_at) > now)).first()


def claim_issuance(session: Session, issuance_id: str, now: datetime) -> bool:
    """Take an open issuance; of any number of times at once, one gets True."""
    statement = update(OpenIssuance).where(
        col(OpenIssuance.issuance_id) == issuance_id, col(OpenIssuance.done_at).is_(None)
    )
    return bool(rows_store.changed(session, statement.values(done_at=now)))


def keep_sealed(session: Session, issuance_id: str, sealed: bytes) -> None:
    """Replace what an issuance keeps."""
    session.execute(update(OpenIssuance).where(col(OpenIssuance.issuance_id) == issuance_id).values(sealed=sealed))


def finish_issuance(session: Session, issuance_id: str, now: datetime) -> None:
    """Note that what an issuance waited for has come."""
    session.execute(update(OpenIssuance).where(col(OpenIssuance.issuance_id) == issuance_id).values(done_at=now))


def waiting(session: Session, holder_id: str, now: datetime) -> Sequence[OpenIssuance]:
    """Return a holder's issuances that wait for approval."""
    query = select(OpenIssuance).where(OpenIssuance.holder_id == holder_id, col(OpenIssuance.state_hash).is_(None))
    return session.exec(query.where(col(OpenIssuance.done_at).is_(None), col(OpenIssuance.expires_at) > now)).all()


def forget(session: Session, before: datetime) -> int:
    """Forget requests and issuances that were over before an instant; returns how many."""
    requests = delete(OpenRequest).where(col(OpenRequest.expires_at) < before)
    issuances = delete(OpenIssuance).where(col(OpenIssuance.expires_at) < before)
    return sum(rows_store.changed(session, one) for one in (requests, issuances))
