"""How figures grow with what is held: a city of a thousand licences, of ten thousand, up to a million (PostgreSQL)."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import count
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from app import clock
from app.house import House
from bench import city, counter_load
from issuers.models import LicenceRow, LicenceState, StatusListRow
from issuers.publishing import LIST_SIZE
from issuers.schemas import IssueIn
from keys.models import KeyPurpose
from records import idempotency
from records.rows import store as rows_store
from wallet.models import HeldLicence, HolderKey, HolderRow

HOLDERS = 60  # whose licences are real, and shown
CHUNK = 50_000  # rows written at once


class Growing:
    """A city that is filled with licences of others, each in a wallet with its key; acts go on among them.

    What fills it is rows alone: nothing in them was signed or sealed, and the audit does not know them.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._numbers = count(HOLDERS)
        self._filled = 0
        self._held = counter_load.issued_to(house, HOLDERS)
        self.works: Mapping[str, Callable[[], object]] = {
            "issued": self._issue, "counter_act": self._act, "issued_and_revoked": self._revoke,
            "ledger_page": lambda: house.issuer.page(city.AGENCY, limit=50),
        }  # fmt: skip

    def fill(self, total: int) -> None:
        """Fill the city up to so many licences."""
        while self._filled < total:
            number = min(CHUNK, total - self._filled)
            with self._house.database.write() as session:
                _write(session, self._house, range(self._filled, self._filled + number))
            self._filled += number
        with self._house.database.write() as session:
            session.execute(text("ANALYZE"))
        city.settle()

    def rate(self, name: str, seconds: float) -> float:
        """Return how often a second one of `works` is done."""
        done, started = 0, time.perf_counter()
        while (spent := time.perf_counter() - started) < seconds:
            self.works[name]()
            done += 1
        return done / spent

    def _issue(self) -> str:
        number, now = next(self._numbers), clock.now()
        said = {"licence_type": city.TYPE, **city.row(number)}
        this = idempotency.attempt(f"agency:{city.AGENCY}", f"grow {number}", "issue", {})
        order = IssueIn.model_validate({name: one for name, one in said.items() if name != "reference"}).order()
        return self._house.issuer.issue(city.AGENCY, order, this, actor="bench", now=now).licence_id

    def _act(self) -> None:
        holder, licence = self._held[next(self._numbers) % HOLDERS]
        counter_load.scan(self._house, counter_load.code(self._house, holder, licence))

    def _revoke(self) -> None:
        licence, now = self._issue(), clock.now()
        this = idempotency.attempt(f"agency:{city.AGENCY}", f"revoke {licence}", "revoke", {})
        self._house.changes.change(
            city.AGENCY, licence, LicenceState.REVOKED, this, cause="moved_away", actor="bench", now=now
        )


@contextmanager
def running(url: str) -> Iterator[Growing]:
    """A city over a database, with a counter."""
    house = city.house(url)
    city.found(house)
    counter_load.add_counter(house)
    yield Growing(house)
    house.database.engine.dispose()


def _write(session: Session, house: House, numbers: range) -> None:
    now, kid = clock.now(), house.vault.active(city.AGENCY, KeyPurpose.LICENCE).kid
    tables: dict[Any, list[dict[str, Any]]] = {HolderRow: [], HolderKey: [], HeldLicence: [], LicenceRow: []}
    lists = sorted({number // LIST_SIZE for number in numbers})
    for one in lists:
        row = StatusListRow(list_id=_list(one), agency=city.AGENCY, kind="bench", number=10_000 + one, decoys=[],
                            size=LIST_SIZE, bits=2)  # fmt: skip
        rows_store.insert_unless_taken(session, row)
    for at in numbers:
        holder, licence, key = f"grown.{at}", f"grown-{at}", f"key.{at}"
        tables[HolderRow].append({"holder_id": holder, "lookup": holder, "identity": b"-" * 120, "created_at": now})
        tables[HolderKey].append(
            {
                "thumbprint": key,
                "holder_id": holder,
                "reference": key,
                "jwk": {},
                "sealed": b"-" * 160,
                "created_at": now,
            }
        )
        tables[HeldLicence].append(
            {"licence_id": licence, "holder_id": holder, "vct": city.TYPE, "thumbprint": key, "sealed": b"-" * 2000,
             "received_at": now}
        )  # fmt: skip
        tables[LicenceRow].append(
            {"licence_id": licence, "agency": city.AGENCY, "type_key": city.TYPE, "serial": f"g{at:012d}", "version": 1,
             "holder_ref": holder, "subject": holder, "state": LicenceState.VALID, "state_since": now,
             "valid_from": date(2026, 1, 1), "status_list_id": _list(at // LIST_SIZE), "status_index": at % LIST_SIZE,
             "kid": kid, "signing_input": "-" * 1500, "signature": "-" * 86, "created_at": now, "prepared_until": now}
        )  # fmt: skip
    for model, rows in tables.items():
        rows_store.insert_many(session, model, rows)


def _list(number: int) -> str:
    return f"{city.AGENCY}/bench{10_000 + number}"
