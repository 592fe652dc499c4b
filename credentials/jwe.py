"""Compact JWE with ECDH-ES on P-256 and A128GCM or A256GCM (RFC 7516; RFC 7518 sections 4.6 and 5.3), nothing else.

What HAIP 1.0 section 5 asks for: an ephemeral key agrees directly on the content key. The recipient's private
key is a callable that agrees, so that it can stay where it is kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import pack
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import ECDH, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from credentials import base64url, strict_json
from credentials.errors import EncryptionRefusedError, FormatError, KeyRefusedError
from credentials.jwk import export_public, import_public

ALGORITHM = "ECDH-ES"
KEY_BYTES = {"A128GCM": 16, "A256GCM": 32}  # content encryption → its key
IV_BYTES, TAG_BYTES = 12, 16
MAX_BYTES = 256 * 1024
MEMBERS = frozenset({"alg", "enc", "epk", "kid", "apu", "apv", "typ", "cty"})
Agree = Callable[[EllipticCurvePublicKey], bytes]
"""Returns the ECDH shared secret of one private key and a public one."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A well-formed JWE that nobody opened; `kid` says which key it is for."""

    header: Mapping[str, Any]
    kid: str | None
    protected: bytes
    iv: bytes
    ciphertext: bytes


def recipient(jwk: object) -> EllipticCurvePublicKey:
    """Return the public key of an encryption JWK; any but a P-256 one for ECDH-ES raises `KeyRefusedError`."""
    if not isinstance(jwk, Mapping) or jwk.get("use", "enc") != "enc" or jwk.get("alg", ALGORITHM) != ALGORITHM:
        raise KeyRefusedError("not a key for ECDH-ES")
    key = import_public({name: value for name, value in jwk.items() if name not in {"use", "alg", "key_ops"}}).key
    if not isinstance(key, EllipticCurvePublicKey):
        raise KeyRefusedError("only P-256 keys agree")
    return key


def encrypt(
    plaintext: bytes,
    jwk: Mapping[str, Any],
    *,
    enc: str,
    ephemeral: EllipticCurvePrivateKey,
    randomness: Callable[[int], bytes],
) -> str:
    """Return `plaintext` encrypted to the owner of `jwk`; its `kid` is copied. `ephemeral` is used this once."""
    if enc not in KEY_BYTES:
        raise EncryptionRefusedError("unknown enc")
    header = {"alg": ALGORITHM, "enc": enc, "epk": export_public(ephemeral)}
    if isinstance(jwk.get("kid"), str):
        header["kid"] = jwk["kid"]
    protected = base64url.encode(strict_json.dumps(header))
    key = _derive(ephemeral.exchange(ECDH(), recipient(jwk)), header)
    iv = randomness(IV_BYTES)
    sealed = AESGCM(key).encrypt(iv, plaintext, protected.encode("ascii"))
    parts = (iv, sealed[:-TAG_BYTES], sealed[-TAG_BYTES:])
    return ".".join([protected, "", *(base64url.encode(part) for part in parts)])


def parse(text: str) -> Sealed:
    """Take a compact JWE apart (RFC 7516 section 5.2); raises `EncryptionRefusedError` unless it is of our kind."""
    if not text.isascii() or len(text) > MAX_BYTES or text.count(".") != 4:
        raise EncryptionRefusedError("not a compact JWE, or too long")
    protected, key, *rest = text.split(".")
    try:
        header = strict_json.loads_object(base64url.decode(protected))
        iv, ciphertext, tag = (base64url.decode(part) for part in rest)
    except FormatError as error:
        raise EncryptionRefusedError("not a compact JWE") from error
    enc = header.get("enc")
    known = isinstance(enc, str) and enc in KEY_BYTES and header.keys() <= MEMBERS
    if key or header.get("alg") != ALGORITHM or not known:
        raise EncryptionRefusedError("only ECDH-ES with A128GCM or A256GCM, and nothing else in the header")
    if len(iv) != IV_BYTES or len(tag) != TAG_BYTES:
        raise EncryptionRefusedError("the parts have the wrong size")
    if not all(isinstance(header.get(name, ""), str) for name in ("apu", "apv")):
        raise EncryptionRefusedError("apu and apv are texts")
    kid = header.get("kid")
    return Sealed(header, kid if isinstance(kid, str) else None, protected.encode("ascii"), iv, ciphertext + tag)


def decrypt(sealed: Sealed, agree: Agree) -> bytes:
    """Return the plaintext, or raise `EncryptionRefusedError`."""
    try:
        secret = agree(recipient(sealed.header.get("epk")))
        return AESGCM(_derive(secret, sealed.header)).decrypt(sealed.iv, sealed.ciphertext, sealed.protected)
    except (InvalidTag, ValueError, FormatError) as error:
        raise EncryptionRefusedError("it does not open with this key") from error


def agreement(private: EllipticCurvePrivateKey) -> Agree:
    """Return the way a private key agrees."""
    return lambda public: private.exchange(ECDH(), public)


def _derive(secret: bytes, header: Mapping[str, Any]) -> bytes:
    """Return the content key: Concat KDF with the algorithm and the parties as other info (RFC 7518 section 4.6.2)."""
    size = KEY_BYTES[header["enc"]]
    parties = [base64url.decode(header.get(name, "")) for name in ("apu", "apv")]
    told = b"".join(pack(">I", len(one)) + one for one in [header["enc"].encode("ascii"), *parties])
    return ConcatKDFHash(SHA256(), size, told + pack(">I", size * 8)).derive(secret)
