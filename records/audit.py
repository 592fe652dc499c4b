"""The audit chain: one entry an act, written in the act's own transaction; no audit, no act.

Each stream is a hash chain, so that editing, deleting or reordering an entry shows. Cutting off the newest
entries shows only against a checkpoint kept elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from sqlmodel import Session

from credentials import strict_json
from credentials.errors import MalformedError
from records import store
from records.errors import AuditBrokenError
from records.models import AuditEntry
from records.outbox.events import EVENTS
from records.outbox.models import OutboxEvent


def record(
    session: Session,
    *,
    stream: str,
    actor: str,
    act: str,
    subject: str,
    now: datetime,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Append an act to its stream; call it last in the transaction, it holds the stream until the commit.

    An act that others are told of (`outbox/events.py`) is owed to them from this very transaction on.
    """
    store.lock_stream(session, stream)
    sequence, previous = store.last_entry(session, stream)
    entry = AuditEntry(
        stream=stream,
        sequence=sequence + 1,
        at=now,
        actor=actor,
        act=act,
        subject=subject,
        detail=strict_json.canonical(detail or {}).decode(),
        previous_hash=previous,
        hash="",
    )
    entry.hash = _hash(entry)
    session.flush()  # the act itself, before what is said of it
    store.insert_one(session, entry)
    if act in EVENTS:
        told = {"detail": dict(detail)} if detail else {}
        store.insert_one(
            session,
            OutboxEvent(
                event_id=entry.hash, type=EVENTS[act].type, stream=stream, subject=subject, at=now, detail=told
            ),
        )


@dataclass(frozen=True, slots=True)
class Act:
    """One of many acts that somebody does at once."""

    stream: str
    act: str
    subject: str
    detail: Mapping[str, object] = field(default_factory=dict)


def record_many(session: Session, acts: Sequence[Act], *, actor: str, now: datetime) -> None:
    """Append many acts, each to its stream, in the order given; as `record`, last in the transaction."""
    streams = {one.stream for one in acts}
    store.lock_streams(session, streams)
    last, entries, events = store.last_entries(session, streams), [], []
    at = now.isoformat()
    for one in acts:
        sequence, previous = last.get(one.stream, (0, ""))
        said = {
            "stream": one.stream, "sequence": sequence + 1, "actor": actor, "act": one.act, "subject": one.subject,
            "detail": strict_json.canonical(one.detail).decode() if one.detail else "{}", "previous_hash": previous,
        }  # fmt: skip
        hashed = sha256(strict_json.canonical({**said, "at": at})).hexdigest()
        last[one.stream] = (sequence + 1, hashed)
        entries.append({**said, "at": now, "hash": hashed})
        if one.act in EVENTS:
            told = {"detail": dict(one.detail)} if one.detail else {}
            events.append(
                {"event_id": hashed, "type": EVENTS[one.act].type, "stream": one.stream, "subject": one.subject,
                 "at": now, "detail": told}
            )  # fmt: skip
    store.insert_many(session, AuditEntry, entries)
    store.insert_many(session, OutboxEvent, events)


def verify(session: Session) -> int:
    """Return how many entries there are if every stream verifies; else raise naming the first bad one."""
    count, stream, sequence, previous = 0, "", 0, ""
    for entry in store.entries(session):
        if entry.stream != stream:
            stream, sequence, previous = entry.stream, 0, ""
        sequence += 1
        if (entry.sequence, entry.previous_hash, entry.hash) != (sequence, previous, _hash(entry)):
            raise AuditBrokenError(stream, sequence)
        previous = entry.hash
        count += 1
    return count


def told(entry: AuditEntry) -> dict[str, object]:
    """Return an act as JSON: all that its hash is over, and the hash."""
    return {**_hashed(entry), "hash": entry.hash}


def hash_of(told: Mapping[str, object]) -> bytes:
    """Return the hash of an act as it was told; one that is not its own, or no act, raises `MalformedError`."""
    said = {name: value for name, value in told.items() if name != "hash"}
    found = sha256(strict_json.canonical(said))
    if told.get("hash") != found.hexdigest():
        raise MalformedError("the act's hash is not its own")
    return found.digest()


def _hash(entry: AuditEntry) -> str:
    return sha256(strict_json.canonical(_hashed(entry))).hexdigest()


def _hashed(entry: AuditEntry) -> dict[str, object]:
    said = {name: getattr(entry, name) for name in ("stream", "sequence", "actor", "act", "subject", "detail")}
    return said | {"at": entry.at.isoformat(), "previous_hash": entry.previous_hash}
