"""Holder accounts: who has a wallet. Names and codes are sealed; a keyed digest finds them."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from credentials import base64url, strict_json
from credentials.licence_type import Holder
from credentials.text import clean
from keys.encryption import Seal
from records import audit
from records.database import Database
from records.rows import store as rows_store
from wallet import codes, store
from wallet.errors import SignInRefusedError, UnknownHolderError
from wallet.models import HolderRow, SignInLink

LINK_LIFE = timedelta(minutes=30)


def stream(holder_id: str) -> str:
    """Return the audit stream of a holder's acts: what one holder does waits for no other."""
    return f"wallet/{holder_id}"


class Accounts:
    """The verbs on accounts."""

    def __init__(self, *, database: Database, seal: Seal, randomness: Callable[[int], bytes]) -> None:
        self._database = database
        self._seal = seal
        self._randomness = randomness

    def add(self, holder: Holder, *, actor: str, now: datetime) -> str:
        """Return the wallet's name for a person or company, making the account if there is none."""
        with self._database.write() as session:
            return self._account(session, holder, actor, now).holder_id

    def _account(self, session: Session, holder: Holder, actor: str, now: datetime) -> HolderRow:
        lookup = self._seal.lookup(f"{holder.code_type} {holder.code}")
        found = store.holder_by_lookup(session, lookup)
        if found is not None:
            return found
        holder_id = self.new_name()
        row = HolderRow(holder_id=holder_id, lookup=lookup, identity=self._sealed(holder_id, holder), created_at=now)
        if not rows_store.insert_unless_taken(session, row):
            return store.holder_by_lookup(session, lookup) or row
        audit.record(session, stream=stream(holder_id), actor=actor, act="holder.added", subject=holder_id, now=now)
        return row

    def _sealed(self, holder_id: str, holder: Holder) -> bytes:
        identity = strict_json.dumps({"code_type": holder.code_type, "code": holder.code, "name": clean(holder.name)})
        return self._seal.close(identity, f"identity of {holder_id}")

    def named(self, holder: Holder, *, actor: str, now: datetime) -> str | None:
        """Return the wallet of somebody by number *and* name, making it if the number is new; None if they differ."""
        holder_id = self.add(holder, actor=actor, now=now)
        return holder_id if self.get(holder_id).name == clean(holder.name) else None

    def must_be(self, holder: Holder, *, actor: str, now: datetime) -> str:
        """Return the wallet of somebody whose name an authority says: theirs is the name that stays."""
        with self._database.write() as session:
            return self.must_be_in(session, holder, actor=actor, now=now)

    def must_be_in(self, session: Session, holder: Holder, *, actor: str, now: datetime) -> str:
        """Do the same in a transaction of the caller's."""
        row = self._account(session, holder, actor, now)
        if self.opened(row).name != clean(holder.name):
            row.identity = self._sealed(row.holder_id, holder)
            session.flush()
            audit.record(
                session, stream=stream(row.holder_id), actor=actor, act="holder.renamed", subject=row.holder_id, now=now
            )
        return row.holder_id

    def get(self, holder_id: str) -> Holder:
        """Return who a holder is; unknown ones raise `UnknownHolderError`."""
        with self._database.read() as session:
            return self.identity(session, holder_id)

    def identity(self, session: Session, holder_id: str) -> Holder:
        """Return the same in a transaction of the caller's."""
        row = session.get(HolderRow, holder_id)
        if row is None:
            raise UnknownHolderError
        return self.opened(row)

    def opened(self, row: HolderRow) -> Holder:
        """Return who an account's row says its holder is."""
        return Holder(**strict_json.loads(self._seal.open(row.identity, f"identity of {row.holder_id}")))

    def new_name(self) -> str:
        """Return a name for a new account: it says nothing of whose."""
        return self._token(12)

    def sign_in_link(self, holder_id: str, *, actor: str, now: datetime) -> str:
        """Return the secret of a one-time sign-in link (demonstration only: the caller sees to that)."""
        self.get(holder_id)
        secret = self._token(24)
        with self._database.write() as session:
            row = SignInLink(secret_hash=codes.hashed(secret), holder_id=holder_id, expires_at=now + LINK_LIFE)
            session.add(row)
            audit.record(
                session, stream=stream(holder_id), actor=actor, act="holder.link_made", subject=holder_id, now=now
            )
        return secret

    def sign_in(self, secret: str, *, now: datetime) -> str:
        """Use a sign-in link up and return its holder."""
        with self._database.write() as session:
            holder_id = store.claim_link(session, codes.hashed(secret), now)
            if holder_id is not None:
                audit.record(
                    session, stream=stream(holder_id), actor=f"holder:{holder_id}", act="holder.signed_in",
                    subject=holder_id, now=now,
                )  # fmt: skip
        if holder_id is None:
            raise SignInRefusedError
        return holder_id

    def _token(self, size: int) -> str:
        return base64url.encode(self._randomness(size))
