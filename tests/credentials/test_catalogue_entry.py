"""A made-up catalogue entry, read and used in each test: every member means what it says, to the day."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from credentials import licence_type, validity
from credentials.claim_values import MAX_INTEGER, ClaimDefinition
from credentials.licence_type import Cause, ClaimsRefusedError, Fault, Holder
from credentials.type_metadata import ALWAYS, NEVER, ClaimRule
from tests.tokens import ABSENT, changed

TODAY = date(2026, 11, 23)
ANN = Holder("111", "440199198708220021", "李娜")  # born on 22 August 1987
STRANGER = Holder("414", "E12345678", "Zoë")


def _claim(name: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    honest = {"name": name, "label": {"zh": name}, "type": kind, "required": False, "disclosure": "selective"}
    return {**honest, "sensitivity": "personal", **more}


def _entry(*claims: dict[str, Any], **changes: Any) -> dict[str, Any]:
    honest = {
        "key": "ticket",
        "type_code": "1144019900DEM0015H009",
        "name": {"zh": "票", "en": "Ticket"},
        "category": "证照执照",
        "domain": "交通",
        "holder_kind": "natural",
        "holder_code_types": ["111", "414"],
        "issuer_agencies": ["police", "univ"],
        "licence_number_disclosure": "selective",
        "minor_holder": False,
        "offline_pass": True,
        "offline_status_max_age_seconds": 3600,
        "validity": {"rule": "fixed", "years": 1},
        "claims": list(claims),
        "causes": [{"code": "lost", "label": {"zh": "遗失"}, "effect": "suspend", "decided_by": "holder"}],
        "key_by": ["kid"],
    }
    return changed(honest, changes)


def _kind(*claims: dict[str, Any], **changes: Any) -> licence_type.LicenceType:
    return licence_type.load(_entry(*claims, **changes))


def _faults(kind: licence_type.LicenceType, claims: dict[str, Any], holder: Holder = ANN, **how: Any) -> list[Fault]:
    with pytest.raises(ClaimsRefusedError) as caught:
        licence_type.complete(kind, claims, holder, today=TODAY, **how)
    return list(caught.value.faults)


def test_an_entry_is_read_whole():
    """Every member of an entry is a member of the type."""
    kind = _kind(_claim("seat"), minor_holder=True, key_by=["kid", "x5c"])
    assert (kind.key, kind.type_code, kind.names) == ("ticket", "1144019900DEM0015H009", {"zh": "票", "en": "Ticket"})
    assert (kind.category, kind.domain, kind.holder_kind) == ("证照执照", "交通", "natural")
    assert (kind.issuer_agencies, kind.code_types) == (("police", "univ"), {"111", "414"})
    assert (kind.number_always, kind.minor_holder, kind.offline_pass) == (False, True, True)
    assert (kind.offline_status_max_age, kind.key_by) == (timedelta(hours=1), {"kid", "x5c"})
    assert kind.validity == {"rule": "fixed", "years": 1}
    assert kind.causes == {"lost": Cause("lost", {"zh": "遗失"}, "suspend", "holder")}
    assert list(kind.claims) == ["seat"]
    other = _kind(licence_number_disclosure="always", offline_pass=False, key_by=["x5c"])
    assert (other.number_always, other.minor_holder, other.offline_pass, other.key_by) == (True, False, False, {"x5c"})


@pytest.mark.parametrize(
    ("said", "all_of_them"), [("all", True), ("own", False), ("ALL", False), (True, False), (ABSENT, False)]
)
def test_a_guardian_is_entrusted_with_everything_only_where_the_entry_says_so(said, all_of_them):
    """One word entrusts whom a licence names with all of its holder's licences; silence and any other word do not."""
    assert _kind(entrusts=said).entrusts_all is all_of_them


def test_a_claim_says_no_more_than_its_entry():
    """Without options a claim has no pattern, nothing it follows from, no bound on days, the largest number."""
    assert _kind(_claim("seat")).claims["seat"] == ClaimDefinition(
        name="seat",
        labels={"zh": "seat"},
        type="string",
        required=False,
        always=False,
        sensitivity="personal",
        pattern=None,
        derived_from=None,
        past=False,
        years_ahead=None,
        maximum=MAX_INTEGER,
    )


def test_a_claim_is_read_whole():
    """Every option of a claim is read."""
    more = {"pattern": "^[A-Z]$", "derived_from": "x", "past": True, "years_ahead": 3, "maximum": 9}
    assert _kind(_claim("seat", "date", required=True, disclosure="always", sensitivity="public", **more)).claims[
        "seat"
    ] == ClaimDefinition(
        name="seat",
        labels={"zh": "seat"},
        type="date",
        required=True,
        always=True,
        sensitivity="public",
        pattern=re.compile("^[A-Z]$"),
        derived_from="x",
        past=True,
        years_ahead=3,
        maximum=9,
    )


def test_the_rules_are_what_the_metadata_will_say():
    """A claim that always shows must not be hidden, another must be; what is derived is never demanded."""
    kind = _kind(
        _claim("seat", required=True, disclosure="always", label={"zh": "座位", "en": "Seat"}),
        _claim("row", required=True),
        _claim("age_over_18", "boolean", required=True, derived_from="birth_date"),
    )
    assert kind.rules == (
        ClaimRule(("seat",), mandatory=True, sd=NEVER, labels={"zh-CN": "座位", "en": "Seat"}, svg_id="seat"),
        ClaimRule(("row",), mandatory=True, sd=ALWAYS, labels={"zh-CN": "row"}, svg_id=None),
        ClaimRule(("age_over_18",), mandatory=False, sd=ALWAYS, labels={"zh-CN": "age_over_18"}, svg_id=None),
    )
    assert kind.selective == {"row", "age_over_18", "licence_id"}
    assert _kind(_claim("row"), licence_number_disclosure="always").selective == {"row"}


@pytest.mark.parametrize("name", sorted(licence_type.RESERVED_NAMES))
def test_a_claim_called_like_a_registered_one_stops_the_start(name):
    """It would be read as the registered one; the message names type and claim."""
    with pytest.raises(ValueError, match=f"ticket: a claim must not be called.*{re.escape(name)}"):
        _kind(_claim("seat"), _claim(name))


@pytest.mark.parametrize(
    ("ways", "offline"),
    [([], False), (["jwk"], False), (["kid", "jwk"], False), (["x5c"], True), ([], True)],
)
def test_keys_that_nobody_could_find_stop_the_start(ways, offline):
    """Verifiers find a key by `kid` or `x5c`; an offline pass has no room for a chain."""
    with pytest.raises(ValueError, match="ticket: key_by is kid, x5c or both"):
        _kind(key_by=ways, offline_pass=offline)


@pytest.mark.parametrize(("ways", "offline"), [(["kid"], True), (["x5c"], False), (["kid", "x5c"], True)])
def test_keys_that_somebody_finds_are_taken(ways, offline):
    """Either way, or both."""
    assert _kind(key_by=ways, offline_pass=offline).key_by == frozenset(ways)


def test_a_holder_is_checked_where_it_stands():
    """Pointer, code and a sentence for each fault: name, code, kind of code."""
    kind = _kind(holder_code_types=["111"])
    assert licence_type.check_holder(kind, ANN, "/holder") == []
    found = licence_type.check_holder(kind, Holder("001", "440199198708220022", " "), "/holder")
    assert [(one.pointer, one.code) for one in found] == [
        ("/holder/name", "wrong_value"),
        ("/holder/code", "check_digit"),
        ("/holder/code_type", "holder_kind"),
    ]
    assert all(one.detail for one in found)
    assert "not for such holders" in found[2].detail


@pytest.mark.parametrize(
    ("holder", "because"),
    [
        (Holder("111", "440199198708220022", "甲"), "check digit of the citizen number"),
        (Holder("001", "91440199MA0FAKE179", "甲"), "check character of the social credit code"),
        (Holder("414", "E12", "甲"), "4 to 32 digits and capital letters"),
        (Holder("414", "e1234567", "甲"), "4 to 32 digits and capital letters"),
        (Holder("414", "E" * 33, "甲"), "4 to 32 digits and capital letters"),
    ],
)
def test_a_wrong_code_says_what_is_wrong(holder, because):
    """Each kind of code by its own rule."""
    (fault,) = licence_type.check_identity(holder, "/x")
    assert (fault.pointer, fault.code) == ("/x/code", "check_digit")
    assert because in fault.detail


@pytest.mark.parametrize("code", ["E123", "E" * 32, "0000"])
def test_another_code_of_4_to_32_is_taken(code):
    """The limits themselves are allowed."""
    assert licence_type.check_identity(Holder("414", code, "甲"), "/x") == []


FAULTS = {
    "unknown": ([], {"x": 1}, "/claims/x", "unknown_claim", "no such claim"),
    "missing": ([_claim("a", required=True)], {}, "/claims/a", "missing_claim", "this claim is required"),
    "a contradiction": ([_claim("holder_name")], {"holder_name": "王五"}, "/claims/holder_name", "contradiction", "contradicts"),
    "no boolean": ([_claim("a", "boolean")], {"a": 1}, "/claims/a", "wrong_value", "must be true or false"),
    "no number": ([_claim("a", "integer", maximum=9)], {"a": 10}, "/claims/a", "wrong_value", "a whole number, 0 to 9"),
    "no text": ([_claim("a")], {"a": 1}, "/claims/a", "wrong_value", "a text of 1 to 512 characters"),
    "a text too long": ([_claim("a")], {"a": "x" * 513}, "/claims/a", "wrong_value", "a text of 1 to 512 characters"),
    "an empty text": ([_claim("a")], {"a": ""}, "/claims/a", "wrong_value", "a text of 1 to 512 characters"),
    "a blank text": ([_claim("a")], {"a": " "}, "/claims/a", "wrong_value", "a text that is not blank"),
    "an invisible text": ([_claim("a")], {"a": "a\u200b"}, "/claims/a", "wrong_value", "an invisible character"),
    "no date": ([_claim("a", "date")], {"a": "2026-1-31"}, "/claims/a", "wrong_value", "a date as 2026-01-31"),
    "no day": ([_claim("a", "date")], {"a": "2026-02-30"}, "/claims/a", "wrong_value", "a day of the calendar"),
    "long ago": ([_claim("a", "date")], {"a": "1849-12-31"}, "/claims/a", "wrong_value", "between 1850 and 2200"),
    "far ahead": ([_claim("a", "date")], {"a": "2200-01-02"}, "/claims/a", "wrong_value", "between 1850 and 2200"),
    "no time": ([_claim("a", "datetime")], {"a": "2026-01-31"}, "/claims/a", "wrong_value", "2026-01-31T08:00:00+08:00"),
    "no such time": ([_claim("a", "datetime")], {"a": "2026-01-31T25:00:00Z"}, "/claims/a", "wrong_value", "a time of the"),
    "a time long ago": ([_claim("a", "datetime")], {"a": "1849-01-31T05:00:00Z"}, "/claims/a", "wrong_value", "between 1850"),
    "no word": ([_claim("a", "enum:x|y")], {"a": "z"}, "/claims/a", "wrong_value", "one of x|y"),
    "no code": ([_claim("a", "code:GB/T2261.1")], {"a": "3"}, "/claims/a", "wrong_value", "a code or a name of GB/T2261.1"),
    "no form": ([_claim("a", "money")], {"a": "1,5"}, "/claims/a", "wrong_value", "of the form [0-9]{1,15}"),
    "no pattern": ([_claim("a", pattern="^[A-Z]$")], {"a": "1"}, "/claims/a", "wrong_value", "of the form ^[A-Z]$"),
    "no list": ([_claim("a", "array[string]")], {"a": "x"}, "/claims/a", "wrong_value", "a list of 1 to 64 values"),
    "an empty list": ([_claim("a", "array[string]")], {"a": []}, "/claims/a", "wrong_value", "a list of 1 to 64 values"),
    "a list of 65": ([_claim("a", "array[string]")], {"a": ["x"] * 65}, "/claims/a", "wrong_value", "a list of 1 to 64"),
    "an element": ([_claim("a", "array[enum:x|y]")], {"a": ["x", "z"]}, "/claims/a/1", "wrong_value", "one of x|y"),
    "before birth": ([_claim("a", "date")], {"a": "1987-08-21"}, "/claims/a", "wrong_date", "before the holder's birth"),
    "to come": ([_claim("a", "date", past=True)], {"a": "2026-11-24"}, "/claims/a", "wrong_date", "lies in the future"),
    "ahead": ([_claim("a", "date", years_ahead=2)], {"a": "2028-11-24"}, "/claims/a", "wrong_date", "at most 2 years ahead"),
    "before it begins": (
        [_claim("a_from", "date"), _claim("a_to", "date")], {"a_from": "2026-01-02", "a_to": "2026-01-01"},
        "/claims/a_to", "wrong_date", "before the day it begins",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("claims", "sent", "pointer", "code", "because"), FAULTS.values(), ids=FAULTS)
def test_an_agency_is_told_what_is_wrong_and_where(claims, sent, pointer, code, because):
    """One fault, at its pointer, under its code, with what would be right."""
    (fault,) = _faults(_kind(*claims), sent)
    assert (fault.pointer, fault.code) == (pointer, code)
    assert because in fault.detail


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        (_claim("a"), "x" * 512),
        (_claim("a", "integer", maximum=9), 9),
        (_claim("a", "integer"), 0),
        (_claim("a", "integer"), 10**15),
        (_claim("a", "boolean"), False),
        (_claim("a", "array[string]"), ["x"]),
        (_claim("a", "array[string]"), ["x"] * 64),
        (_claim("a", "array[integer]"), [0, 1]),
        (_claim("a", "date"), "2200-01-01"),
        (_claim("a", "date", past=True), "2026-11-23"),
        (_claim("a", "date", years_ahead=2), "2028-11-23"),
        (_claim("a", "date"), "1987-08-22"),
        (_claim("a", "year-month"), "1987-08"),
        (_claim("a", "year-month", past=True), "2026-11"),
        (_claim("a", "datetime"), "1987-08-22T00:00:00Z"),
        (_claim("a", "datetime", past=True), "2026-11-23T23:59:59.123456+08:00"),
        (_claim("a", pattern="[A-Z]"), "Q"),
    ],
    ids=range(17),
)
def test_a_value_at_its_limit_is_taken(claim, value):
    """The first and the last value that are right."""
    assert licence_type.complete(_kind(claim), {"a": value}, ANN, today=TODAY) == {"a": value}


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        (_claim("a", "year-month"), "1987-07"),
        (_claim("a", "year-month", past=True), "2026-12"),
        (_claim("a", "datetime"), "1987-08-21T23:59:59Z"),
        (_claim("a", "datetime", past=True), "2026-11-24T00:00:00Z"),
        (_claim("a", "year-month", years_ahead=1), "2027-12"),
    ],
    ids=range(5),
)
def test_a_month_and_a_time_are_days_too(claim, value):
    """What lies before birth, or ahead of where it may, is refused in every way to write a day."""
    assert [(one.pointer, one.code) for one in _faults(_kind(claim), {"a": value})] == [("/claims/a", "wrong_date")]


def test_the_day_before_1850_and_the_first_of_it():
    """A foreigner's birth is not known here: only the calendar bounds a day."""
    kind = _kind(_claim("a", "date"))
    assert licence_type.complete(kind, {"a": "1850-01-01"}, STRANGER, today=TODAY) == {"a": "1850-01-01"}
    assert [one.code for one in _faults(kind, {"a": "1849-12-31"}, STRANGER)] == ["wrong_value"]


def test_a_span_of_one_day_is_one():
    """`…_to` may be the very day of `…_from`, and each may stand alone; other names mean nothing."""
    kind = _kind(*(_claim(name, "date") for name in ("a_from", "a_to", "b_to", "a_toll", "a")))
    for sent in (
        {"a_from": "2026-01-01", "a_to": "2026-01-01"},
        {"a_to": "2026-01-01"},
        {"a_from": "2026-01-01"},
        {"a_from": "2026-01-02", "b_to": "2026-01-01", "a_toll": "2026-01-01", "a": "2026-01-01"},
    ):
        assert licence_type.complete(kind, sent, ANN, today=TODAY) == sent


@pytest.mark.parametrize(("until", "good"), [("2028-11-23", True), ("2028-11-24", False)])
def test_an_endorsement_is_two_periods_ahead_at_most(until, good):
    """Endorsed period by period, not for ever; the fault says how far."""
    kind = _kind(_claim("endorsed_until", "date"), validity={"rule": "endorsement", "endorse_every_months": 12})
    if good:
        assert licence_type.complete(kind, {"endorsed_until": until}, ANN, today=TODAY) == {"endorsed_until": until}
        return
    (fault,) = _faults(kind, {"endorsed_until": until})
    assert (fault.pointer, fault.code) == ("/claims/endorsed_until", "wrong_date")
    assert "at most 24 months ahead" in fault.detail


def test_without_endorsement_nothing_is_said_of_it():
    """A type that is endorsed and a licence that is not yet; and a type that is endorsed for as long as it likes."""
    kind = _kind(_claim("seat"), validity={"rule": "endorsement", "endorse_every_months": 12})
    assert licence_type.complete(kind, {"seat": "1"}, ANN, today=TODAY) == {"seat": "1"}
    kind, sent = (
        _kind(_claim("endorsed_until", "date"), validity={"rule": "endorsement"}),
        {"endorsed_until": "2099-01-01"},
    )
    assert licence_type.complete(kind, sent, ANN, today=TODAY) == sent


DERIVED = (
    _claim("birth_date", "date"),
    _claim("age_over_18", "boolean", derived_from="birth_date"),
    _claim("first_issued", "date"),
    _claim("years_held", "integer", derived_from="first_issued"),
)


def test_what_follows_from_a_claim_is_put_in():
    """Of age only what is true is ever signed; years held are whole and never below nought."""
    kind = _kind(*DERIVED)

    def made(holder: Holder = STRANGER, **sent: Any) -> dict[str, Any]:
        return licence_type.complete(kind, sent, holder, today=TODAY)

    assert made(birth_date="2008-11-23") == {"birth_date": "2008-11-23", "age_over_18": True}
    assert made(birth_date="2008-11-24") == {"birth_date": "2008-11-24"}
    assert made(birth_date="2008-11-24", age_over_18=False) == {"birth_date": "2008-11-24"}
    assert made(first_issued="2016-11-24")["years_held"] == 9
    assert made(first_issued="2027-11-24")["years_held"] == 0
    assert made(ANN, birth_date="1987-08-22")["age_over_18"] is True
    assert [one.pointer for one in _faults(kind, {"birth_date": "2008-11-24", "age_over_18": True}, STRANGER)] == [
        "/claims/age_over_18"
    ]
    assert [one.code for one in _faults(kind, {"birth_date": "1987-08-23"}, ANN)] == ["contradiction"]


def test_a_holder_with_a_wrong_number_makes_no_second_fault():
    """The number is told with the holder; what it would imply is left out."""
    wrong = Holder("111", "440199198708220022", "李娜")
    sent = {"birth_date": "1987-08-23", "age_over_18": True}
    assert licence_type.complete(_kind(*DERIVED), sent, wrong, today=TODAY) == sent


def test_names_are_signed_in_one_spelling():
    """Texts are in NFC, also inside a list; nothing else is touched."""
    kind = _kind(_claim("a"), _claim("b", "array[string]"), _claim("c", "integer"))
    sent = {"a": "Zoe\u0308", "b": ["e\u0301", "x"], "c": 3}
    assert licence_type.complete(kind, sent, ANN, today=TODAY) == {"a": "Zoë", "b": ["é", "x"], "c": 3}


TABLE = [{"years": 6}, {"years": 10}, {"years": None}]


@pytest.mark.parametrize(
    ("first_issued", "last"),
    [
        ("2026-11-23", date(2032, 11, 22)),
        ("2020-11-24", date(2032, 11, 22)),
        ("2020-11-23", date(2036, 11, 22)),
        ("2010-11-24", date(2036, 11, 22)),
        ("2010-11-23", None),
    ],
)
def test_a_renewal_lasts_longer_each_time(first_issued, last):
    """Six years, then ten, then for good: counted from the first issue."""
    kind = _kind(validity={"rule": "by_renewal", "table": TABLE})
    assert validity.last_day(kind, {"first_issued": first_issued}, ANN, first_day=TODAY) == last


def test_a_renewal_after_the_last_row_is_for_good():
    """A table that ends says no more."""
    kind = _kind(validity={"rule": "by_renewal", "table": TABLE[:2]})
    assert validity.last_day(kind, {"first_issued": "2000-01-01"}, ANN, first_day=TODAY) is None


def test_an_age_beyond_the_table_is_for_good():
    """Who is older than every row has a licence without end."""
    kind = _kind(validity={"rule": "by_age_at_issue", "table": [{"age_below": 16, "years": 5}]})
    assert validity.last_day(kind, {}, ANN, first_day=TODAY) is None
    assert validity.last_day(kind, {"birth_date": "2010-11-24"}, STRANGER, first_day=TODAY) == date(2031, 11, 22)


def test_every_fault_is_told_although_one_claim_is_unknown():
    """A claim that there is not does not hide what is wrong with those behind it."""
    found = _faults(_kind(_claim("a", "integer")), {"x": 1, "a": "1"})
    assert [(one.pointer, one.code) for one in found] == [("/claims/x", "unknown_claim"), ("/claims/a", "wrong_value")]


WRONG_NUMBER, WRONG_CREDIT = "440199198708220022", "91440199MA0FAKE179"
COMPANY = Holder("001", "91440199MA0FAKE178", "示例市好样面馆有限公司")


@pytest.mark.parametrize(
    ("kind", "holder", "wrong", "code"),
    [
        ("citizen_number", ANN, WRONG_NUMBER, "wrong_value"),
        ("citizen_number", STRANGER, WRONG_NUMBER, "contradiction"),
        ("uscc", COMPANY, WRONG_CREDIT, "wrong_value"),
        ("uscc", STRANGER, WRONG_CREDIT, "contradiction"),
    ],
    ids=range(4),
)
def test_the_holders_code_is_held_to_the_kind_of_code(kind, holder, wrong, code):
    """A citizen number or credit code must have its check digit; a passport's number in the same claim has none."""
    entry = _kind(_claim("holder_code", kind))
    assert licence_type.complete(entry, {"holder_code": holder.code}, holder, today=TODAY) == {
        "holder_code": holder.code
    }
    assert [one.code for one in _faults(entry, {"holder_code": wrong}, holder)] == [code]


@pytest.mark.parametrize(("kind", "right", "wrong"), [
    ("citizen_number", ANN.code, WRONG_NUMBER), ("uscc", COMPANY.code, WRONG_CREDIT),
])  # fmt: skip
@pytest.mark.parametrize("holder", [ANN, COMPANY, STRANGER], ids=lambda one: one.code_type)
def test_another_persons_code_is_always_held_to_it(kind, right, wrong, holder):
    """A guardian's or an employer's code has its check digit, whoever the licence is about."""
    entry = _kind(_claim("other_code", kind))
    assert licence_type.complete(entry, {"other_code": right}, holder, today=TODAY) == {"other_code": right}
    assert [one.code for one in _faults(entry, {"other_code": wrong}, holder)] == ["wrong_value"]
