"""Tokens for systems and devices (RFC 6749 section 4.4; RFC 7523 section 3; RFC 9449), as a numbered story."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from credentials import jws
from credentials.errors import FormatError
from credentials.jwk import import_public
from keys.access import Access, Role
from keys.errors import TokenRefusedError, UnknownClientError
from keys.models import OAuthClient
from keys.oauth.clients import OAuthClients, hashed
from keys.oauth.dpop_gate import DpopGate
from keys.oauth.errors import OAuthError
from keys.oauth.nonces import Nonces
from records.database import Database

TOKEN_LIFE = timedelta(minutes=10)
ASSERTION_LIFE_SECONDS = 60
AHEAD_SECONDS = 10  # how far a client's clock may run ahead
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TYPES = frozenset({None, "JWT", "client-authentication+jwt"})
JTI = "client_assertion_jti"
MAX_JTI_LENGTH = 128  # characters


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The token endpoint's one verb."""

    database: Database
    clients: OAuthClients
    access: Access
    gate: DpopGate
    nonces: Nonces
    base_url: str

    @property
    def endpoint(self) -> str:
        """The token endpoint's address."""
        return f"{self.base_url}/oauth/token"

    def token(self, form: Mapping[str, str], proof: str | None, *, now: datetime) -> dict[str, object]:
        """Answer a token request: its form, and its DPoP header (None if there was none)."""
        # 1. It is a request of this kind.
        if form.get("grant_type") != "client_credentials":
            raise OAuthError("unsupported_grant_type", "only client_credentials")
        # 2. Who it is: by a signed assertion, in the sandbox by a secret.
        client = self._asserted(form, now) if "client_assertion" in form else self._by_secret(form)
        # 3. What it may: all of its scopes, or the fewer that it asks for.
        allowed = frozenset(client.scopes.split())
        wanted = frozenset(form.get("scope", "").split()) or allowed
        if not wanted <= allowed:
            raise OAuthError("invalid_scope", "this client has no such scope")
        # 4. Whose hands it stays in: a device's token is bound to the device's own key.
        jkt = self._bound(client, proof, now)
        secret = self.access.grant(
            Role(client.role), client.subject, life=TOKEN_LIFE, scopes=wanted, client_id=client.client_id, jkt=jkt,
            label=client.name, actor=f"client:{client.client_id}", now=now,
        )  # fmt: skip
        return {
            "access_token": secret,
            "token_type": "DPoP" if jkt else "Bearer",
            "expires_in": int(TOKEN_LIFE.total_seconds()),
            "scope": " ".join(sorted(wanted)),
        }

    def _asserted(self, form: Mapping[str, str], now: datetime) -> OAuthClient:
        """Return the client that signed an assertion (RFC 7523 section 3): for here alone, a minute long, once."""
        if form.get("client_assertion_type") != ASSERTION:
            raise OAuthError("invalid_request", f"client_assertion_type is {ASSERTION}")
        try:
            token = jws.parse(form["client_assertion"], jws.CLIENT_ASSERTION)
            if token.header.get("typ") not in TYPES:
                raise _nobody("the assertion is a token for something else")
            client = self._known(jws.required_text(token.unverified_payload(), "sub"))
            if client.jwk is None:
                raise _nobody("this client has no key")
            payload = jws.verify(token, import_public(client.jwk)).payload()
            issued, last = jws.required_date(payload, "iat"), jws.required_date(payload, "exp")
            first = jws.numeric_date(payload, "nbf") or issued
            jti = jws.required_text(payload, "jti")
        except FormatError as error:
            raise _nobody(error.detail or error.code) from error
        if payload.get("iss") != client.client_id or form.get("client_id", client.client_id) != client.client_id:
            raise _nobody("iss, sub and client_id are the client's identifier")
        if payload.get("aud") not in (self.endpoint, self.base_url):
            raise _nobody(f"aud is {self.endpoint}")
        second = int(now.timestamp())
        if not 0 < last - issued <= ASSERTION_LIFE_SECONDS or second >= last:
            raise _nobody("the assertion lives a minute, from now on")
        if max(issued, first) > second + AHEAD_SECONDS:
            raise _nobody("the assertion is from this machine's future")
        with self.database.write() as session:
            fresh = len(jti) <= MAX_JTI_LENGTH and self.nonces.spend(session, JTI, f"{client.client_id} {jti}", now=now)
        if not fresh:
            raise _nobody("the assertion was used before")
        return client

    def _by_secret(self, form: Mapping[str, str]) -> OAuthClient:
        client = self._known(form.get("client_id", ""))
        secret = form.get("client_secret", "")
        if client.secret_hash is None or not compare_digest(client.secret_hash, hashed(secret)):
            raise _nobody("sign a client_assertion")
        return client

    def _known(self, client_id: str) -> OAuthClient:
        try:
            return self.clients.get(client_id)
        except UnknownClientError as error:
            raise _nobody("the client is unknown or suspended") from error

    def _bound(self, client: OAuthClient, proof: str | None, now: datetime) -> str | None:
        if proof is None:
            if client.dpop:
                raise OAuthError("invalid_dpop_proof", "this client's tokens are bound to its key: send a DPoP proof")
            return None
        try:
            key = self.gate.key_of(proof, "POST", self.endpoint, now=now).key
        except TokenRefusedError as error:
            raise OAuthError("invalid_dpop_proof", str(error)) from error
        if client.dpop and client.jwk is not None and key.thumbprint != import_public(client.jwk).thumbprint:
            raise OAuthError("invalid_dpop_proof", "the proof is by another key than the client's")
        return key.thumbprint


def _nobody(why: str) -> OAuthError:
    return OAuthError("invalid_client", why, status=401)
