"""What the wallet forgets, and when: codes and what was under way with others. Licences and uses are the holder's."""

from datetime import datetime, timedelta

from records.database import Database
from wallet import store
from wallet.consents import store as consents_store
from wallet.consents.consents import KEPT
from wallet.openid4vc import store as openid4vc_store
from wallet.sign_in import store as sign_in_store

CODES_KEPT = timedelta(days=7)  # after their end: until then a counter is told that a code was used, and when
TRIES_KEPT = timedelta(days=1)
UNDER_WAY_KEPT = timedelta(days=7)  # after their end


def forget(database: Database, *, now: datetime) -> dict[str, int]:
    """Forget what is over; returns how many of each."""
    with database.write() as session:
        sign_in_store.forget_attempts(session, now)
        consents_store.forget(session, now - KEPT)
        return {
            "codes": store.forget_codes(session, now - CODES_KEPT),
            "tries": store.forget_tries(session, int((now - TRIES_KEPT).timestamp()) // 60),
            "under_way": openid4vc_store.forget(session, now - UNDER_WAY_KEPT),
        }
