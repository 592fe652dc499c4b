"""All SQL that looks over rooms: who is there, and how much happened between two instants."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select
from sqlmodel import Session, col, func, select

from issuers.models import Agency, LicenceRow
from verifier.models import Counter, Verification, VerifiedPresentation
from verifier.reasons import Outcome
from wallet.consents.models import Consent


def agencies(session: Session) -> Sequence[Agency]:
    """Return every agency by its short name."""
    return session.exec(select(Agency).order_by(col(Agency.key))).all()


def counters(session: Session) -> Sequence[Counter]:
    """Return every counter by its short name."""
    return session.exec(select(Counter).order_by(col(Counter.key))).all()


def reported_questions(session: Session, limit: int) -> Sequence[Consent]:
    """Return the questions that holders reported, newest first."""
    query = select(Consent).where(col(Consent.reported).is_not(None)).order_by(col(Consent.asked_at).desc())
    return session.exec(query.limit(limit)).all()


def issued_between(session: Session, start: datetime, end: datetime, agency: str | None) -> list[tuple[str, int]]:
    """Return how many licences of each type were signed that were ordered from one instant until before another."""
    query = select(LicenceRow.type_key, func.count()).where(
        col(LicenceRow.created_at) >= start, col(LicenceRow.created_at) < end, col(LicenceRow.signature).is_not(None)
    )
    query = query.where(LicenceRow.agency == agency) if agency else query
    return [tuple(row) for row in session.execute(query.group_by(col(LicenceRow.type_key)))]


def verdicts_between(
    session: Session, start: datetime, end: datetime, agency: str | None
) -> list[tuple[str, str, str, int]]:
    """Return how many verdicts there were of each service item, verdict and reason."""
    by = col(Verification.service_item), col(Verification.verdict), col(Verification.reason)
    query = select(*by, func.count()).where(*_between(start, end)).group_by(*by)
    return [tuple(row) for row in session.execute(_of(query, agency))]


def presented_between(session: Session, start: datetime, end: datetime, agency: str | None) -> list[tuple[str, int]]:
    """Return how many licences were shown in accepted verifications of each service item: proofs avoided."""
    query = (
        select(Verification.service_item, func.count())
        .join(VerifiedPresentation)
        .where(*_between(start, end), Verification.verdict == Outcome.ACCEPTED)
        .group_by(col(Verification.service_item))
    )
    return [tuple(row) for row in session.execute(_of(query, agency))]


def _between(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Verification.at) >= start, col(Verification.at) < end


def _of(query: Select, agency: str | None) -> Select:  # type: ignore[type-arg]
    if agency is None:
        return query
    return query.where(col(Verification.counter).in_(select(Counter.key).where(Counter.agency == agency)))
