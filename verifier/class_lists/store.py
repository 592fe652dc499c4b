"""All SQL of class lists."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, or_
from sqlmodel import Session, col, select

from records.rows import store as rows_store
from verifier.class_lists.models import ClassEntry, ClassList


def lists_of(session: Session, counter: str, limit: int) -> Sequence[ClassList]:
    """Return a counter's lists, newest first."""
    query = select(ClassList).where(ClassList.counter == counter)
    return session.exec(query.order_by(col(ClassList.created_at).desc(), col(ClassList.list_id)).limit(limit)).all()


def forget(session: Session, *, closed: datetime, made: datetime) -> int:
    """Forget lists that were closed, or made, before an instant, with their entries; returns how many lists."""
    old = or_(col(ClassList.closed_at) < closed, col(ClassList.created_at) < made)
    session.execute(delete(ClassEntry).where(col(ClassEntry.list_id).in_(select(ClassList.list_id).where(old))))
    return rows_store.changed(session, delete(ClassList).where(old))


def entry_by_link(session: Session, link_hash: str) -> ClassEntry | None:
    """Return the entry whose link this is."""
    return session.exec(select(ClassEntry).where(ClassEntry.link_hash == link_hash)).first()


def entries(session: Session, list_id: str) -> Sequence[ClassEntry]:
    """Return the entries of a list, in its order."""
    return session.exec(select(ClassEntry).where(ClassEntry.list_id == list_id).order_by(col(ClassEntry.number))).all()
