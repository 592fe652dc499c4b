"""Names: every hanzi passes, in one normal form; what cannot be seen does not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import text
from credentials.errors import MalformedError
from tests.tokens import refused

# The first and last code points of each block of ideographs, and two private-use ones that old systems emit.
HANZI = [0x3007, 0x3400, 0x4DBF, 0x4E00, 0x9FFF, 0x20000, 0x2A6DF, 0x2A700, 0x2B73F, 0x2B740, 0x2B820, 0x2CEB0, 0x2EBE0]
HANZI += [0x2EBF0, 0x2EE5D, 0x30000, 0x3134A, 0x31350, 0x323AF, 0x323B0, 0x3347F, 0x3FFFD, 0xE000, 0xF8FF, 0xF0000]
BIDI = [0x061C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069]
ZERO_WIDTH = [0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF]
CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
SURROGATES = [0xD800, 0xDBFF, 0xDC00, 0xDFFF]
NONCHARACTERS = [plane << 16 | low for plane in range(17) for low in (0xFFFE, 0xFFFF)]
BLOCK_NONCHARACTERS = [0xFDD0, 0xFDD1, 0xFDEF]
INVISIBLE = [0x00AD, 0x034F, 0x115F, 0x180E, 0x2028, 0x2029, 0x2061, 0x2062, 0x2063, 0x2064, 0x206A, 0x206F, 0x3164]
INVISIBLE += [0xFFF9, 0xFFFB, 0xE0001, 0xE0041, 0xE007F]
NAMES = [
    "张示例",
    "欧阳娜娜",
    "𠮷田",
    "㐀𪚥",
    "阿卜杜拉·买买提",
    "Zoë O'Connor-Smith",
    "ཚེ་རིང་",
    "이영희",
    "ئابدۇللا",
    "〇",
]


def _ids(codes):
    return [f"U+{code:04X}" for code in codes]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_passes_as_it_is(name):
    """Names of every script that China's people use, in supplementary planes too, pass unchanged."""
    assert text.clean(name) == name


@pytest.mark.parametrize("code", HANZI, ids=_ids(HANZI))
def test_every_hanzi_lives(code):
    """An ideograph of any extension, assigned yet or not, and a private-use one, passes unchanged."""
    assert text.clean("张" + chr(code)) == "张" + chr(code)


@pytest.mark.parametrize("code", BIDI + ZERO_WIDTH, ids=_ids(BIDI + ZERO_WIDTH))
def test_bidi_controls_and_zero_width_characters_are_refused(code):
    """What turns or hides writing is refused at the start, inside, and at the end."""
    for name in (chr(code) + "张三", "张" + chr(code) + "三", "张三" + chr(code)):
        with refused("malformed"):
            text.clean(name)


@pytest.mark.parametrize("code", CONTROLS + SURROGATES + NONCHARACTERS, ids=_ids(CONTROLS + SURROGATES + NONCHARACTERS))
def test_controls_surrogates_and_noncharacters_are_refused(code):
    """NUL, line ends, DEL, C1 controls, halves of pairs and the ends of every plane are refused."""
    with refused("malformed"):
        text.clean("张" + chr(code) + "三")


@pytest.mark.parametrize("code", BLOCK_NONCHARACTERS, ids=_ids(BLOCK_NONCHARACTERS))
def test_the_noncharacters_inside_a_block_are_refused(code):
    """U+FDD0 to U+FDEF are noncharacters like those at the ends of the planes."""
    with refused("malformed"):
        text.clean("张" + chr(code) + "三")


@pytest.mark.parametrize("code", INVISIBLE, ids=_ids(INVISIBLE))
def test_nothing_invisible_lives(code):
    """Soft hyphens, line separators, fillers, invisible operators and tags make two names that look alike."""
    with refused("malformed"):
        text.clean("张" + chr(code) + "三")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("e\u0301", "é"),
        ("A\u030a", "Å"),
        ("\u212b", "Å"),
        ("\u1112\u1161\u11ab", "한"),
        ("\uf900", "\u8c48"),
        ("é", "é"),
    ],
)
def test_equal_names_become_equal(written, kept):
    """Two spellings of one name come out in one normal form (NFC)."""
    assert text.clean(written) == kept


def test_full_width_is_kept():
    """Compatibility forms are other characters and stay: NFC, not NFKC."""
    assert text.clean("ＡＢＣ１２３") == "ＡＢＣ１２３"


@given(st.text(max_size=20))
def test_any_text_is_cleaned_once_or_refused(name):
    """What passes is in NFC and passes again unchanged; nothing fails in another way."""
    try:
        cleaned = text.clean(name)
    except MalformedError:
        return
    assert unicodedata.is_normalized("NFC", cleaned)
    assert text.clean(cleaned) == cleaned
