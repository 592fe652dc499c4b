"""All SQL of asks."""

from datetime import datetime

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col

from records.rows import store as rows_store
from verifier.asks.models import Ask


def claim(session: Session, ask_id: str, *, now: datetime, lost_before: datetime) -> bool:
    """Take an ask for answering; of any number of callers at once one gets it.

    What was taken at `lost_before` or earlier and came to nothing was lost in a crash, and is taken again.
    """
    free = or_(col(Ask.answered_at).is_(None), col(Ask.answered_at) <= lost_before)
    statement = update(Ask).where(col(Ask.ask_id) == ask_id, col(Ask.verification_id).is_(None), free)
    return bool(rows_store.changed(session, statement.values(answered_at=now)))


def forget(session: Session, before: datetime) -> int:
    """Forget asks that were over before an instant; returns how many. What came of them stays."""
    return rows_store.changed(session, delete(Ask).where(col(Ask.expires_at) < before))


def note_verification(session: Session, ask_id: str, verification_id: str) -> None:
    """Note what came of an ask."""
    session.execute(update(Ask).where(col(Ask.ask_id) == ask_id).values(verification_id=verification_id))
