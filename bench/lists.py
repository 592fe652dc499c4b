"""Publishing a status list: from one revocation to the list being served, beside what zlib alone needs for it."""

import random
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import count

from app import clock
from app.house import House
from bench import batch_load, city
from credentials import status_list
from issuers.models import LicenceRow, LicenceState, StatusListRow
from issuers.publishing import LIST_SIZE, RESIGN_AFTER
from keys.models import KeyPurpose
from records import idempotency
from records.rows import store as rows_store

ENTRIES, REVOKED = 1_000_000, 0.01
SPARE = 2000  # licences there are to revoke


class Published:
    """An agency with one list of a million entries, one of a hundred of them revoked."""

    def __init__(self, house: House, entries: int) -> None:
        self.house = house
        self.list_id = f"{city.AGENCY}/9"
        self._names = count()
        self._numbers = _fill(house, self.list_id, entries)
        self.token = house.publisher.token(self.list_id, now=clock.now())
        revoked = random.sample(range(entries), int(entries * REVOKED))
        self.packed = status_list.pack(entries, 2, dict.fromkeys(revoked, 1))

    def revoke(self, seconds: float) -> float:
        """Return how many revocations a second are in the list that is served, one after another."""
        done, started = 0, time.perf_counter()
        while (spent := time.perf_counter() - started) < seconds:
            self.revoke_one()
            done += 1
        return done / spent

    def revoke_one(self) -> None:
        """Revoke a licence and see it in the list."""
        name, now = self._numbers[next(self._names)], clock.now()
        this = idempotency.attempt(f"agency:{city.AGENCY}", f"revoke {name}", "revoke", {})
        self.house.changes.change(
            city.AGENCY, name, LicenceState.REVOKED, this, cause="moved_away", actor="bench", now=now
        )
        token = self.house.publisher.token(self.list_id, now=now)
        if token == self.token:
            raise RuntimeError("the list did not change")
        self.token = token

    def compress(self, seconds: float) -> float:
        """Return how often a second zlib compresses such a list (level 6)."""
        done, started = 0, time.perf_counter()
        while (spent := time.perf_counter() - started) < seconds:
            zlib.compress(self.packed, 6)
            done += 1
        return done / spent


@contextmanager
def running(url: str, entries: int = ENTRIES) -> Iterator[Published]:
    """A city over a database, and its list."""
    house = city.house(url)
    city.found(house)
    yield Published(house, entries)
    house.database.engine.dispose()


def publish_all(house: House, licences: int) -> float:
    """Return how many seconds it takes to publish all lists of so many licences anew, one in a hundred revoked."""
    per_list = LIST_SIZE // 2  # the next list is opened when one is half full
    rows: list[dict[str, object]] = []
    names = [f"{city.AGENCY}/{1000 + number}" for number in range(licences // per_list + 1)]
    for number, name in enumerate(names):
        indices = random.sample(range(LIST_SIZE), int(per_list * REVOKED))
        rows += [_row(f"many.{number}.{at}", name, index, LicenceState.REVOKED) for at, index in enumerate(indices)]
    kid = house.vault.active(city.AGENCY, KeyPurpose.LICENCE).kid
    with house.database.write() as session:
        for number, name in enumerate(names):
            row = StatusListRow(list_id=name, agency=city.AGENCY, kind="", number=1000 + number, decoys=[],
                                size=LIST_SIZE, bits=2)  # fmt: skip
            rows_store.insert_unless_taken(session, row)
        rows_store.insert_many(session, LicenceRow, [row | {"kid": kid} for row in rows])
    house.publisher.publish_due(now=clock.now())
    started = time.perf_counter()
    if house.publisher.publish_due(now=clock.now() + RESIGN_AFTER) < len(names):
        raise RuntimeError("a list was not published")
    return time.perf_counter() - started


def _row(name: str, list_id: str, index: int, state: LicenceState) -> dict[str, object]:
    now = clock.now()
    return {
        "licence_id": name, "agency": city.AGENCY, "type_key": city.TYPE, "serial": name, "version": 1,
        "holder_ref": "bench", "subject": "bench", "state": state, "state_since": now - timedelta(days=1),
        "valid_from": date(2026, 1, 1), "status_list_id": list_id, "status_index": index, "signing_input": "",
        "created_at": now, "prepared_until": now,
    }  # fmt: skip


def _fill(house: House, list_id: str, entries: int) -> list[str]:
    """Write the ledger's rows of a list: one of a hundred revoked, and some valid ones; returns those."""
    batch_load.receive(house, 1)
    while house.batch_worker.work(clock.now):
        pass
    kid = house.vault.active(city.AGENCY, KeyPurpose.LICENCE).kid
    revoked = int(entries * REVOKED)
    indices = random.sample(range(entries), revoked + SPARE)
    states = [LicenceState.REVOKED] * revoked + [LicenceState.VALID] * SPARE
    rows = [
        _row(f"bench.{at}", list_id, index, state) | {"kid": kid}
        for at, (index, state) in enumerate(zip(indices, states, strict=True))
    ]
    with house.database.write() as session:
        listed = StatusListRow(list_id=list_id, agency=city.AGENCY, kind="", number=9, decoys=[], size=entries, bits=2)
        session.add(listed)
        session.flush()
        rows_store.insert_many(session, LicenceRow, rows)
    return [f"bench.{at}" for at in range(revoked, len(indices))]
