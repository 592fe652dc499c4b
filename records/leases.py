"""Leases: what one worker alone does at a time, of any number on any number of machines.

A lease has a fence, a number that only grows. Whoever was stopped too long has lost it, and `must_hold`, in the
transaction of what is done under it, refuses: a worker that comes back late writes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, update
from sqlmodel import Field, Session, SQLModel, col

from records import store
from records.database import Database
from records.models import Instant


class LeaseRow(SQLModel, table=True):
    """Who may do something alone, until when; `fence` counts who had it."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    fence: int = Field(sa_type=BigInteger)
    until: datetime = Field(sa_type=Instant)


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
            row = session.get(LeaseRow, name)
            if row is None:
                made = LeaseRow(name=name, holder=self._worker, fence=1, until=now + life)
                return Lease(name, 1) if store.insert_unless_taken(session, made) else None
            mine = row.holder == self._worker
            if not mine and row.until > now:
                return None
            fence = row.fence if mine and row.until > now else row.fence + 1
            taken = update(LeaseRow).where(col(LeaseRow.name) == name, col(LeaseRow.fence) == row.fence)
            taken = taken.where(col(LeaseRow.holder) == row.holder)
            done = session.execute(taken.values(holder=self._worker, fence=fence, until=now + life))
            return Lease(name, fence) if done.rowcount else None  # type: ignore[attr-defined]

    def let_go(self, lease: Lease, *, now: datetime) -> None:
        """Give a lease back, so that the next worker need not wait for its end."""
        with self._database.write() as session:
            session.execute(_mine(lease).values(until=now))

    def alone(self, name: str, life: timedelta, work: Callable[[], object], *, now: datetime) -> bool:
        """Do `work` if nobody else is at it; False if somebody is."""
        if self.take(name, life, now=now) is None:
            return False
        work()
        return True


def must_hold(session: Session, lease: Lease) -> None:
    """Raise `LeaseLostError` unless a lease is still held; nobody takes it before this transaction ends."""
    held = _mine(lease).values(fence=LeaseRow.fence)
    if not session.execute(held).rowcount:  # type: ignore[attr-defined]
        raise LeaseLostError(lease.name)


def _mine(lease: Lease):  # type: ignore[no-untyped-def]
    return update(LeaseRow).where(col(LeaseRow.name) == lease.name, col(LeaseRow.fence) == lease.fence)
