"""All SQL of cases."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from wallet.cases.models import Case, CaseEvent, State

ENDED = (State.UPHELD, State.REJECTED)


def of_holder(session: Session, holder_id: str, limit: int) -> Sequence[Case]:
    """Return a holder's cases, newest first."""
    query = select(Case).where(Case.holder_id == holder_id)
    return session.exec(query.order_by(col(Case.opened_at).desc(), col(Case.case_id)).limit(limit)).all()


def of_agency(session: Session, agency: str, state: str | None, after: str, limit: int) -> Sequence[Case]:
    """Return an agency's cases behind one, by identifier."""
    query = select(Case).where(Case.agency == agency, Case.case_id > after)
    query = query if state is None else query.where(Case.state == state)
    return session.exec(query.order_by(col(Case.case_id)).limit(limit)).all()


def open_of(session: Session, holder_id: str) -> int:
    """Return how many cases of a holder are not ended."""
    query = select(func.count()).where(Case.holder_id == holder_id, col(Case.state).not_in(ENDED))
    return session.exec(query).one()


def move(session: Session, case_id: str, state: State | None, now: datetime) -> State | None:
    """Bring a case to a state, or leave it in its own, and return that; None if it is ended.

    Others who move it wait for this transaction.
    """
    statement = update(Case).where(col(Case.case_id) == case_id, col(Case.state).not_in(ENDED))
    values = {"changed_at": now} | ({"state": state} if state is not None else {})
    found = session.execute(statement.values(**values).returning(col(Case.state))).scalar()
    return State(found) if found is not None else None


def events(session: Session, case_id: str) -> Sequence[CaseEvent]:
    """Return a case's steps, in order."""
    return session.exec(select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(col(CaseEvent.number))).all()
