"""How fast an agency, a clerk or a system of it may issue and change: what a stolen token cannot do in an hour.

Counted in the act's own transaction, so that no number of requests at once gets past it. Whoever reaches the limit is
refused, and an alert stands in the audit, once an hour.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlmodel import Session

from issuers import store
from issuers.errors import RevocationsError, VelocityError
from records import audit
from records.database import Database

HOUR = 3600


class Velocity:
    """Counts acts by actor and hour."""

    def __init__(self, *, database: Database, per_hour: int, agency_per_hour: int, revocations_per_hour: int) -> None:
        """Limit acts by actor and agency, and an agency's revocations one by one: more are agreed on by two."""
        self._revocations_per_hour = revocations_per_hour
        self._database = database
        self._per_hour = per_hour
        self._agency_per_hour = agency_per_hour

    @contextmanager
    def write(self, agency: str, actor: str, now: datetime) -> Iterator[Session]:
        """Open a transaction for acts that count; one too many leaves an alert and nothing else."""
        try:
            with self._database.write() as session:
                yield session
        except VelocityError as error:
            with self._database.write() as session:
                if store.alerted(session, error.whose, _hour(now)):
                    audit.record(
                        session, stream=f"issuers/{agency}", actor=actor, act="alert.velocity", subject=error.whose,
                        now=now, detail={"per_hour": error.per_hour},
                    )  # fmt: skip
            raise

    def count(
        self, session: Session, agency: str, actor: str, now: datetime, *, acts: int = 1, revoked_alone: bool = False
    ) -> None:
        """Count acts in their own transaction; one too many, of the actor or of all of the agency, is refused.

        So is, of what one alone revokes, one too many of the agency: on many, two agree.
        """
        refusals = [VelocityError(f"agency:{agency}/all", self._agency_per_hour), VelocityError(actor, self._per_hour)]
        if revoked_alone:
            refusals.append(RevocationsError(f"agency:{agency}/revocations", self._revocations_per_hour))
        counted = store.count_acts(session, _hour(now), {one.whose: acts for one in refusals})
        for one in refusals:
            if counted[one.whose] > one.per_hour:
                raise one

    def hold(self, session: Session, agency: str, now: datetime) -> None:
        """Let whoever else issues for an agency wait for this transaction; nothing is counted."""
        store.count_acts(session, _hour(now), {f"agency:{agency}/all": 0})


def _hour(now: datetime) -> int:
    return int(now.timestamp()) // HOUR
