"""Public keys as JWK (RFC 7517), refused at the door when anything about them contradicts.

ES256 first; Ed25519 is understood by the outside doors (`licence check`). One algorithm per key.
`ALGORITHMS` is the registry: a further curve (SM2 as `SGD_SM3_SM2`) is one more row and one more import.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from credentials import base64url, strict_json
from credentials.errors import KeyRefusedError, MalformedError

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
MAX_KID_LENGTH = 512  # characters; a did:jwk has some 300
COORDINATE_BYTES = 32
ALGORITHMS = {("EC", "P-256"): frozenset({"ES256"}), ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"})}
_BARE = frozenset({"kty", "crv", "x", "y"})
"""Members that cannot contradict each other but on the curve."""
_P256, _P256_FIELD = SECP256R1(), (2**256 - 2**224 + 2**192 + 2**96 - 1).to_bytes(32, "big")
_FIELD = 2**255 - 19
_EDWARDS_D = -121665 * pow(121666, -1, _FIELD) % _FIELD


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A verified-to-be-sane public key: on its curve, without a private part, for signatures."""

    key: EllipticCurvePublicKey | Ed25519PublicKey
    algorithms: frozenset[str]
    jwk: Mapping[str, str] = field(hash=False)
    kid: str | None = None

    @property
    def thumbprint(self) -> str:
        """The RFC 7638 SHA-256 thumbprint, base64url."""
        return thumbprint(self.jwk)


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the RFC 7638 SHA-256 thumbprint (base64url) of a public key that is ours or was imported."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y") if name in jwk}
    return base64url.encode(sha256(strict_json.canonical(members)).digest())


def import_public(jwk: object) -> PublicKey:
    """Return the key of `jwk`, or raise `KeyRefusedError`; unknown members are ignored, contradictions not."""
    if not isinstance(jwk, Mapping):
        raise KeyRefusedError("a JWK is a JSON object")
    algorithms = _algorithms(jwk)
    if jwk.keys() != _BARE:
        _refuse_contradictions(jwk, algorithms)
    try:
        key = _point(jwk) if jwk["kty"] == "EC" else _edwards(jwk)
    except (ValueError, MalformedError) as error:
        raise KeyRefusedError("the point is not on its curve") from error
    names = ("kty", "crv", "x", "y") if jwk["kty"] == "EC" else ("kty", "crv", "x")
    return PublicKey(key, algorithms, {name: jwk[name] for name in names}, jwk.get("kid"))


def export_public(key: EllipticCurvePublicKey | EllipticCurvePrivateKey) -> dict[str, str]:
    """Return the minimal public JWK of a P-256 `key` (kty, crv, x, y)."""
    public = key.public_key() if isinstance(key, EllipticCurvePrivateKey) else key
    numbers = public.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": base64url.encode(numbers.x.to_bytes(COORDINATE_BYTES, "big")),
        "y": base64url.encode(numbers.y.to_bytes(COORDINATE_BYTES, "big")),
    }


def import_set(jwks: object) -> dict[str, PublicKey]:
    """Return the keys of a JWK Set by `kid`; a missing or repeated `kid` raises `KeyRefusedError`."""
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(keys, list):
        raise KeyRefusedError("a JWK Set has an array of keys")
    found: dict[str, PublicKey] = {}
    for jwk in keys:
        key = import_public(jwk)
        if key.kid is None or key.kid in found:
            raise KeyRefusedError("every key of a set has its own kid")
        found[key.kid] = key
    return found


def _algorithms(jwk: Mapping[str, Any]) -> frozenset[str]:
    try:
        return ALGORITHMS[jwk.get("kty"), jwk.get("crv")]  # type: ignore[index]
    except (KeyError, TypeError) as error:
        raise KeyRefusedError("only P-256 and Ed25519 keys are accepted") from error


def _refuse_contradictions(jwk: Mapping[str, Any], algorithms: frozenset[str]) -> None:
    if not all(isinstance(name, str) for name in jwk):
        raise KeyRefusedError("a JWK is a JSON object")
    if PRIVATE_MEMBERS & jwk.keys():
        raise KeyRefusedError("a public key carries no private member")
    if jwk.get("use", "sig") != "sig":
        raise KeyRefusedError("use is not sig")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations or len(operations) != 1:
        raise KeyRefusedError("key_ops is not verify alone")
    algorithm = jwk.get("alg", next(iter(algorithms)))
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise KeyRefusedError("alg does not fit the curve")
    kid = jwk.get("kid", "")
    if not isinstance(kid, str) or len(kid) > MAX_KID_LENGTH:
        raise KeyRefusedError("kid is not a short text")


def _coordinate(jwk: Mapping[str, Any], name: str) -> bytes:
    text = jwk.get(name)
    data = base64url.decode(text) if isinstance(text, str) else b""
    if len(data) != COORDINATE_BYTES:
        raise KeyRefusedError(f"{name} is not {COORDINATE_BYTES} bytes")
    return data


def _point(jwk: Mapping[str, Any]) -> EllipticCurvePublicKey:
    coordinates = _coordinate(jwk, "x"), _coordinate(jwk, "y")
    if max(coordinates) >= _P256_FIELD:
        raise KeyRefusedError("a coordinate is not reduced")
    return EllipticCurvePublicKey.from_encoded_point(_P256, b"\x04" + b"".join(coordinates))


def _edwards(jwk: Mapping[str, Any]) -> Ed25519PublicKey:
    """Refuse what OpenSSL lets in: y not reduced, no such point, and the points of order 1, 2, 4 and 8."""
    data = _coordinate(jwk, "x")
    y = int.from_bytes(data, "little") & (2**255 - 1)
    if y >= _FIELD:
        raise KeyRefusedError("y is not reduced")
    x_squared = (y * y - 1) * pow(_EDWARDS_D * y * y + 1, -1, _FIELD) % _FIELD
    if x_squared != 0 and pow(x_squared, (_FIELD - 1) // 2, _FIELD) != 1:
        raise KeyRefusedError("the point is not on its curve")
    y_after_three_doublings, x_after = y, x_squared
    for _ in range(3):  # y and x² suffice: 2P has y' = (y² + x²) / (1 - d x² y²) on this curve
        y2, product = y_after_three_doublings**2, _EDWARDS_D * x_after * y_after_three_doublings**2
        y_after_three_doublings = (y2 + x_after) * pow(1 - product, -1, _FIELD) % _FIELD
        x_after = (
            (y_after_three_doublings**2 - 1) * pow(_EDWARDS_D * y_after_three_doublings**2 + 1, -1, _FIELD) % _FIELD
        )
    if y_after_three_doublings == 1:
        raise KeyRefusedError("the point has a small order")
    return Ed25519PublicKey.from_public_bytes(data)
