"""Copies of a licence for foreign wallets: each its own key, salts, status index and signature with `x5c`.

As with the licence itself, a copy is recorded before it is signed; one that a crash left unsigned burns its
index. The claims come from the holder's wallet: the ledger keeps none. A copy has the licence's state.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlmodel import Session

from credentials import base64url, jws
from credentials.jwk import PublicKey
from credentials.sd_jwt import Disclosure
from credentials.status_list import Status
from issuers import store
from issuers.clock_check import must_not_have_gone_back
from issuers.errors import KeyInUseError, TypeNotAuthorisedError, WrongStateError
from issuers.issuer import Issuer
from issuers.lists import store as lists_store
from issuers.models import LicenceCopy, LicenceRow, LicenceState, ListKind
from issuers.orders import concealed, envelope
from issuers.publishing import StatusPublisher
from issuers.status_index import free_places
from issuers.type_metadata import integrity
from keys.certificates import Certificates, CertifiedSigner, within
from keys.models import KeyPurpose
from keys.registry import TrustRegistry
from keys.trust_list import issuer_url
from records import audit
from records.database import Database
from records.rows import store as rows_store

ID_BYTES = 12
SIGNING_TIME = timedelta(minutes=10)  # a copy recorded this long ago and not signed will not be


class ClaimsOf(Protocol):
    """The wallet's side: opens a licence that was delivered to it."""

    def __call__(self, holder_ref: str, licence_id: str, /) -> Mapping[str, Any]:
        """Return all claims of a licence, without the envelope."""


@dataclass(frozen=True, slots=True)
class _Draft:
    row: LicenceCopy
    payload: dict[str, Any]
    disclosures: tuple[Disclosure, ...]


class Copies:
    """Makes copies."""

    def __init__(
        self,
        *,
        database: Database,
        issuer: Issuer,
        certificates: Certificates,
        registry: TrustRegistry,
        publisher: StatusPublisher,
        base_url: str,
        claims_of: ClaimsOf,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._issuer = issuer
        self._certificates = certificates
        self._registry = registry
        self._publisher = publisher
        self._base_url = base_url
        self._claims_of = claims_of
        self._randomness = randomness

    def issue(self, row: LicenceRow, keys: Sequence[PublicKey], *, actor: str, now: datetime) -> list[str]:
        """Return one SD-JWT VC of a valid licence for each key, in order.

        A licence that is not valid raises `WrongStateError`, a key that a copy is bound to already `KeyInUseError`.
        """
        # 1. The licence is valid, and its agency may still sign its type.
        if row.state != LicenceState.VALID:
            raise WrongStateError(f"the licence is {row.state}")
        since = self._registry.signs_since(row.agency, self._issuer.vct(row.type_key), now=now)
        if since is None:
            raise TypeNotAuthorisedError
        # 2. The agency's key, with its certificate.
        uri, name = issuer_url(self._base_url, row.agency), self._issuer.agency(row.agency).name
        signer = self._certificates.signer(row.agency, KeyPurpose.LICENCE, name=name, uri=uri, now=now)
        # 3. In one transaction: rows, status indices, the bytes to sign, audit.
        at = max(now.replace(minute=0, second=0, microsecond=0), since, signer.since)
        drafts = [self._draft(row, key, signer, at, now) for key in keys]
        with self._database.write() as session:
            must_not_have_gone_back(session, row.agency, now)
            if (state := store.held_state(session, row.licence_id)) != LicenceState.VALID:  # since it was read
                raise WrongStateError(f"the licence is {state}")
            for draft in drafts:
                self._record(session, row.agency, draft, signer)
                audit.record(
                    session, stream=f"issuers/{row.agency}", actor=actor, act="licence.copied",
                    subject=draft.row.copy_id, now=now, detail={"licence_id": row.licence_id},
                )  # fmt: skip
        # 4. Sign what was recorded.
        return [self._signed(draft, signer) for draft in drafts]

    def burn_unsigned(self, *, now: datetime) -> int:
        """Burn copies that a crash left unsigned; returns how many. Called when the service starts."""
        with self._database.write() as session:
            rows = store.unsigned_copies(session, now - SIGNING_TIME)
            for row in rows:
                row.burnt = True
            burnt = [(row.status_list_id, row.status_index, Status.REVOKED) for row in rows]
            lists_store.note_changes(session, burnt)
        return len(rows)

    def _draft(self, row: LicenceRow, key: PublicKey, signer: CertifiedSigner, at: datetime, now: datetime) -> _Draft:
        kind = self._issuer.types[row.type_key]
        about = envelope(
            issuer_url(self._base_url, row.agency), self._issuer.vct(row.type_key), first_day=row.valid_from,
            last_day=row.valid_until, holder_jwk=key.jwk, now=at,
        )  # fmt: skip
        about["vct#integrity"] = integrity(kind, self._issuer.vct(row.type_key))
        claims = self._claims_of(row.holder_ref, row.licence_id)
        payload, disclosures = concealed(kind, within(about, signer.x5c), claims, self._randomness)
        made = LicenceCopy(
            copy_id=base64url.encode(self._randomness(ID_BYTES)),
            licence_id=row.licence_id,
            thumbprint=key.thumbprint,
            kid=signer.kid,
            created_at=now,
        )
        return _Draft(made, payload, disclosures)

    def _record(self, session: Session, agency: str, draft: _Draft, signer: CertifiedSigner) -> None:
        if store.copy_key_taken(session, draft.row.thumbprint):
            raise KeyInUseError
        for list_id, index in free_places(session, self._publisher, agency, ListKind.COPIES, self._randomness):
            entry = {"status_list": {"idx": index, "uri": self._publisher.uri(list_id)}}
            to_sign = jws.signing_input(jws.LICENCE, draft.payload | {"status": entry}, more={"x5c": signer.x5c})
            draft.row.status_list_id, draft.row.status_index = list_id, index
            draft.row.signing_input = to_sign.decode("ascii")
            if rows_store.insert_unless_taken(session, draft.row):
                return
            if store.copy_key_taken(session, draft.row.thumbprint):
                raise KeyInUseError

    def _signed(self, draft: _Draft, signer: CertifiedSigner) -> str:
        signature = signer.signer(draft.row.signing_input.encode("ascii"))
        with self._database.write() as session:
            if not store.sign_copy(session, draft.row.copy_id, base64url.encode(signature)):
                raise WrongStateError("the copy was burnt meanwhile")
        text = jws.assemble(draft.row.signing_input.encode("ascii"), signature)
        return "~".join([text, *(one.text for one in draft.disclosures), ""])
