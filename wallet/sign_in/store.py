"""All SQL of signing in."""

from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, col

from records.rows import store as rows_store
from wallet.sign_in.models import SignInAttempt


def claim_attempt(session: Session, state_hash: str, browser_hash: str, now: datetime) -> SignInAttempt | None:
    """Take an attempt of this browser for finishing, or None; of any number of answers at once, one gets it."""
    statement = update(SignInAttempt).where(
        col(SignInAttempt.state_hash) == state_hash,
        col(SignInAttempt.browser_hash) == browser_hash,
        col(SignInAttempt.done_at).is_(None),
        col(SignInAttempt.expires_at) > now,
    )
    if not rows_store.changed(session, statement.values(done_at=now)):
        return None
    return session.get(SignInAttempt, state_hash, populate_existing=True)


def forget_attempts(session: Session, before: datetime) -> None:
    """Forget attempts that were over before an instant."""
    session.execute(delete(SignInAttempt).where(col(SignInAttempt.expires_at) < before))
