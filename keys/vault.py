"""The vault: signing keys of agencies, operator and counters' service, one for each purpose.

A private key is made here, sealed here, used here, and never leaves. States: next → active → retired, and
compromised from any of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from sqlmodel import Session

from credentials import jwe, jws
from credentials.errors import KeyRefusedError
from credentials.jwk import PublicKey, export_public, import_public
from keys import store
from keys.encryption import Seal
from keys.errors import NoSigningKeyError, OwnerKeepsKeyError, UnknownKeyError
from keys.models import VERIFIED, KeyPurpose, KeyState, SigningKey
from keys.remembered import Remembered
from records import audit
from records import store as records_store
from records.database import Database
from records.rows import store as rows_store

KID_LENGTH = 11  # characters of the RFC 7638 thumbprint: 66 bits, short enough for an offline pass
STREAM = "keys"
KeyMaker = Callable[[], EllipticCurvePrivateKey]


@dataclass(frozen=True, slots=True)
class ActiveKey:
    """The key that signs now: its id, unless the owner keeps it its signer, and since when: nothing is dated before."""

    kid: str
    signer: jws.Signer | None
    since: datetime


class Vault:
    """Keeps signing keys; every change of a key is audited and puts the trust list up for signing."""

    def __init__(self, *, database: Database, seal: Seal, make_key: KeyMaker, remember: timedelta) -> None:
        self._database = database
        self._seal = seal
        self._make_key = make_key
        self._remembered = Remembered[ActiveKey](remember)
        self._opened: dict[str, EllipticCurvePrivateKey] = {}

    def create(self, owner: str, purpose: KeyPurpose, *, actor: str, now: datetime) -> str:
        """Make a key and return its kid: active if the owner has none for the purpose, else next."""
        row = self.new_key(owner, purpose, now=now)
        with self._database.write() as session:
            self.add(session, row, actor=actor)
        return row.kid

    def register(self, owner: str, purpose: KeyPurpose, jwk: object, *, actor: str, now: datetime) -> str:
        """Take in the public half of a key that `owner` keeps; returns its kid. Raises `KeyRefusedError`."""
        row = self.kept_key(owner, purpose, jwk, now=now)
        with self._database.write() as session:
            self.add(session, row, actor=actor)
        return row.kid

    def new_key(self, owner: str, purpose: KeyPurpose, *, now: datetime) -> SigningKey:
        """Return the row of a new key pair, sealed, not yet stored."""
        private = self._make_key()
        jwk = export_public(private)
        kid = import_public(jwk).thumbprint[:KID_LENGTH]
        sealed = self._seal.close_key(private, _context(kid, owner, purpose))
        return SigningKey(kid=kid, owner=owner, purpose=purpose, state="", jwk=jwk, sealed=sealed, created_at=now)

    def kept_key(self, owner: str, purpose: KeyPurpose, jwk: object, *, now: datetime) -> SigningKey:
        """Return the row of a key that `owner` keeps, not yet stored; only P-256 public keys pass."""
        key = import_public(jwk)
        if "ES256" not in key.algorithms:
            raise KeyRefusedError("agencies sign with P-256 keys")
        kid = key.thumbprint[:KID_LENGTH]
        return SigningKey(kid=kid, owner=owner, purpose=purpose, state="", jwk=dict(key.jwk), created_at=now)

    def add(self, session: Session, row: SigningKey, *, actor: str) -> None:
        """Store a key in an open transaction; a key that somebody has already raises `KeyRefusedError`."""
        records_store.lock_stream(session, STREAM)
        if store.active_key(session, row.owner, KeyPurpose(row.purpose)) is None:
            row.state, row.activated_at = KeyState.ACTIVE, row.created_at
            if rows_store.insert_unless_taken(session, row):
                self._changed(session, actor, "key.active", row.kid, row.created_at)
                return
        row.state, row.activated_at = KeyState.NEXT, None  # another's key became active meanwhile
        if not rows_store.insert_unless_taken(session, row):
            raise KeyRefusedError("this key is in use already")
        self._changed(session, actor, "key.next", row.kid, row.created_at)

    def remembered(self, owner: str, purpose: KeyPurpose, *, now: datetime) -> ActiveKey:
        """Return the key that signed for `owner` a moment ago: for what is signed at every counter's call."""
        return self._remembered.get((owner, purpose), lambda: self.active(owner, purpose), now=now)

    def active(self, owner: str, purpose: KeyPurpose) -> ActiveKey:
        """Return the key that signs for `owner` now; none raises `NoSigningKeyError`."""
        with self._database.read() as session:
            row = store.active_key(session, owner, purpose)
            if row is None or row.activated_at is None:
                raise NoSigningKeyError
            return ActiveKey(row.kid, self._signer(row), row.activated_at)

    def active_kid(self, owner: str, purpose: KeyPurpose) -> str | None:
        """Return the kid of the key that signs now, without opening it."""
        with self._database.read() as session:
            return store.active_kid(session, owner, purpose)

    def by_kid(self, kid: str) -> tuple[PublicKey, jws.Signer | None]:
        """Return a key's public half and its signer (None if the owner keeps it); not a compromised one."""
        with self._database.read() as session:
            row = session.get(SigningKey, kid)
            if row is None or row.state == KeyState.COMPROMISED:
                raise UnknownKeyError
            return import_public({**row.jwk, "kid": row.kid}), self._signer(row)

    def signer(self, kid: str) -> jws.Signer | None:
        """Return the signer of a key that the caller has just found active, None if its owner keeps it.

        A key that was opened before is not asked for again: what it is never changes, only whether it signs.
        """
        opened = self._opened.get(kid)
        return jws.es256(opened) if opened is not None else self.by_kid(kid)[1]

    def sign_certificate(self, kid: str, builder: x509.CertificateBuilder) -> x509.Certificate:
        """Return the certificate of `builder`, signed with the key `kid`; the key stays here."""
        with self._database.read() as session:
            row = session.get(SigningKey, kid)
        if row is None or row.sealed is None or row.state == KeyState.COMPROMISED:
            raise NoSigningKeyError
        return builder.sign(self._private(row), SHA256())

    def agreement(self, kid: str, owner: str) -> jwe.Agree:
        """Return the way an owner's encryption key agrees; the key stays here. One that is not there raises."""
        with self._database.read() as session:
            row = session.get(SigningKey, kid)
        if row is None or row.owner != owner or row.purpose != KeyPurpose.ENCRYPTION or row.sealed is None:
            raise UnknownKeyError
        if row.state == KeyState.COMPROMISED:
            raise UnknownKeyError
        return jwe.agreement(self._private(row))

    def key_rows(self, owner: str | None = None, purpose: KeyPurpose | None = None) -> Sequence[SigningKey]:
        """Return the rows of an owner's keys, oldest first; all owners and purposes where None."""
        with self._database.read() as session:
            return store.keys_of(session, owner, purpose)

    def rotate(self, owner: str, purpose: KeyPurpose, *, actor: str, now: datetime, retires: str | None = None) -> str:
        """Retire the active key, put the next one in its place, and publish a new next for a key in the vault.

        Returns the kid that signs from now on; retired keys go on verifying what they signed before. An owner
        that keeps its own key must `register` the next one first (`OwnerKeepsKeyError`). If another key than `retires`
        signs by now, nothing is done: said twice, a key that nobody was shown before would sign. One that never was
        theirs raises `UnknownKeyError`.
        """
        with self._database.write() as session:
            records_store.lock_stream(session, STREAM)  # rotations follow one another
            rows, signing = store.keys_of(session, owner, purpose), store.active_key(session, owner, purpose)
            if not rows or (retires is not None and retires not in {row.kid for row in rows}):
                raise UnknownKeyError
            if retires is not None and signing is not None and signing.kid != retires:
                return signing.kid
            in_vault = rows[-1].sealed is not None
            if not in_vault and all(row.state != KeyState.NEXT for row in rows):
                raise OwnerKeepsKeyError
            self._follow(session, owner, purpose, in_vault=in_vault, actor=actor, now=now)
            kid = self._promote(session, owner, purpose, now=now)
            self._changed(session, actor, "key.rotated", kid, now)
            self._follow(session, owner, purpose, in_vault=in_vault, actor=actor, now=now)
        return kid

    def _follow(
        self, session: Session, owner: str, purpose: KeyPurpose, *, in_vault: bool, actor: str, now: datetime
    ) -> None:
        """See to it that a next key is there, of an owner whose keys the vault makes."""
        if in_vault and all(row.state != KeyState.NEXT for row in store.keys_of(session, owner, purpose)):
            self.add(session, self.new_key(owner, purpose, now=now), actor=actor)

    def compromise(self, kid: str, *, since: datetime, actor: str, now: datetime) -> None:
        """Mark a key as not to be believed; the next key, or a new one, takes its place at once.

        What the log held before `since` stays good (`verifier/checking.py`); said again, the earlier time counts, and
        none is later than `now`. An owner that keeps its keys itself has no next one unless it registered it.
        """
        with self._database.write() as session:
            records_store.lock_stream(session, STREAM)
            row = session.get(SigningKey, kid)
            if row is None:
                raise UnknownKeyError
            was_active, owner, purpose = row.state == KeyState.ACTIVE, row.owner, KeyPurpose(row.purpose)
            row.state, row.compromised_from = KeyState.COMPROMISED, min(since, now, row.compromised_from or now)
            session.flush()
            if was_active:
                self._promote(session, owner, purpose, now=now)
            self._changed(session, actor, "key.compromised", kid, now)
            others = [one for one in store.keys_of(session, owner, purpose) if one.kid != kid]
            if (others[-1] if others else row).sealed is not None:  # who keeps its own keys now gets none of ours
                self._fill(session, owner, purpose, actor=actor, now=now)
        self._opened.pop(kid, None)

    def _fill(self, session: Session, owner: str, purpose: KeyPurpose, *, actor: str, now: datetime) -> None:
        """See to it that an owner has a key that signs, and of those that verifiers know beforehand a next one."""
        wanted = [KeyState.ACTIVE, *([KeyState.NEXT] if purpose in VERIFIED else [])]
        for state in wanted:
            if all(row.state != state for row in store.keys_of(session, owner, purpose)):
                self.add(session, self.new_key(owner, purpose, now=now), actor=actor)

    def _promote(self, session: Session, owner: str, purpose: KeyPurpose, *, now: datetime) -> str:
        """Put the oldest next key in the active one's place and return the kid that is active then."""
        following = next((row for row in store.keys_of(session, owner, purpose) if row.state == KeyState.NEXT), None)
        active = store.active_key(session, owner, purpose)
        if following is None:
            return active.kid if active else ""
        if active is not None:
            active.state, active.retired_at = KeyState.RETIRED, now
            session.flush()
        following.state, following.activated_at = KeyState.ACTIVE, now
        session.flush()
        return following.kid

    def _changed(self, session: Session, actor: str, act: str, kid: str, now: datetime) -> None:
        store.raise_trust_version(session)
        audit.record(session, stream=STREAM, actor=actor, act=act, subject=kid, now=now)

    def _signer(self, row: SigningKey) -> jws.Signer | None:
        return None if row.sealed is None else jws.es256(self._private(row))

    def _private(self, row: SigningKey) -> EllipticCurvePrivateKey:
        if row.kid not in self._opened:
            self._opened[row.kid] = self._seal.open_key(row.sealed or b"", sealed_context(row))
        return self._opened[row.kid]


def public_set(rows: Sequence[SigningKey]) -> dict[str, list[dict[str, str]]]:
    """Return rows as a JWK Set (RFC 7517 section 5), compromised keys left out."""
    return {
        "keys": [
            {**row.jwk, "kid": row.kid, "use": "sig", "alg": "ES256"}
            for row in rows
            if row.state != KeyState.COMPROMISED
        ]
    }


def sealed_context(row: SigningKey) -> str:
    """Return what a key's private part is bound to."""
    return _context(row.kid, row.owner, row.purpose)


def _context(kid: str, owner: str, purpose: str) -> str:
    return f"signing key {kid} of {owner} for {purpose}"
