"""What custody forgets, and when: tokens, codes and nonces that open nothing any more. The audit keeps who had them."""

from datetime import datetime, timedelta

from keys import store
from keys.oauth.nonces import LIFE
from records.database import Database

TOKENS_KEPT = timedelta(days=30)  # after their end, for whoever asks why a call was refused
CODES_KEPT = timedelta(days=7)


def forget(database: Database, *, now: datetime) -> dict[str, int]:
    """Forget what is over; returns how many of each."""
    with database.write() as session:
        store.forget_spent(session, now - 2 * LIFE)
        return {
            "tokens": store.forget_tokens(session, now - TOKENS_KEPT),
            "enrolment_codes": store.forget_enrolment_codes(session, now - CODES_KEPT),
        }
