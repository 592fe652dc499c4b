"""Access tokens: opaque, hashed at rest, scoped, expiring, revocable. No password anywhere.

A browser's session is an access token too, in a cookie, with a name by which its holder knows it again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlmodel import Session

from credentials import base64url
from keys import store
from keys.errors import ScopeRefusedError, TokenRefusedError
from keys.models import AccessToken
from keys.passkeys import store as passkeys_store
from keys.remembered import Remembered
from keys.vault import STREAM
from records import audit
from records.database import Database

SECRET_BYTES = 32
ID_BYTES = 9
MAX_LIFE = timedelta(days=90)
USED_WITHIN = timedelta(minutes=1)  # how exactly a session's last use is kept: not a write for every call


class Role(StrEnum):
    """The kinds of caller. Clerks are people of an agency, auditors and support people of the operator's."""

    AGENCY = "agency"
    CLERK = "clerk"
    COUNTER = "counter"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    SUPPORT = "support"
    HOLDER = "holder"


SCOPES = {
    Role.AGENCY: frozenset({"licences:issue", "licences:read", "licences:status"}),
    Role.CLERK: frozenset({"licences:issue", "licences:read", "licences:status"}),
    Role.COUNTER: frozenset({"verify"}),
    Role.OPERATOR: frozenset({"operate"}),
    Role.AUDITOR: frozenset({"audit"}),
    Role.SUPPORT: frozenset({"support"}),
    Role.HOLDER: frozenset({"wallet"}),
}
PEOPLE = frozenset({Role.CLERK, Role.OPERATOR, Role.AUDITOR, Role.SUPPORT})
NAMED = PEOPLE - {Role.OPERATOR}  # of an operator the first has nobody to be named by, and cannot agree with another
"""Roles whose token may name a person."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as a valid token says."""

    role: Role
    subject: str
    scopes: frozenset[str]
    token_id: str
    person: str | None = None
    jkt: str | None = None
    client_id: str | None = None
    shown_at: datetime | None = None
    granted_at: datetime | None = None

    @property
    def name(self) -> str:
        """Role, subject, and person or system, as the audit names an actor."""
        who = self.person or (f"client:{self.client_id}" if self.client_id else "")
        return f"{self.role}:{self.subject}" + (f"/{who}" if who else "")


class Access:
    """Gives, reads and takes back access tokens."""

    def __init__(self, *, database: Database, randomness: Callable[[int], bytes], remember: timedelta) -> None:
        """Look every token up when it is used, but a counter's: what it was is remembered for that long."""
        self._database = database
        self._randomness = randomness
        self._remembered = Remembered[AccessToken | None](
            remember, lambda row: row is not None and row.role == Role.COUNTER
        )

    def grant(
        self,
        role: Role,
        subject: str,
        *,
        life: timedelta,
        actor: str,
        now: datetime,
        scopes: Iterable[str] = (),
        person: str | None = None,
        client_id: str | None = None,
        jkt: str | None = None,
        label: str | None = None,
        idle: timedelta | None = None,
    ) -> str:
        """Return a new secret for `subject`, shown this once; empty `scopes` means all of the role's.

        Bound to the key `jkt` (RFC 9449) and to its client if they are named; ended by `idle` time if that is given.
        """
        with self._database.write() as session:
            return self.grant_in(
                session, role, subject, life=life, actor=actor, now=now, scopes=scopes, person=person,
                client_id=client_id, jkt=jkt, label=label, idle=idle,
            )  # fmt: skip

    def grant_in(
        self,
        session: Session,
        role: Role,
        subject: str,
        *,
        life: timedelta,
        actor: str,
        now: datetime,
        scopes: Iterable[str] = (),
        person: str | None = None,
        client_id: str | None = None,
        jkt: str | None = None,
        label: str | None = None,
        idle: timedelta | None = None,
        passkey_id: str | None = None,
    ) -> str:
        """Do the same in a transaction of the caller's; with `passkey_id` for who showed that passkey just now."""
        wanted = frozenset(scopes) or SCOPES[role]
        if not wanted <= SCOPES[role] or not timedelta(0) < life <= MAX_LIFE or (person and role not in PEOPLE):
            raise ScopeRefusedError
        secret = f"lw_{role}_{base64url.encode(self._randomness(SECRET_BYTES))}"
        row = AccessToken(
            token_id=base64url.name(self._randomness(ID_BYTES)),
            secret_hash=_hash(secret),
            role=role,
            subject=subject,
            person=person,
            scopes=" ".join(sorted(wanted)),
            client_id=client_id,
            jkt=jkt,
            label=label,
            passkey_id=passkey_id,
            shown_at=now if passkey_id else None,
            shown_with=passkey_id,
            idle_seconds=int(idle.total_seconds()) if idle else None,
            used_at=now if idle else None,
            created_at=now,
            expires_at=now + life,
        )
        session.add(row)
        session.flush()
        audit.record(
            session, stream=stream(role, subject), actor=actor, act="token.granted", subject=row.token_id, now=now,
            detail={"role": role, "for": subject} | ({"person": person} if person else {}),
        )  # fmt: skip
        return secret

    def caller(self, secret: str, *, now: datetime) -> Caller:
        """Return whose token `secret` is; unknown, expired and revoked ones raise `TokenRefusedError`.

        So does one of a suspended client, and a session that was idle too long.
        """
        hashed = _hash(secret)
        row = self._remembered.get(hashed, lambda: self._looked_up(hashed), now=now)
        if row is None or row.revoked_at is not None or now >= row.expires_at:
            raise TokenRefusedError
        if _was_idle(row, now):
            raise TokenRefusedError("the session was not used for too long")
        if row.used_at is not None and now - row.used_at >= USED_WITHIN:
            with self._database.write() as session:
                store.note_use(session, row.token_id, now)
        scopes = frozenset(row.scopes.split())
        return Caller(
            Role(row.role), row.subject, scopes, row.token_id, row.person, row.jkt, row.client_id, row.shown_at,
            row.created_at,
        )  # fmt: skip

    def _looked_up(self, hashed: str) -> AccessToken | None:
        with self._database.read() as session:
            return store.access_token(session, hashed)

    def sessions(self, role: Role, subject: str, *, now: datetime) -> Sequence[AccessToken]:
        """Return the tokens of `subject` that still open, newest first."""
        with self._database.read() as session:
            rows = store.access_tokens(session, role, subject, now)
        return [row for row in rows if not _was_idle(row, now)]

    def revoke(
        self, token_id: str, *, actor: str, now: datetime, of: tuple[Role, str] | None = None, signed_out: bool = False
    ) -> bool:
        """Take a token back for good; False if there is no such token (among those `of` somebody).

        As if a thief had had it, the passkeys that were registered with it go too, and what they opened; not where
        its owner just `signed_out`.
        """
        with self._database.write() as session:
            row = session.get(AccessToken, token_id)
            if row is None or (of is not None and (Role(row.role), row.subject) != of):
                return False
            store.revoke_token(session, token_id, now)
            gone = [] if signed_out else passkeys_store.remove_all_made_with(session, token_id, now)
            where = stream(Role(row.role), row.subject)
            audit.record(
                session, stream=where, actor=actor, act="token.revoked", subject=token_id, now=now,
                detail={"passkeys": gone} if gone else {},
            )  # fmt: skip
        return True


def _was_idle(row: AccessToken, now: datetime) -> bool:
    if row.idle_seconds is None or row.used_at is None:
        return False
    return now - row.used_at >= timedelta(seconds=row.idle_seconds)


def stream(role: Role, subject: str) -> str:
    """Return the audit stream of a token's acts: what concerns one holder waits for no other."""
    return f"wallet/{subject}" if role == Role.HOLDER else STREAM


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
