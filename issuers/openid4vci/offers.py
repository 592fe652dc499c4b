"""Credential offers by reference (VCI section 4.1): an agency hands a licence to a wallet that is not ours.

An offer is about a licence of the ledger, or about an order that the agency approves later (deferred issuance).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from sqlmodel import Session

from credentials import base64url
from issuers.errors import UnknownLicenceError, WrongStateError
from issuers.issuer import Issuer
from issuers.models import LicenceState
from issuers.openid4vci import store
from issuers.openid4vci.models import Offer
from keys.encryption import Seal
from keys.trust_list import issuer_url
from records import audit
from records.database import Database

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
OFFER_LIFE = timedelta(minutes=10)
SECRET_BYTES = 24
ID_BYTES = 12
TX_CODE_DIGITS = 6
SCHEME = "openid-credential-offer://"


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
        self, *, database: Database, issuer: Issuer, seal: Seal, base_url: str, randomness: Callable[[int], bytes]
    ) -> None:
        self._database = database
        self._issuer = issuer
        self._seal = seal
        self._base_url = base_url
        self._randomness = randomness

    def make(
        self,
        agency: str,
        *,
        licence_id: str | None,
        waiting: tuple[str, bytes] | None,
        tx_code: bool,
        actor: str,
        now: datetime,
    ) -> MadeOffer:
        """Offer a valid licence, or an order of a type (`waiting`: type and the order's JSON) that waits for approval.

        A licence that is not valid raises `WrongStateError`.
        """
        type_key = waiting[0] if waiting else self._offerable(agency, licence_id or "")
        offer_id, secret, code = self._token(ID_BYTES), self._token(SECRET_BYTES), self._token(SECRET_BYTES)
        digits = self._digits() if tx_code else None
        row = Offer(
            offer_id=offer_id,
            agency=agency,
            type_key=type_key,
            licence_id=licence_id,
            waiting=self._seal.close(waiting[1], f"waiting order {offer_id}") if waiting else None,
            uri_hash=hashed(secret),
            sealed_grant=self._seal.close(code.encode(), f"offer {offer_id}"),
            code_hash=hashed(code),
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
        code = self._seal.open(row.sealed_grant, f"offer {row.offer_id}").decode()
        grant: dict[str, object] = {"pre-authorized_code": code}
        if row.tx_code_hash is not None:
            grant["tx_code"] = {"input_mode": "numeric", "length": TX_CODE_DIGITS}
        return {
            "credential_issuer": issuer_url(self._base_url, agency),
            "credential_configuration_ids": [row.type_key],
            "grants": {PRE_AUTHORIZED: grant},
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

    def approve(self, row: Offer, licence_id: str, *, actor: str, now: datetime) -> None:
        """Put the licence that was issued in the place of the order; a second time changes nothing."""
        with self._database.write() as session:
            if store.approve(session, row.offer_id, licence_id):
                self._audit(session, row, actor, "offer.approved", now)

    def deny(self, row: Offer, *, actor: str, now: datetime) -> None:
        """Deny the order for good; one that waits no more raises `WrongStateError`."""
        with self._database.write() as session:
            if not store.deny(session, row.offer_id):
                raise WrongStateError("nothing waits for approval")
            self._audit(session, row, actor, "offer.denied", now)

    def _offerable(self, agency: str, licence_id: str) -> str:
        licence = self._issuer.read(agency, licence_id)
        if licence.state != LicenceState.VALID:
            raise WrongStateError(f"the licence is {licence.state}")
        return licence.type_key

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
