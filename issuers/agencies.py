"""Taking agencies in: the ledger's row, keys in the vault, and the operator's word on what they may sign."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from credentials.identifiers import check_credit_code
from credentials.licence_type import LicenceType
from issuers.errors import AgencyExistsError, UnknownTypeError
from issuers.models import Agency
from keys.models import KeyPurpose
from keys.registry import TrustRegistry
from keys.vault import Vault
from records import audit
from records import store as records_store
from records.database import Database

RESERVED = frozenset({"types"})
"""Names that are paths beside the agencies' own."""


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
        """Take an agency in: row, keys, rights. A wrong credit code raises `MalformedError`, before anything."""
        check_credit_code(new.uscc)
        if unknown := set(new.may_sign) - self._types.keys():
            raise UnknownTypeError(sorted(unknown)[0])
        row = Agency(
            key=new.key,
            name=dict(new.name),
            kind=new.kind,
            uscc=new.uscc,
            region=new.region,
            domain=new.domain,
            created_at=now,
        )
        with self._database.write() as session:
            if new.key in RESERVED or not records_store.insert_unless_taken(session, row):
                raise AgencyExistsError
            audit.record(
                session, stream=f"issuers/{new.key}", actor=actor, act="agency.added", subject=new.key, now=now
            )
        if new.licence_key is None:
            self._vault.create(new.key, KeyPurpose.LICENCE, actor=actor, now=now)
        else:
            self._vault.register(new.key, KeyPurpose.LICENCE, new.licence_key, actor=actor, now=now)
        self._vault.create(new.key, KeyPurpose.STATUS_LIST, actor=actor, now=now)
        rights = {self._vct(key): None for key in new.may_sign}
        self._registry.admit(new.key, new.name, rights, actor=actor, now=now)
        return row
