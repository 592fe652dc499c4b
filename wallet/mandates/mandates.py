"""The verbs on mandates: who may show whose licences, given and taken back in sight of both.

A parent's and a company's representative's come with a licence that names them; from there a representative appoints
up to five managers, these appoint agents, and a person a helper, each for a stated time. What ends, ends what was given
under it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from credentials import base64url
from credentials.claim_values import CREDIT_CODE
from records import audit, idempotency
from records import store as records_store
from records.database import Database
from records.idempotency import Attempt
from wallet.accounts import Accounts, stream
from wallet.errors import (
    MandateEndedError,
    MandateRefusedError,
    NotHeldError,
    UnknownMandateError,
    WalletError,
)
from wallet.mandates import store
from wallet.mandates.models import Kind, Mandate
from wallet.mandates.rules import (
    APPOINTED,
    APPOINTS,
    LASTS,
    LONGEST,
    OF_AGE,
    SENSITIVE_UNTIL,
    Grant,
    Source,
    as_wide,
    birth,
    birthday,
    born,
    covers,
    over,
    within,
)

MOST_MANAGERS, MOST_A_DAY = 5, 50  # of one company; by one giver
MOST_TOLD = 200  # in one answer
ID_BYTES = 9


class Mandates:
    """Who may show whose licences. `types` are the keys of the catalogue."""

    def __init__(
        self,
        *,
        database: Database,
        accounts: Accounts,
        types: Collection[str],
        states: Callable[[Sequence[str]], Mapping[str, str]],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._states = states
        self._database = database
        self._accounts = accounts
        self._types = types
        self._randomness = randomness

    # What they allow

    def in_force(self, agent: str, *, now: datetime) -> Sequence[Mandate]:
        """Return what somebody may do for others at this moment."""
        with self._database.read() as session:
            return self._alive(session, agent, now)

    def must_allow(
        self, agent: str, principal: str, licence_type: str, issuer: str | None, *, now: datetime
    ) -> Mandate | None:
        """Return the mandate by which `agent` shows a licence of `principal`'s, None for one's own.

        Raises why not: it was withdrawn, is over, the child is grown up, or (`NotHeldError`) there never was one.
        """
        if agent == principal:
            return None
        refusals: list[WalletError] = []
        with self._database.read() as session:
            for one in store.between(session, principal, agent):
                if covers(one, licence_type, issuer):
                    refusal = self._ended(session, one, now)
                    if refusal is None:
                        return one
                    refusals.append(refusal)
        raise refusals[0] if refusals else NotHeldError()

    def _alive(self, session: Session, agent: str, now: datetime) -> list[Mandate]:
        return [one for one in store.in_force(session, agent, now) if self._ended(session, one, now) is None]

    def _ended(self, session: Session, one: Mandate, now: datetime) -> WalletError | None:
        """Return why a mandate is over: by itself, with the licence that gave it, or with what it was given under."""
        refusal = over(one, now)
        if refusal is None and one.source_licence is not None:
            state = self._states([one.source_licence]).get(one.source_licence, "unknown")
            refusal = None if state in LASTS else MandateEndedError(now)
        under = session.get(Mandate, one.granted_under) if refusal is None and one.granted_under else None
        return self._ended(session, under, now) if under is not None else refusal

    def ended_since(self, agent: str, since: datetime, *, now: datetime) -> WalletError | None:
        """Return why something that somebody could do for another at an instant is over now; None if nothing is."""
        with self._database.read() as session:
            ended = [self._ended(session, one, now) for one in store.in_force(session, agent, since)]
        return next((one for one in ended if one is not None), None)

    def kinds(self, agent: str, *, now: datetime) -> Mapping[str, Collection[Kind]]:
        """Return for whom somebody acts at this moment, and as what."""
        found: dict[str, set[Kind]] = {}
        for one in self.in_force(agent, now=now):
            found.setdefault(one.principal, set()).add(Kind(one.kind))
        return found

    def circle(self, principal: str, now: datetime) -> frozenset[str]:
        """Return somebody and all who may act for them."""
        with self._database.read() as session:
            rows = store.over(session, principal)
            return frozenset(one.agent for one in rows if self._ended(session, one, now) is None) | {principal}

    def fellows(self, parent: str, *, now: datetime) -> frozenset[str]:
        """Return the other parents of somebody's children."""
        children = [one.principal for one in self.in_force(parent, now=now) if one.kind == Kind.PARENT]
        with self._database.read() as session:
            rows = [one for child in children for one in store.parents(session, child)]
            return frozenset(one.agent for one in rows if self._ended(session, one, now) is None) - {parent}

    def sensitive(self, principal: str, claims: Mapping[str, object], *, now: datetime) -> bool:
        """Whether a licence is about a child under fourteen (PIPL article 31), whoever's wallet it is in.

        By the number of its holder here, and by what the licence itself says of its holder's birth.
        """
        told = [birth(self._accounts.get(principal)), *born(claims)]
        return any(day is not None and now < birthday(day, SENSITIVE_UNTIL) for day in told)

    # Given with a licence

    def entrust(
        self,
        session: Session,
        principal: str,
        agents: Sequence[str],
        kind: Kind,
        source: Source,
        now: datetime,
    ) -> None:
        """Let those whom an agency's licence names show licences of `principal`: like that one, or all of them.

        In the transaction that delivers the licence. A parent's mandate ends with the child's eighteenth birthday.
        """
        ends_at = None
        if kind == Kind.PARENT:
            day = birth(self._accounts.identity(session, principal)) or source.born
            ends_at = birthday(day, OF_AGE) if day else now + LONGEST
        for agent in agents:
            if agent == principal:
                continue
            row = self._row(principal, agent, kind, None if source.all else [source.licence_type], "agency", now)
            row.issuer, row.source_licence = None if source.all else source.issuer, source.licence_id
            row.ends_at = ends_at
            session.add(row)
            session.flush()
            self._audit(session, row, "mandate.given", "issuers", now)

    # Given and taken back by people

    def give(self, giver: str, grant: Grant, this: Attempt, *, now: datetime) -> Mandate:
        """Hand showing over to somebody; raises `MandateRefusedError` saying what does not allow it.

        The same attempt again finds its mandate.
        """
        with self._database.read() as session:
            earlier = idempotency.earlier_result(session, this)
            found = session.get(Mandate, earlier) if earlier is not None else None
        if found is not None:
            return found
        principal = grant.principal or giver
        self._check_form(grant, now)
        with self._database.read() as session:
            self._power(session, giver, principal, grant, now)
        agent = self._accounts.named(grant.agent, actor=f"holder:{giver}", now=now)
        if agent is None:
            raise MandateRefusedError("name and number do not go together")
        if agent in {giver, principal}:
            raise MandateRefusedError("it goes to another person")
        with self._database.write() as session:
            records_store.lock_stream(session, stream(principal))
            came_first = idempotency.earlier_result(session, this)  # while this one waited for the lock
            if came_first is not None:
                return session.get_one(Mandate, came_first)
            under = self._power(session, giver, principal, grant, now)
            if self._has(session, principal, agent, grant, now):
                raise MandateRefusedError("there is one for this already; withdraw it first")
            if store.given_since(session, giver, now - timedelta(days=1)) >= MOST_A_DAY:
                raise MandateRefusedError(f"at most {MOST_A_DAY} in a day")
            if grant.kind == Kind.MANAGER and store.managers(session, principal, now) >= MOST_MANAGERS:
                raise MandateRefusedError(f"at most {MOST_MANAGERS} managers; withdraw one first")
            row = self._row(principal, agent, grant.kind, grant.types, giver, now)
            row.granted_under, row.ends_at = under.mandate_id if under else None, grant.until
            row.issuer = under.issuer if under else None
            idempotency.claim(session, this, result=row.mandate_id, now=now)
            session.add(row)
            session.flush()
            self._audit(session, row, "mandate.given", f"holder:{giver}", now)
        return row

    def _check_form(self, grant: Grant, now: datetime) -> None:
        if not now < grant.until <= now + LONGEST:
            raise MandateRefusedError("it ends within a year")
        if grant.types is not None and not (grant.types and set(grant.types) <= set(self._types)):
            raise MandateRefusedError("name types of the catalogue, or none for all")
        if grant.agent.code_type == CREDIT_CODE:
            raise MandateRefusedError("it goes to another person")

    def withdraw(self, by: str, mandate_id: str, *, now: datetime) -> None:
        """End a mandate: whoever gave it, whose licences they are, their representative, or the agent who renounces.

        What was given under it ends too. One that an agency's licence gave is ended by its agent alone.
        """
        with self._database.write() as session:
            row = session.get(Mandate, mandate_id)
            if row is not None:
                records_store.lock_stream(session, stream(row.principal))
            if row is None or not self._may_end(session, by, row, now):
                raise UnknownMandateError
            for one in store.withdraw(session, mandate_id, by, now):
                ended = session.get(Mandate, one, populate_existing=True)
                if ended is not None:
                    self._audit(session, ended, "mandate.withdrawn", f"holder:{by}", now)

    @staticmethod
    def _has(session: Session, principal: str, agent: str, grant: Grant, now: datetime) -> bool:
        rows = [one for one in store.between(session, principal, agent) if one.kind == grant.kind]
        types = None if grant.types is None else sorted(grant.types)
        return any(over(one, now) is None and one.types == types for one in rows)

    def told(self, holder_id: str, *, now: datetime) -> Sequence[Mandate]:
        """Return the mandates somebody gave or has, and those over whom they represent: ended ones too."""
        with self._database.read() as session:
            represented = [one.principal for one in self._alive(session, holder_id, now) if one.kind in APPOINTS]
            return store.seen_by(session, holder_id, represented, MOST_TOLD)

    def is_over(self, row: Mandate, *, now: datetime) -> bool:
        """Whether a mandate allows nothing any more, for whatever reason."""
        with self._database.read() as session:
            return self._ended(session, row, now) is not None

    def name_of(self, holder_id: str) -> str:
        """Return what a holder is called."""
        return self._accounts.get(holder_id).name

    def _power(self, session: Session, giver: str, principal: str, grant: Grant, now: datetime) -> Mandate | None:
        """Return the mandate by whose power something is given; None for what is one's own to give."""
        company = self._accounts.identity(session, principal).code_type == CREDIT_CODE
        if giver == principal:
            if (grant.kind in {Kind.MANAGER, Kind.AGENT}) != company or grant.kind not in APPOINTED:
                raise MandateRefusedError("a person names a helper, a company managers and agents")
            return None
        if not company:
            raise MandateRefusedError("only one's own licences, or a company's")
        for one in self._alive(session, giver, now):
            fits = one.principal == principal and grant.kind in APPOINTS.get(Kind(one.kind), ())
            if fits and within(grant, one):
                return one
        raise MandateRefusedError("nobody hands over more, or for longer, than they may themselves")

    def _may_end(self, session: Session, by: str, row: Mandate, now: datetime) -> bool:
        if by == row.agent:
            return True
        if row.kind not in APPOINTED:
            return False
        powers = [one for one in self._alive(session, by, now) if one.principal == row.principal]
        above = any(one.kind == Kind.REPRESENTATIVE and as_wide(one, row.types) for one in powers)
        return by in {row.granted_by, row.principal} or above

    def _row(
        self, principal: str, agent: str, kind: Kind, types: Sequence[str] | None, by: str, now: datetime
    ) -> Mandate:
        return Mandate(
            mandate_id=base64url.name(self._randomness(ID_BYTES)),
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
