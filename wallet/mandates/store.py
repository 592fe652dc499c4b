"""All SQL of mandates."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, update
from sqlmodel import Session, col, or_, select

from records.rows import store as rows_store
from wallet.mandates.models import Kind, Mandate


def in_force(session: Session, agent: str, now: datetime) -> Sequence[Mandate]:
    """Return what somebody may do for others, or might at an earlier instant, oldest first."""
    query = select(Mandate).where(Mandate.agent == agent, *_open(now))
    return session.exec(query.order_by(col(Mandate.created_at), col(Mandate.mandate_id))).all()


def between(session: Session, principal: str, agent: str) -> Sequence[Mandate]:
    """Return every mandate of one to show another's licences, ended ones too, newest first."""
    query = select(Mandate).where(Mandate.principal == principal, Mandate.agent == agent)
    return session.exec(query.order_by(col(Mandate.created_at).desc(), col(Mandate.mandate_id))).all()


def seen_by(session: Session, holder_id: str, principals: Sequence[str], limit: int) -> Sequence[Mandate]:
    """Return the mandates that somebody gave or has, and those over `principals`; ended ones too, newest first."""
    whose = or_(Mandate.agent == holder_id, Mandate.principal == holder_id, col(Mandate.principal).in_(principals))
    query = select(Mandate).where(whose).order_by(col(Mandate.created_at).desc(), col(Mandate.mandate_id))
    return session.exec(query.limit(limit)).all()


def over(session: Session, principal: str) -> Sequence[Mandate]:
    """Return every mandate that anybody ever had over somebody."""
    return session.exec(select(Mandate).where(Mandate.principal == principal)).all()


def parents(session: Session, child: str) -> Sequence[Mandate]:
    """Return the mandates that parents ever had over a child."""
    return session.exec(select(Mandate).where(Mandate.principal == child, Mandate.kind == Kind.PARENT)).all()


def given_since(session: Session, giver: str, since: datetime) -> int:
    """Return how many mandates somebody gave since an instant."""
    query = select(func.count()).where(Mandate.granted_by == giver, col(Mandate.created_at) > since)
    return session.exec(query).one()


def managers(session: Session, principal: str, now: datetime) -> int:
    """Return how many managers a company has."""
    query = select(func.count()).where(Mandate.principal == principal, Mandate.kind == Kind.MANAGER, *_open(now))
    return session.exec(query).one()


def withdraw(session: Session, mandate_id: str, by: str, now: datetime) -> list[str]:
    """Withdraw a mandate and all that was given under it; returns those that this ended."""
    ended, waiting = list[str](), [mandate_id]
    while waiting:
        one = waiting.pop()
        statement = update(Mandate).where(col(Mandate.mandate_id) == one, col(Mandate.withdrawn_at).is_(None))
        if rows_store.changed(session, statement.values(withdrawn_at=now, withdrawn_by=by)):
            ended.append(one)
        waiting += session.exec(select(Mandate.mandate_id).where(Mandate.granted_under == one)).all()
    return ended


def _open(at: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return that a mandate was in force at an instant, whatever came later."""
    kept = or_(col(Mandate.withdrawn_at).is_(None), col(Mandate.withdrawn_at) > at)
    return kept, or_(col(Mandate.ends_at).is_(None), col(Mandate.ends_at) > at)
