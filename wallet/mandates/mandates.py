"""The verbs on mandates: who may show whose licences, given and taken back in sight of both.

A parent's and a company's representative's come with a licence that names them; from there a representative appoints
up to five managers, these appoint agents, and a person a helper, each for a stated time. What ends, ends what was given
under it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlmodel import Session

from credentials import base64url, identifiers
from credentials.calendar import months_later
from credentials.claim_values import CITIZEN_NUMBER, CREDIT_CODE
from credentials.licence_type import CITY_TIME, Holder
from records import audit
from records.database import Database
from wallet.accounts import Accounts, stream
from wallet.errors import (
    CameOfAgeError,
    MandateEndedError,
    MandateRefusedError,
    MandateWithdrawnError,
    NotHeldError,
    UnknownMandateError,
    WalletError,
)
from wallet.mandates import store
from wallet.mandates.models import Kind, Mandate

MOST_MANAGERS = 5  # of one company
LONGEST = timedelta(days=366)  # an agent's, manager's or helper's mandate
OF_AGE, SENSITIVE_UNTIL = 18, 14  # years
MOST_TOLD = 200  # in one answer
ID_BYTES = 9


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody hands over: to whom, as what, which types (None: all that they may), until when."""

    agent: Holder
    kind: Kind
    types: Sequence[str] | None
    until: datetime
    principal: str | None = None
    """Whose licences; one's own if None."""


class Mandates:
    """Who may show whose licences. `types` are the keys of the catalogue."""

    def __init__(
        self,
        *,
        database: Database,
        accounts: Accounts,
        types: Collection[str],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._types = types
        self._randomness = randomness

    # What they allow

    def in_force(self, agent: str, *, now: datetime) -> Sequence[Mandate]:
        """Return what somebody may do for others at this moment."""
        with self._database.read() as session:
            return store.in_force(session, agent, now)

    def must_allow(self, agent: str, principal: str, licence_type: str, *, now: datetime) -> Mandate | None:
        """Return the mandate by which `agent` shows a licence of `principal`'s, None for one's own.

        Raises why not: it was withdrawn, is over, the child is grown up, or (`NotHeldError`) there never was one.
        """
        if agent == principal:
            return None
        with self._database.read() as session:
            rows = [one for one in store.between(session, principal, agent) if covers(one, licence_type)]
        refusals: list[WalletError] = []
        for one in rows:
            refusal = _over(one, now)
            if refusal is None:
                return one
            refusals.append(refusal)
        raise refusals[0] if refusals else NotHeldError()

    def helps(self, agent: str, principal: str, *, now: datetime) -> bool:
        """Whether somebody acts for another person as their helper."""
        return any(one.principal == principal and one.kind == Kind.HELPER for one in self.in_force(agent, now=now))

    def sensitive(self, principal: str, *, now: datetime) -> bool:
        """Whether all about somebody is sensitive: a child under fourteen (PIPL article 31)."""
        born = _birth(self._accounts.get(principal))
        return born is not None and now < _birthday(born, SENSITIVE_UNTIL)

    # Given with a licence

    def entrust(
        self,
        session: Session,
        principal: str,
        agents: Sequence[str],
        kind: Kind,
        licence_type: str | None,
        now: datetime,
    ) -> None:
        """Let those whom an agency's licence names show licences of `principal`: of that type, or (None) of all.

        In the transaction that delivers the licence. A parent's mandate ends with the child's eighteenth birthday.
        """
        ends_at = None
        if kind == Kind.PARENT:
            born = _birth(self._accounts.identity(session, principal))
            ends_at = _birthday(born, OF_AGE) if born else now + LONGEST
        for agent in agents:
            known = [
                one for one in store.between(session, principal, agent) if one.kind == kind and not _over(one, now)
            ]
            if agent == principal or any(covers(one, licence_type) for one in known):
                continue
            row = next((one for one in known if one.types is not None and licence_type is not None), None)
            if row is not None and licence_type is not None:
                row.types = sorted({*(row.types or ()), licence_type})
            else:
                row = self._row(principal, agent, kind, [licence_type] if licence_type else None, "agency", now)
                row.ends_at = ends_at
                session.add(row)
            session.flush()
            self._audit(session, row, "mandate.given", "issuers", now)

    # Given and taken back by people

    def give(self, giver: str, grant: Grant, *, now: datetime) -> Mandate:
        """Hand showing over to somebody; raises `MandateRefusedError` saying what does not allow it."""
        principal = grant.principal or giver
        if not now < grant.until <= now + LONGEST:
            raise MandateRefusedError("it ends within a year")
        if grant.types is not None and not (grant.types and set(grant.types) <= set(self._types)):
            raise MandateRefusedError("name types of the catalogue, or none for all")
        agent = self._accounts.add(grant.agent, actor=f"holder:{giver}", now=now)
        if agent in {giver, principal} or grant.agent.code_type == CREDIT_CODE:
            raise MandateRefusedError("it goes to another person")
        with self._database.write() as session:
            under = self._power(session, giver, principal, grant, now)
            if grant.kind == Kind.MANAGER and store.managers(session, principal, now) >= MOST_MANAGERS:
                raise MandateRefusedError(f"at most {MOST_MANAGERS} managers; withdraw one first")
            row = self._row(principal, agent, grant.kind, grant.types, giver, now)
            row.granted_under, row.ends_at = under.mandate_id if under else None, grant.until
            session.add(row)
            session.flush()
            self._audit(session, row, "mandate.given", f"holder:{giver}", now)
        return row

    def withdraw(self, by: str, mandate_id: str, *, now: datetime) -> None:
        """End a mandate: whoever gave it, whose licences they are, their representative, or the agent who renounces.

        What was given under it ends too. One that an agency's licence gave is ended by its agent alone.
        """
        with self._database.write() as session:
            row = session.get(Mandate, mandate_id)
            if row is None or not self._may_end(session, by, row, now):
                raise UnknownMandateError
            for one in store.withdraw(session, mandate_id, by, now):
                ended = session.get(Mandate, one, populate_existing=True)
                if ended is not None:
                    self._audit(session, ended, "mandate.withdrawn", f"holder:{by}", now)

    def told(self, holder_id: str, *, now: datetime) -> Sequence[Mandate]:
        """Return the mandates somebody gave or has, and those over whom they represent: ended ones too."""
        with self._database.read() as session:
            over = [one.principal for one in store.in_force(session, holder_id, now) if one.kind in _APPOINTS]
            return store.seen_by(session, holder_id, over, MOST_TOLD)

    def name_of(self, holder_id: str) -> str:
        """Return what a holder is called."""
        return self._accounts.get(holder_id).name

    def _power(self, session: Session, giver: str, principal: str, grant: Grant, now: datetime) -> Mandate | None:
        """Return the mandate by whose power something is given; None for what is one's own to give."""
        company = self._accounts.identity(session, principal).code_type == CREDIT_CODE
        if giver == principal:
            if (grant.kind in {Kind.MANAGER, Kind.AGENT}) != company or grant.kind not in _APPOINTED:
                raise MandateRefusedError("a person names a helper, a company managers and agents")
            return None
        if not company:
            raise MandateRefusedError("only one's own licences, or a company's")
        for one in store.in_force(session, giver, now):
            fits = one.principal == principal and grant.kind in _APPOINTS.get(Kind(one.kind), ())
            if fits and _within(grant, one):
                return one
        raise MandateRefusedError("nobody hands over more, or for longer, than they may themselves")

    def _may_end(self, session: Session, by: str, row: Mandate, now: datetime) -> bool:
        if by == row.agent:
            return True
        if row.kind not in _APPOINTED:
            return False
        powers = [Kind(one.kind) for one in store.in_force(session, by, now) if one.principal == row.principal]
        above = any(Kind(row.kind) in _APPOINTS.get(power, ()) for power in powers)
        return by in {row.granted_by, row.principal} or (above and Kind.REPRESENTATIVE in powers)

    def _row(
        self, principal: str, agent: str, kind: Kind, types: Sequence[str] | None, by: str, now: datetime
    ) -> Mandate:
        return Mandate(
            mandate_id=base64url.encode(self._randomness(ID_BYTES)),
            principal=principal,
            agent=agent,
            kind=kind,
            types=sorted(types) if types is not None else None,
            granted_by=by,
            created_at=now,
        )

    def _audit(self, session: Session, row: Mandate, act: str, actor: str, now: datetime) -> None:
        audit.record(
            session, stream=stream(row.principal), actor=actor, act=act, subject=row.mandate_id, now=now,
            detail={"kind": row.kind, "agent": row.agent, "types": row.types or "all"},
        )  # fmt: skip


_APPOINTED = frozenset({Kind.MANAGER, Kind.AGENT, Kind.HELPER})
_APPOINTS: Mapping[Kind, Collection[Kind]] = {
    Kind.REPRESENTATIVE: {Kind.MANAGER, Kind.AGENT},
    Kind.MANAGER: {Kind.AGENT},
}
"""Who appoints whom of a company."""


def covers(mandate: Mandate, licence_type: str | None) -> bool:
    """Whether a mandate is for a type (None: for all of them); whether it is in force is another question."""
    return mandate.types is None or (licence_type is not None and licence_type in mandate.types)


def _within(grant: Grant, power: Mandate) -> bool:
    longer = power.ends_at is not None and grant.until > power.ends_at
    more = power.types is not None and (grant.types is None or not set(grant.types) <= set(power.types))
    return not longer and not more


def _over(mandate: Mandate, now: datetime) -> WalletError | None:
    if mandate.withdrawn_at is not None:
        return MandateWithdrawnError(mandate.withdrawn_at)
    if mandate.ends_at is not None and now >= mandate.ends_at:
        return CameOfAgeError(mandate.ends_at) if mandate.kind == Kind.PARENT else MandateEndedError(mandate.ends_at)
    return None


def _birth(holder: Holder) -> date | None:
    return identifiers.birth_date(holder.code) if holder.code_type == CITIZEN_NUMBER else None


def _birthday(born: date, years: int) -> datetime:
    """Return the first instant of a birthday, in the city's time."""
    return datetime.combine(months_later(born, 12 * years), time(), CITY_TIME)
