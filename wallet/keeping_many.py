"""Keeping many licences at once: accounts, keys and licences of a whole batch in a few statements.

The same rows, seals and audit entries as `accounts.py` and `keeping.py` make one by one. A second time changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from credentials import strict_json
from credentials.licence_type import Holder
from credentials.text import clean
from keys.encryption import Seal
from records import audit
from records.audit import Act
from records.database import Database
from records.rows import store as rows_store
from wallet import store
from wallet.accounts import Accounts, stream
from wallet.errors import DeliveryRefusedError
from wallet.keeping import Keeping
from wallet.models import HeldLicence, HolderKey, HolderRow

ISSUERS = "issuers"


class Delivered(Protocol):
    """One licence that comes in."""

    @property
    def holder_ref(self) -> str:
        """Whose it is."""

    @property
    def licence_id(self) -> str:
        """Its identifier."""

    @property
    def text(self) -> str:
        """The SD-JWT."""

    @property
    def agents(self) -> Sequence[str]:
        """Whose wallets may show it too."""


class KeepingMany:
    """Binds keys and takes licences in, many at once."""

    def __init__(self, *, database: Database, seal: Seal, accounts: Accounts, keeping: Keeping) -> None:
        self._database = database
        self._seal = seal
        self._accounts = accounts
        self._keeping = keeping

    def bind(self, wanted: Sequence[tuple[Holder, str]], now: datetime) -> list[tuple[str, Mapping[str, str]]]:
        """Return for each holder and reference the wallet's name and a public key; one reference, one key."""
        accounts = self._accounts_of([holder for holder, _ in wanted], now)
        names = [accounts[_who(holder)] for holder, _ in wanted]
        references = [f"{name} {reference}" for name, (_, reference) in zip(names, wanted, strict=True)]
        with self._database.read() as session:
            found = {row.reference: row.jwk for row in store.keys_by_reference(session, references)}
        made: dict[str, dict[str, Any]] = {}
        for name, reference in zip(names, references, strict=True):
            if reference not in found and reference not in made:
                made[reference] = self._keeping.new_key(name, reference, now)
        with self._database.write() as session:
            rows_store.insert_many(session, HolderKey, list(made.values()))
        jwks: dict[str, Mapping[str, str]] = {**found, **{one: row["jwk"] for one, row in made.items()}}
        return [(name, jwks[reference]) for name, reference in zip(names, references, strict=True)]

    def receive(self, licences: Sequence[Delivered], now: datetime) -> None:
        """Take licences in; what is checked of each is what `Keeping.receive` checks."""
        with self._database.read() as session:
            there = store.held_names(session, [one.licence_id for one in licences])
        fresh = [one for one in licences if one.licence_id not in there]
        for one in fresh:
            if one.agents:  # whom it entrusts is told apart, and rare
                with self._database.write() as session:
                    self._keeping.receive(
                        session, one.holder_ref, one.licence_id, one.text, supersedes=None, agents=one.agents, now=now
                    )
        plain = [one for one in fresh if not one.agents]
        rows = [self._keeping.row(one.holder_ref, one.licence_id, one.text, now)[1] for one in plain]
        with self._database.write() as session:
            owners = store.key_owners(session, [str(row["thumbprint"]) for row in rows])
            for one, row in zip(plain, rows, strict=True):
                if owners.get(str(row["thumbprint"])) != one.holder_ref:
                    raise DeliveryRefusedError("bound to no key of this holder")
            rows_store.insert_many(session, HeldLicence, rows)
            audit.record_many(
                session,
                [Act(stream(one.holder_ref), ISSUERS, "licence.received", one.licence_id, now) for one in plain],
            )

    def _accounts_of(self, holders: Sequence[Holder], now: datetime) -> dict[tuple[str, str], str]:
        """Return the accounts of holders by their numbers, made where there are none; the names are the last said."""
        said = {_who(one): one for one in holders}
        lookups = {self._seal.lookup(f"{kind} {code}"): (kind, code) for kind, code in said}
        with self._database.read() as session:
            known = {row.lookup: row for row in store.holders_by_lookup(session, list(lookups))}
        found: dict[tuple[str, str], str] = {}
        new: list[dict[str, object]] = []
        for lookup, who in lookups.items():
            row = known.get(lookup)
            if row is None:
                name = self._accounts.new_name()
                new.append(
                    {
                        "holder_id": name,
                        "lookup": lookup,
                        "identity": self._identity(name, said[who]),
                        "created_at": now,
                    }
                )
                found[who] = name
            elif self._accounts.opened(row).name != clean(said[who].name):
                found[who] = self._accounts.must_be(said[who], actor=ISSUERS, now=now)
            else:
                found[who] = row.holder_id
        with self._database.write() as session:
            rows_store.insert_many(session, HolderRow, new)
            names = [str(one["holder_id"]) for one in new]
            audit.record_many(session, [Act(stream(one), ISSUERS, "holder.added", one, now) for one in names])
        return found

    def _identity(self, name: str, holder: Holder) -> bytes:
        said = {"code_type": holder.code_type, "code": holder.code, "name": clean(holder.name)}
        return self._seal.close(strict_json.dumps(said), f"identity of {name}")


def _who(holder: Holder) -> tuple[str, str]:
    return holder.code_type, holder.code
