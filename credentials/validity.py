"""How long a licence is good: what its type's validity rule means for a holder and a first day."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from credentials import identifiers
from credentials.calendar import months_later, years_between
from credentials.claim_values import CITIZEN_NUMBER
from credentials.licence_type import Holder, LicenceType

ENDS = {"endorsement": "endorsed_until", "until_operating_until_or_permanent": "operating_until"}
"""Rules by which a claim says the last day, and that claim."""


def last_day(kind: LicenceType, claims: Mapping[str, Any], holder: Holder, *, first_day: date) -> date | None:
    """Return the last day a licence of `kind` may be good, None for a permanent one."""
    rule = kind.validity["rule"]
    if rule == "fixed":
        months = kind.validity.get("months", 0) + 12 * kind.validity.get("years", 0)
        return months_later(first_day, months) - timedelta(days=1)
    if rule == "by_age_at_issue":
        age = years_between(_birth(holder, claims), first_day)
        years = next(
            (row["years"] for row in kind.validity["table"] if row["age_below"] is None or age < row["age_below"]),
            None,
        )
        return months_later(first_day, 12 * years) - timedelta(days=1) if years else None
    if rule == "by_renewal":
        years = _years_of_renewal(kind, date.fromisoformat(claims["first_issued"]), first_day)
        return months_later(first_day, 12 * years) - timedelta(days=1) if years else None
    until = ENDS.get(rule)
    return date.fromisoformat(claims[until]) if until and until in claims else None


def _years_of_renewal(kind: LicenceType, first_issued: date, first_day: date) -> int | None:
    """Return how long the renewal lasts that falls on `first_day`: 6 years, then 10, then for good (None)."""
    held, until = years_between(first_issued, first_day), 0
    for row in kind.validity["table"]:
        until += row["years"] or 0
        if row["years"] is None or held < until:
            return row["years"]  # type: ignore[no-any-return]
    return None


def _birth(holder: Holder, claims: Mapping[str, Any]) -> date:
    if holder.code_type == CITIZEN_NUMBER:
        return identifiers.birth_date(holder.code)
    return date.fromisoformat(claims["birth_date"])
