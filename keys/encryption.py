"""Encryption at rest: AES-256-GCM under keys derived from one root secret, which `key_encryption.py` keeps.

What is sealed is bound to a context text: a blob put in another row's place does not open. Contexts in use: signing
keys `keys/vault.py`, holder keys and licences `wallet/keeping.py`, names `wallet/accounts.py`, keys of single answers
`verifier/openid4vp/response_keys.py`, disclosures that wait for delivery `issuers/recording.py`.
"""

from collections.abc import Callable
from functools import cached_property
from hmac import digest
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from keys.errors import KeySealBrokenError

KEK_BYTES = 32
NONCE_BYTES = 12


class Seal:
    """Seals and opens small secrets, and makes keyed digests for look-ups."""

    def __init__(self, root: Callable[[], bytes], *, randomness: Callable[[int], bytes]) -> None:
        """Seal under `root`'s 32 bytes, which are asked for when they are first needed and may raise."""
        self._root = root
        self._randomness = randomness
        self._one_asks = Lock()
        self._asked: bytes | None = None

    def _secret(self) -> bytes:
        """Return the root secret: whoever keeps its key is asked once, until it answers."""
        with self._one_asks:
            if self._asked is None:
                self._asked = self._root()
            return self._asked

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(derived(self._secret(), b"licence-wallet seal"))

    @cached_property
    def _lookup_key(self) -> bytes:
        return derived(self._secret(), b"licence-wallet lookup")

    def close(self, secret: bytes, context: str) -> bytes:
        """Return `secret` sealed for `context`."""
        nonce = self._randomness(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Return what was sealed for `context`; anything else raises `KeySealBrokenError`."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise KeySealBrokenError from error

    def close_key(self, private: EllipticCurvePrivateKey, context: str) -> bytes:
        """Return a private key sealed for `context`."""
        return self.close(key_bytes(private), context)

    def open_key(self, sealed: bytes, context: str) -> EllipticCurvePrivateKey:
        """Return the private key that was sealed for `context`; anything else raises `KeySealBrokenError`."""
        return key_of(self.open(sealed, context))

    def lookup(self, text: str) -> str:
        """Return a keyed digest of `text`: equal texts meet, and nobody without the root secret can try them all."""
        return digest(self._lookup_key, text.encode(), "sha256").hex()


def key_bytes(private: EllipticCurvePrivateKey) -> bytes:
    """Return a private key as bytes (PKCS #8, DER); whoever calls this seals it."""
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def key_of(der: bytes) -> EllipticCurvePrivateKey:
    """Return the private key of such bytes; another kind of key raises `KeySealBrokenError`."""
    private = load_der_private_key(der, password=None)
    if not isinstance(private, EllipticCurvePrivateKey):
        raise KeySealBrokenError
    return private


def derived(secret: bytes, info: bytes) -> bytes:
    """Return a key for one use, derived from a secret of 32 bytes; another length raises `ValueError`."""
    if len(secret) != KEK_BYTES:
        raise ValueError(f"a key-encryption key has {KEK_BYTES} bytes")
    return HKDF(algorithm=SHA256(), length=KEK_BYTES, salt=None, info=info).derive(secret)
