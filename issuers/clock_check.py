"""The clock went back: nothing new is recorded for signing until it has caught up, so that no `iat` goes back.

Changing what was issued goes on: a revocation does not wait for a clock.
"""

from datetime import datetime, timedelta

from sqlmodel import Session

from issuers.errors import ClockWentBackError
from records import store as records_store

ALLOWED = timedelta(seconds=60)  # how far the clocks of two workers may be apart
LOOKED_AT = 100  # of an agency's last acts: those that were done since the clock went back do not hide it


def must_not_have_gone_back(session: Session, agency: str, now: datetime) -> None:
    """Raise `ClockWentBackError` while `now` is more than a minute before the newest of an agency's last acts."""
    newest = records_store.newest_act(session, f"issuers/{agency}", LOOKED_AT)
    if newest is not None and newest - now > ALLOWED:
        raise ClockWentBackError(f"the last act is of {newest.isoformat(timespec='seconds')}")
