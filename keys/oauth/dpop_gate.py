"""DPoP at our doors (RFC 9449): a proof counts once; where a realm is named, its nonce must be ours."""

from datetime import datetime

from credentials import dpop
from credentials.errors import FormatError
from keys.errors import DpopRefusedError
from keys.oauth.errors import OAuthError
from keys.oauth.nonces import DPOP_NONCE, Nonces
from records.database import Database

JTI = "dpop_jti"


class DpopGate:
    """Checks proofs."""

    def __init__(self, *, database: Database, nonces: Nonces) -> None:
        self._database = database
        self._nonces = nonces

    def proven(self, realm: str, text: str | None, url: str, *, access_token: str | None = None, now: datetime) -> str:
        """Return the thumbprint of the key that a POST to `url` proved; refused with 400, at a resource with 401.

        `realm` is whose nonces are good: an agency.
        """
        status = 400 if access_token is None else 401
        try:
            proof = dpop.check(text or "", method="POST", url=url, now=now, access_token=access_token)
        except FormatError as error:
            raise self._refused("invalid_dpop_proof", error.detail, status) from error
        if not self._nonces.check(DPOP_NONCE, realm, proof.nonce, now=now):
            nonce = {"DPoP-Nonce": self._nonces.make(DPOP_NONCE, realm, now=now)}
            raise self._refused("use_dpop_nonce", "use the nonce of the DPoP-Nonce header", status, nonce)
        if not self._spend(proof, now):
            raise self._refused("invalid_dpop_proof", "the proof was used before", status)
        return proof.key.thumbprint

    def key_of(
        self, text: str | None, method: str, url: str, *, access_token: str | None = None, now: datetime
    ) -> dpop.Proof:
        """Return what proved a call of our own API; anything else raises `DpopRefusedError`.

        There is no nonce to fetch first: a proof lives a minute and counts once.
        """
        try:
            proof = dpop.check(text or "", method=method, url=url, now=now, access_token=access_token)
        except FormatError as error:
            raise DpopRefusedError(f"the DPoP proof is refused: {error.detail}") from error
        if not self._spend(proof, now):
            raise DpopRefusedError("the DPoP proof was used before")
        return proof

    def _spend(self, proof: dpop.Proof, now: datetime) -> bool:
        with self._database.write() as session:
            return self._nonces.spend(session, JTI, f"{proof.key.thumbprint} {proof.jti}", now=now)

    def _refused(self, error: str, description: str, status: int, headers: dict[str, str] | None = None) -> OAuthError:
        sent = dict(headers or {})
        if status == 401:
            sent["WWW-Authenticate"] = f'DPoP error="{error}", algs="ES256"'
        return OAuthError(error, description, status=status, headers=sent)
