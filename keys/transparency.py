"""The transparency log's operator: grows it, signs its checkpoints, and proves what it holds."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from credentials import checkpoint, merkle
from credentials.checkpoint import Checkpoint
from credentials.errors import ProofRefusedError
from credentials.jwk import PublicKey, import_public
from keys.errors import NoSigningKeyError, NotLoggedError
from keys.models import KeyPurpose, KeyState, SigningKey
from keys.trust_list import OPERATOR
from keys.vault import Vault
from records import audit, log, store
from records.database import Database
from records.errors import AuditBrokenError
from records.models import AuditEntry, LogCheckpoint

FRESH = timedelta(minutes=1)  # how soon an act is under a checkpoint, once somebody asks for one
MAX_LEAVES = 1000  # in one answer


@dataclass(frozen=True, slots=True)
class Proof:
    """That an act is in the log: its leaf, its place, and the way up to a signed root."""

    entry: AuditEntry
    index: int
    size: int
    path: Sequence[bytes]
    note: str


class TransparencyLog:
    """The verbs of the log."""

    def __init__(self, *, database: Database, vault: Vault, base_url: str) -> None:
        self._database = database
        self._vault = vault
        self.origin = checkpoint.origin_of(base_url)

    def keys(self) -> list[PublicKey]:
        """Return the log's public keys; a compromised one signs nothing that is believed."""
        return self._keys(lambda row: row.state != KeyState.COMPROMISED)

    def _keys(self, wanted: Callable[[SigningKey], bool]) -> list[PublicKey]:
        rows = self._vault.key_rows(OPERATOR, KeyPurpose.LOG)
        return [import_public({**row.jwk, "kid": row.kid}) for row in rows if wanted(row)]

    def checkpoint(self, *, now: datetime, fresh: bool = False) -> str:
        """Return the signed log: the last checkpoint, if younger than a minute and not to be `fresh`, or a new one.

        A log that grew no more keeps the checkpoint that it has.
        """
        with self._database.read() as session:
            waiting, last = store.unlogged(session, 1), store.last_checkpoint(session)  # one that grows is signed after
        if last is not None and (not waiting or (not fresh and now - last.signed_at < FRESH)):
            return last.note
        if not self._vault.key_rows(OPERATOR, KeyPurpose.LOG):
            self._vault.create(OPERATOR, KeyPurpose.LOG, actor=OPERATOR, now=now)
        grown = log.BATCH
        while grown == log.BATCH:
            with self._database.write() as session:
                grown = log.grow(session)
        return self._signed(now)

    def leaves(self, first: int, count: int) -> Sequence[bytes]:
        """Return the hashes of up to a thousand leaves: whoever keeps them can name the entry that is bad."""
        with self._database.read() as session:
            return store.leaves(session, first, min(count, MAX_LEAVES))

    def consistency(self, before: int, after: int) -> list[bytes]:
        """Return the proof that the log of size `before` is the beginning of that of size `after`."""
        with self._database.read() as session:
            if after > store.log_size(session):
                raise ProofRefusedError("the log is not that long")
            return merkle.consistency(before, after, log.read(session))

    def proof(self, stream: str, subject: str, *, now: datetime) -> Proof:
        """Return the proof that the first act on `subject` is in the log; there must have been one."""
        self.checkpoint(now=now)
        with self._database.read() as session:
            found = self._proof(session, stream, subject)
        if found is None:
            self.checkpoint(now=now, fresh=True)
            with self._database.read() as session:
                found = self._proof(session, stream, subject)
        if found is None:
            raise NotLoggedError
        return found

    def verify(self, session: Session, notes: Iterable[str], leaves: Sequence[bytes]) -> tuple[int, int]:
        """Return how many acts are chained and how many logged, if both are whole and as what was kept says.

        `notes` are checkpoints kept elsewhere, `leaves` the log's first leaves. Raises `AuditBrokenError` naming the
        first bad act that can be told, `FormatError` if a note is no checkpoint of this log.
        """
        entries = audit.verify(session)
        size = log.verify(session, names=lambda index: leaves[index] if index < len(leaves) else None)
        for signed in map(self.read, notes):
            if signed.size > size:
                raise AuditBrokenError("log", size)
            if signed.root != merkle.root(signed.size, log.read(session)):
                raise AuditBrokenError("log", signed.size)
        return entries, size

    def read(self, note: str) -> Checkpoint:
        """Return what a kept checkpoint says, signed with any key the log ever had; raises `FormatError` if by none.

        A stolen key makes no difference here: what was kept elsewhere is none of a thief's making.
        """
        return checkpoint.read(note, self.origin, self._keys(lambda _row: True))

    def _proof(self, session: Session, stream: str, subject: str) -> Proof | None:
        entry, last = store.act(session, stream, subject), store.last_checkpoint(session)
        if entry is None or entry.log_index is None or last is None or entry.log_index >= last.size:
            return None
        path = merkle.inclusion(entry.log_index, last.size, log.read(session))
        return Proof(entry, entry.log_index, last.size, path, last.note)

    def _signed(self, now: datetime) -> str:
        """Sign the log as it is. Of two that sign one size, the first is kept: no size has two roots."""
        active = self._vault.active(OPERATOR, KeyPurpose.LOG)
        key, signer = self._vault.by_kid(active.kid)
        if signer is None:
            raise NoSigningKeyError
        with self._database.write() as session:
            store.lock_stream(session, log.LOCK)
            size = store.log_size(session)
            kept = session.get(LogCheckpoint, size)
            if kept is None:
                root = merkle.root(size, log.read(session))
                note = checkpoint.sign(Checkpoint(self.origin, size, root), key, signer)
                kept = LogCheckpoint(size=size, note=note, signed_at=now)
                session.add(kept)
            return kept.note
