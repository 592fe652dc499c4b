"""What the verifying room forgets, and when: questions that are over. Verdicts and receipts stay."""

from datetime import datetime, timedelta

from credentials.key_binding import MAX_PASS_LIFE
from records import idempotency
from records.database import Database
from verifier import store

REQUESTS_KEPT = idempotency.KEPT + timedelta(days=1)  # after their end: as long as a key may lead to one


def forget(database: Database, *, now: datetime) -> dict[str, int]:
    """Forget what is over; returns how many of each."""
    with database.write() as session:
        store.forget_passes(session, now - 2 * MAX_PASS_LIFE)
        return {"questions": store.forget_requests(session, now - REQUESTS_KEPT)}
