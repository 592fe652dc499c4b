"""The audit chain: one entry an act, written in the act's own transaction; no audit, no act.

Each stream is a hash chain, so that editing, deleting or reordering an entry shows. Cutting off the newest
entries shows only against a checkpoint kept elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlmodel import Session

from credentials import strict_json
from credentials.errors import MalformedError
from records import store
from records.errors import AuditBrokenError
from records.models import AuditEntry
from records.outbox.events import EVENTS
from records.outbox.models import OutboxEvent
from records.rows import store as rows_store


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did to what, when; the audit's word for it is `act`."""

    stream: str
    actor: str
    act: str
    subject: str
    at: datetime
    detail: Mapping[str, object] = field(default_factory=dict)


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
    record_many(session, [Act(stream, actor, act, subject, now, detail or {})])


def record_many(session: Session, acts: Sequence[Act]) -> None:
    """Append many acts, each to its stream, in the order given; as `record`, last in the transaction."""
    session.flush()  # the acts themselves, before what is said of them
    last, entries, events = store.locked_heads(session, {one.stream for one in acts}), [], []
    for one in acts:
        entry, event = _entry(one, last.get(one.stream, (0, "")))
        last[one.stream] = (entry["sequence"], entry["hash"])
        entries.append((AuditEntry, entry))
        if event is not None:
            events.append((OutboxEvent, event))
    rows_store.insert_each(session, [*entries, *events])


def _entry(one: Act, last: tuple[int, str]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return an act's entry after the last of its stream (sequence, hash), and the event that others are owed of it."""
    sequence, previous = last
    said = {
        "stream": one.stream, "sequence": sequence + 1, "actor": one.actor, "act": one.act, "subject": one.subject,
        "detail": strict_json.canonical(one.detail).decode() if one.detail else "{}", "previous_hash": previous,
    }  # fmt: skip
    hashed = _hash({**said, "at": one.at.isoformat()}).hex()
    entry = {**said, "at": one.at, "hash": hashed}
    if one.act not in EVENTS:
        return entry, None
    told = {"detail": dict(one.detail)} if one.detail else {}
    event = {"event_id": hashed, "type": EVENTS[one.act].type, "stream": one.stream, "subject": one.subject}
    return entry, {**event, "at": one.at, "detail": told}


def verify(session: Session) -> int:
    """Return how many entries there are if every stream verifies; else raise naming the first bad one."""
    count, stream, sequence, previous = 0, "", 0, ""
    for entry in store.entries(session):
        if entry.stream != stream:
            stream, sequence, previous = entry.stream, 0, ""
        sequence += 1
        if (entry.sequence, entry.previous_hash, entry.hash) != (sequence, previous, _hash(_hashed(entry)).hex()):
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
    found = _hash(said)
    if told.get("hash") != found.hex():
        raise MalformedError("the act's hash is not its own")
    return found


def _hash(said: Mapping[str, object]) -> bytes:
    """Return the hash of an act's members, that of the act before it in its stream among them."""
    return sha256(strict_json.canonical(said)).digest()


def _hashed(entry: AuditEntry) -> dict[str, object]:
    said = {name: getattr(entry, name) for name in ("stream", "sequence", "actor", "act", "subject", "detail")}
    return said | {"at": entry.at.isoformat(), "previous_hash": entry.previous_hash}
