"""All SQL of copies for the file."""

from datetime import datetime

from sqlmodel import Session, col, delete

from records.rows import store as rows_store
from verifier.file_copies.models import FileCopy


def forget(session: Session, now: datetime) -> int:
    """Forget the copies whose time is over; returns how many."""
    return rows_store.changed(session, delete(FileCopy).where(col(FileCopy.until) <= now))
