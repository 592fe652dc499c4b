"""All SQL of consents."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from records.rows import store as rows_store
from wallet.consents.models import Consent, State


def waiting(session: Session, holder_id: str, now: datetime) -> Sequence[Consent]:
    """Return the questions that wait for a holder's word, oldest first."""
    query = select(Consent).where(Consent.holder_id == holder_id, Consent.state == State.WAITING)
    query = query.where(col(Consent.expires_at) > now)
    return session.exec(query.order_by(col(Consent.asked_at), col(Consent.consent_id))).all()


def page(session: Session, holder_id: str, *, before: datetime | None, limit: int) -> Sequence[Consent]:
    """Return up to `limit` questions to a holder, answered ones too, newest first."""
    query = select(Consent).where(Consent.holder_id == holder_id)
    if before is not None:
        query = query.where(col(Consent.asked_at) < before)
    return session.exec(query.order_by(col(Consent.asked_at).desc(), col(Consent.consent_id)).limit(limit)).all()


def decide(
    session: Session, consent_id: str, holder_id: str, state: State, now: datetime, *, sealed: bytes | None = None
) -> bool:
    """Give the word on a question; of any number of words at once one counts, and none that comes too late."""
    statement = update(Consent).where(
        col(Consent.consent_id) == consent_id,
        col(Consent.holder_id) == holder_id,
        col(Consent.state) == State.WAITING,
        col(Consent.expires_at) > now,
    )
    return bool(rows_store.changed(session, statement.values(state=state, decided_at=now, sealed=sealed)))


def take(session: Session, consent_id: str, now: datetime) -> bytes | None:
    """Take the presentations, once; nothing of them stays."""
    row = session.get(Consent, consent_id, populate_existing=True)
    if row is None or row.sealed is None:
        return None
    mine = update(Consent).where(col(Consent.consent_id) == consent_id, col(Consent.taken_at).is_(None))
    sealed = row.sealed
    taken = rows_store.changed(session, mine.values(taken_at=now, sealed=None))
    return sealed if taken else None


def forget(session: Session, before: datetime) -> None:
    """Forget presentations that nobody came for."""
    over = update(Consent).where(col(Consent.expires_at) <= before, col(Consent.sealed).is_not(None))
    session.execute(over.values(sealed=None))
