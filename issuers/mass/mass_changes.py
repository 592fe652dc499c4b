"""Changing the status of many licences at once: looked at before, agreed on by two, done as one, published once.

Where two must agree, what one clerk asks for is a proposal until another of the agency approves it. Approval, every
licence's change and every audit entry are one transaction; licences whose state changed meanwhile are left as they are.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from credentials import base64url
from credentials.claim_values import Fault, FaultsError
from issuers import store
from issuers.errors import (
    IssuerError,
    SameAtOnceError,
    UndoOverError,
    UnknownCauseError,
    UnknownJobError,
    UnknownLicenceError,
)
from issuers.lists import store as lists_store
from issuers.mass import store as mass_store
from issuers.models import LicenceRow, LicenceState, MassChangeRow
from issuers.publishing import StatusPublisher
from issuers.status_changes import ACT, BEFORE, StatusChanges, refusal
from issuers.velocity import Velocity
from keys.errors import CustodyError
from keys.four_eyes import FourEyes, person_of
from keys.models import Proposal
from records import audit, idempotency
from records.audit import Act
from records.database import Database
from records.idempotency import Attempt

MOST = 3000  # licences in one change: a proposal shows them all to whoever approves it
LISTED = 20  # changes, the newest
UNDO_WITHIN = timedelta(hours=1)
ID_BYTES = 9
KIND, MANY = "licences.change", "change many"  # a proposal of it; the operation of an idempotency key


@dataclass(frozen=True, slots=True)
class MassChange:
    """What is to become of which licences, and why."""

    to: LicenceState
    cause: str | None
    licence_ids: Sequence[str]

    def content(self) -> dict[str, Any]:
        """Return it as what two people agree on."""
        return {"to": self.to, "cause": self.cause, "licences": list(self.licence_ids)}


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of it: how many licences changed, and which had changed before somebody got to it."""

    changed: int
    left: Sequence[str]
    change_id: str = ""
    undo_until: str | None = None
    """Until when a suspension can be undone as a whole (RFC 3339)."""


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was done, and how many licences it changed."""

    change_id: str
    to: str
    cause: str | None
    licences: int
    at: datetime
    undone_at: datetime | None


class MassChanges:
    """The verbs on many licences of one agency."""

    def __init__(
        self,
        *,
        database: Database,
        changes: StatusChanges,
        publisher: StatusPublisher,
        four_eyes: FourEyes,
        velocity: Velocity,
        two_must_agree: bool,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._randomness = randomness
        self._database = database
        self._changes = changes
        self._publisher = publisher
        self._four_eyes = four_eyes
        self._velocity = velocity
        self._two_must_agree = two_must_agree

    def faults(self, agency: str, change: MassChange) -> list[Fault]:
        """Return what stands against a change, licence by licence; none means that all of them would change.

        A cause that fits none of them is a fault of the change: raises `FaultsError`.
        """
        with self._database.read() as session:
            rows = store.licences_named(session, agency, change.licence_ids)
        found, seen, told = [], set[str](), set[tuple[str, str]]()
        for at, licence_id in enumerate(change.licence_ids):
            fault = _twice_or_unknown(licence_id, seen, rows) or self._against(rows[licence_id], change)
            seen.add(licence_id)
            if fault is not None:
                found.append(Fault(f"/licences/{at}", fault[0], f"{licence_id}: {fault[1]}"))
                told.add(fault)
        if len(found) == len(change.licence_ids) and len(told) == 1 and found[0].code == UnknownCauseError.code:
            raise FaultsError([Fault("/cause", *told.pop())])
        return found

    def ask(self, agency: str, change: MassChange, this: Attempt, *, actor: str, now: datetime) -> Proposal | Changed:
        """Propose a change; where one person is enough, do it. If any licence cannot change, nothing is done."""
        with suppress(SameAtOnceError):
            return self._ask(agency, change, this, actor=actor, now=now)
        return self._ask(agency, change, this, actor=actor, now=now)  # it finds what came of the other

    def _ask(self, agency: str, change: MassChange, this: Attempt, *, actor: str, now: datetime) -> Proposal | Changed:
        if self._two_must_agree:
            person_of(actor)
        if (earlier := self._earlier(this)) is not None:
            return earlier
        if faults := self.faults(agency, change):
            if (earlier := self._earlier(this)) is not None:
                return earlier  # the same request, a moment before: it is what stands against this one
            raise FaultsError(faults)
        with self._velocity.write(agency, actor, now) as session:
            made: Proposal | Changed
            if self._two_must_agree:
                made = self._four_eyes.propose_in(
                    session, KIND, change.content(), actor=actor, now=now, stream=f"issuers/{agency}"
                )
                result = made.proposal_id
            else:
                self._velocity.count(session, agency, actor, now, acts=len(change.licence_ids))
                made = self._do(session, agency, change, actor, now)
                result = json.dumps(asdict(made))
            if idempotency.claim(session, this, result=result, now=now) is not None:
                raise SameAtOnceError  # it waited for the other's commit: nothing of this one stays
        if isinstance(made, Changed):
            self._publish(agency, now)
        return made

    def _earlier(self, this: Attempt) -> Proposal | Changed | None:
        with self._database.read() as session:
            earlier = idempotency.earlier_result(session, this)
            return None if earlier is None else session.get(Proposal, earlier) or Changed(**json.loads(earlier))

    def approve(
        self, agency: str, proposal_id: str, content_hash: str, *, actor: str, now: datetime
    ) -> tuple[Proposal, Changed]:
        """Approve what another clerk proposed, and do it; `content_hash` is of what was looked at."""
        with self._velocity.write(agency, actor, now) as session:
            row = self._four_eyes.approve_in(
                session, proposal_id, content_hash, stream=f"issuers/{agency}", actor=actor, now=now
            )
            done = self._do(session, agency, read(row.content), actor, now)
        self._publish(agency, now)
        return row, done

    def decline(self, agency: str, proposal_id: str, *, actor: str, now: datetime) -> Proposal:
        """Decline what was proposed."""
        return self._four_eyes.decline(proposal_id, actor=actor, now=now, stream=f"issuers/{agency}")

    def proposal(self, agency: str, proposal_id: str) -> Proposal:
        """Return one of an agency's proposals."""
        return self._four_eyes.proposal(proposal_id, f"issuers/{agency}")

    def proposals(self, agency: str) -> Sequence[Proposal]:
        """Return an agency's newest proposals."""
        return self._four_eyes.proposals(f"issuers/{agency}")

    def _do(self, session: Session, agency: str, change: MassChange, actor: str, now: datetime) -> Changed:
        rows = store.licences_named(session, agency, change.licence_ids)
        fit = [one for one in change.licence_ids if one in rows and self._against(rows[one], change) is None]
        moved = store.move_all(session, fit, before=BEFORE[change.to], after=change.to, now=now, cause=change.cause)
        lists_store.note_states(session, sorted(moved))
        detail = {"cause": change.cause}
        of, act = f"issuers/{agency}", ACT[change.to]
        acts = [Act(of, actor, act, one, now, detail) for one in change.licence_ids if one in moved]
        audit.record_many(session, acts)
        done = MassChangeRow(
            change_id=base64url.name(self._randomness(ID_BYTES)), agency=agency, to=change.to, cause=change.cause,
            licences=sorted(moved), at=now,
        )  # fmt: skip
        session.add(done)
        until = undo_until(change.to, now, now) if moved else None
        left = [one for one in change.licence_ids if one not in moved]
        return Changed(len(moved), left, done.change_id, until.isoformat() if until else None)

    def done(self, agency: str) -> Sequence[Done]:
        """Return an agency's newest changes."""
        with self._database.read() as session:
            return [Done(*one) for one in mass_store.changes(session, agency, LISTED)]

    def undo(self, agency: str, change_id: str, *, actor: str, now: datetime) -> Changed:
        """Reinstate what a change suspended, within an hour: all that nobody has changed since; one clerk is enough.

        Asked again, whoever asks, it says what came of it the first time; too late, it raises `UndoOverError`.
        """
        with suppress(SameAtOnceError):
            return self._undo(agency, change_id, actor=actor, now=now)
        return self._undo(agency, change_id, actor=actor, now=now)

    def _undo(self, agency: str, change_id: str, *, actor: str, now: datetime) -> Changed:
        this = idempotency.attempt("undo", change_id, "undo many", {})
        with self._velocity.write(agency, actor, now) as session:
            row = mass_store.change(session, agency, change_id)
            if row is None:
                raise UnknownJobError
            earlier = idempotency.earlier_result(session, this)
            if earlier is not None:
                return Changed(**json.loads(earlier))
            if row.undone_at is not None or undo_until(row.to, row.at, now) is None:
                raise UndoOverError
            if not mass_store.undo(session, change_id, now):
                raise SameAtOnceError  # it waited for the other's commit
            moved = store.move_all(
                session, row.licences, before=[LicenceState.SUSPENDED], after=LicenceState.VALID, now=now, cause=None,
                since=row.at,
            )  # fmt: skip
            lists_store.note_states(session, sorted(moved))
            of, act, detail = f"issuers/{agency}", ACT[LicenceState.VALID], {"cause": None, "undone": change_id}
            acts = [Act(of, actor, act, one, now, detail) for one in row.licences if one in moved]
            audit.record_many(session, acts)
            undone = Changed(len(moved), [one for one in row.licences if one not in moved], change_id)
            idempotency.claim(session, this, result=json.dumps(asdict(undone)), now=now)
        self._publish(agency, now)
        return undone

    def _against(self, row: LicenceRow, change: MassChange) -> tuple[str, str] | None:
        try:
            self._changes.check_cause(row, change.to, change.cause)
            if row.state not in BEFORE[change.to]:
                raise refusal(row)
        except IssuerError as error:
            return error.code, str(error) or f"the licence is {row.state}"
        return None

    def _publish(self, agency: str, now: datetime) -> None:
        """Publish every list of the agency that is behind its ledger, once."""
        for list_id in self._publisher.behind(agency):
            with suppress(CustodyError):  # whoever asks for it next publishes it
                self._publisher.publish(list_id, now=now)


def undo_until(to: str, at: datetime, now: datetime) -> datetime | None:
    """Return until when a change can be undone as a whole: a suspension, within its hour; None if it cannot."""
    until = at + UNDO_WITHIN
    return until if to == LicenceState.SUSPENDED and now <= until else None


def read(content: Mapping[str, Any]) -> MassChange:
    """Return the change that a proposal's content means."""
    return MassChange(LicenceState(content["to"]), content["cause"], content["licences"])


def _twice_or_unknown(licence_id: str, seen: set[str], rows: Mapping[str, LicenceRow]) -> tuple[str, str] | None:
    if licence_id in seen:
        return "twice", "named twice"
    return None if licence_id in rows else (UnknownLicenceError.code, "no such licence of this agency")
