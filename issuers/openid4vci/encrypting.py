"""Encrypted credential requests and responses (VCI section 10): ECDH-ES on P-256 with A128GCM or A256GCM.

A response is encrypted when its request asks for it, and such a request must be encrypted itself (section 8.2). What
is refused is refused in clear.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credentials import jwe, strict_json
from credentials.errors import FormatError
from keys.errors import CustodyError
from keys.models import KeyPurpose, KeyState
from keys.oauth.errors import OAuthError
from keys.vault import KeyMaker, Vault

PARAMETERS = "credential_response_encryption"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a response is encrypted to."""

    jwk: Mapping[str, Any]
    enc: str


class Encrypting:
    """Opens requests with the agency's key, and seals responses."""

    def __init__(self, *, vault: Vault, make_key: KeyMaker, randomness: Callable[[int], bytes]) -> None:
        self._vault = vault
        self._make_key = make_key
        self._randomness = randomness

    def keys(self, agency: str, *, now: datetime) -> list[dict[str, str]]:
        """Return the agency's public encryption keys; the first is made when it is first asked for."""
        if not self._vault.key_rows(agency, KeyPurpose.ENCRYPTION):
            self._vault.create(agency, KeyPurpose.ENCRYPTION, actor=agency, now=now)
        rows = self._vault.key_rows(agency, KeyPurpose.ENCRYPTION)
        return [
            {**row.jwk, "kid": row.kid, "use": "enc", "alg": jwe.ALGORITHM}
            for row in rows
            if row.state == KeyState.ACTIVE
        ]

    def opened(self, agency: str, raw: bytes) -> dict[str, Any]:
        """Return the request inside a JWE; one that does not open raises `invalid_encryption_parameters`."""
        try:
            sealed = jwe.parse(raw.decode("ascii"))
            agree = self._vault.agreement(sealed.kid or "", agency)
            return strict_json.loads_object(jwe.decrypt(sealed, agree))
        except (FormatError, CustodyError, UnicodeDecodeError) as error:
            raise OAuthError("invalid_encryption_parameters", "the encrypted request does not open") from error

    def recipient(self, body: Mapping[str, Any], *, encrypted: bool) -> Recipient | None:
        """Return whom a request wants its response encrypted to, None for a plain one."""
        asked = body.get(PARAMETERS)
        if asked is None:
            return None
        if not encrypted:
            raise OAuthError("invalid_encryption_parameters", "such a request is encrypted itself")
        if not isinstance(asked, Mapping) or "zip" in asked or asked.get("enc") not in [*jwe.KEY_BYTES]:
            raise OAuthError("invalid_encryption_parameters", "enc is A128GCM or A256GCM, and nothing is compressed")
        jwk = asked.get("jwk")
        if not isinstance(jwk, Mapping) or jwk.get("alg") != jwe.ALGORITHM:
            raise OAuthError("invalid_encryption_parameters", "jwk names alg ECDH-ES")
        try:
            jwe.recipient(jwk)
        except FormatError as error:
            raise OAuthError("invalid_encryption_parameters", error.detail) from error
        return Recipient(jwk, str(asked["enc"]))

    def sealed(self, body: Mapping[str, Any], to: Recipient) -> str:
        """Return a response as a JWE to its recipient."""
        return jwe.encrypt(
            strict_json.dumps(dict(body)), to.jwk, enc=to.enc, ephemeral=self._make_key(), randomness=self._randomness
        )
