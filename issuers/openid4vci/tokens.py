"""The token endpoint (VCI section 6; RFC 6749, 9449): a code becomes an access token, once.

Tokens are opaque and hashed at rest. One without DPoP lives five minutes (VCI section 13.10) and cannot be
refreshed; one with DPoP is bound to that key, and so is its refresh token. An authorization code works only with DPoP
and for the wallet instance that pushed its request; a pre-authorized code for any wallet, also one without a name.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from sqlmodel import Session

from credentials import base64url
from issuers.openid4vci import store
from issuers.openid4vci.clients import Client, Clients
from issuers.openid4vci.details import details
from issuers.openid4vci.models import Authorization, Grant, Offer
from issuers.openid4vci.offers import PRE_AUTHORIZED, hashed
from keys.encryption import Seal
from keys.oauth.dpop_gate import DpopGate
from keys.oauth.errors import OAuthError
from keys.trust_list import issuer_url
from records import audit
from records.database import Database

ACCESS_LIFE = timedelta(minutes=5)
REFRESH_LIFE = timedelta(days=90)
TX_CODE_TRIES = 5  # wrong transaction codes before an offer is dead (VCI section 13.6.2)
TOKEN_BYTES = 32
ID_BYTES = 12
USED = "the code is unknown, used or over"


class Tokens:
    """Gives access tokens."""

    def __init__(
        self,
        *,
        database: Database,
        seal: Seal,
        gate: DpopGate,
        clients: Clients,
        base_url: str,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._seal = seal
        self._gate = gate
        self._clients = clients
        self._base_url = base_url
        self._randomness = randomness

    def token(
        self, agency: str, form: Mapping[str, str], client: Client | None, proof: str | None, *, now: datetime
    ) -> dict[str, Any]:
        """Answer a token request: its form, the wallet that authenticated, its DPoP header (None if there was none)."""
        url = f"{issuer_url(self._base_url, agency)}/token"
        jkt = self._gate.proven(agency, proof, url, now=now) if proof is not None else None
        kind = form.get("grant_type")
        if kind == PRE_AUTHORIZED:
            return self._by_offer(agency, form, client, jkt, now)
        if kind == "authorization_code":
            return self._by_authorization(agency, form, self._clients.must(client), jkt, now)
        if kind == "refresh_token":
            return self._by_refresh(agency, form, client, jkt, now)
        raise OAuthError("unsupported_grant_type" if kind else "invalid_request", "grant_type is missing or unknown")

    def _by_offer(
        self, agency: str, form: Mapping[str, str], client: Client | None, jkt: str | None, now: datetime
    ) -> dict[str, Any]:
        code = form.get("pre-authorized_code")
        if not code:
            raise OAuthError("invalid_request", "pre-authorized_code is missing")
        with self._database.read() as session:
            offer = store.offer_by_code(session, agency, hashed(code))
        if offer is None or offer.redeemed_at is not None or now >= offer.expires_at:
            raise OAuthError("invalid_grant", USED)
        named = self._details(agency, form, [offer.type_key])
        self._check_tx_code(offer, form.get("tx_code"))
        secrets = self._token(TOKEN_BYTES), self._token(TOKEN_BYTES)
        grant = self._grant(agency, form.get("client_id"), client, jkt, secrets, now)
        grant.offer_id = offer.offer_id
        with self._database.write() as session:
            if not store.redeem(session, offer.offer_id, now):
                raise OAuthError("invalid_grant", USED)
            self._add(session, grant, "offer.redeemed", now)
        return _answer(grant, secrets, named)

    def _check_tx_code(self, offer: Offer, tx_code: str | None) -> None:
        """Raise unless the transaction code is as the offer wants it; tries are counted before they are looked at."""
        if (tx_code is None) != (offer.tx_code_hash is None):
            raise OAuthError("invalid_request", "tx_code is missing, or was not asked for")
        if tx_code is None:
            return
        with self._database.write() as session:
            allowed = store.count_try(session, offer.offer_id, TX_CODE_TRIES)
        if not allowed or self._seal.lookup(f"tx_code {offer.offer_id} {tx_code}") != offer.tx_code_hash:
            raise OAuthError("invalid_grant", "the transaction code is wrong, or was tried too often")

    def _by_authorization(
        self, agency: str, form: Mapping[str, str], client: Client, jkt: str | None, now: datetime
    ) -> dict[str, Any]:
        """Exchange an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.6, RFC 9449 section 10).

        Code, instance and key all hang together, so a code that is sent twice harms nobody: the second time it is
        refused, and the token of the first stays good.
        """
        code, verifier = form.get("code"), form.get("code_verifier")
        if not code or not verifier:
            raise OAuthError("invalid_request", "code or code_verifier is missing")
        if jkt is None:
            raise OAuthError("invalid_dpop_proof", "an authorization code works with DPoP only")
        with self._database.read() as session:
            row = store.authorization_by_code(session, agency, hashed(code))
        if row is None or row.redeemed_at is not None or row.code_until is None or now >= row.code_until:
            raise OAuthError("invalid_grant", USED)
        if (row.client_id, row.instance, row.redirect_uri) != (
            client.client_id,
            client.instance,
            form.get("redirect_uri"),
        ):
            raise OAuthError("invalid_grant", "the code is another wallet's, or for another redirect_uri")
        if not _verifies(verifier, row.code_challenge):
            raise OAuthError("invalid_grant", "code_verifier does not fit")
        if row.jkt not in {None, jkt}:
            raise OAuthError("invalid_grant", "the code is bound to another key")
        asked = self._details(agency, form, row.type_keys)
        named = asked or (_named(row.type_keys) if row.by_details else [])
        secrets = self._token(TOKEN_BYTES), self._token(TOKEN_BYTES)
        grant = self._grant(agency, client.client_id, client, jkt, secrets, now)
        grant.offer_id, grant.licences = row.offer_id, row.licences or None
        with self._database.write() as session:
            if not store.redeem_code(session, row.authorization_id, now):
                raise OAuthError("invalid_grant", USED)
            self._add(session, grant, "authorization.redeemed", now)
        return _answer(grant, secrets, named) | _scope(row)

    def _by_refresh(
        self, agency: str, form: Mapping[str, str], client: Client | None, jkt: str | None, now: datetime
    ) -> dict[str, Any]:
        secret = form.get("refresh_token")
        if not secret:
            raise OAuthError("invalid_request", "refresh_token is missing")
        access = self._token(TOKEN_BYTES)
        with self._database.write() as session:
            grant = store.grant_by_refresh(session, hashed(secret))
            over = grant is None or grant.refresh_until is None or now >= grant.refresh_until
            if grant is None or over or grant.agency != agency or grant.jkt != jkt:
                raise OAuthError("invalid_grant", "the refresh token is unknown, over, or another key's")
            if grant.instance not in {None, client.instance if client else None}:
                raise OAuthError("invalid_grant", "the refresh token is another wallet instance's")
            grant.access_hash, grant.access_until = hashed(access), now + ACCESS_LIFE
            self._audit(session, grant, "grant.refreshed", now)
        return _answer(grant, (access, secret), [])

    def _details(self, agency: str, form: Mapping[str, str], offered: Sequence[str]) -> list[dict[str, Any]]:
        text = form.get("authorization_details")
        return [] if text is None else details(text, offered, issuer_url(self._base_url, agency))

    def _grant(
        self,
        agency: str,
        client_id: str | None,
        client: Client | None,
        jkt: str | None,
        secrets: tuple[str, str],
        now: datetime,
    ) -> Grant:
        return Grant(
            grant_id=self._token(ID_BYTES),
            agency=agency,
            client_id=client_id,
            instance=client.instance if client else None,
            jkt=jkt,
            access_hash=hashed(secrets[0]),
            access_until=now + ACCESS_LIFE,
            refresh_hash=hashed(secrets[1]) if jkt else None,
            refresh_until=now + REFRESH_LIFE if jkt else None,
            created_at=now,
        )

    def _add(self, session: Session, grant: Grant, act: str, now: datetime) -> None:
        session.add(grant)
        session.flush()
        self._audit(session, grant, act, now)

    def _audit(self, session: Session, grant: Grant, act: str, now: datetime) -> None:
        actor = f"wallet:{grant.client_id}" if grant.instance else "foreign wallet"
        audit.record(session, stream=f"issuers/{grant.agency}", actor=actor, act=act, subject=grant.grant_id, now=now)

    def _token(self, size: int) -> str:
        return base64url.encode(self._randomness(size))


def _answer(grant: Grant, secrets: tuple[str, str], named: list[dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "access_token": secrets[0],
        "token_type": "DPoP" if grant.jkt else "Bearer",
        "expires_in": int(ACCESS_LIFE.total_seconds()),
    }
    if grant.refresh_hash is not None:
        told["refresh_token"] = secrets[1]
    if named:
        told["authorization_details"] = [
            {**one, "credential_identifiers": [one["credential_configuration_id"]]} for one in named
        ]
    return told


def _named(type_keys: Sequence[str]) -> list[dict[str, Any]]:
    return [{"type": "openid_credential", "credential_configuration_id": key} for key in type_keys]


def _scope(row: Authorization) -> dict[str, str]:
    return {} if row.by_details else {"scope": " ".join(row.type_keys)}


def _verifies(verifier: str, challenge: str) -> bool:
    made = base64url.encode(sha256(verifier.encode()).digest())
    return 43 <= len(verifier) <= 128 and compare_digest(made, challenge)
