"""Keeping licences: the keys they are bound to, taking them in, opening them. Everything at rest is sealed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from sqlmodel import Session

from credentials import jws, sd_jwt, sd_jwt_vc, x509
from credentials.jwk import export_public, thumbprint
from credentials.licence_type import Holder, LicenceType
from credentials.sd_jwt import SdJwt
from credentials.sd_jwt_vc import Credential
from keys.encryption import Seal
from records import audit
from records.database import Database
from records.rows import store as rows_store
from wallet import store
from wallet.accounts import Accounts, stream
from wallet.errors import DeliveryRefusedError, HolderKeyTakenError, NotHeldError
from wallet.mandates.mandates import Mandates
from wallet.mandates.models import Kind
from wallet.mandates.rules import Source, born, covers
from wallet.models import HeldLicence, HolderKey


@dataclass(frozen=True, slots=True)
class Opened:
    """A held licence, opened."""

    row: HeldLicence
    key: HolderKey
    parts: SdJwt
    licence: Credential
    kind: LicenceType | None

    @property
    def authority_key_ids(self) -> tuple[str, ...]:
        """Who certified the issuer's key, if the licence carries a certificate (DCQL `aki`)."""
        chain = jws.parse(self.parts.jwt, jws.FOREIGN_LICENCE).header.get("x5c")
        return () if chain is None else x509.authority_key_ids(x509.parse_chain(chain))

    @property
    def selective(self) -> frozenset[str]:
        """Names that the holder may disclose or not."""
        return frozenset(one.name for one in self.parts.disclosures if one.name is not None)


class Keeping:
    """Binds keys, takes licences in, opens them again."""

    def __init__(
        self,
        *,
        database: Database,
        seal: Seal,
        accounts: Accounts,
        mandates: Mandates,
        types: Mapping[str, LicenceType],
        make_key: Callable[[], EllipticCurvePrivateKey],
    ) -> None:
        self._database = database
        self._seal = seal
        self._accounts = accounts
        self._mandates = mandates
        self._types = types
        self._make_key = make_key

    def bind(self, holder: Holder, *, reference: str, now: datetime) -> tuple[str, Mapping[str, str]]:
        """Return the holder's name here and a new public key for one licence; one reference, one key."""
        with self._database.write() as session:
            holder_id = self._accounts.must_be_in(session, holder, actor="issuers", now=now)
            key = self._holder_key(session, holder_id, f"{holder_id} {reference}", now)
        return holder_id, key.jwk

    def account(self, holder: Holder, *, now: datetime) -> str:
        """Return the wallet's name for somebody who may show a licence of another."""
        return self._accounts.must_be(holder, actor="issuers", now=now)

    def receive(
        self,
        session: Session,
        holder_ref: str,
        licence_id: str,
        text: str,
        *,
        supersedes: str | None,
        now: datetime,
        agents: Sequence[str] = (),
        described: Mapping[str, Any] | None = None,
        taker: str | None = None,
    ) -> None:
        """Take a licence in, in an open transaction. The same licence again changes nothing.

        Checked: that it is an SD-JWT VC without key binding (RFC 9901 section 7.2), whose disclosures fit,
        bound to a key of this holder. Not checked: the issuer's signature; the city's issuers deliver here
        directly, other issuers' credentials are vouched for before (`openid4vc/taking.py`). `agents` are who may show
        it besides its holder; `taker` is who fetched it, if somebody did. `described` are names and labels by locale of
        a type that the catalogue does not have.
        """
        licence, values = self.row(holder_ref, licence_id, text, now)
        key = session.get(HolderKey, licence.holder_key.thumbprint)
        if key is not None and key.holder_id == taker:  # made for whoever fetched it, who may act for its owner
            self._give_over(key, holder_ref)
        if key is None or key.holder_id != holder_ref:
            raise DeliveryRefusedError("bound to no key of this holder")
        row = HeldLicence(**values, described=dict(described) if described else None)
        if not rows_store.insert_unless_taken(session, row):
            return
        kind = self._types.get(licence.vct)
        if agents and kind is not None:
            power = Kind.PARENT if kind.minor_holder else Kind.REPRESENTATIVE
            day = next(iter(born(licence.claims)), None)
            source = Source(licence_id, kind.key, licence.issuer, kind.entrusts_all, day)
            self._mandates.entrust(session, holder_ref, agents, power, source, now)
        old = session.get(HeldLicence, supersedes) if supersedes else None
        if old is not None and old.holder_id == holder_ref:
            old.superseded_by = licence_id
        audit.record(
            session, stream=stream(holder_ref), actor=f"holder:{taker}" if taker else "issuers",
            act="licence.received", subject=licence_id, now=now,
        )  # fmt: skip

    def row(self, holder_ref: str, licence_id: str, text: str, now: datetime) -> tuple[Credential, dict[str, Any]]:
        """Return what a licence says and its row (`HeldLicence`), sealed, not yet stored.

        One that is no SD-JWT VC without key binding is refused; that the key is this holder's is not checked.
        """
        parts = sd_jwt.parse(text)
        licence = sd_jwt_vc.held(parts)
        if parts.key_binding is not None:
            raise DeliveryRefusedError("a licence is delivered without key binding")
        sealed = self._seal.close(text.encode("ascii"), _licence_context(licence_id, holder_ref))
        return licence, {
            "licence_id": licence_id, "holder_id": holder_ref, "issuer": licence.issuer, "vct": licence.vct,
            "thumbprint": licence.holder_key.thumbprint, "sealed": sealed, "received_at": now,
        }  # fmt: skip

    def _give_over(self, key: HolderKey, owner: str) -> None:
        private = self._seal.open_key(key.sealed, _key_context(key.thumbprint, key.holder_id))
        key.sealed = self._seal.close_key(private, _key_context(key.thumbprint, owner))
        key.holder_id = owner

    def receive_foreign(
        self, taker: str, name: str, text: str, *, described: Mapping[str, Any] | None, now: datetime
    ) -> None:
        """Take in what somebody fetched from another service: for whom they act, if it is that one's by its number.

        What a parent fetched of a child is then the child's, as what the agency delivers is: whoever has a mandate for
        such a licence shows it, as long as that lasts.
        """
        licence = sd_jwt_vc.held(sd_jwt.parse(text))
        number, kind = licence.claims.get("holder_code"), self._types.get(licence.vct)
        mine = [
            one.principal
            for one in self._mandates.in_force(taker, now=now)
            if covers(one, kind.key if kind else licence.vct, licence.issuer)
        ]
        owner = next((one for one in sorted(mine) if self._accounts.get(one).code == number), taker)
        with self._database.write() as session:
            self.receive(session, owner, name, text, supersedes=None, now=now, described=described, taker=taker)

    def key_for(self, holder_id: str, reference: str, *, now: datetime) -> tuple[Mapping[str, str], jws.Signer]:
        """Return a new key of a holder for one credential of another issuer, and its signer."""
        with self._database.write() as session:
            row = self._holder_key(session, holder_id, f"{holder_id} {reference}", now)
        return row.jwk, self.signer(row)

    def current(self, holder_id: str, *, now: datetime) -> list[Opened]:
        """Return the licences that a holder may show, opened: their own, then those of each principal.

        Newest first, without superseded ones.
        """
        found = [self._open(row, key) for row, key in self._held(holder_id)]
        met = {one.row.licence_id for one in found}
        for mandate in self._mandates.in_force(holder_id, now=now):
            for row, key in self._held(mandate.principal):
                if row.licence_id not in met and covers(mandate, self._type_of(row), row.issuer):
                    met.add(row.licence_id)
                    found.append(self._open(row, key))
        return found

    def _held(self, holder_id: str) -> Sequence[tuple[HeldLicence, HolderKey]]:
        with self._database.read() as session:
            return store.held(session, holder_id)

    def _type_of(self, row: HeldLicence) -> str:
        kind = self._types.get(row.vct)
        return kind.key if kind is not None else row.vct

    def _open(self, row: HeldLicence, key: HolderKey) -> Opened:
        text = self._seal.open(row.sealed, _licence_context(row.licence_id, row.holder_id)).decode("ascii")
        parts = sd_jwt.parse(text)
        return Opened(row, key, parts, sd_jwt_vc.held(parts), self._types.get(row.vct))

    def opened(self, holder_id: str, licence_ids: Collection[str], *, now: datetime) -> list[Opened]:
        """Return licences that a holder may show, opened, in the order named.

        One that is neither theirs nor a principal's raises `NotHeldError`, one whose mandate is over that reason.
        """
        return self.opened_many([(holder_id, licence_ids, now)])[0]

    def opened_many(self, shown: Sequence[tuple[str, Collection[str], datetime]]) -> list[list[Opened]]:
        """Return the same for each of several holders, each at an instant of its own."""
        names = {licence_id for _, licence_ids, _ in shown for licence_id in licence_ids}
        with self._database.read() as session:
            held = {row.licence_id: (row, key) for row, key in store.held_by_name(session, names)} if names else {}
        if len(held) != len(names):
            raise NotHeldError
        for holder_id, licence_ids, now in shown:
            for row, _ in (held[one] for one in licence_ids):
                self._mandates.must_allow(holder_id, row.holder_id, self._type_of(row), row.issuer, now=now)
        return [[self._open(*held[one]) for one in licence_ids] for _, licence_ids, _ in shown]

    def claims_of(self, holder_id: str, licence_id: str) -> Mapping[str, Any]:
        """Return all claims of a licence that was delivered here, for its own agency to sign a copy of."""
        with self._database.read() as session:
            held = [one for one in store.held_by_name(session, [licence_id]) if one[0].holder_id == holder_id]
        if not held:
            raise NotHeldError
        return self._open(*held[0]).licence.claims

    def _holder_key(self, session: Session, holder_id: str, reference: str, now: datetime) -> HolderKey:
        """Return the key of a reference, made if there is none."""
        found = store.key_by_reference(session, reference)
        if found is None:
            made = HolderKey(**self.new_key(holder_id, reference, now))
            if rows_store.insert_unless_taken(session, made):
                return made
            found = store.key_by_reference(session, reference)
        if found is None or found.holder_id != holder_id:
            raise HolderKeyTakenError
        return found

    def new_key(self, holder_id: str, reference: str, now: datetime) -> dict[str, Any]:
        """Return the row of a new key of a holder's (`HolderKey`), sealed, not yet stored."""
        private = self._make_key()
        jwk = export_public(private)
        name = thumbprint(jwk)
        return {
            "thumbprint": name, "holder_id": holder_id, "reference": reference, "jwk": jwk,
            "sealed": self._seal.close_key(private, _key_context(name, holder_id)), "created_at": now,
        }  # fmt: skip

    def signer(self, key: HolderKey) -> jws.Signer:
        """Return the signer of a key that a licence is bound to."""
        return jws.es256(self._seal.open_key(key.sealed, _key_context(key.thumbprint, key.holder_id)))


def _key_context(name: str, holder_id: str) -> str:
    return f"holder key {name} of {holder_id}"


def _licence_context(licence_id: str, holder_id: str) -> str:
    return f"licence {licence_id} of {holder_id}"
