"""All SQL of changes of many licences, but for the ledger's own (`../store.py`)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col, delete

from issuers.models import MassChangeRow
from records.rows import store as rows_store


def change(session: Session, agency: str, change_id: str) -> MassChangeRow | None:
    """Return one of an agency's changes of many licences."""
    row = session.get(MassChangeRow, change_id, populate_existing=True)
    return row if row is not None and row.agency == agency else None


def changes(session: Session, agency: str, limit: int) -> Sequence[Any]:
    """Return an agency's newest changes of many licences: what each was, and how many."""
    row = rows_store.table_of(MassChangeRow).c
    query = select(row.change_id, row.to, row.cause, func.json_array_length(row.licences), row.at, row.undone_at)
    query = query.where(row.agency == agency).order_by(row.at.desc(), row.change_id)
    return session.execute(query.limit(limit)).all()


def forget(session: Session, before: datetime) -> int:
    """Forget changes that were done before an instant; returns how many. The audit and the ledger have them."""
    return rows_store.changed(session, delete(MassChangeRow).where(col(MassChangeRow.at) < before))


def undo(session: Session, change_id: str, now: datetime) -> bool:
    """Note a change as undone; of any number of times at once one does it."""
    this = update(MassChangeRow).where(
        col(MassChangeRow.change_id) == change_id, col(MassChangeRow.undone_at).is_(None)
    )
    return bool(rows_store.changed(session, this.values(undone_at=now)))
