"""All SQL of the OpenID4VP exchange."""

from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, col

from records.rows import store as rows_store
from verifier.openid4vp.models import PresentationRequest


def claim(session: Session, request_id: str, now: datetime) -> bool:
    """Take a request for answering; of any number of answers at once, one gets True."""
    statement = update(PresentationRequest).where(
        col(PresentationRequest.request_id) == request_id,
        col(PresentationRequest.answered_at).is_(None),
        col(PresentationRequest.expires_at) > now,
    )
    return bool(rows_store.changed(session, statement.values(answered_at=now)))


def tell(session: Session, request_id: str, now: datetime) -> bool:
    """Take a verdict for telling; of any number of readers at once, one gets True, and the verdict is dropped."""
    statement = update(PresentationRequest).where(
        col(PresentationRequest.request_id) == request_id, col(PresentationRequest.told_at).is_(None)
    )
    return bool(rows_store.changed(session, statement.values(told_at=now, sealed_verdict=None)))


def forget(session: Session, *, before: datetime) -> int:
    """Delete the requests that were over before an instant; returns how many."""
    statement = delete(PresentationRequest).where(col(PresentationRequest.expires_at) < before)
    return rows_store.changed(session, statement)
