"""Taking agencies in: the ledger's row, keys in the vault, and the operator's word on what they may sign."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from credentials.claim_values import Fault, FaultsError
from credentials.errors import MalformedError
from credentials.identifiers import check_credit_code
from credentials.licence_type import LicenceType
from credentials.text import clean
from issuers.errors import AgencyExistsError
from issuers.models import Agency
from issuers.orders import unknown_type
from keys.models import KeyPurpose, SigningKey
from keys.registry import TrustRegistry
from keys.schemas import SHORT_NAME
from keys.vault import Vault
from records import audit
from records.database import Database
from records.rows import store as rows_store

REGION = "[1-9][0-9]{5}"
RESERVED = frozenset({"types", "operator"})
"""Names that are taken: a path beside the agencies' own, and the operator's."""


@dataclass(frozen=True, slots=True)
class NewAgency:
    """An agency to take in; `licence_key` is the public JWK of a key that it keeps itself."""

    key: str
    name: Mapping[str, str]
    kind: str
    uscc: str
    region: str
    domain: str
    may_sign: Collection[str]
    licence_key: object = None


class Agencies:
    """The operator's verbs on agencies."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        registry: TrustRegistry,
        vct: Callable[[str], str],
        types: Mapping[str, LicenceType],
    ) -> None:
        self._database = database
        self._vault = vault
        self._registry = registry
        self._vct = vct
        self._types = types

    def add(self, new: NewAgency, *, actor: str, now: datetime) -> Agency:
        """Take an agency in, whole or not at all: row, keys (those that sign, and those to come), rights.

        Every fault is named at once, before anything is written (`FaultsError`, `KeyRefusedError`).
        """
        self.check(new, now=now)
        row = Agency(
            key=new.key,
            name={language: clean(name) for language, name in new.name.items()},
            kind=new.kind,
            uscc=new.uscc,
            region=new.region,
            domain=new.domain,
            created_at=now,
        )
        licence_key = self._licence_key(new, now)
        purposes = [KeyPurpose.STATUS_LIST] * 2 + ([KeyPurpose.LICENCE] if licence_key.sealed is not None else [])
        keys = [licence_key, *(self._vault.new_key(new.key, purpose, now=now) for purpose in purposes)]
        with self._database.write() as session:
            if not rows_store.insert_unless_taken(session, row):
                raise AgencyExistsError
            for key in keys:
                self._vault.add(session, key, actor=actor)
            rights = {self._vct(key): None for key in new.may_sign}
            self._registry.admit(session, new.key, row.name, rights, actor=actor, now=now)
            audit.record(
                session, stream=f"issuers/{new.key}", actor=actor, act="agency.added", subject=new.key, now=now
            )
        return row

    def check(self, new: NewAgency, *, now: datetime) -> None:
        """Raise what `add` would raise for what was sent; nothing is written."""
        if faults := [*self._faults(new)]:
            raise FaultsError(faults)
        if new.key in RESERVED:
            raise AgencyExistsError
        if new.licence_key is not None:
            self._vault.kept_key(new.key, KeyPurpose.LICENCE, new.licence_key, now=now)

    def faults(self, body: object) -> list[Fault]:
        """Return what is wrong with a body that is malformed elsewhere, as far as it can be read."""
        told = body if isinstance(body, Mapping) else {}
        texts = {name: one for name in ("key", "region", "uscc") if isinstance(one := told.get(name), str)}
        name, rights = told.get("name"), told.get("may_sign")
        names = {key: one for key, one in name.items() if isinstance(one, str)} if isinstance(name, Mapping) else {}
        listed = [one for one in rights if isinstance(one, str)] if isinstance(rights, list) else []
        read = {"key": "", "region": "", "uscc": "", **texts}
        new = NewAgency(**read, name=names, kind="", domain="", may_sign=listed)
        return [one for one in self._faults(new) if one.pointer.split("/")[1] in {*texts, "name", "may_sign"}]

    def _faults(self, new: NewAgency) -> Iterator[Fault]:
        if not re.fullmatch(SHORT_NAME, new.key):
            yield Fault("/key", "wrong_value", "a short lower-case name, as police")
        if not re.fullmatch(REGION, new.region):
            yield Fault("/region", "wrong_value", "six digits (GB/T 2260)")
        try:
            check_credit_code(new.uscc)
        except MalformedError as error:
            yield Fault("/uscc", "check_digit", error.detail)
        for language, name in new.name.items():
            try:
                clean(name)
            except MalformedError as error:
                yield Fault(f"/name/{language}", "wrong_value", error.detail)
        for place, key in enumerate(new.may_sign):
            if key not in self._types:
                yield unknown_type(self._types, f"/may_sign/{place}")

    def _licence_key(self, new: NewAgency, now: datetime) -> SigningKey:
        if new.licence_key is None:
            return self._vault.new_key(new.key, KeyPurpose.LICENCE, now=now)
        return self._vault.kept_key(new.key, KeyPurpose.LICENCE, new.licence_key, now=now)
