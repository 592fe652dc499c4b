"""Compact JWS behind one strict gate (RFC 7515, RFC 8725): the only door to PyJWT.

`cryptography` verifies ES256, PyJWT what else is understood; shape, header allow-list, duplicate members, canonical
base64url and sizes are refused here, before any cryptography. A token is parsed *for a purpose*; another purpose's
token does not pass. Nothing a header names is ever fetched.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from credentials import base64url, strict_json
from credentials.errors import (
    AlgorithmRefusedError,
    ClaimInvalidError,
    HeaderRefusedError,
    MalformedError,
    SignatureInvalidError,
    TokenTypeError,
)
from credentials.jwk import COORDINATE_BYTES, MAX_KID_LENGTH, PublicKey

MAX_TOKEN_BYTES = 64 * 1024
MAX_LIST_TOKEN_BYTES = 8 * 1024 * 1024  # a status list of millions of entries is one token
SHORT_HEADER = 512  # characters
LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z
Fingerprint = tuple[str, bytes]
"""A key's coordinates and the SHA-256 of what it signed and the signature."""
Signer = Callable[[bytes], bytes]
"""Signs bytes with one private key; ES256: 64 bytes r‖s."""


@dataclass(frozen=True, slots=True, eq=False)
class Purpose:
    """What one kind of token must look like; `typ` None accepts any (outside doors only)."""

    typ: str | None
    members: frozenset[str]
    algorithms: frozenset[str] = frozenset({"ES256"})
    max_bytes: int = MAX_TOKEN_BYTES


LICENCE = Purpose("dc+sd-jwt", frozenset({"alg", "typ", "kid", "x5c"}))
FOREIGN_LICENCE = Purpose("dc+sd-jwt", LICENCE.members | {"x5t", "x5t#S256", "vctm", "trust_chain", "cty"})
"""Any issuer's, for a wallet to hold: members that mean nothing here may stand in it, none that asks for something."""
KEY_BINDING = Purpose("kb+jwt", frozenset({"alg", "typ"}))
STATUS_LIST = Purpose("statuslist+jwt", frozenset({"alg", "typ", "kid", "x5c"}), max_bytes=MAX_LIST_TOKEN_BYTES)
TRUST_LIST = Purpose("licence-trust+jwt", frozenset({"alg", "typ", "kid"}), max_bytes=MAX_LIST_TOKEN_BYTES)
RECEIPT = Purpose("licence-receipt+jwt", frozenset({"alg", "typ", "kid"}))
KEY_PROOF = Purpose("openid4vci-proof+jwt", frozenset({"alg", "typ", "jwk", "kid", "key_attestation"}))
KEY_ATTESTATION = Purpose("key-attestation+jwt", frozenset({"alg", "typ", "kid", "x5c"}))
CLIENT_ATTESTATION = Purpose("oauth-client-attestation+jwt", frozenset({"alg", "typ", "kid", "x5c"}))
CLIENT_ATTESTATION_POP = Purpose("oauth-client-attestation-pop+jwt", frozenset({"alg", "typ"}))
DPOP = Purpose("dpop+jwt", frozenset({"alg", "typ", "jwk"}))
CLIENT_ASSERTION = Purpose(None, frozenset({"alg", "typ", "kid"}))
"""RFC 7523 fixes no `typ`; `keys/oauth/client_credentials.py` refuses those of other tokens."""
ISSUER_METADATA = Purpose("openidvci-issuer-metadata+jwt", frozenset({"alg", "typ", "x5c"}))
SERVER_METADATA = Purpose("licence-server-metadata+jwt", frozenset({"alg", "typ", "x5c"}))
REQUEST = Purpose("oauth-authz-req+jwt", frozenset({"alg", "typ", "x5c"}))
ANY = Purpose(None, frozenset({"alg", "typ", "kid", "cty"}), frozenset({"ES256", "EdDSA", "Ed25519"}))
"""For `licence check`: any type, the strict gate all the same."""
ANY_SD_JWT = Purpose(None, ANY.members | {"x5c"}, ANY.algorithms)
"""Likewise; the leaf of `x5c` is the key that is given, or the token is refused."""
ANY_KEY_BINDING = Purpose(KEY_BINDING.typ, KEY_BINDING.members | {"kid"}, ANY.algorithms)
"""Likewise; `kid` means nothing: the key is the licence's `cnf`."""
ANY_STATUS_LIST = Purpose("statuslist+jwt", ANY_SD_JWT.members, ANY.algorithms, MAX_LIST_TOKEN_BYTES)


class Unverified(NamedTuple):
    """A well-formed token that nobody has vouched for; good only for choosing a key."""

    header: Mapping[str, Any]
    payload_bytes: bytes
    signing_input: bytes
    signature: bytes

    @property
    def kid(self) -> str | None:
        """The key id the header claims."""
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else None

    def unverified_payload(self) -> dict[str, Any]:
        """Return the payload object, to find out whose key to try; believe none of it."""
        return strict_json.loads_object(self.payload_bytes)


class Verified(NamedTuple):
    """A token whose signature verified under a given key."""

    header: Mapping[str, Any]
    payload_bytes: bytes

    def payload(self) -> dict[str, Any]:
        """Return the payload object; raises `MalformedError` if it is not strict JSON."""
        return strict_json.loads_object(self.payload_bytes)


def parse(text: str, purpose: Purpose) -> Unverified:
    """Take `text` apart for `purpose` (RFC 7515 section 5.2 steps 1 to 5); no signature is checked.

    Raises `MalformedError`, `HeaderRefusedError`, `AlgorithmRefusedError` or `TokenTypeError`.
    """
    if not text.isascii() or len(text) > purpose.max_bytes:
        raise MalformedError("not ASCII, or too long")
    segments = text.split(".")
    if len(segments) != 3:
        raise MalformedError("a compact JWS has three segments")
    header = (_header_again if len(segments[0]) <= SHORT_HEADER else _header)(segments[0], purpose)
    payload_bytes, signature = base64url.decode(segments[1]), base64url.decode(segments[2])
    return Unverified(header, payload_bytes, f"{segments[0]}.{segments[1]}".encode("ascii"), signature)


def _header(segment: str, purpose: Purpose) -> Mapping[str, Any]:
    header = strict_json.loads_object(base64url.decode(segment))
    _check_header(header, purpose)
    return MappingProxyType(header)


_header_again = lru_cache(maxsize=1024)(_header)
"""The same short header stands before all tokens of a key: it is read once. What is refused is refused each time."""


class SignatureMemory(Protocol):
    """Remembers (key, bytes and signature) pairs that verified; the same pair verifies for ever."""

    def __contains__(self, fingerprint: object, /) -> bool:
        """Whether this pair verified before."""

    def add(self, fingerprint: Fingerprint, /) -> None:
        """Remember a pair that verified."""


def verify(token: Unverified, key: PublicKey, memory: SignatureMemory | None = None) -> Verified:
    """Return the token as verified under `key`, or raise `SignatureInvalidError` (RFC 7515 section 5.2).

    With a `memory`, a signature that verified before under the same key is not computed again.
    """
    algorithm = token.header["alg"]
    if algorithm not in key.algorithms:
        raise AlgorithmRefusedError("the algorithm does not fit the key")
    fingerprint: Fingerprint | None = None
    if memory is not None:
        signed = sha256(token.signing_input + b"." + token.signature).digest()
        fingerprint = (key.jwk["x"] + key.jwk.get("y", ""), signed)
    if memory is not None and fingerprint in memory:
        return Verified(token.header, token.payload_bytes)
    if algorithm == "ES256":
        _verify_es256(token, key)
    elif not _EDDSA.verify(token.signing_input, key.key, token.signature):
        raise SignatureInvalidError
    if memory is not None and fingerprint is not None:
        memory.add(fingerprint)
    return Verified(token.header, token.payload_bytes)


def _verify_es256(token: Unverified, key: PublicKey) -> None:
    """Raise unless a signature is that of a P-256 key: 64 bytes r‖s (RFC 7518 section 3.4).

    Not by PyJWT, as with `es256`: its way from r‖s to DER is a tenth of the work.
    """
    if len(token.signature) != 2 * COORDINATE_BYTES or not isinstance(key.key, EllipticCurvePublicKey):
        raise SignatureInvalidError
    r, s = token.signature[:COORDINATE_BYTES], token.signature[COORDINATE_BYTES:]
    written = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    try:
        key.key.verify(written, token.signing_input, _ECDSA)
    except InvalidSignature as error:
        raise SignatureInvalidError from error


def signing_input(
    purpose: Purpose, payload: Mapping[str, Any], *, kid: str | None = None, more: Mapping[str, Any] | None = None
) -> bytes:
    """Return the exact bytes to sign for `payload` (RFC 7515 section 5.1); `more` joins the header (`x5c`, `jwk`)."""
    header = _written(purpose.typ, kid, more) if more else _written_again(purpose.typ, kid)
    return f"{header}.{base64url.encode(strict_json.dumps(payload))}".encode("ascii")


def _written(typ: str | None, kid: str | None, more: Mapping[str, Any] | None = None) -> str:
    header = {"alg": "ES256", "typ": typ} | ({"kid": kid} if kid else {}) | dict(more or {})
    return base64url.encode(strict_json.dumps(header))


_written_again = lru_cache(maxsize=1024)(_written)
"""The same header stands before all tokens that a key signs for a purpose: it is written once."""


def assemble(to_be_signed: bytes, signature: bytes) -> str:
    """Return the compact token of signed bytes and their signature; the signature is not checked."""
    return f"{to_be_signed.decode('ascii')}.{base64url.encode(signature)}"


def sign(
    purpose: Purpose,
    payload: Mapping[str, Any],
    signer: Signer,
    *,
    kid: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> str:
    """Return `payload` as a compact token of `purpose`."""
    to_be_signed = signing_input(purpose, payload, kid=kid, more=more)
    return assemble(to_be_signed, signer(to_be_signed))


def es256(key: EllipticCurvePrivateKey) -> Signer:
    """Return the signer of a P-256 private key (RFC 7518 section 3.4).

    Not by PyJWT: its way from DER to r‖s takes half as long as the signature.
    """

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, _ECDSA))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def numeric_date(payload: Mapping[str, Any], name: str) -> int | None:
    """Return the whole second of claim `name`, None when absent; other types raise `ClaimInvalidError`."""
    value = payload.get(name)
    if value is None and name not in payload:
        return None
    if type(value) is not int or not 0 <= value <= LAST_SECOND:
        raise ClaimInvalidError(f"{name} is not a whole second")
    return value


def required_date(payload: Mapping[str, Any], name: str) -> int:
    """Return the whole second of claim `name`; absence raises `ClaimInvalidError` too."""
    value = numeric_date(payload, name)
    if value is None:
        raise ClaimInvalidError(f"{name} is missing")
    return value


def required_text(payload: Mapping[str, Any], name: str) -> str:
    """Return the non-empty text of claim `name`; anything else raises `ClaimInvalidError`."""
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise ClaimInvalidError(f"{name} is not a text")
    return value


_EDDSA: Any = jwt.get_algorithm_by_name("EdDSA")
"""Ed25519's, by either of its names (RFC 9864)."""
_ECDSA = ECDSA(SHA256())


_HEADER_TYPES: dict[str, type] = {"x5c": list, "jwk": dict, "vctm": list, "trust_chain": list}
"""Header members that are not texts, where a purpose allows them."""


def _check_header(header: Mapping[str, Any], purpose: Purpose) -> None:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in purpose.algorithms:
        raise AlgorithmRefusedError
    if not header.keys() <= purpose.members:
        raise HeaderRefusedError
    if purpose.typ is not None and header.get("typ") != purpose.typ:
        raise TokenTypeError
    for name, value in header.items():
        if not isinstance(value, _HEADER_TYPES.get(name, str)):
            raise HeaderRefusedError(f"{name} is not what it must be")
    kid = header.get("kid", "-")
    if not kid or len(kid) > MAX_KID_LENGTH or not kid.isprintable():
        raise HeaderRefusedError("kid is not a short text")
