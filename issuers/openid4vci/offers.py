"""Credential offers by reference (VCI section 4.1): an agency hands a licence to a wallet that is not ours.

An offer is about a licence of the ledger, or about an order that the agency approves later (deferred issuance).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from sqlmodel import Session

from credentials import base64url, strict_json
from issuers.errors import (
    AgencyKeepsKeyError,
    SignInClosedError,
    TypeNotOfferedError,
    UnknownLicenceError,
    WrongStateError,
)
from issuers.issuer import Issuer
from issuers.models import LicenceState
from issuers.openid4vci import store
from issuers.openid4vci.models import Offer
from keys.encryption import Seal
from keys.models import KeyPurpose
from keys.trust_list import issuer_url
from keys.vault import Vault
from records import audit, idempotency
from records.database import Database
from records.errors import IdempotencyKeyReusedError
from records.idempotency import Attempt

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
OFFER_LIFE = timedelta(minutes=10)
DENY = "deny an order"
SECRET_BYTES = 24
ID_BYTES = 12
TX_CODE_DIGITS = 6
SCHEME = "openid-credential-offer://"
AUTHORIZATION_CODE = "authorization_code"


@dataclass(frozen=True, slots=True)
class MadeOffer:
    """A fresh offer; its link and transaction code are told this once."""

    offer_id: str
    uri: str
    link: str
    tx_code: str | None
    expires_at: datetime


class Offers:
    """The agency's verbs on offers, and reading them."""

    def __init__(
        self,
        *,
        database: Database,
        issuer: Issuer,
        vault: Vault,
        seal: Seal,
        base_url: str,
        signs_in: bool,
        randomness: Callable[[int], bytes],
    ) -> None:
        """Make offers; where nobody `signs_in`, none by authorization code."""
        self._database = database
        self._issuer = issuer
        self._vault = vault
        self._seal = seal
        self._base_url = base_url
        self._signs_in = signs_in
        self._randomness = randomness

    def make(
        self,
        agency: str,
        *,
        licence_id: str | None,
        waiting: tuple[str, bytes] | None,
        grants: Collection[str],
        tx_code: bool,
        actor: str,
        now: datetime,
    ) -> MadeOffer:
        """Offer a valid licence, or an order of a type (`waiting`: type and the order's JSON) that waits for approval.

        `grants` are the ways to take it: `PRE_AUTHORIZED`, `AUTHORIZATION_CODE`. A licence that is not valid raises
        `WrongStateError`, a type that goes to no foreign wallet `TypeNotOfferedError`, an agency that keeps its key
        `AgencyKeepsKeyError`, a way by signing in where nobody can `SignInClosedError`.
        """
        type_key = waiting[0] if waiting else self._offerable(agency, licence_id or "")
        if AUTHORIZATION_CODE in grants and not self._signs_in:
            raise SignInClosedError
        self._check_way(agency, type_key)
        offer_id, secret = self._token(ID_BYTES), self._token(SECRET_BYTES)
        secrets = {way: self._token(SECRET_BYTES) for way in sorted(grants)}
        code, issuer_state = secrets.get(PRE_AUTHORIZED), secrets.get(AUTHORIZATION_CODE)
        digits = self._digits() if tx_code else None
        row = Offer(
            offer_id=offer_id,
            agency=agency,
            type_key=type_key,
            licence_id=licence_id,
            waiting=self._seal.close(waiting[1], f"waiting order {offer_id}") if waiting else None,
            uri_hash=hashed(secret),
            sealed_grants=self._seal.close(strict_json.dumps(secrets), f"offer {offer_id}"),
            code_hash=hashed(code) if code else None,
            issuer_state_hash=hashed(issuer_state) if issuer_state else None,
            tx_code_hash=self._seal.lookup(f"tx_code {offer_id} {digits}") if digits else None,
            created_at=now,
            expires_at=now + OFFER_LIFE,
        )
        with self._database.write() as session:
            session.add(row)
            session.flush()
            self._audit(session, row, actor, "offer.made", now)
        uri = f"{issuer_url(self._base_url, agency)}/credential-offers/{secret}"
        return MadeOffer(offer_id, uri, f"{SCHEME}?credential_offer_uri={quote(uri, safe='')}", digits, row.expires_at)

    def document(self, agency: str, secret: str, *, now: datetime) -> dict[str, Any]:
        """Return the offer behind an address (section 4.1.1); one that is over raises `UnknownLicenceError`."""
        with self._database.read() as session:
            row = store.offer_by_uri(session, agency, hashed(secret))
        if row is None or row.redeemed_at is not None or now >= row.expires_at:
            raise UnknownLicenceError("no such offer, or it is over")
        secrets = strict_json.loads_object(self._seal.open(row.sealed_grants, f"offer {row.offer_id}"))
        grants: dict[str, dict[str, object]] = {}
        if AUTHORIZATION_CODE in secrets:
            grants[AUTHORIZATION_CODE] = {"issuer_state": secrets[AUTHORIZATION_CODE]}
        if PRE_AUTHORIZED in secrets:
            grants[PRE_AUTHORIZED] = {"pre-authorized_code": secrets[PRE_AUTHORIZED]}
            if row.tx_code_hash is not None:
                grants[PRE_AUTHORIZED]["tx_code"] = {"input_mode": "numeric", "length": TX_CODE_DIGITS}
        return {
            "credential_issuer": issuer_url(self._base_url, agency),
            "credential_configuration_ids": [row.type_key],
            "grants": grants,
        }

    def read(self, agency: str, offer_id: str) -> Offer:
        """Return an agency's offer, or raise `UnknownLicenceError`."""
        with self._database.read() as session:
            row = session.get(Offer, offer_id)
        if row is None or row.agency != agency:
            raise UnknownLicenceError("no such offer")
        return row

    def waiting_order(self, row: Offer) -> bytes:
        """Return the order that waits for approval; an offer that waits for none raises `WrongStateError`."""
        if row.waiting is None:
            raise WrongStateError("nothing waits for approval")
        return self._seal.open(row.waiting, f"waiting order {row.offer_id}")

    def decision(self, row: Offer, operation: str, body: Mapping[str, object], now: datetime) -> Attempt:
        """Return the one attempt to decide on an order, whoever makes it: what commits first is what was decided.

        An approval whose licence was not signed in its time came to nothing: then it is decided anew.
        """
        caller = f"agency:{row.agency}/offer:"  # no person's and no system's name ends so
        with self._database.read() as session:
            before = store.decisions_that_came_to_nothing(session, caller, row.offer_id, now)
        return idempotency.attempt(caller, f"{row.offer_id}/{before}", operation, body)

    def approve(self, row: Offer, licence_id: str, *, actor: str, now: datetime) -> None:
        """Put the licence that was issued in the place of the order; a second time changes nothing."""
        with self._database.write() as session:
            if store.approve(session, row.offer_id, licence_id):
                self._audit(session, row, actor, "offer.approved", now)

    def deny(self, row: Offer, *, actor: str, now: datetime) -> None:
        """Deny the order for good; one that waits no more, or is being issued, raises `WrongStateError`."""
        decision = self.decision(row, DENY, {}, now)
        with self._database.write() as session:
            try:
                idempotency.claim(session, decision, result="denied", now=now)
            except IdempotencyKeyReusedError as error:
                raise WrongStateError("it was approved meanwhile") from error
            if not store.deny(session, row.offer_id):
                raise WrongStateError("nothing waits for approval")
            self._audit(session, row, actor, "offer.denied", now)

    def _offerable(self, agency: str, licence_id: str) -> str:
        licence = self._issuer.read(agency, licence_id)
        if licence.state != LicenceState.VALID:
            raise WrongStateError(f"the licence is {licence.state}")
        return licence.type_key

    def _check_way(self, agency: str, type_key: str) -> None:
        """Raise unless licences of this type go to foreign wallets, and this agency's key can sign them here."""
        if "x5c" not in self._issuer.types[type_key].key_by:
            raise TypeNotOfferedError
        if self._vault.active(agency, KeyPurpose.LICENCE).signer is None:
            raise AgencyKeepsKeyError

    def _audit(self, session: Session, row: Offer, actor: str, act: str, now: datetime) -> None:
        audit.record(
            session, stream=f"issuers/{row.agency}", actor=actor, act=act, subject=row.offer_id, now=now,
            detail={"licence_id": row.licence_id},
        )  # fmt: skip

    def _digits(self) -> str:
        return f"{int.from_bytes(self._randomness(8), 'big') % 10**TX_CODE_DIGITS:0{TX_CODE_DIGITS}d}"

    def _token(self, size: int) -> str:
        return base64url.encode(self._randomness(size))


def hashed(secret: str) -> str:
    """Return what is kept of an offer's or token's secret."""
    return sha256(f"openid4vci {secret}".encode()).hexdigest()
