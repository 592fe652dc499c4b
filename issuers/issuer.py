"""The issuer: what an agency does. `prepare` then `complete`; `issue` at once, with the agency's key in the vault.

A licence is recorded before it is signed, and the bytes that were recorded are the bytes that are signed: a
crash anywhere leaves a row that the same request finishes, or that burns its status index.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from credentials import base64url, jws
from credentials.identifiers import LicenceId, parse_licence_id
from credentials.jwk import PublicKey
from credentials.licence_type import CITY_TIME, ClaimsRefusedError, LicenceType
from issuers import store
from issuers.completing import Completer
from issuers.errors import (
    AgencyKeepsKeyError,
    IssuerError,
    NotPreparedError,
    PreparationExpiredError,
    TypeNotAuthorisedError,
    UnknownAgencyError,
    UnknownLicenceError,
    WrongStateError,
)
from issuers.holder_side import HolderKeys
from issuers.models import SUPERSEDED, Agency, LicenceRow, LicenceState
from issuers.orders import Draft, Order, check_order, unknown_type
from issuers.publishing import StatusPublisher, burn, publish_now_or_later
from issuers.recording import Recorder
from issuers.renewal import Renewal, check_renewable
from keys.encryption import Seal
from keys.models import KeyPurpose
from keys.registry import TrustRegistry
from keys.vault import Vault
from records import idempotency
from records.database import Database
from records.idempotency import Attempt


class Issuer:
    """The verbs of issuing. Everything it needs comes in here; it knows neither HTTP nor settings."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        seal: Seal,
        registry: TrustRegistry,
        publisher: StatusPublisher,
        types: Mapping[str, LicenceType],
        base_url: str,
        holder_keys: HolderKeys,
        recorder: Recorder,
        completer: Completer,
        preparation_life: timedelta,
    ) -> None:
        self.types = types
        self._database = database
        self._vault = vault
        self._seal = seal
        self._registry = registry
        self._publisher = publisher
        self._base_url = base_url
        self._holder_keys = holder_keys
        self._recorder = recorder
        self._completer = completer
        self._preparation_life = preparation_life
        self._agencies: dict[str, Agency] = {}

    def vct(self, type_key: str) -> str:
        """Return the `vct` of a licence type: the address of its metadata."""
        return f"{self._base_url}/issuers/types/{type_key}"

    def agency(self, key: str) -> Agency:
        """Return an agency, or raise `UnknownAgencyError`. One that is there stays as it is, and is looked up once."""
        if (known := self._agencies.get(key)) is not None:
            return known
        with self._database.read() as session:
            row = session.get(Agency, key)
        if row is None:
            raise UnknownAgencyError
        self._agencies[key] = row
        return row

    def issue(
        self, agency: str, order: Order, this: Attempt, *, actor: str, now: datetime, supersedes: str | None = None
    ) -> LicenceRow:
        """Record, sign with the agency's key in the vault, deliver. Raises before anything is written.

        What `supersedes` names, a valid licence, is superseded when its next version is signed.
        """
        key = self._vault.active(agency, KeyPurpose.LICENCE)
        if key.signer is None:
            raise AgencyKeepsKeyError
        row, new = self._prepared(agency, order, this, key.kid, actor=actor, now=now, supersedes=supersedes)
        if not new:  # the same request, before: it may have been cut short anywhere
            return self._sign(row, actor=actor, now=now)
        return self._completer.complete(row, self._signature(row, now), actor=actor, now=now)

    def prepare(
        self, agency: str, order: Order, this: Attempt, *, actor: str, now: datetime, supersedes: str | None = None
    ) -> LicenceRow:
        """Write the ledger row of a licence, with the exact bytes to sign; nothing is signed yet."""
        return self._prepared(agency, order, this, None, actor=actor, now=now, supersedes=supersedes)[0]

    def _prepared(
        self, agency: str, order: Order, this: Attempt, kid: str | None, *, actor: str, now: datetime,
        supersedes: str | None,
    ) -> tuple[LicenceRow, bool]:  # fmt: skip
        """Return the row, to be signed with the key `kid` (None: the active one), and whether it is new."""
        # 1. The same request again finds its own row.
        if (again := self._earlier(agency, this)) is not None:
            return again, False
        # 2. This agency may sign this type, today.
        kind = self.authorised_type(agency, order.licence_type, now)
        # 3. Everything that was sent is right, or every fault is named.
        claims, first_day, last_day = check_order(kind, order, now=now)
        # 4. A renewal replaces a valid licence of this agency, type and holder, from today on.
        subject = self._seal.lookup(f"{order.holder.code_type} {order.holder.code}")
        try:
            identifier = self._identifier(agency, kind, supersedes, Renewal(subject, first_day, actor, now))
        except IssuerError:
            if (again := self._earlier(agency, this)) is not None:  # the same request, a moment ago, renewed it
                return again, False
            raise
        # 5. The holder's wallet gives the key that the licence will be bound to.
        holder_ref, holder_jwk = self._holder_keys.bind(order.holder, reference=f"{this.caller} {this.key}", now=now)
        agents = [self._holder_keys.account(one, now=now) for _, one in order.entrusted]
        # 6. In one transaction: idempotency key, ledger row, status index, audit.
        draft = Draft(kind, identifier, claims, first_day, last_day, holder_jwk, now, agents)
        row = LicenceRow(
            licence_id=str(identifier),
            agency=agency,
            type_key=kind.key,
            serial=identifier.serial,
            version=identifier.version,
            supersedes=supersedes,
            reference=order.reference,
            card_by=order.card_by,
            holder_ref=holder_ref,
            subject=subject,
            state=LicenceState.PREPARED,
            state_since=now,
            valid_from=first_day,
            valid_until=last_day,
            kid=kid or self._vault.active(agency, KeyPurpose.LICENCE).kid,
            created_at=now,
            prepared_until=now + self._preparation_life,
        )
        recorded = self._recorder.record(row, draft, this, actor=actor, now=now)
        return recorded, recorded is row

    def check(self, agency: str, order: Order, *, now: datetime) -> None:
        """Raise what `issue` would raise for an order, `ClaimsRefusedError` with every fault; writes nothing."""
        check_order(self.authorised_type(agency, order.licence_type, now), order, now=now)

    def offered_types(self, agency: str, *, now: datetime) -> dict[str, LicenceType]:
        """Return the types whose licences an agency may sign for foreign wallets (`key_by` has `x5c`)."""
        signed = self._registry.signed_by(agency, now=now)
        return {kind.key: kind for kind in self.types.values() if "x5c" in kind.key_by and self.vct(kind.key) in signed}

    def complete(self, agency: str, licence_id: str, signature: bytes, *, actor: str, now: datetime) -> LicenceRow:
        """Take the agency's signature over the prepared bytes, check it, deliver the licence.

        A signature that does not verify raises `SignatureInvalidError`; too late raises
        `PreparationExpiredError` and burns the index.
        """
        row = self.read(agency, licence_id)
        if row.state == LicenceState.PREPARED:
            self.authorised_type(agency, row.type_key, now)  # a right may have been withdrawn since
        if row.state == LicenceState.PREPARED and now >= row.prepared_until:
            self._burn(row, actor=actor, now=now)
        if row.state == LicenceState.BURNT or (row.state == LicenceState.PREPARED and now >= row.prepared_until):
            raise PreparationExpiredError
        _verify(row, signature, self._vault.by_kid(row.kid)[0])
        if row.state == LicenceState.PREPARED:
            return self._completer.complete(row, base64url.encode(signature), actor=actor, now=now)
        if row.signature is None:
            raise NotPreparedError
        return row

    def read(self, agency: str, licence_id: str) -> LicenceRow:
        """Return a licence's ledger row, or raise `UnknownLicenceError`."""
        with self._database.read() as session:
            row = store.licence(session, agency, licence_id)
        if row is None:
            raise UnknownLicenceError
        return row

    def page(
        self, agency: str, *, after: str = "", limit: int, state: str | None = None, reference: str | None = None
    ) -> Sequence[LicenceRow]:
        """Return a page of an agency's ledger, by identifier."""
        with self._database.read() as session:
            return store.licences(session, agency, after=after, limit=limit, state=state, reference=reference)

    def of_holder(self, agency: str, code_type: str, code: str, *, after: str, limit: int) -> Sequence[LicenceRow]:
        """Return a page of what an agency issued to whoever has a number."""
        subject = self._seal.lookup(f"{code_type} {code}")
        with self._database.read() as session:
            return store.licences(session, agency, after=after, limit=limit, subject=subject)

    def states(self, licence_ids: Sequence[str]) -> dict[str, str]:
        """Return licences' states by identifier; `key_compromised` of valid ones that a stolen key signed since."""
        with self._database.read() as session:
            return store.states(session, licence_ids)

    def good(self, licence_ids: Sequence[str], now: datetime) -> dict[str, str]:
        """Return licences' states now: `expired` past the last day, `type_not_authorised` where the right is gone.

        One that was renewed is `superseded`.
        """
        today = now.astimezone(CITY_TIME).date()
        with self._database.read() as session:
            rows = store.named(session, licence_ids)
        found = {}
        for row in rows:
            over = row.valid_until is not None and row.valid_until < today
            state = "expired" if over and row.state == LicenceState.VALID else str(row.state)
            if state == LicenceState.REVOKED and row.cause == SUPERSEDED:
                state = SUPERSEDED
            if state == LicenceState.VALID and not self._registry.may_sign(row.agency, self.vct(row.type_key), now=now):
                state = "type_not_authorised"
            found[row.licence_id] = state
        return found

    def _earlier(self, agency: str, this: Attempt) -> LicenceRow | None:
        with self._database.read() as session:
            licence_id = idempotency.earlier_result(session, this)
            return store.licence(session, agency, licence_id) if licence_id else None

    def authorised_type(self, agency: str, type_key: str, now: datetime) -> LicenceType:
        """Return a type that the operator lets an agency sign now; raises why not."""
        kind = self.types.get(type_key)
        if kind is None:
            raise ClaimsRefusedError([unknown_type(self.types)])
        if not self._registry.may_sign(agency, self.vct(type_key), now=now):
            raise TypeNotAuthorisedError
        return kind

    def _identifier(self, agency: str, kind: LicenceType, supersedes: str | None, renewal: Renewal) -> LicenceId:
        if supersedes is None:
            return LicenceId(kind.type_code, self.agency(agency).uscc, self._recorder.serial(), 1)
        old = self.read(agency, supersedes)
        check_renewable(old, kind, renewal)
        with self._database.read() as session:
            newest = store.newest_version(session, old)
        if newest.state == LicenceState.PREPARED:
            if renewal.now < newest.prepared_until:
                raise WrongStateError("this licence is being renewed by another request")
            self._burn(newest, actor=renewal.actor, now=renewal.now)
        return replace(parse_licence_id(supersedes), version=newest.version + 1)

    def _sign(self, row: LicenceRow, *, actor: str, now: datetime) -> LicenceRow:
        if row.state == LicenceState.BURNT:
            raise PreparationExpiredError
        if row.state != LicenceState.PREPARED:
            return row
        _, signer = self._vault.by_kid(row.kid)
        if signer is None:
            raise AgencyKeepsKeyError
        return self.complete(
            row.agency, row.licence_id, signer(row.signing_input.encode("ascii")), actor=actor, now=now
        )

    def _signature(self, row: LicenceRow, now: datetime) -> str:
        """Return the vault's signature; raises if the right or the key is gone since the row was recorded."""
        self.authorised_type(row.agency, row.type_key, now)
        key, signer = self._vault.by_kid(row.kid)
        if signer is None:
            raise AgencyKeepsKeyError
        signature = signer(row.signing_input.encode("ascii"))
        _verify(row, signature, key)
        return base64url.encode(signature)

    def _burn(self, row: LicenceRow, *, actor: str, now: datetime) -> None:
        with self._database.write() as session:
            burn(session, row, before=LicenceState.PREPARED, actor=actor, now=now)
        publish_now_or_later(self._publisher, self._publisher.lists_of(row.licence_id), now=now)


def _verify(row: LicenceRow, signature: bytes, key: PublicKey) -> None:
    """Raise `SignatureInvalidError` unless it is of the bytes that were recorded."""
    jws.verify(jws.parse(jws.assemble(row.signing_input.encode("ascii"), signature), jws.LICENCE), key)
