"""What a worker remembers of the database for a moment, so that not every call asks again.

That is counters' access tokens (`access.py`), counters (`verifier/counters.py`), the key of receipts (`vault.py`) and
agencies' metadata (`issuers/openid4vci/api.py`); in the same way trust and status lists (`verifier/trust_cache.py`).
Agencies themselves never change, and are kept for good (`issuers/issuer.py`).

What was changed is seen when the moment is over, at every worker alike: `LICENCE_REFRESH_SECONDS`, two by default, is
the time in which all of them agree. While the database is away, what was known before counts on for a quarter of an
hour (`records.database.OUTLAST`): nobody can change it meanwhile, but at a worker that alone is cut off.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError

from records.database import OUTLAST, is_away

Value = TypeVar("Value")
MOST = 10_000


class Remembered(Generic[Value]):
    """Values by key, each for `life` from when it was looked up; the oldest go first when there are too many."""

    def __init__(self, life: timedelta, only: Callable[[Value], bool] = lambda _value: True) -> None:
        """Remember for `life`, nothing at all if that is zero; and of values `only` those."""
        self._life = life
        self._only = only
        self._kept = OrderedDict[Hashable, tuple[datetime, Value]]()
        self._lock = Lock()

    def get(self, key: Hashable, look: Callable[[], Value], *, now: datetime) -> Value:
        """Return what is known of `key`, or what `look` finds; what it raises is not remembered."""
        kept = self._kept.get(key)
        age = now - kept[0] if kept is not None else OUTLAST
        if kept is not None and timedelta(0) <= age < self._life:
            return kept[1]
        try:
            found = look()
        except DBAPIError as error:
            if kept is not None and timedelta(0) <= age < OUTLAST and is_away(error):
                return kept[1]
            raise
        if self._life and self._only(found):
            with self._lock:
                self._kept.pop(key, None)
                if len(self._kept) >= MOST:
                    self._kept.popitem(last=False)
                self._kept[key] = (now, found)
        return found
