"""All SQL of copies for the file."""

from datetime import datetime

from sqlmodel import Session, col, delete

from verifier.file_copies.models import FileCopy


def forget(session: Session, now: datetime) -> int:
    """Forget the copies whose time is over; returns how many."""
    return int(session.execute(delete(FileCopy).where(col(FileCopy.until) <= now)).rowcount)  # type: ignore[attr-defined]
