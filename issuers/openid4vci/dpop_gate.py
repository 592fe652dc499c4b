"""DPoP at our doors (RFC 9449): the nonce must be ours, a proof counts once."""

from datetime import datetime

from credentials import dpop
from credentials.errors import FormatError
from issuers.openid4vci.nonces import DPOP_NONCE, Nonces
from keys.oauth.errors import OAuthError
from records.database import Database

JTI = "dpop_jti"


class DpopGate:
    """Checks proofs."""

    def __init__(self, *, database: Database, nonces: Nonces) -> None:
        self._database = database
        self._nonces = nonces

    def proven(self, agency: str, text: str | None, url: str, *, access_token: str | None = None, now: datetime) -> str:
        """Return the thumbprint of the key that a POST to `url` proved; refused with 400, at a resource with 401."""
        status = 400 if access_token is None else 401
        try:
            proof = dpop.check(text or "", method="POST", url=url, now=now, access_token=access_token)
        except FormatError as error:
            raise self._refused("invalid_dpop_proof", error.detail, status) from error
        if not self._nonces.check(DPOP_NONCE, agency, proof.nonce, now=now):
            nonce = {"DPoP-Nonce": self._nonces.make(DPOP_NONCE, agency, now=now)}
            raise self._refused("use_dpop_nonce", "use the nonce of the DPoP-Nonce header", status, nonce)
        with self._database.write() as session:
            fresh = self._nonces.spend(session, JTI, f"{proof.key.thumbprint} {proof.jti}", now=now)
        if not fresh:
            raise self._refused("invalid_dpop_proof", "the proof was used before", status)
        return proof.key.thumbprint

    def _refused(self, error: str, description: str, status: int, headers: dict[str, str] | None = None) -> OAuthError:
        sent = dict(headers or {})
        if status == 401:
            sent["WWW-Authenticate"] = f'DPoP error="{error}", algs="ES256"'
        return OAuthError(error, description, status=status, headers=sent)
