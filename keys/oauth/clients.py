"""Systems and devices that get tokens of their own: agencies' and verifiers' systems, and counters' enrolled devices.

A client is known by a public key; a device proves its key once more with every call, so that a token alone is of no
use. Suspending a client works on its next call, for every token that it holds.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlmodel import Session

from credentials import base64url
from credentials.errors import KeyRefusedError
from credentials.jwk import PublicKey, import_public
from credentials.text import clean
from keys import store
from keys.access import SCOPES, Role
from keys.errors import EnrolmentRefusedError, ScopeRefusedError, SecretsRefusedError, UnknownClientError
from keys.models import EnrolmentCode, OAuthClient
from keys.vault import STREAM
from records import audit
from records.database import Database

CODE_LIFE = timedelta(minutes=10)
CODE_BYTES = 10  # 80 bits: sixteen characters to type, and nothing to guess in ten minutes
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32
SYSTEMS = frozenset({Role.AGENCY, Role.COUNTER})
ID_BYTES, SECRET_BYTES = 9, 32


@dataclass(frozen=True, slots=True)
class Registered:
    """A new client; its secret, if it has one, is told this once."""

    client_id: str
    secret: str | None


class OAuthClients:
    """The operator's verbs on clients, and a device's enrolment."""

    def __init__(self, *, database: Database, randomness: Callable[[int], bytes], secrets_allowed: bool) -> None:
        """Keep clients; `secrets_allowed` only in the sandbox, elsewhere a client has a key."""
        self._database = database
        self._randomness = randomness
        self._secrets_allowed = secrets_allowed

    def register(
        self,
        role: Role,
        subject: str,
        *,
        name: str,
        scopes: Iterable[str],
        jwk: object | None,
        dpop: bool,
        actor: str,
        now: datetime,
    ) -> Registered:
        """Take a system in, by its public key, or in the sandbox with a secret of ours; no `scopes` means all."""
        wanted = frozenset(scopes) or SCOPES[role]
        if role not in SYSTEMS or not wanted <= SCOPES[role]:
            raise ScopeRefusedError
        if jwk is None and not self._secrets_allowed:
            raise SecretsRefusedError
        secret = None if jwk is not None else base64url.encode(self._randomness(SECRET_BYTES))
        row = OAuthClient(
            client_id=base64url.name(self._randomness(ID_BYTES)),
            role=role,
            subject=subject,
            name=clean(name),
            scopes=" ".join(sorted(wanted)),
            jwk=dict(signing_key(jwk).jwk) if jwk is not None else None,
            secret_hash=hashed(secret) if secret is not None else None,
            dpop=dpop,
            created_at=now,
        )
        with self._database.write() as session:
            self._add(session, row, "client.registered", actor)
        return Registered(row.client_id, secret)

    def enrolment_code(self, counter: str, *, actor: str, now: datetime) -> str:
        """Return a code with which one device becomes this counter's, once, within ten minutes."""
        number = int.from_bytes(self._randomness(CODE_BYTES), "big")
        code = "".join(ALPHABET[(number >> shift) & 31] for shift in range(CODE_BYTES * 8 - 5, -1, -5))
        with self._database.write() as session:
            session.add(EnrolmentCode(code_hash=hashed(code), counter=counter, expires_at=now + CODE_LIFE))
            audit.record(session, stream=STREAM, actor=actor, act="counter.code_made", subject=counter, now=now)
        return code

    def enrol(self, code: str, name: str, key: PublicKey, *, now: datetime) -> str:
        """Use a code up and return the new client of the device that holds `key`; its tokens are bound to that key."""
        if "ES256" not in key.algorithms:
            raise KeyRefusedError("devices sign with P-256 keys")
        client_id = base64url.name(self._randomness(ID_BYTES))
        with self._database.write() as session:
            counter = store.claim_enrolment(session, hashed(read_code(code)), now)
            if counter is None:
                raise EnrolmentRefusedError
            row = OAuthClient(
                client_id=client_id, role=Role.COUNTER, subject=counter, name=clean(name),
                scopes=" ".join(sorted(SCOPES[Role.COUNTER])), jwk=dict(key.jwk), dpop=True, created_at=now,
            )  # fmt: skip
            self._add(session, row, "counter.enrolled", f"counter:{counter}")
        return client_id

    def suspend(self, client_id: str, *, suspended: bool, actor: str, now: datetime) -> None:
        """Stop a client's tokens and its getting new ones, or let it again; its next call sees it."""
        with self._database.write() as session:
            row = session.get(OAuthClient, client_id)
            if row is None:
                raise UnknownClientError
            row.suspended_at = (row.suspended_at or now) if suspended else None
            act = "client.suspended" if suspended else "client.resumed"
            audit.record(session, stream=STREAM, actor=actor, act=act, subject=client_id, now=now)

    def of(self, role: Role, subject: str) -> Sequence[OAuthClient]:
        """Return the clients of an agency or counter."""
        with self._database.read() as session:
            return store.clients_of(session, role, subject)

    def get(self, client_id: str) -> OAuthClient:
        """Return a client that may get tokens."""
        with self._database.read() as session:
            row = session.get(OAuthClient, client_id)
        if row is None or row.suspended_at is not None:
            raise UnknownClientError
        return row

    def _add(self, session: Session, row: OAuthClient, act: str, actor: str) -> None:
        session.add(row)
        session.flush()
        audit.record(
            session, stream=STREAM, actor=actor, act=act, subject=row.client_id, now=row.created_at,
            detail={"role": row.role, "for": row.subject},
        )  # fmt: skip


def signing_key(jwk: object) -> PublicKey:
    """Return a client's public key; anything but a P-256 key raises `KeyRefusedError`."""
    key = import_public(jwk)
    if "ES256" not in key.algorithms:
        raise KeyRefusedError("clients sign with P-256 keys")
    return key


def read_code(typed: str) -> str:
    """Return a code as it was made from how somebody typed it: case, spaces, and letters that look like digits."""
    text = "".join(typed.upper().split()).replace("-", "")
    return text.replace("O", "0").replace("I", "1").replace("L", "1")


def hashed(secret: str) -> str:
    """Return how a secret is kept."""
    return sha256(secret.encode()).hexdigest()
