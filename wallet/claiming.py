"""Using a show code up: of any number of counters one gets it, and whoever guesses typed codes is soon refused."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from records.database import Database
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


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the counter, its name (zh, en), the service item, and licence type → claims that the item lists."""

    counter: str
    name: Mapping[str, str]
    service_item: str
    listed: Mapping[str, Collection[str]]
    copy_days: int = 0
    """How long it keeps a copy of what is shown; 0: it keeps none."""


def guard(database: Database, code: str, counter: str, now: datetime) -> None:
    """Count a typed code that is none; a counter that guessed too often, or all of them, raises `TooManyTriesError`.

    In a short transaction of its own: all counters count in one row, which nobody holds while an act goes on.
    """
    if len(code) != codes.TYPED_LENGTH:
        return
    minute = int(now.timestamp()) // 60
    with database.write() as session:  # count first, then look: however many try at once, each sees all before it
        for one, limit in ((ALL_COUNTERS, WRONG_CODES_IN_ALL), (counter, WRONG_CODES_PER_COUNTER)):
            store.count_try(session, one, minute, by=1)
            if store.wrong_codes(session, one, minute) > limit:
                raise TooManyTriesError
        if store.code(session, codes.hashed(code)) is not None:
            for one in (ALL_COUNTERS, counter):
                store.count_try(session, one, minute, by=-1)


def claim(session: Session, said: Sequence[tuple[str, datetime]]) -> list[ClaimedCode | CodeError]:
    """Use codes up, each at its instant, or return why not; one that is said twice, in either form, is the first's."""
    hashes = [(codes.hashed(code), now) for code, now in said]
    claimed = store.claim_codes(session, dict(reversed(hashes)))  # of one that is said twice, when it was said first
    found: list[ClaimedCode | CodeError] = []
    for hashed, now in hashes:
        mine = [one for one in claimed if hashed in {one.code_hash, one.typed_hash}]
        claimed = [one for one in claimed if one not in mine]
        found.append(mine[0] if mine else _why_not(store.code(session, hashed), now))
    return found


def _why_not(row: ShowCode | None, now: datetime) -> CodeError:
    if row is None:
        return CodeUnknownError()
    if row.withdrawn_at is not None:
        return CodeWithdrawnError(row.withdrawn_at)
    if row.used_at is not None:
        return CodeUsedError(row.used_at)
    return CodeExpiredError(min(row.expires_at, now))
