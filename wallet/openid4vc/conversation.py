"""One issuance's calls: DPoP proofs by a key of its own (RFC 9449), the wallet's attestation where it is asked for.

A server may answer once with a nonce or challenge to use; then the call is made again with it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from credentials import base64url, dpop, jws
from credentials.jwk import export_public
from wallet.openid4vc.attesting import Attesting
from wallet.openid4vc.discovery import Issuer
from wallet.openid4vc.fetching import Fetch, Fetched, good

ATTESTED = "attest_jwt_client_auth"
CHALLENGE = "oauth-client-attestation-challenge"
ID_BYTES = 18
ROUNDS = 3  # the call, once more with a DPoP nonce, once more with a challenge


class Conversation:
    """Calls one issuer and its authorization server."""

    def __init__(
        self,
        issuer: Issuer,
        *,
        dpop_key: EllipticCurvePrivateKey,
        instance_key: EllipticCurvePrivateKey,
        fetch: Fetch,
        attesting: Attesting,
        randomness: Callable[[int], bytes],
        now: datetime,
    ) -> None:
        self.issuer = issuer
        self._dpop_key = dpop_key
        self._instance_key = instance_key
        self._fetch = fetch
        self._attesting = attesting
        self._randomness = randomness
        self._now = now
        self._nonce: str | None = None
        self._challenge: str | None = None

    def ask_server(self, endpoint: str, form: Mapping[str, str]) -> Fetched:
        """POST a form to an endpoint of the authorization server, as this wallet."""
        methods = self.issuer.server.get("token_endpoint_auth_methods_supported", [])
        attested = isinstance(methods, list) and ATTESTED in methods
        if attested and self._challenge is None and "challenge_endpoint" in self.issuer.server:
            told = good(self._fetch("POST", self.issuer.endpoint("challenge_endpoint"))).json()
            self._challenge = str(told.get("attestation_challenge"))
        return self._post(self.issuer.endpoint(endpoint), None, attested=attested, form=form)

    def ask_issuer(self, endpoint: str, token: Mapping[str, Any], **what: Any) -> Fetched:
        """POST to an endpoint of the issuer with an access token."""
        return self._post(self.issuer.endpoint(endpoint), token, attested=False, **what)

    def nonce(self) -> str | None:
        """Return a fresh `c_nonce`, None if the issuer has no nonce endpoint (VCI section 7)."""
        if "nonce_endpoint" not in self.issuer.metadata:
            return None
        answer = good(self._fetch("POST", self.issuer.endpoint("nonce_endpoint")))
        self._nonce = answer.headers.get("dpop-nonce", self._nonce)
        return str(answer.json().get("c_nonce"))

    def _post(self, url: str, token: Mapping[str, Any] | None, *, attested: bool, **what: Any) -> Fetched:
        answer = self._once(url, token, attested=attested, **what)
        for _ in range(ROUNDS - 1):
            if answer.error() not in {"use_dpop_nonce", "use_attestation_challenge"}:
                break
            answer = self._once(url, token, attested=attested, **what)
        return good(answer)

    def _once(self, url: str, token: Mapping[str, Any] | None, *, attested: bool, **what: Any) -> Fetched:
        headers = dict(what.pop("headers", {}))
        secret = str(token.get("access_token")) if token is not None else None
        if token is not None and str(token.get("token_type", "")).lower() != "dpop":
            headers["Authorization"] = f"Bearer {secret}"
        else:
            headers["DPoP"] = dpop.prove(
                jws.es256(self._dpop_key), export_public(self._dpop_key), method="POST", url=url, now=self._now,
                nonce=self._nonce, access_token=secret, jti=base64url.encode(self._randomness(ID_BYTES)),
            )  # fmt: skip
            headers |= {"Authorization": f"DPoP {secret}"} if secret is not None else {}
        if attested:
            server = str(self.issuer.server["issuer"])
            headers |= self._attesting.client(self._instance_key, server, self._challenge, now=self._now)
        answer = self._fetch("POST", url, headers=headers, **what)
        self._nonce = answer.headers.get("dpop-nonce", self._nonce)
        self._challenge = answer.headers.get(CHALLENGE, self._challenge)
        return answer
