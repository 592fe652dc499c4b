"""The verbs on passkeys: register, sign in (staff), show once more (step-up), remove."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from keys import store as keys_store
from keys.access import PEOPLE, Access, Caller, Role, stream
from keys.errors import (
    PasskeyKnownError,
    PasskeyRefusedError,
    StepUpNeededError,
    TokenRefusedError,
    UnknownPasskeyError,
)
from keys.oauth.nonces import Nonces
from keys.passkeys import ceremony, store
from keys.passkeys.ceremony import Ceremony
from keys.passkeys.models import Passkey
from records import audit
from records import store as records_store
from records.database import Database
from records.rows import store as rows_store

REGISTER, ASSERT = "passkey_register", "passkey_assert"
SHOWN_FOR = timedelta(minutes=10)
"""How long a shown passkey counts for acts that need it fresh."""
SESSION_LIFE, IDLE = timedelta(hours=8), timedelta(minutes=30)
MOST = 10  # passkeys of one person
FIRST_WITHIN = timedelta(hours=1)
"""How old a token may be that registers a person's first passkey: given for it, not found later."""
LIFE = timedelta(days=366)
"""After which a passkey is registered anew."""


class Passkeys:
    """Who must show a passkey has one, or works where `demanded` says that all staff do."""

    def __init__(
        self, *, database: Database, access: Access, nonces: Nonces, ceremony: Ceremony, demanded: bool
    ) -> None:
        self._database = database
        self._access = access
        self._nonces = nonces
        self._ceremony = ceremony
        self._demanded = demanded

    def registration_options(self, caller: Caller, *, now: datetime) -> dict[str, Any]:
        """Begin to register a passkey; another one is registered with one at hand."""
        existing = self.of(caller, now=now)
        self._may_register(caller, existing, now)
        owner = _owner(caller.role, caller.subject, caller.person)
        return self._ceremony.registration_options(self._nonces.make(REGISTER, owner, now=now), owner, existing)

    def register(self, caller: Caller, credential: Mapping[str, Any], label: str, *, now: datetime) -> Passkey:
        """Keep a new passkey; what is not an answer to our question in this person's name is refused."""
        owner = _owner(caller.role, caller.subject, caller.person)
        challenge = self._challenge(REGISTER, owner, credential, now)
        found = self._ceremony.registered(credential, challenge)
        row = Passkey(
            passkey_id=found.passkey_id,
            role=caller.role,
            subject=caller.subject,
            person=caller.person,
            scopes=" ".join(sorted(caller.scopes)),
            label=label,
            public_key=found.public_key,
            sign_count=found.sign_count,
            registered_with=caller.token_id,
            created_at=now,
        )
        with self._database.write() as session:
            if not keys_store.hold_token(session, caller.token_id):  # revoked while this went on
                raise TokenRefusedError
            records_store.lock_stream(session, stream(caller.role, caller.subject))  # one after another
            self._spend(session, REGISTER, challenge, now)
            existing = _live(store.passkeys_of(session, caller.role, caller.subject, caller.person), now)
            if len(existing) >= MOST:
                raise PasskeyRefusedError(f"at most {MOST} passkeys; remove one first")
            self._may_register(caller, existing, now)
            if not rows_store.insert_unless_taken(session, row):
                raise PasskeyKnownError
            _audit(session, row, "passkey.registered", caller.name, now)
        return row

    def of(self, caller: Caller, *, now: datetime) -> Sequence[Passkey]:
        """Return a caller's passkeys."""
        with self._database.read() as session:
            return _live(store.passkeys_of(session, caller.role, caller.subject, caller.person), now)

    def of_office(self, role: Role, subject: str) -> Sequence[Passkey]:
        """Return the passkeys of everybody of an agency or office."""
        with self._database.read() as session:
            return store.all_of(session, role, subject)

    def remove(self, caller: Caller, passkey_id: str, *, now: datetime) -> None:
        """Remove one of the caller's own passkeys: with one at hand, or an old session could do it."""
        if not self.is_fresh(caller, now):
            raise StepUpNeededError
        self._remove(passkey_id, caller.name, now, of=(caller.role, caller.subject, caller.person))

    def take_away(self, passkey_id: str, *, actor: str, now: datetime) -> None:
        """Remove anybody's passkey, and close what it opened: for the operator."""
        self._remove(passkey_id, actor, now)

    def assertion_options(self, caller: Caller | None, *, now: datetime) -> dict[str, Any]:
        """Begin to show a passkey: a caller's own, or any of staff's that the device has."""
        owner, passkeys = "", list[Passkey]()
        if caller is not None:
            owner, passkeys = _owner(caller.role, caller.subject, caller.person), list(self.of(caller, now=now))
            if not passkeys:
                raise PasskeyRefusedError("none is registered yet")
        return self._ceremony.assertion_options(self._nonces.make(ASSERT, owner, now=now), passkeys)

    def sign_in(self, credential: Mapping[str, Any], *, now: datetime) -> tuple[str, timedelta]:
        """Return a new access token for a member of staff who shows a passkey, and its life."""
        row, challenge, count = self._shown("", credential, now)
        if Role(row.role) not in PEOPLE:
            raise PasskeyRefusedError("holders sign in at the identity platform")
        with self._database.write() as session:
            self._use(session, row, challenge, count, now)
            secret = self._access.grant_in(
                session, Role(row.role), row.subject, person=row.person, scopes=row.scopes.split(), life=SESSION_LIFE,
                idle=IDLE, label=row.label, passkey_id=row.passkey_id,
                actor=_owner(row.role, row.subject, row.person), now=now,
            )  # fmt: skip
        return secret, SESSION_LIFE

    def step_up(self, caller: Caller, credential: Mapping[str, Any], *, now: datetime) -> None:
        """Note that a caller showed a passkey of their own just now."""
        owner = _owner(caller.role, caller.subject, caller.person)
        row, challenge, count = self._shown(owner, credential, now)
        with self._database.write() as session:
            if not keys_store.hold_token(session, caller.token_id):
                raise TokenRefusedError
            self._use(session, row, challenge, count, now)
            store.note_shown(session, caller.token_id, row.passkey_id, now)

    def must_be_fresh(self, caller: Caller, *, now: datetime) -> None:
        """Raise `StepUpNeededError` where a passkey must be shown and was not, within ten minutes.

        It must by whoever has one; by staff without one too, where passkeys are demanded. Systems have none.
        """
        if self.is_fresh(caller, now):
            return
        if (self._demanded and caller.role in PEOPLE) or self.of(caller, now=now):
            raise StepUpNeededError

    @staticmethod
    def is_fresh(caller: Caller, now: datetime) -> bool:
        """Whether a caller showed a passkey within ten minutes, or, a holder, signed in at the identity platform."""
        shown = caller.granted_at if caller.role == Role.HOLDER and caller.shown_at is None else caller.shown_at
        return shown is not None and timedelta(0) <= now - shown < SHOWN_FOR

    def _may_register(self, caller: Caller, existing: Sequence[Passkey], now: datetime) -> None:
        """Raise unless a first passkey comes with a young token, and a further one with one at hand."""
        if existing and not self.is_fresh(caller, now):
            raise StepUpNeededError
        if not existing and (caller.granted_at is None or now - caller.granted_at >= FIRST_WITHIN):
            raise PasskeyRefusedError("a first passkey is registered within an hour of the token's being given")

    def _challenge(self, kind: str, owner: str, credential: Mapping[str, Any], now: datetime) -> str:
        challenge = ceremony.challenge_in(credential)
        if not self._nonces.check(kind, owner, challenge, now=now):
            raise PasskeyRefusedError("not an answer to a question of ours, or too late")
        return challenge

    def _shown(self, owner: str, credential: Mapping[str, Any], now: datetime) -> tuple[Passkey, str, int]:
        """Return the passkey that was shown, the challenge and its new counter; nothing is spent yet."""
        challenge = self._challenge(ASSERT, owner, credential, now)
        with self._database.read() as session:
            row = session.get(Passkey, str(credential.get("id")))
        whose = _owner(row.role, row.subject, row.person) if row else ""
        if row is None or not _live([row], now) or (owner and whose != owner):
            raise PasskeyRefusedError("no such passkey")
        return row, challenge, self._ceremony.asserted(credential, challenge, row, whose, discoverable=not owner)

    def _use(self, session: Session, row: Passkey, challenge: str, count: int, now: datetime) -> None:
        self._spend(session, ASSERT, challenge, now)
        if not store.note_use(session, row.passkey_id, row.sign_count, count, now):
            raise PasskeyRefusedError("it was used at the same time elsewhere, or removed")
        _audit(session, row, "passkey.shown", _owner(row.role, row.subject, row.person), now)

    def _spend(self, session: Session, kind: str, challenge: str, now: datetime) -> None:
        if not self._nonces.spend(session, kind, challenge, now=now):
            raise PasskeyRefusedError("this answer was used already")

    def _remove(
        self, passkey_id: str, actor: str, now: datetime, *, of: tuple[Role, str, str | None] | None = None
    ) -> None:
        with self._database.write() as session:
            row = session.get(Passkey, passkey_id)
            if row is None or row.removed_at is not None or of not in {None, (row.role, row.subject, row.person)}:
                raise UnknownPasskeyError
            closed = store.remove(session, passkey_id, now)
            _audit(session, row, "passkey.removed", actor, now, sessions=closed)


def _owner(role: str, subject: str, person: str | None) -> str:
    return f"{role}:{subject}" + (f"/{person}" if person else "")


def _live(rows: Sequence[Passkey], now: datetime) -> list[Passkey]:
    return [row for row in rows if row.removed_at is None and now < row.created_at + LIFE]


def _audit(
    session: Session, row: Passkey, act: str, actor: str, now: datetime, *, sessions: Sequence[str] = ()
) -> None:
    audit.record(
        session, stream=stream(Role(row.role), row.subject), actor=actor, act=act, subject=row.passkey_id, now=now,
        detail={"sessions": list(sessions)} if sessions else {},
    )  # fmt: skip
