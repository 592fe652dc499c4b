"""The credential endpoint as a numbered story (VCI sections 8, 9 and 11): proofs in, copies of a licence out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from credentials import base64url
from credentials.jwk import PublicKey, import_public
from issuers import store as issuers_store
from issuers.copies import Copies
from issuers.errors import IssuerError, KeyInUseError, UnknownLicenceError
from issuers.issuer import Issuer
from issuers.models import LicenceState
from issuers.openid4vci import proofs, store
from issuers.openid4vci.access_tokens import Entitled
from issuers.openid4vci.attestation import Attesters
from issuers.openid4vci.models import Deferral, Notice
from issuers.openid4vci.offers import hashed
from keys.oauth.errors import OAuthError
from keys.oauth.nonces import C_NONCE, Nonces
from keys.trust_list import issuer_url
from records.database import Database

POLL = timedelta(seconds=5)  # how soon a wallet may ask again for what waits
EVENTS = frozenset({"credential_accepted", "credential_failure", "credential_deleted"})
SECRET_BYTES = 24
FIRST_DRAFTS = frozenset({"proof", "format", "credential_identifiers"})
"""Members of drafts before 1.0: a request with one of them is not ours to guess at."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint answers: 200 with credentials, 202 when the agency has yet to approve."""

    status: int
    body: dict[str, Any]


class CredentialEndpoint:
    """Issues copies to whom an access token lets take them."""

    def __init__(
        self,
        *,
        database: Database,
        issuer: Issuer,
        copies: Copies,
        nonces: Nonces,
        attesters: Attesters,
        base_url: str,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._issuer = issuer
        self._copies = copies
        self._nonces = nonces
        self._attesters = attesters
        self._base_url = base_url
        self._randomness = randomness

    def credential(self, entitled: Entitled, body: Mapping[str, Any], *, now: datetime) -> Answer:
        """Answer a credential request; `entitled` is what its access token stands for."""
        # 1. It asks for something that may be taken (section 8.2).
        type_key = _asked(body, entitled)
        # 2. Every key is proved, for one nonce (appendix F).
        keys, nonce = proofs.keys(
            body,
            issuer=issuer_url(self._base_url, entitled.agency),
            attested=lambda text: self._attesters.keys(text, now=now),
            now=now,
        )
        # 3. The nonce is ours, young, and counts once (section 7).
        with self._database.write() as session:
            fresh = self._nonces.check(C_NONCE, entitled.agency, nonce, now=now) and self._nonces.spend(
                session, C_NONCE, nonce, now=now
            )
        if not fresh:
            raise OAuthError("invalid_nonce", "the c_nonce is unknown, over or used: get another")
        # 4. What the agency has yet to approve waits (section 9).
        if entitled.denied:
            raise OAuthError("credential_request_denied", "the agency denied it")
        licence_id = entitled.licences[type_key]
        if licence_id is None:
            return self._deferred(entitled, type_key, keys, now)
        # 5. Copies, recorded before they are signed.
        return self._issued(entitled, licence_id, keys, now)

    def deferred(self, entitled: Entitled, body: Mapping[str, Any], *, now: datetime) -> Answer:
        """Answer a deferred credential request (section 9.1)."""
        transaction = body.get("transaction_id")
        with self._database.read() as session:
            row = session.get(Deferral, hashed(transaction)) if isinstance(transaction, str) else None
        if row is None or row.grant_id != entitled.grant.grant_id or row.done_at is not None:
            raise OAuthError("invalid_transaction_id", "there is no such transaction, or it is done")
        if entitled.denied:
            raise OAuthError("credential_request_denied", "the agency denied it")
        licence_id = entitled.licences.get(row.type_key)
        if licence_id is None:
            return Answer(202, {"transaction_id": transaction, "interval": int(POLL.total_seconds())})
        with self._database.write() as session:
            if not store.finish(session, row.transaction_hash, now):
                raise OAuthError("invalid_transaction_id", "there is no such transaction, or it is done")
        try:
            return self._issued(entitled, licence_id, [import_public(one) for one in row.keys], now)
        except Exception:  # whatever it was, nothing was issued: the wallet may ask again
            with self._database.write() as session:
                store.reopen(session, row.transaction_hash)
            raise

    def notify(self, entitled: Entitled, body: Mapping[str, Any], *, now: datetime) -> None:
        """Note what became of credentials (section 11); the same again changes nothing."""
        name, event = body.get("notification_id"), body.get("event")
        if not isinstance(name, str) or not isinstance(event, str) or event not in EVENTS:
            raise OAuthError("invalid_notification_request", "notification_id and a known event are needed")
        with self._database.write() as session:
            row = session.get(Notice, name)
            if row is None or row.grant_id != entitled.grant.grant_id:
                raise OAuthError("invalid_notification_id", "there is no such notification")
            row.event, row.at = event, now

    def _deferred(self, entitled: Entitled, type_key: str, keys: Sequence[PublicKey], now: datetime) -> Answer:
        transaction = base64url.encode(self._randomness(SECRET_BYTES))
        with self._database.write() as session:
            session.add(
                Deferral(
                    transaction_hash=hashed(transaction),
                    grant_id=entitled.grant.grant_id,
                    type_key=type_key,
                    keys=[dict(key.jwk) for key in keys],
                    created_at=now,
                )
            )
        return Answer(202, {"transaction_id": transaction, "interval": int(POLL.total_seconds())})

    def _issued(self, entitled: Entitled, licence_id: str, keys: Sequence[PublicKey], now: datetime) -> Answer:
        try:
            licence = self._issuer.read(entitled.agency, licence_id)
            if licence.state != LicenceState.VALID:  # one that was renewed is taken as its newest version
                with self._database.read() as session:
                    newest = issuers_store.newest_version(session, licence)
                licence = newest if newest.state == LicenceState.VALID else licence
            made = self._copies.issue(licence, keys, actor="foreign wallet", now=now)
        except KeyInUseError as error:
            raise OAuthError("invalid_proof", "a key is bound to another credential already") from error
        except (UnknownLicenceError, IssuerError) as error:
            raise OAuthError("credential_request_denied", f"the licence cannot be issued: {error.code}") from error
        name = base64url.encode(self._randomness(SECRET_BYTES))
        with self._database.write() as session:
            session.add(
                Notice(
                    notification_id=name,
                    grant_id=entitled.grant.grant_id,
                    thumbprints=[key.thumbprint for key in keys],
                    at=now,
                )
            )
        return Answer(200, {"credentials": [{"credential": one} for one in made], "notification_id": name})


def _asked(body: Mapping[str, Any], entitled: Entitled) -> str:
    """Return the type that a request asks for, by identifier or configuration; one the token is not for is refused."""
    identifier, configuration = body.get("credential_identifier"), body.get("credential_configuration_id")
    if (identifier is None) == (configuration is None) or FIRST_DRAFTS & body.keys():
        raise OAuthError("invalid_credential_request", "one of credential_identifier and credential_configuration_id")
    named = identifier if identifier is not None else configuration
    if not isinstance(named, str) or named not in entitled.licences:
        kind = "configuration" if identifier is None else "identifier"
        raise OAuthError(f"unknown_credential_{kind}", "the access token is not for that")
    return named
