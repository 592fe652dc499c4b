"""Using a show code up: of any number of counters one gets it, and whoever guesses typed codes is soon refused."""

from datetime import datetime

from sqlmodel import Session

from wallet import codes, store
from wallet.errors import (
    CodeError,
    CodeExpiredError,
    CodeUnknownError,
    CodeUsedError,
    CodeWithdrawnError,
    TooManyTriesError,
)
from wallet.models import ShowCode
from wallet.store import ClaimedCode

WRONG_CODES_PER_COUNTER = 5  # typed codes a counter may get wrong in a minute
ALL_COUNTERS = "*"
WRONG_CODES_IN_ALL = 200  # and all counters together


def claim(session: Session, code: str, counter: str, now: datetime) -> ClaimedCode | CodeError:
    """Use a code up, or return why not: the transaction is to be committed in either case, a wrong try counts.

    A counter, or all of them, that tried too often raises `TooManyTriesError`.
    """
    minute = int(now.timestamp()) // 60
    typed = len(code) == codes.TYPED_LENGTH
    if typed:
        _count_try(session, counter, minute)
    hashed = codes.hashed(code)
    claimed = store.claim_code(session, hashed, now) or _why_not(store.code(session, hashed), now)
    if typed and not isinstance(claimed, CodeUnknownError):
        for one in (ALL_COUNTERS, counter):
            store.count_try(session, one, minute, by=-1)
    return claimed


def _count_try(session: Session, counter: str, minute: int) -> None:
    """Count first, then look: however many try at once, each sees all before it."""
    for one, limit in ((ALL_COUNTERS, WRONG_CODES_IN_ALL), (counter, WRONG_CODES_PER_COUNTER)):
        store.count_try(session, one, minute, by=1)
        if store.wrong_codes(session, one, minute) > limit:
            raise TooManyTriesError


def _why_not(row: ShowCode | None, now: datetime) -> CodeError:
    if row is None:
        return CodeUnknownError()
    if row.withdrawn_at is not None:
        return CodeWithdrawnError(row.withdrawn_at)
    if row.used_at is not None:
        return CodeUsedError(row.used_at)
    return CodeExpiredError(min(row.expires_at, now))
