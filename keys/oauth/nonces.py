"""Nonces that need no table until they are used: a time, randomness and a keyed digest of both; and what is spent."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

from sqlmodel import Session

from credentials import base64url
from credentials.errors import MalformedError
from keys.encryption import Seal
from keys.models import Spent
from records.rows import store as rows_store

LIFE = timedelta(minutes=5)
RANDOM_BYTES, TIME_BYTES = 16, 5
C_NONCE, DPOP_NONCE, CHALLENGE = "c_nonce", "dpop_nonce", "challenge"


class Nonces:
    """Makes nonces, and knows its own; each kind opens its own door only."""

    def __init__(self, *, seal: Seal, randomness: Callable[[int], bytes]) -> None:
        self._seal = seal
        self._randomness = randomness

    def make(self, kind: str, agency: str, *, now: datetime) -> str:
        """Return a fresh nonce of an agency, good for five minutes."""
        head = int(now.timestamp()).to_bytes(TIME_BYTES, "big") + self._randomness(RANDOM_BYTES)
        return base64url.encode(head) + self._digest(kind, agency, head)

    def check(self, kind: str, agency: str, nonce: object, *, now: datetime) -> bool:
        """Whether a nonce is this service's, of this kind and agency, and young enough."""
        size = (TIME_BYTES + RANDOM_BYTES) * 4 // 3
        if not isinstance(nonce, str) or not nonce.isascii() or len(nonce) <= size:
            return False
        try:
            head = base64url.decode(nonce[:size])
        except MalformedError:
            return False
        made = int.from_bytes(head[:TIME_BYTES], "big")
        known = compare_digest(nonce[size:], self._digest(kind, agency, head))
        return known and 0 <= int(now.timestamp()) - made < LIFE.total_seconds()

    def spend(self, session: Session, kind: str, value: str, *, now: datetime) -> bool:
        """Take something that counts once; of any number of requests at once one gets True."""
        digest = sha256(value.encode()).hexdigest()
        return rows_store.insert_unless_taken(session, Spent(kind=kind, digest=digest, at=now))

    def _digest(self, kind: str, agency: str, head: bytes) -> str:
        return self._seal.lookup(f"nonce {kind} {agency} {head.hex()}")[:32]
