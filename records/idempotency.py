"""One idempotency key, one result: claimed in the transaction of the act itself.

There is no "in flight" to refuse: a second request waits for the first one's commit in the database, then
finds its result and finishes whatever a crash left undone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlmodel import Session

from credentials import strict_json
from records import store
from records.errors import IdempotencyKeyReusedError
from records.models import IdempotencyKey
from records.rows import store as rows_store

MAX_KEY_LENGTH = 128  # characters
KEPT = timedelta(days=30)  # how long the same request finds its result again; a licence's for ever


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request's claim to be the first: who, under which key, to do what with which body."""

    caller: str
    key: str
    operation: str
    body_hash: str


def attempt(caller: str, key: str, operation: str, body: Mapping[str, object]) -> Attempt:
    """Return the attempt of `caller` to do `operation` with `body` under `key`."""
    return Attempt(caller, key, operation, sha256(strict_json.canonical(body)).hexdigest())


def earlier_result(session: Session, this: Attempt) -> str | None:
    """Return what came of this attempt before, None if it is new; raises if the key meant something else."""
    row = store.idempotency_key(session, this.caller, this.key)
    if row is None:
        return None
    if (row.operation, row.body_hash) != (this.operation, this.body_hash):
        raise IdempotencyKeyReusedError
    return row.result


def claim(session: Session, this: Attempt, *, result: str, now: datetime) -> str | None:
    """Take the key for `result` and return None, or return the result of whoever came first.

    A request that comes at the same time waits here for the other's commit.
    """
    row = IdempotencyKey(
        caller=this.caller,
        key=this.key,
        operation=this.operation,
        body_hash=this.body_hash,
        result=result,
        created_at=now,
    )
    return None if rows_store.insert_unless_taken(session, row) else earlier_result(session, this)


def free(session: Session, operation: str, results: Sequence[str]) -> None:
    """Give the keys of operations, whose names begin so, back whose results came to nothing."""
    store.free_keys(session, operation, results)


def forget(session: Session, *, callers: Sequence[str], operations: Sequence[str], now: datetime) -> int:
    """Forget keys that are older than any retry; returns how many. Those of some callers and operations are needed."""
    return store.forget_keys(session, now - KEPT, callers=callers, operations=operations)
