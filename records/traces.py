"""What support may know of a request that was refused: its number, where it went, the reason's code; never a claim."""

from datetime import datetime, timedelta

from sqlmodel import Session

from records import store
from records.models import RefusedRequest

KEPT = timedelta(days=30)


def record(
    session: Session, number: str, *, operation: str, status: int, code: str, caller: str, now: datetime
) -> None:
    """Keep a refused request for thirty days; `caller` is a role, and a name where it is no citizen's."""
    store.forget_refused(session, now - KEPT)
    session.add(RefusedRequest(number=number, at=now, operation=operation, status=status, code=code, caller=caller))


def find(session: Session, number: str) -> RefusedRequest | None:
    """Return a refused request by its number."""
    return session.get(RefusedRequest, number)


def forget(session: Session, now: datetime) -> None:
    """Forget what is older, also when nothing new is refused."""
    store.forget_refused(session, now - KEPT)
