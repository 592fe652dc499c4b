"""All SQL of the verifying room."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from records.rows import store as rows_store
from verifier.models import SeenPass, Verification, VerificationRequest, VerifiedPresentation


def claim_request(session: Session, request_id: str, counter: str, now: datetime) -> VerificationRequest | None:
    """Take a request for answering, or return None: of any number of answers at once, one gets it."""
    statement = (
        update(VerificationRequest)
        .where(
            col(VerificationRequest.request_id) == request_id,
            col(VerificationRequest.counter) == counter,
            col(VerificationRequest.answered_at).is_(None),
            col(VerificationRequest.expires_at) > now,
        )
        .values(answered_at=now)
    )
    claimed = rows_store.changed(session, statement)
    return session.get(VerificationRequest, request_id, populate_existing=True) if claimed else None


def request(session: Session, request_id: str, counter: str) -> VerificationRequest | None:
    """Return a counter's request."""
    row = session.get(VerificationRequest, request_id)
    return row if row is not None and row.counter == counter else None


def forget_passes(session: Session, before: datetime) -> None:
    """Forget passes seen before an instant: they are past their life and refused for that."""
    session.execute(delete(SeenPass).where(col(SeenPass.seen_at) < before))


def digests_of(session: Session, verification_id: str) -> Sequence[str]:
    """Return the presentations that a verification was about, by digest."""
    query = select(VerifiedPresentation.digest).where(VerifiedPresentation.verification_id == verification_id)
    return session.exec(query).all()


def verification(session: Session, verification_id: str, counter: str) -> Verification | None:
    """Return what came of one of a counter's verifications."""
    row = session.get(Verification, verification_id)
    return row if row is not None and row.counter == counter else None


def forget_requests(session: Session, before: datetime) -> int:
    """Forget requests that were over before an instant, answered or not; returns how many."""
    old = delete(VerificationRequest).where(col(VerificationRequest.expires_at) < before)
    return rows_store.changed(session, old)
