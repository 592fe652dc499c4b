"""Keeps what was refused to somebody we know, for support; so many a minute of one caller, and no claim."""

from collections.abc import Callable
from datetime import datetime

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.exc import SQLAlchemyError

from app.logs import Refused, log
from keys.access import Role
from records import traces
from records.database import Database

KEPT_OF_ONE_CALLER = parse("60/minute")  # the first of a minute tell support as much as all


def keeper(database: Database, now: Callable[[], datetime]) -> Callable[[Refused], None]:
    """Return what keeps a refused request; that it cannot is no reason to fail."""
    counter = FixedWindowRateLimiter(MemoryStorage())

    def keep(one: Refused) -> None:
        if not counter.hit(KEPT_OF_ONE_CALLER, one.caller.role, one.caller.subject):
            return
        caller = "holder" if one.caller.role == Role.HOLDER else one.caller.name
        try:
            with database.write() as session:
                traces.record(
                    session, one.number, operation=one.operation, status=one.status, code=one.code, caller=caller,
                    now=now(),
                )  # fmt: skip
        except SQLAlchemyError as error:
            log.error("trace.failed", kind=type(error).__name__)

    return keep
