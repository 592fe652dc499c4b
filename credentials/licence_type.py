"""Licence types: what a licence of a kind says, for how long, and why it can be revoked. Data, not code.

`complete` turns what an agency sent into the claims that will be signed, or reports every fault at once,
each with a JSON pointer (RFC 6901).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from functools import cached_property
from typing import Any

from credentials import identifiers
from credentials.calendar import months_later, years_between
from credentials.claim_values import (
    CITIZEN_NUMBER,
    CREDIT_CODE,
    MAX_INTEGER,
    ClaimDefinition,
    Fault,
    FaultsError,
    faults_in,
    signable,
)
from credentials.errors import MalformedError
from credentials.type_metadata import ALWAYS, NEVER, ClaimRule

CITY_TIME = timezone(timedelta(hours=8), "CST")
"""China has one time zone; a licence's days are its days."""
RESERVED_NAMES = frozenset(
    {
        "iss",
        "sub",
        "aud",
        "iat",
        "nbf",
        "exp",
        "jti",
        "cnf",
        "vct",
        "vct#integrity",
        "aka_vcts",
        "status",
        "_sd",
        "_sd_alg",
    }
)
"""Names that mean something to every reader of an SD-JWT VC, and so cannot be a licence's own claim."""
LOCALES = (("zh-CN", "zh"), ("en", "en"))
"""The locales that types are described in, and their names in the catalogue."""
KEY_BY = frozenset({"kid", "x5c"})
NUMBERS = ("licence_id",)
"""What identifies the licence itself; the type says whether it always shows."""
_OTHER_CODE = re.compile(r"[0-9A-Z]{4,32}")


class ClaimsRefusedError(FaultsError):
    """The claims do not fit the licence type; `faults` names every one."""

    code = "claims_refused"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a licence of a type may be suspended or revoked; `effect` is `suspend`, `revoke` or `flag_only`."""

    code: str
    labels: Mapping[str, str]
    effect: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a licence is about: name (NFC), code and kind of code (GB/T 36903 Annex A)."""

    code_type: str
    code: str
    name: str


@dataclass(frozen=True)
class LicenceType:
    """A catalogue entry."""

    key: str
    type_code: str
    names: Mapping[str, str]
    category: str
    domain: str
    holder_kind: str
    issuer_agencies: tuple[str, ...]
    claims: Mapping[str, ClaimDefinition]
    causes: Mapping[str, Cause]
    validity: Mapping[str, Any]
    number_always: bool
    minor_holder: bool
    offline_pass: bool
    offline_status_max_age: timedelta
    code_types: frozenset[str]
    entrusts_all: bool
    """Whether whom a licence of it names as guardian or representative may show all of its holder's licences."""
    key_by: frozenset[str]
    """How verifiers find the signing key: `kid` (trust list; short enough for an offline pass), `x5c` (HAIP), both."""

    @cached_property
    def rules(self) -> tuple[ClaimRule, ...]:
        """What the type demands of its claims, as its metadata says it to everybody."""
        return tuple(
            ClaimRule(
                (one.name,),
                one.required and one.derived_from is None,
                NEVER if one.always else ALWAYS,
                {locale: one.labels[code] for locale, code in LOCALES if code in one.labels},
                one.name if one.always else None,
            )
            for one in self.claims.values()
        )

    @cached_property
    def optional(self) -> frozenset[str]:
        """Names of the claims that a licence of the type may be without."""
        return frozenset(one.name for one in self.claims.values() if not one.required)

    @cached_property
    def selective(self) -> frozenset[str]:
        """Names of the claims that are digests until the holder discloses them."""
        numbers = () if self.number_always else NUMBERS
        return frozenset(one.name for one in self.claims.values() if not one.always) | frozenset(numbers)


def load(data: Mapping[str, Any]) -> LicenceType:
    """Return the licence type of one catalogue entry.

    A missing member raises KeyError, and a claim named like a registered one ValueError: both at start-up.
    """
    if taken := {one["name"] for one in data["claims"]} & RESERVED_NAMES:
        raise ValueError(f"{data['key']}: a claim must not be called {sorted(taken)}")
    return LicenceType(
        key=data["key"],
        type_code=data["type_code"],
        names=data["name"],
        category=data["category"],
        domain=data["domain"],
        holder_kind=data["holder_kind"],
        issuer_agencies=tuple(data["issuer_agencies"]),
        claims={one["name"]: _claim(one) for one in data["claims"]},
        causes={
            one["code"]: Cause(one["code"], one["label"], one["effect"], one["decided_by"]) for one in data["causes"]
        },
        validity=data["validity"],
        number_always=data["licence_number_disclosure"] == "always",
        minor_holder=data["minor_holder"],
        offline_pass=data["offline_pass"],
        offline_status_max_age=timedelta(seconds=data["offline_status_max_age_seconds"]),
        code_types=frozenset(data["holder_code_types"]),
        entrusts_all=data.get("entrusts") == "all",
        key_by=_key_by(data),
    )


def _key_by(data: Mapping[str, Any]) -> frozenset[str]:
    ways = frozenset(data["key_by"])
    if not ways or not ways <= KEY_BY or (data["offline_pass"] and "kid" not in ways):
        raise ValueError(f"{data['key']}: key_by is kid, x5c or both; an offline pass needs kid")
    return ways


def check_holder(kind: LicenceType, holder: Holder, at: str) -> list[Fault]:
    """Return what is wrong with `holder` for a licence of `kind`; `at` is the pointer of the holder object."""
    faults = check_identity(holder, at)
    if holder.code_type not in kind.code_types:
        faults.append(Fault(f"{at}/code_type", "holder_kind", "this type is not for such holders"))
    return faults


def check_identity(holder: Holder, at: str) -> list[Fault]:
    """Return what is wrong with a person's or company's name and code on their own."""
    faults = faults_in(_NAME, holder.name, f"{at}/name")
    try:
        if holder.code_type == CITIZEN_NUMBER:
            identifiers.birth_date(holder.code)
        elif holder.code_type == CREDIT_CODE:
            identifiers.check_credit_code(holder.code)
        elif not _OTHER_CODE.fullmatch(holder.code):
            raise MalformedError("4 to 32 digits and capital letters")
    except MalformedError as error:
        faults.append(Fault(f"{at}/code", "check_digit", error.detail))
    return faults


def complete(
    kind: LicenceType, claims: Mapping[str, Any], holder: Holder, *, today: date, at: str = "/claims"
) -> dict[str, Any]:
    """Return the claims to sign: what was sent, in NFC, with what the holder and other claims imply.

    Raises `ClaimsRefusedError` with every fault: unknown claims, missing ones, wrong types, wrong check digits,
    values that contradict the holder or each other. `today` is the city's date of signing.
    """
    faults = [
        Fault(f"{at}/{_escape(name)}", "unknown_claim", "this licence type has no such claim")
        for name in claims
        if name not in kind.claims
    ]
    sent: dict[str, Any] = {}
    for name, value in claims.items():
        if name not in kind.claims:
            continue
        try:
            sent[name] = signable(kind.claims[name], value, f"{at}/{name}", code_type=holder.code_type)
        except FaultsError as error:
            faults += error.faults
    implied = _implied(kind, sent, holder, today)
    for name, value in implied.items():
        if name in sent and sent[name] != value and (value is not None or sent[name] is not False):
            faults.append(Fault(f"{at}/{name}", "contradiction", "this contradicts the holder or another claim"))
    full = {name: value for name, value in (sent | implied).items() if value is not None}
    faults += [
        Fault(f"{at}/{name}", "missing_claim", "this claim is required")
        for name, one in kind.claims.items()
        if one.required and name not in full and name not in implied and name not in claims
    ]
    faults += _absurd_days(kind, full, holder, today, at)
    if faults:
        raise ClaimsRefusedError(faults)
    return {name: full[name] for name in kind.claims if name in full}


def _absurd_days(kind: LicenceType, claims: Mapping[str, Any], holder: Holder, today: date, at: str) -> Iterator[Fault]:
    """Yield a fault for every day that cannot be: before the holder's birth, or yet to come where it must be past."""
    born = None
    if holder.code_type == CITIZEN_NUMBER:
        with suppress(MalformedError):  # a wrong number is the holder's fault, told with the holder
            born = identifiers.birth_date(holder.code)
    for name, value in claims.items():
        one = kind.claims[name]
        if one.type not in {"date", "datetime", "year-month"}:
            continue
        day = date.fromisoformat(f"{value}-01" if one.type == "year-month" else value[:10])
        if born is not None and day < (born.replace(day=1) if one.type == "year-month" else born):
            yield Fault(f"{at}/{name}", "wrong_date", "lies before the holder's birth")
        if one.past and day > today:
            yield Fault(f"{at}/{name}", "wrong_date", "lies in the future")
        if one.years_ahead is not None and day > months_later(today, 12 * one.years_ahead):
            yield Fault(f"{at}/{name}", "wrong_date", f"at most {one.years_ahead} years ahead")
    yield from _wrong_order(claims, at)
    ahead = 2 * kind.validity.get("endorse_every_months", 0)
    if ahead and claims.get("endorsed_until", "") > months_later(today, ahead).isoformat():
        yield Fault(f"{at}/endorsed_until", "wrong_date", f"at most {ahead} months ahead: endorsed period by period")


def _wrong_order(claims: Mapping[str, Any], at: str) -> Iterator[Fault]:
    """Yield a fault for every `…_to` that lies before its `…_from`."""
    for name, value in claims.items():
        start = claims.get(f"{name.removesuffix('_to')}_from") if name.endswith("_to") else None
        if start is not None and value < start:
            yield Fault(f"{at}/{name}", "wrong_date", "lies before the day it begins")


def _claim(data: Mapping[str, Any]) -> ClaimDefinition:
    return ClaimDefinition(
        name=data["name"],
        labels=data["label"],
        type=data["type"],
        required=data["required"],
        always=data["disclosure"] == "always",
        sensitivity=data["sensitivity"],
        pattern=re.compile(data["pattern"]) if data.get("pattern") else None,
        derived_from=data.get("derived_from"),
        past=data.get("past", False),
        years_ahead=data.get("years_ahead"),
        maximum=data.get("maximum", MAX_INTEGER),
    )


_NAME = ClaimDefinition("name", {}, "string", required=True, always=False, sensitivity="personal")


def _implied(kind: LicenceType, sent: Mapping[str, Any], holder: Holder, today: date) -> dict[str, Any]:
    """Return what follows from the holder and from other claims; None where nothing may be signed."""
    implied: dict[str, Any] = {"holder_name": holder.name, "holder_code": holder.code}
    implied["holder_name_masked"] = identifiers.masked_name(holder.name)
    implied["holder_code_last4"] = holder.code[-4:]
    for name, one in kind.claims.items():
        if one.derived_from == "birth_date" and "birth_date" in sent:
            years = int(name.removeprefix("age_over_"))
            reached = years_between(date.fromisoformat(sent["birth_date"]), today) >= years
            implied[name] = True if reached else None  # only true is ever signed
        if one.derived_from == "first_issued" and "first_issued" in sent:
            implied[name] = max(years_between(date.fromisoformat(sent["first_issued"]), today), 0)
    if "birth_date" in sent and holder.code_type == CITIZEN_NUMBER:
        with suppress(MalformedError):  # a wrong number is the holder's fault, told with the holder
            implied["birth_date"] = identifiers.birth_date(holder.code).isoformat()
    return {name: value for name, value in implied.items() if name in kind.claims}


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
