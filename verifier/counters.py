"""Counters: enrolled desks, devices, kiosks and systems of an agency."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from credentials.claim_values import Fault, FaultsError
from credentials.errors import MalformedError
from credentials.text import clean
from keys.remembered import Remembered
from keys.schemas import SHORT_NAME
from records import audit
from records.database import Database
from records.rows import store as rows_store
from verifier.errors import CounterExistsError, CounterSuspendedError, UnknownCounterError
from verifier.models import Counter

SLUG = re.compile(SHORT_NAME)


class Counters:
    """The operator's verbs on counters."""

    def __init__(self, *, database: Database, remember: timedelta) -> None:
        """Look counters up when they call; what one was is remembered for that long."""
        self._database = database
        self._remembered = Remembered[Counter | None](remember)

    def add(
        self,
        key: str,
        *,
        agency: str,
        name: Mapping[str, str],
        channel: str,
        opened_types: Sequence[str] | None = None,
        actor: str,
        now: datetime,
    ) -> Counter:
        """Enrol a counter; a second of the same key raises `CounterExistsError`.

        With `opened_types` it is no agency's: it may ask for those types alone, and always asks the holder.
        """
        if faults := [*_faults(key, name)]:
            raise FaultsError(faults)
        row = Counter(
            key=key,
            agency=agency,
            name={language: clean(one) for language, one in name.items()},
            channel=channel,
            opened_types=sorted(opened_types) if opened_types is not None else None,
            created_at=now,
        )
        with self._database.write() as session:
            if not rows_store.insert_unless_taken(session, row):
                raise CounterExistsError
            audit.record(session, stream="verifier", actor=actor, act="counter.added", subject=key, now=now)
        return row

    def suspend(self, key: str, *, suspended: bool, actor: str, now: datetime) -> None:
        """Stop a counter from verifying, or let it again; every worker sees it within the time they remember."""
        with self._database.write() as session:
            row = session.get(Counter, key)
            if row is None:
                raise UnknownCounterError
            row.suspended = suspended
            act = "counter.suspended" if suspended else "counter.resumed"
            audit.record(session, stream="verifier", actor=actor, act=act, subject=key, now=now)

    def get(self, key: str, *, now: datetime | None = None) -> Counter:
        """Return an enrolled counter that is not suspended; as of a moment ago, if `now` is said."""
        row = self._looked_up(key) if now is None else self._remembered.get(key, lambda: self._looked_up(key), now=now)
        if row is None:
            raise UnknownCounterError
        if row.suspended:
            raise CounterSuspendedError
        return row

    def _looked_up(self, key: str) -> Counter | None:
        with self._database.read() as session:
            return session.get(Counter, key)


def _faults(key: str, name: Mapping[str, str]) -> Iterator[Fault]:
    if not SLUG.fullmatch(key):
        yield Fault("/key", "wrong_value", "a short lower-case name, as school2_office")
    for language, one in name.items():
        try:
            clean(one)
        except MalformedError as error:
            yield Fault(f"/name/{language}", "wrong_value", error.detail)
