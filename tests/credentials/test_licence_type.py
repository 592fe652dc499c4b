"""Licence types: all twelve of the catalogue, what they take, what they refuse, and for how long they are good."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from credentials import identifiers, licence_type, validity
from credentials.licence_type import ClaimsRefusedError, Fault, Holder

DATA = Path(__file__).parents[2] / "app" / "data"
CATALOGUE = json.loads((DATA / "licence_types.json").read_bytes())
AGENCIES = {one["key"] for one in json.loads((DATA / "agencies.json").read_bytes())}
PEOPLE = json.loads((DATA / "people.json").read_bytes())
TYPES = {one["key"]: licence_type.load(one) for one in CATALOGUE}
TODAY = date(2026, 11, 23)
ZHANG = Holder("111", "440199198503150015", "张示例")
CHILD = Holder("111", "440199201409010037", "张小例")
SHOP = Holder("001", "91440199MA0FAKE178", "示例市好样面馆有限公司")
FOREIGNER = Holder("414", "E12345678", "Zoë Smith")
KEYS = sorted(TYPES)
BY_KIND = {
    "string": "某街道",
    "citizen_number": "440199198708220021",
    "uscc": "1244019900DEM0058U",
    "date": "2020-02-29",
    "datetime": "2023-05-05T08:30:00+08:00",
    "region_code": "440106",
    "year-month": "2026-01",
    "money": "12000.50",
    "digest": "sha256:" + "0a" * 32,
    "integer": 3,
    "boolean": True,
    "code:GB/T2261.1": "2",
    "code:GB/T3304": "01",
    "code:GB/T4658": "21",
}
BY_PATTERN = {
    "^[GJL][0-9X]{18}$": "G440199201409010037",
    "^JY[0-9]{14}$": "JY14401990000012",
    "^[A-Z][0-9]{9}$": "T440000001",
}
IMPLIED = {"holder_name", "holder_code", "holder_name_masked", "holder_code_last4"}


def _value(one: licence_type.ClaimDefinition):
    if one.pattern is not None:
        return BY_PATTERN[one.pattern.pattern]
    if one.type.startswith("array[enum:"):
        return one.type.removeprefix("array[enum:").removesuffix("]").split("|")[:2]
    if one.type == "array[string]":
        return ["一", "二"]
    if one.type.startswith("enum:"):
        return one.type.removeprefix("enum:").split("|")[0]
    return BY_KIND.get(one.type, "1")


def _holder(kind: licence_type.LicenceType) -> Holder:
    return SHOP if kind.holder_kind == "legal" else CHILD if kind.minor_holder else ZHANG


def _sent(kind: licence_type.LicenceType, *, optional: bool = True) -> dict:
    """Return what an agency sends for `kind`: everything but what follows from the holder and other claims."""
    sent = {
        name: _value(one)
        for name, one in kind.claims.items()
        if (optional or one.required) and name not in IMPLIED and one.derived_from not in {"birth_date", "first_issued"}
    }
    if "birth_date" in sent:
        sent["birth_date"] = identifiers.birth_date(_holder(kind).code).isoformat()
    return sent


def _complete(kind, claims, holder=None, **options):
    return licence_type.complete(kind, claims, holder or _holder(kind), today=TODAY, **options)


def _faults(kind, claims, holder=None, **options) -> set[tuple[str, str]]:
    with pytest.raises(ClaimsRefusedError) as caught:
        _complete(kind, claims, holder, **options)
    assert caught.value.code == "claims_refused"
    return {(fault.pointer, fault.code) for fault in caught.value.faults}


def test_there_are_twelve_types():
    """The catalogue holds twelve types, each under its own key and code."""
    assert len(TYPES) == len({one.type_code for one in TYPES.values()}) == 12


@pytest.mark.parametrize("key", KEYS)
def test_a_catalogue_entry_is_sound(key):
    """Agencies exist, names are in two languages, and every selective claim is one of the type's own."""
    kind = TYPES[key]
    assert set(kind.issuer_agencies) <= AGENCIES
    assert kind.issuer_agencies
    assert {"zh", "en"} <= kind.names.keys()
    assert all({"zh", "en"} <= one.labels.keys() for one in (*kind.claims.values(), *kind.causes.values()))
    assert kind.selective <= kind.claims.keys() | set(licence_type.NUMBERS)
    assert {one.effect for one in kind.causes.values()} <= {"suspend", "revoke", "flag_only"}
    assert {"issue_error", "superseded", "holder_request"} <= kind.causes.keys()
    assert len(kind.type_code) == 21
    identifiers.check_credit_code(kind.type_code[:18])
    assert timedelta(0) < kind.offline_status_max_age <= timedelta(days=7)


@pytest.mark.parametrize("key", KEYS)
def test_the_number_of_a_natural_persons_licence_is_selective(key):
    """A person's name, code and licence number show only when disclosed; a company's always."""
    kind = TYPES[key]
    private = {"holder_name", "holder_code", "licence_id"}
    assert private & kind.selective == (private if kind.holder_kind == "natural" else set())


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("optional", [True, False], ids=["all claims", "required claims"])
def test_what_an_agency_sends_is_completed(key, optional):
    """Every type takes its own claims, adds what the holder implies, and keeps the catalogue's order."""
    kind = TYPES[key]
    sent, holder = _sent(kind, optional=optional), _holder(kind)
    full = _complete(kind, sent)
    assert list(full) == [name for name in kind.claims if name in full]
    assert sent.items() <= full.items()
    assert (full["holder_name"], full["holder_code"]) == (holder.name, holder.code)
    if kind.holder_kind == "natural":
        assert full["holder_name_masked"] == holder.name[0] + "*" * (len(holder.name) - 1)
    if "holder_code_last4" in kind.claims:
        assert full["holder_code_last4"] == holder.code[-4:]
    assert _complete(kind, full) == full


@pytest.mark.parametrize("key", KEYS)
def test_nothing_sent_names_every_missing_claim(key):
    """An empty form is answered with all its required claims at once."""
    kind = TYPES[key]
    required = {(f"/claims/{name}", "missing_claim") for name, one in kind.claims.items() if one.required}
    implied = {(f"/claims/{name}", "missing_claim") for name in IMPLIED}
    assert _faults(kind, {}) == required - implied


@pytest.mark.parametrize("key", KEYS)
def test_wrong_values_are_all_named_at_once(key):
    """A form with every claim wrong, one unknown and the rest missing names each of them at its pointer."""
    kind = TYPES[key]
    sent = _sent(kind)
    wrong = {key_0: {"no": "value"} for key_0 in sent} | {"colour/of~hair": "black"}
    expected = {(f"/claims/{name}", "wrong_value") for name in sent} | {("/claims/colour~1of~0hair", "unknown_claim")}
    derived = {
        (f"/claims/{name}", "missing_claim")
        for name, one in kind.claims.items()
        if one.required and one.derived_from in {"birth_date", "first_issued"}
    }
    assert _faults(kind, wrong) == expected | derived


@pytest.mark.parametrize("key", KEYS)
def test_one_claim_missing_is_named_alone(key):
    """Leaving out one required claim names that one, and what was to be derived from it."""
    kind = TYPES[key]
    for name in _sent(kind, optional=False):
        sent = _sent(kind)
        del sent[name]
        derived = {f"/claims/{one.name}" for one in kind.claims.values() if one.derived_from == name and one.required}
        assert {pointer for pointer, _ in _faults(kind, sent)} == {f"/claims/{name}"} | derived


@pytest.mark.parametrize("key", KEYS)
def test_a_contradiction_with_the_holder_is_named(key):
    """A name or code that is not the holder's is refused, however well formed."""
    kind = TYPES[key]
    code = "92440199MA0FAKE250" if kind.holder_kind == "legal" else "440199198708220021"
    found = _faults(kind, {**_sent(kind), "holder_name": "李样本", "holder_code": code})
    assert found == {("/claims/holder_name", "contradiction"), ("/claims/holder_code", "contradiction")}


def test_pointers_stand_below_the_place_given():
    """A batch gives each row's own pointer."""
    found = _faults(TYPES["enrolment_certificate"], {"x": 1}, at="/rows/3/claims")
    assert ("/rows/3/claims/x", "unknown_claim") in found
    assert ("/rows/3/claims/grade", "missing_claim") in found


def test_faults_of_an_array_point_at_the_element():
    """The second of two values is named by its place."""
    kind = TYPES["driving_licence"]
    assert _faults(kind, {**_sent(kind), "vehicle_classes": ["C1", "Z9", 1]}) == {
        ("/claims/vehicle_classes/1", "wrong_value"),
        ("/claims/vehicle_classes/2", "wrong_value"),
    }


WRONG = {
    "date": [
        "",
        "2026-13-01",
        "2026-02-29",
        "2026-2-1",
        "20260101",
        "1849-12-31",
        "2200-01-02",
        "2026-01-01T00",
        20260101,
        "2026-01-01 ",
        "２０２６-01-01",
        "2026/01/01",
        None,
        True,
    ],
    "datetime": [
        "2023-05-05T08:30:00",
        "2023-05-05",
        "08:30",
        "2023-05-05T25:00:00+08:00",
        "",
        None,
        1,
        "1800-01-01T00:00:00+08:00",
    ],
    "region_code": ["", "44010", "4401066", "040106", "44010a", 440106, "440106 ", "４４０１０６", None],
    "year-month": ["", "2026", "2026-13", "2026-00", "2026-1", "1899-01", "2026-01-01", 202601],
    "money": ["", "-1", "1.234", "1e3", "1,000", ".5", "1.", "￥1", "1" * 16, 1, 1.5, "+1"],
    "digest": ["", "0a" * 32, "sha256:" + "0A" * 32, "sha256:" + "0a" * 31, "sha512:" + "0a" * 32, None],
    "integer": [-1, 1.0, "1", True, None, 13, 10**15 + 1, [], 1.5],
    "boolean": [0, 1, "true", None, [], "是"],
    "string": ["", " ", "\u3000", "\n", "a\0b", "a\u202eb", "a\u200bb", "\ud800", "a\tb", "x" * 513, 1, None, [], {}],
    "citizen_number": ["", "440199198708220022", "44019919870822002", "440199198708220021 ", 440199198708220021, None],
    "uscc": ["", "1244019900DEM0058V", "1244019900dem0058u", "1244019900DEM0058", None, 1],
    "code:GB/T2261.1": ["", "3", "f", "女 ", "11", 2],
    "code:GB/T3304": ["", "00", "57", "1", "汉汉", "族"],
    "code:GB/T4658": ["", "2", "51", "211", "上过学"],
}
RIGHT = {
    "date": ["1850-01-01", "2200-01-01", "2024-02-29"],
    "datetime": ["2023-05-05T08:30:00+08:00", "2023-05-05T00:30:00Z", "2023-05-05T08:30:00.5+08:00"],
    "region_code": ["440106", "110000"],
    "year-month": ["1999-12", "2020-02", "2026-01"],
    "money": ["0", "1.5", "1.50", "9" * 15 + ".99"],
    "digest": ["sha256:" + "f" * 64],
    "integer": [0, 1, 12],
    "boolean": [True, False],
    "string": ["x", "x" * 512, "𠮷", "a b", "e\u0301"],
    "citizen_number": ["44011118780605004X"],
    "uscc": ["N2440199MA0FAKE33D"],
    "code:GB/T2261.1": ["0", "1", "2", "9", "男", "女"],
    "code:GB/T3304": ["01", "56", "97", "汉", "汉族", "维吾尔族", "基诺"],
    "code:GB/T4658": ["11", "99", "大学本科", "初中毕业", "小学"],
}


def _of_type(wanted: str) -> tuple[licence_type.LicenceType, str]:
    """Return a type and the name of one of its free claims of the kind `wanted`."""
    return next(
        (kind, name)
        for kind in TYPES.values()
        for name, one in kind.claims.items()
        if one.type == wanted
        and one.pattern is None
        and one.derived_from is None
        and name not in {*IMPLIED, "birth_date"}
        and (wanted != "date" or (kind.holder_kind == "legal" and not one.past))
    )


@pytest.mark.parametrize(
    ("wanted", "value"),
    [(kind, value) for kind, values in WRONG.items() for value in values],
    ids=lambda value: repr(value)[:24],
)
def test_a_wrong_value_of_each_kind_is_refused(wanted, value):
    """A value of another type, form, range, or with a wrong check digit is one fault at its own pointer."""
    kind, name = _of_type(wanted)
    assert _faults(kind, {**_sent(kind), name: value}) == {(f"/claims/{name}", "wrong_value")}


@pytest.mark.parametrize(
    ("wanted", "value"),
    [(kind, value) for kind, values in RIGHT.items() for value in values],
    ids=lambda value: repr(value)[:24],
)
def test_a_right_value_of_each_kind_is_taken(wanted, value):
    """Values at the bounds pass, and texts come out in NFC."""
    kind, name = _of_type(wanted)
    full = _complete(kind, {**_sent(kind), name: value})
    assert full[name] == ("é" if value == "e\u0301" else value)
    assert type(full[name]) is type(value)


@pytest.mark.parametrize("value", ["2026-W05-6", "2026-W01-1"])
def test_a_week_date_is_no_date(value):
    """A date is year, month and day: a week date would be signed as it was sent and read by nobody."""
    kind, name = _of_type("date")
    assert _faults(kind, {**_sent(kind), name: value}) == {(f"/claims/{name}", "wrong_value")}


@pytest.mark.parametrize(
    "value",
    [
        "2026-W05-6T08:00:00+08:00",
        "2026-01-31年08:00:00+08:00",
        "2026-01-31 08:00:00+08:00",
        "2026-01-31T08+08:00",
        "2026-01-31T080000+0800",
        "2026-01-31T08:00:00,5+08:00",
        "2026-01-31T08:00:00+08:00:30",
    ],
)
def test_a_time_is_rfc_3339(value):
    """A time has a `T`, hours, minutes and seconds, and an offset of hours and minutes."""
    kind, name = _of_type("datetime")
    assert _faults(kind, {**_sent(kind), name: value}) == {(f"/claims/{name}", "wrong_value")}


@pytest.mark.parametrize("value", [[], "C1", {}, None, [[]], ["C1"] * 65, [None]], ids=lambda value: repr(value)[:12])
def test_an_array_is_a_list_of_1_to_64_values(value):
    """An empty list, 65 values, a text or another nest is refused; 64 pass."""
    kind = TYPES["driving_licence"]
    assert {code for _, code in _faults(kind, {**_sent(kind), "vehicle_classes": value})} == {"wrong_value"}
    assert _complete(kind, {**_sent(kind), "vehicle_classes": ["C1"] * 64})


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [
        ("student_status_certificate", "stage", "大学"),
        ("student_status_certificate", "stage", "小学|初中"),
        ("student_status_certificate", "student_status_no", "g440199201409010037"),
        ("student_status_certificate", "student_status_no", "G440199201409010037\n"),
        ("food_business_licence", "licence_no", "JY1440199000001"),
        ("birth_certificate", "certificate_no", "T4400000012"),
        ("social_insurance_certificate", "insured_types", ["养老", "医疗"]),
    ],
)
def test_a_value_outside_its_list_or_pattern_is_refused(key, name, value):
    """Enumerations and patterns hold exactly."""
    pointer = f"/claims/{name}/1" if isinstance(value, list) else f"/claims/{name}"
    assert _faults(TYPES[key], {**_sent(TYPES[key]), name: value}) == {(pointer, "wrong_value")}


@pytest.mark.parametrize(
    ("born", "ages"),
    [
        (date(2008, 11, 23), {14: True, 16: True, 18: True}),
        (date(2008, 11, 24), {14: True, 16: True}),
        (date(2010, 11, 24), {14: True}),
        (date(2012, 11, 23), {14: True}),
        (date(2012, 11, 24), {}),
    ],
)
def test_only_true_ages_are_signed(born, ages):
    """An age claim is signed from the birthday on, and not at all the day before: false is never signed."""
    holder = Holder("414", "E12345678", "Zoë")
    kind = TYPES["resident_id_card"]
    full = _complete(kind, {**_sent(kind), "birth_date": born.isoformat()}, holder)
    assert {int(name.removeprefix("age_over_")): full[name] for name in full if name.startswith("age_over")} == ages


def test_a_leap_days_birthday_is_the_first_of_march():
    """Who is born on 29 February is eighteen on 1 March of a year without one."""
    kind, holder = TYPES["resident_id_card"], Holder("414", "E12345678", "Zoë")
    sent = {**_sent(kind), "birth_date": "2008-02-29"}
    for day, of_age in ((date(2026, 2, 28), False), (date(2026, 3, 1), True)):
        assert ("age_over_18" in licence_type.complete(kind, sent, holder, today=day)) == of_age


def test_an_age_that_is_not_reached_is_never_signed():
    """An agency that sends an age the birth date does not give is contradicted."""
    kind = TYPES["resident_id_card"]
    sent = {**_sent(kind), "birth_date": "2014-09-01", "age_over_18": True}
    assert _faults(kind, sent, CHILD) == {("/claims/age_over_18", "contradiction")}


def test_a_birth_date_other_than_in_the_number_is_refused():
    """A citizen number says its holder's birth date."""
    kind = TYPES["resident_id_card"]
    assert ("/claims/birth_date", "contradiction") in _faults(kind, {**_sent(kind), "birth_date": "1985-03-16"})


def test_years_held_follow_from_the_first_issue():
    """Whole years since the first issue are added, and other ones refused."""
    kind = TYPES["driving_licence"]
    assert _complete(kind, {**_sent(kind), "first_issued": "2016-11-23"})["years_held"] == 10
    assert _complete(kind, {**_sent(kind), "first_issued": "2016-11-24"})["years_held"] == 9
    found = _faults(kind, {**_sent(kind), "first_issued": "2016-11-24", "years_held": 10})
    assert found == {("/claims/years_held", "contradiction")}


def test_a_name_is_compared_in_one_normal_form():
    """A decomposed spelling of the holder's own name is no contradiction."""
    kind = TYPES["graduation_certificate"]
    sent = {**_sent(kind), "holder_name": "Zoe\u0308 Smith"}
    assert _complete(kind, sent, FOREIGNER)["holder_name"] == "Zoë Smith"


@pytest.mark.parametrize("group", ["natural", "legal"])
def test_the_demo_people_are_sound(group):
    """Names and codes of the people in the catalogue data pass, each for the types of its kind and no others."""
    for one in PEOPLE[group]:
        holder = Holder(one["code_type"], one["code"], one["name"])
        assert licence_type.check_identity(holder, "/holder") == []
        for kind in TYPES.values():
            faults = licence_type.check_holder(kind, holder, "/holder")
            assert [fault.code for fault in faults] == ([] if kind.holder_kind == group else ["holder_kind"])


@pytest.mark.parametrize(
    ("holder", "faults"),
    [
        (Holder("111", "440199198503150016", "张示例"), {("/h/code", "check_digit")}),
        (Holder("111", "", "张示例"), {("/h/code", "check_digit")}),
        (Holder("001", "91440199MA0FAKE179", "面馆"), {("/h/code", "check_digit")}),
        (Holder("414", "e12345678", "Zoë"), {("/h/code", "check_digit")}),
        (Holder("414", "E12", "Zoë"), {("/h/code", "check_digit")}),
        (Holder("414", "E" * 33, "Zoë"), {("/h/code", "check_digit")}),
        (Holder("414", "E1234\n", "Zoë"), {("/h/code", "check_digit")}),
        (Holder("111", "440199198503150015", ""), {("/h/name", "wrong_value")}),
        (Holder("111", "440199198503150015", " "), {("/h/name", "wrong_value")}),
        (Holder("111", "440199198503150015", "张\u202e三"), {("/h/name", "wrong_value")}),
        (Holder("111", "440199198503150015", "张" * 513), {("/h/name", "wrong_value")}),
        (Holder("111", "x", "\0"), {("/h/code", "check_digit"), ("/h/name", "wrong_value")}),
    ],
    ids=lambda value: f"{value.code[:20]!r} {value.name[:4]!r}" if isinstance(value, Holder) else str(len(value)),
)
def test_what_is_wrong_with_a_holder_is_named(holder, faults):
    """Name and code are checked on their own, both at once."""
    assert {(fault.pointer, fault.code) for fault in licence_type.check_identity(holder, "/h")} == faults


def test_an_unknown_kind_of_code_is_for_no_type():
    """A kind of code that the type does not list is refused, with its pointer."""
    for code_type in ("000", "", "111 ", "一"):
        for kind in TYPES.values():
            faults = licence_type.check_holder(kind, Holder(code_type, "ABCD1234", "x"), "/holder")
            assert faults == [Fault("/holder/code_type", "holder_kind", faults[0].detail)]


FIRST = date(2026, 11, 23)
LAST_DAYS = {
    "student_status_certificate": date(2027, 5, 22),
    "enrolment_certificate": date(2027, 2, 22),
    "graduation_certificate": None,
    "social_insurance_certificate": date(2027, 2, 22),
    "medical_insurance_voucher": date(2027, 5, 22),
    "employment_record": None,
    "food_business_licence": date(2031, 11, 22),
    "driving_licence": date(2036, 11, 22),
    "birth_certificate": None,
    "residence_permit": date(2020, 2, 29),
    "business_licence": date(2020, 2, 29),
    "resident_id_card": date(2046, 11, 22),
}


@pytest.mark.parametrize("key", KEYS)
def test_the_last_day_follows_from_the_type(key):
    """Fixed terms end the day before, endorsed ones with their endorsement, and permanent ones not at all."""
    kind = TYPES[key]
    claims = _complete(kind, _sent(kind))
    assert validity.last_day(kind, claims, _holder(kind), first_day=FIRST) == LAST_DAYS[key]


@pytest.mark.parametrize(
    ("born", "years"),
    [
        ("2010-11-24", 5),
        ("2010-11-23", 10),
        ("2000-11-24", 10),
        ("2000-11-23", 20),
        ("1980-11-24", 20),
        ("1980-11-23", None),
    ],
)
def test_an_identity_card_lasts_by_age_at_issue(born, years):
    """Below 16 five years, below 26 ten, below 46 twenty, then for ever: the birthday itself counts as the new age."""
    last = validity.last_day(TYPES["resident_id_card"], {"birth_date": born}, FOREIGNER, first_day=FIRST)
    assert last == (date(2026 + years, 11, 22) if years else None)


def test_the_age_is_the_citizen_numbers():
    """A citizen number's own birth date decides, not a claim."""
    last = validity.last_day(TYPES["resident_id_card"], {"birth_date": "2020-01-01"}, ZHANG, first_day=FIRST)
    assert last == date(2046, 11, 22)


def test_a_company_without_an_end_is_permanent():
    """A business licence without an operating term has no last day."""
    kind = TYPES["business_licence"]
    claims = _complete(kind, _sent(kind, optional=False))
    assert validity.last_day(kind, claims, SHOP, first_day=FIRST) is None


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 8, 31), date(2027, 2, 27)),
        (date(2027, 8, 31), date(2028, 2, 28)),
        (date(2026, 3, 31), date(2026, 9, 29)),
        (date(2026, 1, 1), date(2026, 6, 30)),
        (date(2026, 7, 1), date(2026, 12, 31)),
        (date(2026, 12, 31), date(2027, 6, 29)),
    ],
)
def test_months_are_calendar_months(first, last):
    """Six months from the 31st end before the last day of a shorter month, over New Year and leap years."""
    assert validity.last_day(TYPES["student_status_certificate"], {}, CHILD, first_day=first) == last


def test_years_from_a_leap_day_end_on_the_27th_of_february():
    """Five years from 29 February end before the 28th."""
    assert validity.last_day(TYPES["food_business_licence"], {}, SHOP, first_day=date(2028, 2, 29)) == date(2033, 2, 27)


@pytest.mark.parametrize("name", ["key", "type_code", "claims", "causes", "validity", "holder_code_types"])
def test_an_incomplete_entry_stops_the_start(name):
    """A catalogue entry that lacks a member is an error when it is loaded, not when it is used."""
    with pytest.raises(KeyError, match=name):
        licence_type.load({member: value for member, value in CATALOGUE[0].items() if member != name})


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [
        ("residence_permit", "first_issue_date", "2199-01-01"),
        ("residence_permit", "first_issue_date", "1850-01-01"),
        ("residence_permit", "endorsed_until", "2199-12-31"),
        ("residence_permit", "endorsed_until", "1950-12-31"),
        ("student_status_certificate", "enrolment_date", "2199-01-01"),
        ("business_licence", "established_on", "2199-01-01"),
        ("driving_licence", "first_issued", "2199-01-01"),
    ],
)
def test_absurd_days_are_refused(key, name, value):
    """A day that must be past and is not, a day before the holder's birth, an endorsement far ahead: named."""
    kind = TYPES[key]
    assert (f"/claims/{name}", "wrong_date") in _faults(kind, {**_sent(kind), name: value})
