"""Where the key-encryption key (KEK) is kept, and the one secret that it wraps.

Everything at rest is sealed under keys derived from one random root secret (`encryption.py`). The KEK wraps that secret
and nothing else, so a new KEK is one row: nothing is ever half moved. A custodian that never gives its key out (an HSM,
a vault service) fits the same interface.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys import store
from keys.encryption import KEK_BYTES, NONCE_BYTES, Seal, derived
from keys.errors import KeySealBrokenError
from keys.models import WrappedRoot
from keys.vault import STREAM, sealed_context
from records import audit
from records import store as records_store
from records.database import Database
from records.rows import store as rows_store

CONTEXT = b"licence-wallet root"


class Custodian(Protocol):
    """Holds a key-encryption key."""

    @property
    def name(self) -> str:
        """What this key is called in the database: another key has another name."""

    def wrap(self, secret: bytes) -> bytes:
        """Return a secret wrapped."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return what was wrapped with this key; anything else raises `KeySealBrokenError`."""


class KeyInFile:
    """A key-encryption key from a file or the environment: 32 bytes."""

    def __init__(self, kek: bytes, *, randomness: Callable[[int], bytes]) -> None:
        self.kek = kek
        self._cipher = AESGCM(derived(kek, CONTEXT))
        self._randomness = randomness

    @property
    def name(self) -> str:
        """`file:` and a fingerprint that tells nothing of the key."""
        return f"file:{derived(self.kek, b'licence-wallet name').hex()[:16]}"

    def wrap(self, secret: bytes) -> bytes:
        """Return a secret wrapped (AES-256-GCM)."""
        nonce = self._randomness(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, CONTEXT)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return what was wrapped with this key; anything else raises `KeySealBrokenError`."""
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], CONTEXT)
        except (InvalidTag, ValueError) as error:
            raise KeySealBrokenError from error


class Root:
    """The root secret: made once, wrapped by the custodian's key."""

    def __init__(self, *, database: Database, custodian: Custodian, randomness: Callable[[int], bytes]) -> None:
        self._database = database
        self._custodian = custodian
        self._randomness = randomness

    def open(self) -> bytes:
        """Return the secret; one that another key wraps raises `KeySealBrokenError`."""
        return self._opened(self._row() or self._made())

    def must_open(self, custodian: str, wrapped: bytes) -> None:
        """Raise `KeySealBrokenError` unless the key that is set opens a secret as another database has it."""
        self._opened(WrappedRoot(custodian=custodian, wrapped=wrapped))

    def is_the_key_itself(self) -> bool:
        """Whether the key-encryption key is the secret itself, as in a database from before: who has it has both."""
        return isinstance(self._custodian, KeyInFile) and self.open() == self._custodian.kek

    def rewrap(self, custodian: Custodian, *, actor: str, now: datetime) -> bool:
        """Wrap the secret with another custodian's key, which from then on alone opens it.

        False if that was done before, which only the other key can tell: names may be equal where keys are not.
        Raises `KeySealBrokenError` if neither opens what is here, or the other does not open what it wraps.
        """
        row = self._row() or self._made()
        try:
            secret = self._opened(row)
        except KeySealBrokenError:
            if row.custodian != custodian.name:
                raise
            custodian.unwrap(row.wrapped)
            return False
        wrapped = custodian.wrap(secret)
        if custodian.unwrap(wrapped) != secret:
            raise KeySealBrokenError("the new key does not open what it wrapped")
        with self._database.write() as session:
            records_store.lock_stream(session, STREAM)
            kept = session.get(WrappedRoot, 1, populate_existing=True)
            if kept is None or kept.wrapped != row.wrapped:
                raise KeySealBrokenError("another key-encryption key wraps what is here")
            kept.custodian, kept.wrapped = custodian.name, wrapped
            detail = {"from": self._custodian.name, "to": custodian.name}
            audit.record(session, stream=STREAM, actor=actor, act="kek.changed", subject="root", now=now, detail=detail)
        return True

    def _row(self) -> WrappedRoot | None:
        with self._database.read() as session:
            return session.get(WrappedRoot, 1)

    def _opened(self, row: WrappedRoot) -> bytes:
        if row.custodian != self._custodian.name:
            raise KeySealBrokenError("another key-encryption key wraps what is here")
        return self._custodian.unwrap(row.wrapped)

    def _made(self) -> WrappedRoot:
        """Make the secret; that of a database from before there was one is the KEK, which all was sealed under.

        A key that opens nothing of such a database raises `KeySealBrokenError`, and makes nothing.
        """
        with self._database.write() as session:
            sealed = store.any_sealed_key(session)
            secret = self._randomness(KEK_BYTES)
            if sealed is not None:
                if not isinstance(self._custodian, KeyInFile):
                    raise KeySealBrokenError("start it once under the key that all was sealed under")
                secret = self._custodian.kek
                Seal(lambda: secret, randomness=self._randomness).open(sealed.sealed or b"", sealed_context(sealed))
            row = WrappedRoot(custodian=self._custodian.name, wrapped=self._custodian.wrap(secret))
            if rows_store.insert_unless_taken(session, row):
                return row
            kept = session.get(WrappedRoot, 1, populate_existing=True)
            assert kept is not None  # noqa: S101 - somebody was first
            return kept
