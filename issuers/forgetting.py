"""What the agencies' room forgets, and when: what wallets came in with, which licences changed together.

Ledger and lists stay.
"""

from datetime import datetime, timedelta

from issuers.mass import store as mass_store
from issuers.openid4vci import store
from records.database import Database

AUTHORIZATIONS_KEPT = timedelta(days=7)  # after their end: until then a code that is used twice is known as that
GRANTS_KEPT = timedelta(days=30)  # after their tokens' end
MASS_CHANGES_KEPT = timedelta(days=30)  # which licences were one change; an hour would do to undo it


def forget(database: Database, *, now: datetime) -> dict[str, int]:
    """Forget what is over; returns how many of each."""
    with database.write() as session:
        return {
            "authorizations": store.forget_authorizations(session, now - AUTHORIZATIONS_KEPT),
            "grants": store.forget_grants(session, now - GRANTS_KEPT),
            "mass_changes": mass_store.forget(session, now - MASS_CHANGES_KEPT),
        }
