"""Claims' values: what each kind of claim may hold, checked before anything is signed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from credentials import identifiers
from credentials.code_lists import CODE_LISTS
from credentials.errors import FormatError, MalformedError
from credentials.text import clean

MAX_TEXT_LENGTH = 512  # characters (GB/T 36903)
MAX_ITEMS = 64  # elements of an array claim
EARLIEST, LATEST = date(1850, 1, 1), date(2200, 1, 1)  # dates outside are slips of the pen
MAX_INTEGER = 10**15
CITIZEN_NUMBER, CREDIT_CODE = "111", "001"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(_DAY.pattern + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
_PATTERNS = {
    "region_code": re.compile(r"[1-9][0-9]{5}"),
    "year-month": re.compile(r"(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])"),
    "money": re.compile(r"[0-9]{1,15}(\.[0-9]{1,2})?"),
    "digest": re.compile(r"sha256:[0-9a-f]{64}"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what was sent: where (RFC 6901 pointer), a stable code, a sentence."""

    pointer: str
    code: str
    detail: str


class FaultsError(FormatError):
    """What was sent has faults; `faults` names every one."""

    code = "invalid_request"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class ClaimDefinition:
    """One claim of a type: its labels, its kind of value, and whether it always shows."""

    name: str
    labels: Mapping[str, str]
    type: str
    required: bool
    always: bool
    sensitivity: str
    pattern: re.Pattern[str] | None = None
    derived_from: str | None = None
    past: bool = False
    """The day or month it names has come when it is signed."""
    years_ahead: int | None = None
    """How many years ahead the day it names may lie at most; None where the type's validity says it."""
    maximum: int = MAX_INTEGER


def signable(one: ClaimDefinition, value: object, at: str, *, code_type: str = "") -> Any:
    """Return `value` as claim `one` has it signed, its texts in NFC; raises `FaultsError` with all that is wrong.

    `code_type` says what kind of code `holder_code` is.
    """
    kind = one.type
    if kind.startswith("array["):
        return _array(one, value, at)
    try:
        return _scalar(one, kind, value, code_type)
    except MalformedError as error:
        raise FaultsError([Fault(at, "wrong_value", error.detail)]) from error


def faults_in(one: ClaimDefinition, value: object, at: str) -> list[Fault]:
    """Return all that is wrong with `value` as claim `one`."""
    try:
        signable(one, value, at)
    except FaultsError as error:
        return list(error.faults)
    return []


def _array(one: ClaimDefinition, value: object, at: str) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ITEMS:
        raise FaultsError([Fault(at, "wrong_value", f"a list of 1 to {MAX_ITEMS} values")])
    inner = one.type.removeprefix("array[").removesuffix("]")
    made, faults = [], []
    for place, element in enumerate(value):
        try:
            made.append(_scalar(one, inner, element, ""))
        except MalformedError as error:
            faults.append(Fault(f"{at}/{place}", "wrong_value", error.detail))
    if faults:
        raise FaultsError(faults)
    return made


def _scalar(one: ClaimDefinition, kind: str, value: object, code_type: str) -> Any:
    if kind == "boolean":
        _demand(isinstance(value, bool), "true or false")
        return value
    if kind == "integer":
        _demand(type(value) is int and 0 <= value <= one.maximum, f"a whole number, 0 to {one.maximum}")
        return value
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT_LENGTH:
        raise MalformedError("must be a text of 1 to 512 characters")
    cleaned = clean(value)
    _check_text(one, kind, value, code_type)
    return cleaned


def _check_text(one: ClaimDefinition, kind: str, text: str, code_type: str) -> None:
    _demand(not text.isspace(), "a text that is not blank")
    if kind == "date":
        _day(text)
    elif kind == "datetime":
        _instant(text)
    elif kind == "citizen_number" and (one.name != "holder_code" or code_type == CITIZEN_NUMBER):
        identifiers.birth_date(text)
    elif kind == "uscc" and (one.name != "holder_code" or code_type == CREDIT_CODE):
        identifiers.check_credit_code(text)
    elif kind.startswith("enum:"):
        _demand(text in _choices(kind), f"one of {kind.removeprefix('enum:')}")
    elif kind in CODE_LISTS:
        _demand(text in CODE_LISTS[kind], f"a code or a name of {kind.removeprefix('code:')}")
    elif kind in _PATTERNS:
        _demand(bool(_PATTERNS[kind].fullmatch(text)), f"of the form {_PATTERNS[kind].pattern}")
    if one.pattern is not None:
        _demand(bool(one.pattern.fullmatch(text)), f"of the form {one.pattern.pattern}")


@cache
def _choices(kind: str) -> frozenset[str]:
    return frozenset(kind.removeprefix("enum:").split("|"))


def _demand(met: bool, wanted: str) -> None:  # noqa: FBT001 - reads as a sentence where it is called
    if not met:
        raise MalformedError(f"must be {wanted}")


def _day(text: str) -> date:
    _demand(bool(_DAY.fullmatch(text)), "a date as 2026-01-31")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise MalformedError("must be a day of the calendar") from error
    _demand(EARLIEST <= day <= LATEST, "a date between 1850 and 2200")
    return day


def _instant(text: str) -> datetime:
    _demand(bool(_INSTANT.fullmatch(text)), "a time as 2026-01-31T08:00:00+08:00 (RFC 3339)")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedError("must be a time of the calendar") from error
    _day(text[:10])
    return instant
