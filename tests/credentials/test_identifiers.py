"""Numbers with check digits: the vectors of the domain notes, every single slip, and the traps of other libraries."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import identifiers
from credentials.errors import MalformedError
from credentials.identifiers import LicenceId
from tests.tokens import refused

LICENCE_IDS = [
    "1.2.156.3005.2.1144019900DEM0015H002.1144019900DEM0023C.202600000002.001.R",
    "1.2.156.3005.2.1144019900DEM0015H002.1144019900DEM0023C.GZ2026A7K9Q0.002.A",
    "1.2.156.3005.2.1144019900DEM0015H002.1144019900DEM0023C.0123456789ABCDEF0123456789ABCDEF.001.U",
]
CITIZENS = {
    "440106187001010015": date(1870, 1, 1),
    "440103187202290034": date(1872, 2, 29),
    "440115187512310024": date(1875, 12, 31),
    "44011118780605004X": date(1878, 6, 5),
    "440199198503150015": date(1985, 3, 15),
    "440199198708220021": date(1987, 8, 22),
    "440199201409010037": date(2014, 9, 1),
    "440199201611120045": date(2016, 11, 12),
    "440199200206200055": date(2002, 6, 20),
    "440199202305050063": date(2023, 5, 5),
}
CREDIT_CODES = [
    "91440199MA0FAKE178",
    "1244019900DEM0058U",
    "1144019900DEM0015H",
    "N2440199MA0FAKE33D",
    "92440199MA0FAKE250",
    "5244019900DEM09049",
    "1144019900DEM0023C",
    "1244019900DEM012XF",
]
ALPHABET36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _citizen(first_17: str) -> str:
    """Return the number with its check digit, computed from the standard's formula."""
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    total = sum(int(digit) * weight for digit, weight in zip(first_17, weights, strict=True))
    return first_17 + "10X98765432"[total % 11]


@pytest.mark.parametrize("text", LICENCE_IDS)
def test_a_licence_identifier_comes_back(text):
    """The synthetic identifiers parse, print as they were, and have a right next version."""
    found = identifiers.parse_licence_id(text)
    assert str(found) == text
    following = identifiers.parse_licence_id(str(found.next_version()))
    assert (following.serial, following.version) == (found.serial, found.version + 1)
    assert (following.type_code, following.issuer_code) == (found.type_code, found.issuer_code)


@pytest.mark.parametrize("text", LICENCE_IDS)
def test_a_slip_in_a_licence_identifier_is_found(text):
    """Every single wrong character is refused."""
    start = len(identifiers.LICENCE_ROOT) + 1
    for place in range(start, len(text)):
        if text[place] == ".":
            continue
        for other in ALPHABET36:
            if other != text[place]:
                with refused("malformed"):
                    identifiers.parse_licence_id(text[:place] + other + text[place + 1 :])


NO_LICENCE_IDS = {
    "empty": "",
    "no root": LICENCE_IDS[0].removeprefix("1.2.156.3005.2."),
    "another root": LICENCE_IDS[0].replace("3005.2", "3005.3", 1),
    "no check": LICENCE_IDS[0][:-2],
    "small letters": LICENCE_IDS[0].lower(),
    "space behind": LICENCE_IDS[0] + " ",
    "newline behind": LICENCE_IDS[0] + "\n",
    "dot behind": LICENCE_IDS[0] + ".",
    "region for issuer": LICENCE_IDS[0].replace("1144019900DEM0023C", "440100"),
    "two-digit version": LICENCE_IDS[0].replace(".001.", ".01."),
    "full width": LICENCE_IDS[0].replace("1", "１"),
    "dots elsewhere": "1.2.156.3005.2.1144019900DEM0015H0021144019900DEM0023C202600000002001R",
    "empty serial": "1.2.156.3005.2.1144019900DEM0015H002.1144019900DEM0023C..001.R",
    "serial of 33": "1.2.156.3005.2.1144019900DEM0015H002.1144019900DEM0023C." + "A" * 33 + ".001.R",
}


@pytest.mark.parametrize("text", NO_LICENCE_IDS.values(), ids=NO_LICENCE_IDS)
def test_another_shape_is_no_licence_identifier(text):
    """Root, lengths, alphabet and dots are exact."""
    with refused("malformed"):
        identifiers.parse_licence_id(text)


@given(
    st.text(ALPHABET36, min_size=21, max_size=21),
    st.text(ALPHABET36, min_size=18, max_size=18),
    st.text(ALPHABET36, min_size=1, max_size=32),
    st.integers(1, 999),
)
def test_any_licence_identifier_comes_back(type_code, issuer_code, serial, version):
    """What is made is parsed to the same parts."""
    made = LicenceId(type_code, issuer_code, serial, version)
    assert identifiers.parse_licence_id(str(made)) == made


def test_versions_begin_at_001():
    """There is no version 000."""
    with refused("malformed"):
        identifiers.parse_licence_id(str(LicenceId("1144019900DEM0015H002", "1144019900DEM0023C", "1", 0)))


def test_versions_end_at_999():
    """There is no version 1000."""
    last = LicenceId("1144019900DEM0015H002", "1144019900DEM0023C", "1", 998).next_version()
    assert last.version == 999
    with refused("malformed"):
        last.next_version()


@given(st.text(ALPHABET36, min_size=1, max_size=80), st.data())
def test_the_check_character_finds_every_slip(text, data):
    """ISO 7064 MOD 37,36 finds each single wrong character and most swaps; the check itself is in the alphabet."""
    check = identifiers.check_character(text)
    assert check in ALPHABET36
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(ALPHABET36.replace(text[place], "")))
    assert identifiers.check_character(text[:place] + other + text[place + 1 :]) != check


def test_a_published_check_character():
    """The Global Release Identifier's example, A1-2425G-ABC1234002-M, uses the same MOD 37,36."""
    assert identifiers.check_character("A12425GABC1234002") == "M"


@pytest.mark.parametrize(("number", "born"), CITIZENS.items())
def test_a_citizen_number_says_the_birth_date(number, born):
    """Numbers of a real district, of one never assigned, of a leap day and with an X are read."""
    assert identifiers.birth_date(number) == born


@pytest.mark.parametrize("number", CITIZENS)
def test_a_slip_in_a_citizen_number_is_found(number):
    """Every single wrong digit is refused, the check digit's too."""
    for place in range(18):
        for other in "0123456789X":
            if other != number[place]:
                with refused("malformed"):
                    identifiers.birth_date(number[:place] + other + number[place + 1 :])


@pytest.mark.parametrize("number", CITIZENS)
def test_two_neighbours_swapped_are_found(number):
    """Every swap of two unequal neighbours is refused."""
    for place in range(17):
        if number[place] != number[place + 1]:
            swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
            with refused("malformed"):
                identifiers.birth_date(swapped)


NO_CITIZENS = {
    "empty": "",
    "fifteen digits": "440106870101001",
    "seventeen": "44010618700101001",
    "nineteen": "4401061870010100150",
    "small x": "44011118780605004x",
    "X inside": "4401X618700101001X",
    "full width": "44010618700101001５",
    "Arabic digits": "٤٤٠١٠٦١٨٧٠٠١٠١٠٠١٥",
    "space behind": "440106187001010015 ",
    "newline behind": "440106187001010015\n",
    "leading zero": _citizen("04010618700101001"),
    "month 13": _citizen("44010618701301001"),
    "month 0": _citizen("44010618700001001"),
    "day 0": _citizen("44010618700100001"),
    "day 32": _citizen("44010618700132001"),
    "30 February": _citizen("44010618720230001"),
    "29 February of no leap year": _citizen("44010619000229001"),
    "year 0": _citizen("44010600000101001"),
}


@pytest.mark.parametrize("number", NO_CITIZENS.values(), ids=NO_CITIZENS)
def test_what_is_no_citizen_number_is_refused(number):
    """Length, alphabet and date are exact, even where the check digit is right."""
    with refused("malformed"):
        identifiers.birth_date(number)


@given(st.integers(100_000, 999_999), st.dates(date(1850, 1, 1), date(2200, 1, 1)), st.integers(0, 999))
def test_any_citizen_number_with_its_check_digit_is_read(region, born, sequence):
    """Any district, even one that no table knows, passes: old codes stay valid for life."""
    assert identifiers.birth_date(_citizen(f"{region}{born:%Y%m%d}{sequence:03d}")) == born


@pytest.mark.parametrize("code", CREDIT_CODES)
def test_a_credit_code_passes(code):
    """Companies, agencies, schools, associations and village collectives (N2…) pass."""
    identifiers.check_credit_code(code)


@pytest.mark.parametrize("code", CREDIT_CODES)
def test_a_slip_in_a_credit_code_is_found(code):
    """Every single wrong character is refused."""
    for place in range(18):
        for other in ALPHABET36:
            if other != code[place]:
                with refused("malformed"):
                    identifiers.check_credit_code(code[:place] + other + code[place + 1 :])


def test_the_inner_organisation_code_is_checked_too():
    """A code whose outer check fits and whose inner organisation code is wrong is refused."""
    refusals = 0
    for inner in CREDIT_ALPHABET.replace("7", ""):
        for check in CREDIT_ALPHABET:
            try:
                identifiers.check_credit_code(f"91440199MA0FAKE1{inner}{check}")
            except MalformedError as error:
                refusals += error.detail.startswith("the organisation code")
            else:
                raise AssertionError
    assert refusals == len(CREDIT_ALPHABET) - 1


@pytest.mark.parametrize(
    "code",
    [
        "",
        "9144019",
        "91440199MA0FAKE17",
        "91440199MA0FAKE1788",
        "91440199ma0fake178",
        "91440199MA0FAKE178 ",
        "91440199MA0FAKE178\n",
        "9144O199MA0FAKE178",
        "91440199MA0FAKE17８",
        "9144-199MA0FAKE178",
        "I" * 18,
    ],
    ids=repr,
)
def test_another_shape_is_no_credit_code(code):
    """Eighteen characters of the standard's alphabet, without I, O, S, V and Z."""
    with refused("malformed"):
        identifiers.check_credit_code(code)


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张三", "张*"), ("张示例", "张**"), ("欧阳娜娜", "欧***"), ("张", "张*"), ("𠮷田", "𠮷*")],
)
def test_a_masked_name_shows_the_first_character(name, masked):
    """One character stands and an asterisk for each other; a single character is not shown to be the whole."""
    assert identifiers.masked_name(name) == masked
