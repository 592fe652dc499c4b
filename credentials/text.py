"""Names as people write them: every hanzi lives, nothing invisible does."""

import unicodedata
from urllib.parse import urlsplit

from credentials.errors import MalformedError

INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, format characters (bidi, zero width, tags), surrogates, line and paragraph separators."""
BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u3164\uffa0")
NONCHARACTERS = range(0xFDD0, 0xFDF0)
REPLACEMENT = "\ufffd"
"""Stands where a program could not read a text: whoever sends it has lost the name."""

_ODD_BUT_PRINTABLE = BLANK_LETTERS | {REPLACEMENT}


def clean(text: str) -> str:
    """Return `text` in NFC, so that equal names compare equal.

    Controls, bidi and zero-width characters, blank letters, lone surrogates and noncharacters raise
    `MalformedError`; hanzi of every plane pass, with variation selectors, unassigned and private use ones too.
    """
    if text.isprintable() and _ODD_BUT_PRINTABLE.isdisjoint(text):  # nearly every text: none of what is refused below
        return unicodedata.normalize("NFC", text)
    for character in text:
        if unicodedata.category(character) in INVISIBLE_CATEGORIES or character in BLANK_LETTERS:
            raise MalformedError("an invisible character")
        if character == REPLACEMENT:
            raise MalformedError("a character that was not readable: send the text as UTF-8")
        code = ord(character)
        if code in NONCHARACTERS or code & 0xFFFE == 0xFFFE:
            raise MalformedError("a noncharacter")
    return unicodedata.normalize("NFC", text)


def hostname(url: str) -> str | None:
    """Return the host of an address, None if there is none or the text is no address; never raises."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
