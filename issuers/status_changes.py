"""Changing a licence's status: suspend, reinstate, revoke. Revoking is never undone.

The change, the list's new version and the audit entry are one transaction; the list is published before the
agency is answered, and again by whoever asks for it if a crash came between.
"""

from datetime import datetime

from sqlmodel import Session

from credentials.claim_values import Fault
from issuers import store
from issuers.errors import (
    IssuerError,
    LicenceRevokedError,
    UnknownCauseError,
    UnknownLicenceError,
    WrongStateError,
)
from issuers.issuer import Issuer
from issuers.lists import store as lists_store
from issuers.models import SUPERSEDED, LicenceRow, LicenceState
from issuers.publishing import StatusPublisher, publish_now_or_later
from issuers.velocity import Velocity
from records import audit, idempotency
from records.idempotency import Attempt

EFFECT = {LicenceState.SUSPENDED: "suspend", LicenceState.REVOKED: "revoke"}
BEFORE = {
    LicenceState.SUSPENDED: [LicenceState.VALID],
    LicenceState.VALID: [LicenceState.SUSPENDED],
    LicenceState.REVOKED: [LicenceState.VALID, LicenceState.SUSPENDED],
}
ACT = {
    LicenceState.SUSPENDED: "licence.suspended",
    LicenceState.VALID: "licence.reinstated",
    LicenceState.REVOKED: "licence.revoked",
}


class StatusChanges:
    """Suspends, reinstates and revokes an agency's licences."""

    def __init__(self, *, issuer: Issuer, publisher: StatusPublisher, velocity: Velocity) -> None:
        self._velocity = velocity
        self._issuer = issuer
        self._publisher = publisher

    def change(
        self,
        agency: str,
        licence_id: str,
        to: LicenceState,
        this: Attempt,
        *,
        cause: str | None,
        actor: str,
        now: datetime,
    ) -> LicenceRow:
        """Move a licence to `to` for `cause` (of the type's list; None when reinstating) and publish."""
        with self._velocity.write(agency, actor, now) as session:
            row = store.licence(session, agency, licence_id)
            if row is None:
                raise UnknownLicenceError
            self.check_cause(row, to, cause)
            result = f"{licence_id} {now.isoformat()}"
            if (earlier := idempotency.claim(session, this, result=result, now=now)) is None:
                self._velocity.count(session, agency, actor, now, revoked_alone=to == LicenceState.REVOKED)
                lists = self._move(session, row, to, cause=cause, actor=actor, now=now)
        behind = lists if earlier is None else self._publisher.lists_of(licence_id)
        publish_now_or_later(self._publisher, behind, now=now)
        # What is answered is this change, whatever came after it: one idempotency key, one result.
        row.state, row.cause = to, cause
        row.state_since = datetime.fromisoformat((earlier or result).split()[1])
        return row

    def _move(
        self, session: Session, row: LicenceRow, to: LicenceState, *, cause: str | None, actor: str, now: datetime
    ) -> list[str]:
        """Move a licence, and return the lists that have to say so."""
        if not store.move(session, row, before=BEFORE[to], after=to, now=now, cause=cause):
            fresh = store.licence(session, row.agency, row.licence_id)
            raise refusal(fresh or row)
        lists = lists_store.note_states(session, [row.licence_id])
        audit.record(
            session, stream=f"issuers/{row.agency}", actor=actor, act=ACT[to], subject=row.licence_id, now=now,
            detail={"cause": cause},
        )  # fmt: skip
        return lists

    def check_cause(self, row: LicenceRow, to: LicenceState, cause: str | None) -> None:
        """Raise `UnknownCauseError` unless the type's list has `cause` for this change."""
        if to == LicenceState.VALID:
            return
        causes = self._issuer.types[row.type_key].causes
        known = causes.get(cause or "")
        if known is None or known.effect != EFFECT[to] or known.code == SUPERSEDED:
            allowed = sorted(one.code for one in causes.values() if one.effect == EFFECT[to] and one.code != SUPERSEDED)
            said = f"one of: {', '.join(allowed) or 'none, this type knows no such change'}"
            raise UnknownCauseError(said, [Fault("/cause", "unknown_cause", said)])


def refusal(row: LicenceRow) -> IssuerError:
    """Return why a licence as it stands does not change so."""
    if row.state == LicenceState.REVOKED:
        return LicenceRevokedError(row.cause)
    return WrongStateError(f"the licence is {row.state}")
