"""Leases: what one worker alone does at a time, of any number on any number of machines.

A lease has a fence, a number that only grows. Whoever was stopped too long has lost it, and `must_hold`, in the
transaction of what is done under it, refuses: a worker that comes back late writes nothing. Chunks of batches and
deliveries are leased one by one, in their own rows (`issuers/batch/store.py`, `records/outbox/store.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from records import store
from records.database import Database
from records.models import LeaseRow
from records.rows import store as rows_store


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that was taken."""

    name: str
    fence: int


class LeaseLostError(Exception):
    """Somebody else has the lease now: nothing of what was done under this one stays."""


class Leases:
    """Takes leases in the name of one worker."""

    def __init__(self, *, database: Database, worker: str) -> None:
        """Take leases for `worker`, a name that no other process has."""
        self._database = database
        self._worker = worker

    def take(self, name: str, life: timedelta, *, now: datetime) -> Lease | None:
        """Take or renew a lease until `now + life`; None while somebody else has it."""
        with self._database.write() as session:
            row = store.lease(session, name)
            if row is None:
                made = LeaseRow(name=name, holder=self._worker, fence=1, until=now + life)
                return Lease(name, 1) if rows_store.insert_unless_taken(session, made) else None
            running = row.until > now
            if running and row.holder != self._worker:
                return None
            fence = row.fence if running else row.fence + 1
            taken = store.take_lease(session, row, self._worker, fence, now + life)
            return Lease(name, fence) if taken else None

    def alone(self, name: str, life: timedelta, work: Callable[[Lease], object], *, now: datetime) -> bool:
        """Do `work` if nobody else is at it; False if somebody is."""
        lease = self.take(name, life, now=now)
        if lease is None:
            return False
        work(lease)
        return True


def must_hold(session: Session, lease: Lease) -> None:
    """Raise `LeaseLostError` unless a lease is still held; nobody takes it before this transaction ends."""
    if not store.hold_lease(session, lease.name, lease.fence):
        raise LeaseLostError(lease.name)
