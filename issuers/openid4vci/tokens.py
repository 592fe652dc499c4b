"""The token endpoint (VCI section 6; RFC 6749, 9449): a code becomes an access token, once.

Tokens are opaque and hashed at rest. One without DPoP lives five minutes (VCI section 13.10) and cannot be
refreshed; one with DPoP is bound to that key, and so is its refresh token.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from credentials import base64url, dpop, strict_json
from credentials.errors import FormatError, MalformedError
from issuers.openid4vci import store
from issuers.openid4vci.models import Grant, Offer
from issuers.openid4vci.nonces import DPOP_NONCE, Nonces
from issuers.openid4vci.offers import PRE_AUTHORIZED, hashed
from keys.encryption import Seal
from keys.oauth import OAuthError, invalid_token
from keys.trust_list import issuer_url
from records import audit
from records.database import Database

ACCESS_LIFE = timedelta(minutes=5)
REFRESH_LIFE = timedelta(days=90)
TX_CODE_TRIES = 5  # wrong transaction codes before an offer is dead (VCI section 13.6.2)
TOKEN_BYTES = 32
ID_BYTES = 12
JTI = "dpop_jti"


class Tokens:
    """Gives and reads access tokens."""

    def __init__(
        self,
        *,
        database: Database,
        seal: Seal,
        nonces: Nonces,
        base_url: str,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._seal = seal
        self._nonces = nonces
        self._base_url = base_url
        self._randomness = randomness

    def token(self, agency: str, form: Mapping[str, str], proof: str | None, *, now: datetime) -> dict[str, Any]:
        """Answer a token request (a form); `proof` is the DPoP header, None if there was none."""
        url = f"{issuer_url(self._base_url, agency)}/token"
        jkt = self._proven(agency, proof, "POST", url, None, now) if proof is not None else None
        kind = form.get("grant_type")
        if kind == PRE_AUTHORIZED:
            return self._by_code(agency, form, jkt, now)
        if kind == "refresh_token":
            return self._by_refresh(agency, form, jkt, now)
        raise OAuthError("unsupported_grant_type" if kind else "invalid_request", "grant_type is missing or unknown")

    def grant(
        self, agency: str, authorization: str | None, proof: str | None, endpoint: str, *, now: datetime
    ) -> tuple[Grant, Offer]:
        """Return what an access token stands for at a protected endpoint (RFC 9449 section 7), or refuse with 401."""
        scheme, _, secret = (authorization or "").partition(" ")
        scheme = {"bearer": "Bearer", "dpop": "DPoP"}.get(scheme.lower(), "")
        if not scheme or not secret or not secret.isascii():
            raise OAuthError("invalid_token", status=401, headers={"WWW-Authenticate": 'DPoP algs="ES256"'})
        with self._database.read() as session:
            row = store.grant_by_access(session, hashed(secret))
            offer = session.get(Offer, row.offer_id) if row else None
        if row is None or offer is None or offer.agency != agency or now >= row.access_until:
            raise invalid_token(scheme, "the access token is unknown or over")
        if (row.jkt is None) != (scheme == "Bearer"):
            raise invalid_token(scheme, "the access token is for the other scheme")
        if row.jkt is not None:
            url = f"{issuer_url(self._base_url, agency)}/{endpoint}"
            if self._proven(agency, proof, "POST", url, secret, now) != row.jkt:
                raise invalid_token(scheme, "the proof is by another key")
        return row, offer

    def _proven(
        self, agency: str, text: str | None, method: str, url: str, access_token: str | None, now: datetime
    ) -> str:
        """Return the thumbprint of the key that proved itself; the nonce must be ours and the proof new."""
        status = 400 if access_token is None else 401
        try:
            proof = dpop.check(text or "", method=method, url=url, now=now, access_token=access_token)
        except FormatError as error:
            raise self._dpop_error("invalid_dpop_proof", error.detail, status) from error
        if not self._nonces.check(DPOP_NONCE, agency, proof.nonce, now=now):
            raise self._dpop_error("use_dpop_nonce", "use the nonce of the DPoP-Nonce header", status, agency, now)
        with self._database.write() as session:
            fresh = self._nonces.spend(session, JTI, f"{proof.key.thumbprint} {proof.jti}", now=now)
        if not fresh:
            raise self._dpop_error("invalid_dpop_proof", "the proof was used before", status)
        return proof.key.thumbprint

    def _dpop_error(
        self, error: str, description: str, status: int, agency: str = "", now: datetime | None = None
    ) -> OAuthError:
        headers = {"DPoP-Nonce": self._nonces.make(DPOP_NONCE, agency, now=now)} if now else {}
        if status == 401:
            headers["WWW-Authenticate"] = f'DPoP error="{error}", algs="ES256"'
        return OAuthError(error, description, status=status, headers=headers)

    def _by_code(self, agency: str, form: Mapping[str, str], jkt: str | None, now: datetime) -> dict[str, Any]:
        code = form.get("pre-authorized_code")
        if not code:
            raise OAuthError("invalid_request", "pre-authorized_code is missing")
        with self._database.read() as session:
            offer = store.offer_by_code(session, agency, hashed(code))
        if offer is None or offer.redeemed_at is not None or now >= offer.expires_at:
            raise OAuthError("invalid_grant", "the code is unknown, used or over")
        details = _details(form.get("authorization_details"), offer.type_key)
        self._check_tx_code(offer, form.get("tx_code"))
        secrets = self._token(TOKEN_BYTES), self._token(TOKEN_BYTES)
        with self._database.write() as session:
            if not store.redeem(session, offer.offer_id, now):
                raise OAuthError("invalid_grant", "the code is unknown, used or over")
            grant = self._grant(offer, form.get("client_id"), jkt, secrets, now)
            session.add(grant)
            session.flush()
            self._audit(session, offer, grant, "offer.redeemed", now)
        return self._answer(offer, grant, secrets, details)

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

    def _by_refresh(self, agency: str, form: Mapping[str, str], jkt: str | None, now: datetime) -> dict[str, Any]:
        secret = form.get("refresh_token")
        if not secret:
            raise OAuthError("invalid_request", "refresh_token is missing")
        access = self._token(TOKEN_BYTES)
        with self._database.write() as session:
            grant = store.grant_by_refresh(session, hashed(secret))
            offer = session.get(Offer, grant.offer_id) if grant else None
            over = grant is None or grant.refresh_until is None or now >= grant.refresh_until
            if grant is None or offer is None or over or offer.agency != agency or grant.jkt != jkt:
                raise OAuthError("invalid_grant", "the refresh token is unknown, over, or another key's")
            grant.access_hash, grant.access_until = hashed(access), now + ACCESS_LIFE
            self._audit(session, offer, grant, "grant.refreshed", now)
        return self._answer(offer, grant, (access, secret), [])

    def _grant(
        self, offer: Offer, client_id: str | None, jkt: str | None, secrets: tuple[str, str], now: datetime
    ) -> Grant:
        return Grant(
            grant_id=self._token(ID_BYTES),
            offer_id=offer.offer_id,
            client_id=client_id,
            jkt=jkt,
            access_hash=hashed(secrets[0]),
            access_until=now + ACCESS_LIFE,
            refresh_hash=hashed(secrets[1]) if jkt else None,
            refresh_until=now + REFRESH_LIFE if jkt else None,
            created_at=now,
        )

    def _answer(
        self, offer: Offer, grant: Grant, secrets: tuple[str, str], details: list[dict[str, Any]]
    ) -> dict[str, Any]:
        told: dict[str, Any] = {
            "access_token": secrets[0],
            "token_type": "DPoP" if grant.jkt else "Bearer",
            "expires_in": int(ACCESS_LIFE.total_seconds()),
        }
        if grant.refresh_hash is not None:
            told["refresh_token"] = secrets[1]
        if details:
            told["authorization_details"] = [{**one, "credential_identifiers": [offer.type_key]} for one in details]
        return told

    def _audit(self, session: Session, offer: Offer, grant: Grant, act: str, now: datetime) -> None:
        audit.record(
            session, stream=f"issuers/{offer.agency}", actor="foreign wallet", act=act, subject=grant.grant_id, now=now
        )

    def _token(self, size: int) -> str:
        return base64url.encode(self._randomness(size))


def _details(text: str | None, offered: str) -> list[dict[str, Any]]:
    """Return the `authorization_details` of a request (RFC 9396); all but what was offered is refused."""
    if text is None:
        return []
    try:
        details = strict_json.loads(text.encode())
    except (MalformedError, UnicodeError) as error:
        raise OAuthError("invalid_authorization_details", "authorization_details is not JSON") from error
    known = {"type": "openid_credential", "credential_configuration_id": offered}
    if not isinstance(details, list) or not details:
        raise OAuthError("invalid_authorization_details", "authorization_details is a list")
    if not all(isinstance(one, dict) and known.items() <= one.items() for one in details):
        raise OAuthError("invalid_authorization_details", "that was not offered")
    return [known for _ in details]
