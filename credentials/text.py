"""Names as people write them: every hanzi lives, nothing invisible does."""

import unicodedata

from credentials.errors import MalformedError

BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
ZERO_WIDTH = frozenset("\u200b\u200c\u200d\u2060\ufeff")
SURROGATES = range(0xD800, 0xE000)


def clean(text: str) -> str:
    """Return `text` in NFC, so that equal names compare equal.

    Controls, bidi controls, zero-width characters, lone surrogates and noncharacters raise
    `MalformedError`; hanzi of every plane, unassigned ones and private use ones too, pass.
    """
    for character in text:
        if character in BIDI_CONTROLS or character in ZERO_WIDTH:
            raise MalformedError("an invisible character")
        code = ord(character)
        if unicodedata.category(character) == "Cc" or code in SURROGATES or code & 0xFFFE == 0xFFFE:
            raise MalformedError("a control character, lone surrogate or noncharacter")
    return unicodedata.normalize("NFC", text)
