"""An identity platform of a city: a small OpenID Connect provider that lets a test bend everything it says."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from credentials import base64url
from tests.world import PARENT, World
from wallet.openid4vc.fetching import Fetched

ISSUER = "https://id.city.example"
CLIENT_ID = "licence-wallet"
SETTINGS: dict[str, Any] = {
    "oidc_issuer": ISSUER,
    "oidc_client_id": CLIENT_ID,
    "oidc_client_secret": "a-secret-of-the-sandbox",
    "oidc_code_claim": "citizen_number",
    "oidc_levels": "loa3 loa4",
    "oidc_verified_claim": "number_verified",
}
_KEY = generate_private_key(65537, 2048)


def rsa_key() -> RSAPrivateKey:
    """Another key than the platform's."""
    return generate_private_key(65537, 2048)


@dataclass
class Platform:
    """The provider. `claims` are laid over what an ID token says (None takes one away), `head` over its header."""

    world: World
    person: str = PARENT
    claims: dict[str, Any] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    key: RSAPrivateKey = _KEY
    algorithm: str = "RS256"
    asked: dict[str, str] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __call__(self, method: str, url: str, **how: Any) -> Fetched:
        """Answer a call of the service's."""
        path = urlsplit(url).path
        if path.endswith("/openid-configuration"):
            return self._json(self._metadata())
        if path == "/jwks":
            numbers = _KEY.public_key().public_numbers()
            parts = {
                name: base64url.encode(n.to_bytes((n.bit_length() + 7) // 8, "big"))
                for name, n in (("n", numbers.n), ("e", numbers.e))
            }
            return self._json(
                kind="application/jwk-set+json",
                told={"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k1", **parts}]},
            )
        if path == "/userinfo":
            return self._json({"sub": self._subject(), **self.userinfo})
        self.sent.append(how)
        if how["data"].get("code") not in self.codes:
            return Fetched(400, "application/json", b'{"error":"invalid_grant"}', {})
        self.asked = self.codes.pop(how["data"]["code"])
        told = {"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": self.id_token()}
        return self._json(_bent(told, self.answer))

    def sign_in(self, address: str, **bends: str) -> str:
        """Where the platform sends a browser that came with `address`, after the person signed in."""
        asked = dict(parse_qsl(urlsplit(address).query))
        code = f"code-{len(self.sent)}-{len(self.codes)}"
        self.codes[code] = asked
        return (
            f"{asked['redirect_uri']}?{urlencode(_bent({'code': code, 'state': asked['state'], 'iss': ISSUER}, bends))}"
        )

    def id_token(self) -> str:
        """The ID token for what was asked last."""
        second = int(self.world.now.timestamp())
        person = self.world.people[self.person]
        told = {
            "iss": ISSUER, "sub": self._subject(), "aud": CLIENT_ID, "iat": second, "exp": second + 300,
            "nonce": self.asked["nonce"], "auth_time": second - 30, "acr": "loa3",
            "citizen_number": person["code"], "name": person["name"], "number_verified": True,
        }  # fmt: skip
        key: Any = self.key if self.algorithm.startswith(("RS", "PS")) else "x" * 64
        return jwt.encode(_bent(told, self.claims), key, self.algorithm, headers={"kid": "k1", **self.head})

    def _subject(self) -> str:
        return f"account-of-{self.person}"

    def _metadata(self) -> dict[str, Any]:
        told = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks",
            "authorization_response_iss_parameter_supported": True,
        }
        return _bent(told, self.metadata)

    def _json(self, told: dict[str, Any], kind: str = "application/json") -> Fetched:
        return Fetched(self.status, kind, json.dumps(told).encode(), {})


def _bent(told: dict[str, Any], bends: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**told, **bends}.items() if value is not None}
