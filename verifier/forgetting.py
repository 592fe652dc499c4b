"""What the verifying room forgets, and when: questions and class lists that are over. Verdicts and receipts stay."""

from datetime import datetime, timedelta

from credentials.key_binding import MAX_PASS_LIFE
from records import idempotency
from records.database import Database
from verifier import store
from verifier.asks import store as asks_store
from verifier.class_lists import store as class_lists_store

CLASS_LISTS_KEPT = timedelta(days=366)  # after they were closed; one that never was as long again
REQUESTS_KEPT = idempotency.KEPT + timedelta(days=1)  # after their end: as long as a key may lead to one


def forget(database: Database, *, now: datetime) -> dict[str, int]:
    """Forget what is over; returns how many of each."""
    with database.write() as session:
        store.forget_passes(session, now - 2 * MAX_PASS_LIFE)
        return {
            "questions": store.forget_requests(session, now - REQUESTS_KEPT),
            "asks": asks_store.forget(session, now - REQUESTS_KEPT),
            "class_lists": class_lists_store.forget(
                session, closed=now - CLASS_LISTS_KEPT, made=now - 2 * CLASS_LISTS_KEPT
            ),
        }
