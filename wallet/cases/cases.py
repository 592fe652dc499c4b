"""The verbs on cases: opened by a holder, taken in hand and answered by the agency, each step seen by both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from credentials import base64url
from credentials.text import clean
from keys.encryption import Seal
from records import idempotency
from records.database import Database
from records.idempotency import Attempt
from wallet.cases import store
from wallet.cases.errors import CaseOverError, TooManyCasesError, UnknownCaseError
from wallet.cases.models import Case, CaseEvent, Kind, State
from wallet.errors import UnknownUseError
from wallet.keeping import Keeping
from wallet.presenting import record
from wallet.uses import Uses

ID_BYTES = 9
MOST_OPEN = 20  # of one holder
MOST_TOLD = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a case, opened: who, when, which state, what was written."""

    at: datetime
    actor: str
    state: str
    text: str


class Cases:
    """Cases between holders and agencies."""

    def __init__(
        self,
        *,
        database: Database,
        seal: Seal,
        keeping: Keeping,
        uses: Uses,
        agency_of_issuer: Callable[[str], str],
        agency_of_counter: Callable[[str], str | None],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._seal = seal
        self._keeping = keeping
        self._uses = uses
        self._agency_of_issuer = agency_of_issuer
        self._agency_of_counter = agency_of_counter
        self._randomness = randomness

    # The holder's side

    def open(self, holder_id: str, kind: Kind, about: str, text: str, this: Attempt, *, now: datetime) -> Case:
        """Open a case about a licence (to be corrected) or a use (objected to); it goes to that agency.

        The same attempt again finds its case.
        """
        agency = self._agency_of(holder_id, kind, about, now)
        row = Case(
            case_id=f"{int(now.timestamp() * 1000):013d}-{base64url.encode(self._randomness(ID_BYTES))}",
            holder_id=holder_id,
            agency=agency,
            kind=kind,
            about=about,
            opened_at=now,
            changed_at=now,
        )
        with self._database.write() as session:
            earlier = idempotency.claim(session, this, result=row.case_id, now=now)
            found = session.get(Case, earlier) if earlier is not None else None
            if found is not None:
                return found
            if store.open_of(session, holder_id) >= MOST_OPEN:
                raise TooManyCasesError
            session.add(row)
            session.flush()
            self._note(session, row, State.OPEN, text, f"holder:{holder_id}", now)
        return row

    def mine(self, holder_id: str) -> Sequence[Case]:
        """Return a holder's cases, newest first."""
        with self._database.read() as session:
            return store.of_holder(session, holder_id, MOST_TOLD)

    def of_holder(self, holder_id: str, case_id: str) -> tuple[Case, list[Step]]:
        """Return one of a holder's cases, with its steps."""
        return self._one(case_id, lambda row: row.holder_id == holder_id)

    def add(self, holder_id: str, case_id: str, text: str, *, now: datetime) -> None:
        """Add a word to one's own case."""
        row, _ = self.of_holder(holder_id, case_id)
        self._move(row, None, text, f"holder:{holder_id}", now)

    # The agency's side

    def page(self, agency: str, state: State | None, *, after: str, limit: int) -> Sequence[Case]:
        """Return a page of an agency's cases."""
        with self._database.read() as session:
            return store.of_agency(session, agency, state, after, limit)

    def of_agency(self, agency: str, case_id: str) -> tuple[Case, list[Step]]:
        """Return one of an agency's cases, with its steps."""
        return self._one(case_id, lambda row: row.agency == agency)

    def answer(self, agency: str, case_id: str, state: State, text: str, *, actor: str, now: datetime) -> None:
        """Take a case in hand, uphold or reject it, in words that the holder reads; ended ones stay as they are."""
        row, _ = self.of_agency(agency, case_id)
        self._move(row, state, text, actor, now)

    def _move(self, row: Case, state: State | None, text: str, actor: str, now: datetime) -> None:
        """Bring a case to a state, or note a word in the one that it is in."""
        with self._database.write() as session:
            moved = store.move(session, row.case_id, state, now)
            if moved is None:
                raise CaseOverError
            self._note(session, row, moved, text, actor, now)

    def _note(self, session: Session, row: Case, state: State, text: str, actor: str, now: datetime) -> None:
        number = len(store.events(session, row.case_id)) + 1
        sealed = self._seal.close(clean(text).encode(), f"case {row.case_id} {number}")
        session.add(CaseEvent(case_id=row.case_id, number=number, at=now, actor=actor, state=state, text=sealed))
        session.flush()
        act = "case.opened" if number == 1 else f"case.{state}"
        record(session, row.holder_id, act, row.case_id, now, actor=actor.removeprefix("holder:"))

    def _one(self, case_id: str, theirs: Callable[[Case], bool]) -> tuple[Case, list[Step]]:
        with self._database.read() as session:
            row = session.get(Case, case_id)
            if row is None or not theirs(row):
                raise UnknownCaseError
            found = store.events(session, case_id)
        opened = [self._seal.open(one.text, f"case {case_id} {one.number}").decode() for one in found]
        return row, [Step(one.at, one.actor, one.state, text) for one, text in zip(found, opened, strict=True)]

    def _agency_of(self, holder_id: str, kind: Kind, about: str, now: datetime) -> str:
        if kind == Kind.CORRECTION:
            (held,) = self._keeping.opened(holder_id, [about], now=now)
            return self._agency_of_issuer(held.licence.issuer or "")
        use = self._uses.seen(holder_id, about, now=now)
        agency = self._agency_of_counter(use.verifier)
        if agency is None:
            raise UnknownUseError("nobody here verified it: a verifier elsewhere is told there")
        return agency
