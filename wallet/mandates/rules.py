"""What a mandate is for, when it is over, and who may hand over what: nothing here reads or writes."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from credentials import identifiers
from credentials.calendar import months_later
from credentials.claim_values import CITIZEN_NUMBER
from credentials.errors import MalformedError
from credentials.licence_type import CITY_TIME, Holder
from wallet.errors import CameOfAgeError, MandateEndedError, MandateWithdrawnError, WalletError
from wallet.mandates.models import Kind, Mandate

LONGEST = timedelta(days=366)  # an agent's, manager's or helper's mandate
OF_AGE, SENSITIVE_UNTIL = 18, 14  # years
LASTS = frozenset({"valid", "suspended"})
"""States of a licence in which the mandate that it gave lasts."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody hands over: to whom, as what, which types (None: all that they may), until when."""

    agent: Holder
    kind: Kind
    types: Sequence[str] | None
    until: datetime
    principal: str | None = None
    """Whose licences; one's own if None."""


@dataclass(frozen=True, slots=True)
class Source:
    """The licence that gives a mandate: its identifier, type and issuer; whether it gives all of its holder's."""

    licence_id: str
    licence_type: str
    issuer: str | None
    all: bool
    born: date | None = None
    """When its holder was born, as it says itself."""


APPOINTED = frozenset({Kind.MANAGER, Kind.AGENT, Kind.HELPER})
APPOINTS: Mapping[Kind, Collection[Kind]] = {
    Kind.REPRESENTATIVE: {Kind.MANAGER, Kind.AGENT},
    Kind.MANAGER: {Kind.AGENT},
}
"""Who appoints whom of a company."""


def covers(mandate: Mandate, licence_type: str, issuer: str | None) -> bool:
    """Whether a mandate is for a licence; whether it is in force is another question."""
    return mandate.types is None or (licence_type in mandate.types and mandate.issuer in {None, issuer})


def as_wide(power: Mandate, types: Sequence[str] | None) -> bool:
    """Whether a power reaches as far as these types."""
    return power.types is None or (types is not None and set(types) <= set(power.types))


def within(grant: Grant, power: Mandate) -> bool:
    """Whether what is handed over is neither more nor for longer than the power to."""
    longer = power.ends_at is not None and grant.until > power.ends_at
    return not longer and as_wide(power, grant.types)


def over(mandate: Mandate, now: datetime) -> WalletError | None:
    """Return why a mandate is over by itself or by somebody's word, None if it is not."""
    if mandate.withdrawn_at is not None:
        return MandateWithdrawnError(mandate.withdrawn_at)
    if mandate.ends_at is not None and now >= mandate.ends_at:
        return CameOfAgeError(mandate.ends_at) if mandate.kind == Kind.PARENT else MandateEndedError(mandate.ends_at)
    return None


def birth(holder: Holder) -> date | None:
    """Return a person's day of birth, where the number says it."""
    return identifiers.birth_date(holder.code) if holder.code_type == CITIZEN_NUMBER else None


def born(claims: Mapping[str, object]) -> list[date]:
    """Return the days of birth that a licence's claims tell of its holder."""
    told = [str(claims[name])[:10] for name in ("birth_date", "birth_datetime") if name in claims]
    days = []
    with suppress(MalformedError):  # a passport's, or no number at all
        days.append(identifiers.birth_date(str(claims.get("holder_code", ""))))
    for one in told:
        with suppress(ValueError):  # another issuer's spelling
            days.append(date.fromisoformat(one))
    return days


def birthday(born: date, years: int) -> datetime:
    """Return the first instant of a birthday, in the city's time."""
    return datetime.combine(months_later(born, 12 * years), time(), CITY_TIME)
