"""What an agency orders, checked whole; and the draft that becomes the bytes to sign."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from credentials import concealing, licence_type, sd_jwt, validity
from credentials.claim_values import CREDIT_CODE, LATEST, Fault
from credentials.identifiers import LicenceId
from credentials.licence_type import CITY_TIME, ClaimsRefusedError, Holder, LicenceType

NOBODY = Holder("", "", "")
OF_HOLDER = frozenset({"holder_name", "holder_code", "holder_name_masked", "holder_code_last4"})
"""Claims that issuing takes from the holder who is named."""
WORKED_OUT = frozenset({"birth_date", "first_issued"})
"""What issuing works other claims out from (`derived_from`)."""


def unknown_type(types: Iterable[str], pointer: str = "/licence_type") -> Fault:
    """Return the fault of a licence type that is none of `types`."""
    return Fault(
        pointer, "unknown_licence_type", f"there is no such licence type; there are: {', '.join(sorted(types))}"
    )


CardBy = Literal["post", "pick_up", "kiosk"]
"""How a card comes besides."""
ENTRUSTED = ("guardian", "representative")


@dataclass(frozen=True, slots=True)
class Order:
    """What an agency wants signed. `entrusted` are who may show it besides its holder: JSON pointer and person each.

    A minor's guardians, or a company's representative.
    """

    licence_type: str
    holder: Holder
    claims: Mapping[str, Any]
    entrusted: tuple[tuple[str, Holder], ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    reference: str | None = None
    card_by: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A licence on the way to its signing input."""

    kind: LicenceType
    identifier: LicenceId
    claims: Mapping[str, Any]
    first_day: date
    last_day: date | None
    holder_jwk: Mapping[str, str]
    now: datetime
    agents: Sequence[str] = ()
    """Wallets of those who may show it besides its holder."""

    def concealed(
        self, issuer: str, vct: str, randomness: Callable[[int], bytes]
    ) -> tuple[dict[str, Any], tuple[sd_jwt.Disclosure, ...]]:
        """Return the payload without its status entry, and the disclosures."""
        about = envelope(
            issuer, vct, first_day=self.first_day, last_day=self.last_day, holder_jwk=self.holder_jwk, now=self.now
        )
        numbers = {"licence_id": str(self.identifier), "issued_on": self.now.astimezone(CITY_TIME).date().isoformat()}
        return concealed(self.kind, about, {**numbers, **self.claims}, randomness)


def envelope(
    issuer: str, vct: str, *, first_day: date, last_day: date | None, holder_jwk: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """Return the registered claims of a licence: about the token, not about the person."""
    about: dict[str, Any] = {"iss": issuer, "iat": int(now.timestamp())}
    if first_day > now.astimezone(CITY_TIME).date():
        about["nbf"] = _midnight(first_day)
    if last_day is not None:
        about["exp"] = _midnight(last_day + timedelta(days=1))  # at `exp` it is over (RFC 7519 section 4.1.4)
    return about | {"vct": vct, "cnf": {"jwk": dict(holder_jwk)}}


def concealed(
    kind: LicenceType, about: Mapping[str, Any], claims: Mapping[str, Any], randomness: Callable[[int], bytes]
) -> tuple[dict[str, Any], tuple[sd_jwt.Disclosure, ...]]:
    """Return the payload without its status entry, and the disclosures; decoys fill up to the type's count."""
    return concealing.conceal(
        {**about, **claims},
        selective={(name,) for name in kind.selective},
        randomness=randomness,
        digests_at_top=len(kind.selective),
    )


def readable(body: Mapping[str, Any]) -> Order | None:
    """Return as much of an order as a malformed body holds; None if not even its type can be read."""
    if not isinstance(body.get("licence_type"), str):
        return None
    claims = body.get("claims")
    return Order(
        licence_type=body["licence_type"],
        holder=_person(body.get("holder")) or NOBODY,
        claims=claims if isinstance(claims, Mapping) else {},
        entrusted=tuple((f"/{name}", one) for name in ENTRUSTED if (one := _person(body.get(name))) is not None),
        valid_from=_date(body.get("valid_from")),
        valid_until=_date(body.get("valid_until")),
    )


def _person(value: object) -> Holder | None:
    names = ("code_type", "code", "name")
    if not isinstance(value, Mapping) or not all(isinstance(value.get(name), str) for name in names):
        return None
    return Holder(*(value[name] for name in names))


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def faults(types: Mapping[str, LicenceType], body: object, *, now: datetime) -> list[Fault]:
    """Return what is wrong with the claims of a body that is malformed elsewhere, as far as it can be read."""
    order = readable(body) if isinstance(body, Mapping) else None
    if order is None:
        return []
    kind = types.get(order.licence_type)
    if kind is None:
        return [unknown_type(types)]
    try:
        check_order(kind, order, now=now)
    except ClaimsRefusedError as error:
        about_nobody = order.holder is NOBODY
        return [one for one in error.faults if not (about_nobody and _of_holder(one))]
    return []


def _of_holder(fault: Fault) -> bool:
    return fault.pointer.startswith("/holder") or fault.code == "contradiction"


def check_order(kind: LicenceType, order: Order, *, now: datetime) -> tuple[dict[str, Any], date, date | None]:
    """Return claims to sign and first and last day, or raise `ClaimsRefusedError` with every fault at once."""
    today = now.astimezone(CITY_TIME).date()
    faults = licence_type.check_holder(kind, order.holder, "/holder")
    for pointer, person in order.entrusted:
        faults += licence_type.check_identity(person, pointer)
        if person.code_type == CREDIT_CODE:
            faults.append(Fault(f"{pointer}/code_type", "holder_kind", "a person acts for others, no company"))
        guards = pointer.startswith("/guardian")
        if guards and not kind.minor_holder:
            faults.append(Fault(pointer, "guardian_not_allowed", "this licence type is not for minors"))
        if not guards and kind.holder_kind != "legal":
            faults.append(Fault(pointer, "representative_not_allowed", "this licence type is not for companies"))
    first_day = order.valid_from or today
    if not today - timedelta(days=366) <= first_day <= today + timedelta(days=366):
        faults.append(Fault("/valid_from", "wrong_date", "must lie within a year of today"))
    claims: dict[str, Any] = {}
    try:
        claims = licence_type.complete(kind, order.claims, order.holder, today=today)
    except ClaimsRefusedError as error:
        faults += error.faults
    longest, wrong = _longest(kind, order, claims, first_day, today) if claims and not faults else (None, [])
    faults += wrong
    faults += _wrong_end(order.valid_until, longest, first_day, today)
    if faults:
        raise ClaimsRefusedError(faults)
    return claims, first_day, order.valid_until or longest


def _longest(
    kind: LicenceType, order: Order, claims: Mapping[str, Any], first_day: date, today: date
) -> tuple[date | None, list[Fault]]:
    """Return the last day that the type lets claims be good for, and what is wrong with the claim that says it."""
    longest = validity.last_day(kind, claims, order.holder, first_day=first_day)
    if longest is None or max(first_day, today) <= longest <= LATEST:
        return longest, []
    named = validity.ENDS.get(kind.validity["rule"])
    where = f"/claims/{named}" if named in claims else "/valid_from"
    return None, [Fault(where, "wrong_date", "the licence would be over before it began, or too late")]


def _wrong_end(until: date | None, longest: date | None, first_day: date, today: date) -> list[Fault]:
    """Return what is wrong with the last day that was sent, whatever else is wrong."""
    if until is None:
        return []
    if until > LATEST:
        return [Fault("/valid_until", "wrong_date", f"must not lie after {LATEST}")]
    if until < max(first_day, today):
        return [Fault("/valid_until", "wrong_date", "the licence would be over before it began")]
    if longest is not None and until > longest:
        return [Fault("/valid_until", "wrong_date", f"this licence type lasts until {longest} at most")]
    return []


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), CITY_TIME).timestamp())
