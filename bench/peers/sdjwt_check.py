"""Verification of a presentation with `sd-jwt` (OpenWallet Foundation) and what it leaves to its caller."""
# mypy: disable-error-code="import-not-found,import-untyped"

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any

from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier

Verify = Callable[[str, str, str], dict[str, Any]]


def keep_status_list(bits: int, lst: str) -> Callable[[int], int]:
    """Inflate a status list once (Token Status List section 4); reads one entry."""
    data = zlib.decompress(_decode(lst))

    def read(index: int) -> int:
        at = index * bits
        if type(index) is not int or index < 0 or at >= len(data) * 8:
            raise ValueError("no such status entry")
        return data[at >> 3] >> (at & 7) & ((1 << bits) - 1)

    return read


def verifier(set_up: dict[str, Any]) -> Verify:
    """Take `issuer_jwk`, `status` and `now`; verifies a presentation and returns its claims, or raises."""
    issuer_key, now = JWK(**set_up["issuer_jwk"]), set_up["now"]
    status = keep_status_list(set_up["status"]["bits"], set_up["status"]["lst"])

    def issuer_key_of(_issuer: str, header: dict[str, Any]) -> JWK:
        if header.get("alg") != "ES256" or header.get("typ") != "dc+sd-jwt":
            raise ValueError("not an SD-JWT VC signed with ES256")
        return issuer_key

    def verify(presentation: str, audience: str, nonce: str) -> dict[str, Any]:
        if not (audience and nonce):
            raise ValueError("no audience or nonce")  # without both the library skips key binding
        checked = SDJWTVerifier(presentation, issuer_key_of, audience, nonce)
        claims: dict[str, Any] = checked.get_verified_payload()
        # The library leaves every date and the status to its caller ("TODO: Check exp/nbf/iat").
        binding = json.loads(_decode(presentation.rpartition("~")[2].split(".")[1]))
        if not (binding["iat"] <= now + 10 and now - binding["iat"] <= 60):
            raise ValueError("stale presentation")
        if claims["iat"] > now + 60 or claims.get("nbf", 0) > now or claims.get("exp", now + 1) <= now:
            raise ValueError("outside the licence's dates")
        if status(claims["status"]["status_list"]["idx"]) != 0:
            raise ValueError("status is not valid")
        return claims

    return verify


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
