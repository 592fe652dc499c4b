"""Access tokens: opaque, hashed at rest, scoped, expiring, revocable. No password anywhere."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from credentials import base64url
from keys import store
from keys.errors import ScopeRefusedError, TokenRefusedError
from keys.models import AccessToken
from keys.vault import STREAM
from records import audit
from records.database import Database

SECRET_BYTES = 32
ID_BYTES = 9
MAX_LIFE = timedelta(days=90)


class Role(StrEnum):
    """The kinds of caller."""

    AGENCY = "agency"
    COUNTER = "counter"
    OPERATOR = "operator"
    HOLDER = "holder"


SCOPES = {
    Role.AGENCY: frozenset({"licences:issue", "licences:read", "licences:status"}),
    Role.COUNTER: frozenset({"verify"}),
    Role.OPERATOR: frozenset({"operate"}),
    Role.HOLDER: frozenset({"wallet"}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as a valid token says."""

    role: Role
    subject: str
    scopes: frozenset[str]
    token_id: str

    @property
    def name(self) -> str:
        """Role and subject, as the audit names an actor."""
        return f"{self.role}:{self.subject}"

    def must(self, role: Role, scope: str) -> None:
        """Raise `ScopeRefusedError` unless this caller has the role and the scope."""
        if self.role != role or scope not in self.scopes:
            raise ScopeRefusedError


class Access:
    """Gives, reads and takes back access tokens."""

    def __init__(self, *, database: Database, randomness: Callable[[int], bytes]) -> None:
        self._database = database
        self._randomness = randomness

    def grant(
        self, role: Role, subject: str, *, life: timedelta, actor: str, now: datetime, scopes: Iterable[str] = ()
    ) -> str:
        """Return a new secret for `subject`, shown this once; empty `scopes` means all of the role's."""
        wanted = frozenset(scopes) or SCOPES[role]
        if not wanted <= SCOPES[role] or not timedelta(0) < life <= MAX_LIFE:
            raise ScopeRefusedError
        secret = f"lw_{role}_{base64url.encode(self._randomness(SECRET_BYTES))}"
        row = AccessToken(
            token_id=base64url.encode(self._randomness(ID_BYTES)),
            secret_hash=_hash(secret),
            role=role,
            subject=subject,
            scopes=" ".join(sorted(wanted)),
            created_at=now,
            expires_at=now + life,
        )
        with self._database.write() as session:
            session.add(row)
            session.flush()
            audit.record(
                session, stream=STREAM, actor=actor, act="token.granted", subject=row.token_id, now=now,
                detail={"role": role, "for": subject},
            )  # fmt: skip
        return secret

    def caller(self, secret: str, *, now: datetime) -> Caller:
        """Return whose token `secret` is; unknown, expired and revoked ones raise `TokenRefusedError`."""
        with self._database.read() as session:
            row = store.access_token(session, _hash(secret))
            if row is None or row.revoked_at is not None or now >= row.expires_at:
                raise TokenRefusedError
            return Caller(Role(row.role), row.subject, frozenset(row.scopes.split()), row.token_id)

    def revoke(self, token_id: str, *, actor: str, now: datetime) -> bool:
        """Take a token back for good; False if there is no such token."""
        with self._database.write() as session:
            row = session.get(AccessToken, token_id)
            if row is None:
                return False
            row.revoked_at = row.revoked_at or now
            audit.record(session, stream=STREAM, actor=actor, act="token.revoked", subject=token_id, now=now)
        return True


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
