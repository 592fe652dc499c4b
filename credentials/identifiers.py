"""Numbers with a check digit: citizen numbers, social credit codes, licence identifiers.

Own code, because the libraries known refuse valid village collectives (N2…) and raise on old districts.
"""

import re
from dataclasses import dataclass
from datetime import date
from operator import mul

from credentials.errors import MalformedError

LICENCE_ROOT = "1.2.156.3005.2"
_CITIZEN = re.compile(r"[1-9][0-9]{16}[0-9X]")
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT = re.compile(f"[{_CREDIT_ALPHABET}]{{18}}")
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ALPHABET36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES36 = {character: value for value, character in enumerate(_ALPHABET36)}
_LICENCE = re.compile(
    re.escape(LICENCE_ROOT) + r"\.([0-9A-Z]{21})\.([0-9A-Z]{18})\.([0-9A-Z]{1,32})\.(?!000)([0-9]{3})\.([0-9A-Z])"
)


@dataclass(frozen=True, slots=True)
class LicenceId:
    """A national licence identifier (GB/T 36904): type, issuer, serial, version."""

    type_code: str
    issuer_code: str
    serial: str
    version: int

    def __str__(self) -> str:
        parts = (self.type_code, self.issuer_code, self.serial, f"{self.version:03d}")
        return ".".join([LICENCE_ROOT, *parts, check_character("".join(parts))])

    def next_version(self) -> "LicenceId":
        """The identifier that supersedes this one: same serial, next version (at most 999)."""
        if self.version >= 999:
            raise MalformedError("there is no version after 999")
        return LicenceId(self.type_code, self.issuer_code, self.serial, self.version + 1)


def parse_licence_id(text: str) -> LicenceId:
    """Return the identifier of `text`; shape and check character must be right, or `MalformedError`."""
    match = _LICENCE.fullmatch(text)
    if match is None or check_character("".join(match.groups()[:4])) != match[5]:
        raise MalformedError("not a licence identifier")
    return LicenceId(match[1], match[2], match[3], int(match[4]))


def check_character(text: str) -> str:
    """Return the ISO 7064 MOD 37,36 check character of digits and capital letters."""
    product = 36
    for character in text:
        product = (product + _VALUES36[character]) % 36 or 36
        product = product * 2 % 37
    return _ALPHABET36[(37 - product) % 36]


def birth_date(citizen_number: str) -> date:
    """Return the birth date of an 18-character citizen number (GB 11643).

    Shape, date and check digit must be right, or `MalformedError`. The district is not looked up: old
    codes stay valid for life.
    """
    if not _CITIZEN.fullmatch(citizen_number):
        raise MalformedError("a citizen number has 17 digits and a digit or X")
    total = sum(map(mul, map(int, citizen_number[:17]), _CITIZEN_WEIGHTS))
    if "10X98765432"[total % 11] != citizen_number[17]:
        raise MalformedError("the check digit of the citizen number is wrong")
    try:
        return date.fromisoformat(f"{citizen_number[6:10]}-{citizen_number[10:12]}-{citizen_number[12:14]}")
    except ValueError as error:
        raise MalformedError("the birth date of the citizen number is none") from error


def check_credit_code(code: str) -> None:
    """Raise `MalformedError` unless both check characters of a social credit code fit (GB 32100, GB 11714)."""
    if not _CREDIT.fullmatch(code):
        raise MalformedError("a social credit code has 18 characters without I, O, S, V and Z")
    total = sum(_CREDIT_ALPHABET.index(one) * by for one, by in zip(code, _CREDIT_WEIGHTS, strict=False))
    if _CREDIT_ALPHABET[-total % 31] != code[17]:
        raise MalformedError("the check character of the social credit code is wrong")
    inner = sum(_ALPHABET36.index(one) * by for one, by in zip(code[8:16], _ORGANISATION_WEIGHTS, strict=True))
    if "0123456789X"[-inner % 11] != code[16]:
        raise MalformedError("the organisation code inside the social credit code is wrong")


def masked_name(name: str) -> str:
    """Return the first character of `name` and an asterisk for each of the others."""
    return name[:1] + "*" * max(len(name) - 1, 1)
