"""What the agencies' room forgets, and when: what wallets came in with, who did how much, what changed together.

Ledger and lists stay.
"""

from datetime import datetime, timedelta

from issuers import store as issuers_store
from issuers.mass import store as mass_store
from issuers.openid4vci import store
from issuers.velocity import HOUR
from records.database import Database

AUTHORIZATIONS_KEPT = timedelta(days=7)  # after their end: until then a code that is used twice is known as that
GRANTS_KEPT = timedelta(days=30)  # after their tokens' end
OFFERS_KEPT = timedelta(days=60)  # after their end, and as long as a grant hangs on one: orders that nobody decided too
ACTS_OF_HOUR_KEPT = timedelta(days=2)  # an hour would do to limit them
MASS_CHANGES_KEPT = timedelta(days=30)  # which licences were one change; an hour would do to undo it


def forget(database: Database, *, now: datetime) -> dict[str, int]:
    """Forget what is over; returns how many of each."""
    with database.write() as session:
        return {
            "authorizations": store.forget_authorizations(session, now - AUTHORIZATIONS_KEPT),
            "grants": store.forget_grants(session, now - GRANTS_KEPT),
            "offers": store.forget_offers(session, now - OFFERS_KEPT),
            "acts_of_hour": issuers_store.forget_hours(session, int((now - ACTS_OF_HOUR_KEPT).timestamp()) // HOUR),
            "mass_changes": mass_store.forget(session, now - MASS_CHANGES_KEPT),
        }
