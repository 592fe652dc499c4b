"""Attack: a disclosure is not the array it must be, although its digest is signed (RFC 9901 section 4.2)."""

import pytest

from credentials import base64url, sd_jwt
from tests.tokens import digest, disclosure, envelope, licence, opened, refused

GOOD = disclosure("salt", "a", 1)
ELEMENT = disclosure("salt", 1)
ARRAYS = {
    "no element": b"[]",
    "one element": b'["salt"]',
    "four elements": b'["salt","a",1,2]',
    "five elements": b'["salt","a",1,2,3]',
    "number as salt": b'[1,"a",1]',
    "null as salt": b'[null,"a",1]',
    "true as salt": b'[true,"a",1]',
    "array as salt": b'[["salt"],"a",1]',
    "object as salt": b'[{"s":1},"a",1]',
    "number as salt of an element": b"[1,1]",
    "number as name": b'["salt",1,1]',
    "null as name": b'["salt",null,1]',
    "true as name": b'["salt",true,1]',
    "array as name": b'["salt",["a"],1]',
    "object as name": b'["salt",{"a":1},1]',
    "object": b'{"0":"salt","1":"a","2":1}',
    "text": b'"salt"',
    "number": b"1",
    "null": b"null",
    "empty": b"",
    "white space": b" ",
    "cut short": b'["salt","a",1',
    "two arrays": b'["salt","a",1]["salt","a",1]',
    "trailing comma": b'["salt","a",1,]',
    "byte order mark": b'\xef\xbb\xbf["salt","a",1]',
    "UTF-16": '["salt","a",1]'.encode("utf-16"),
    "not UTF-8": b'["salt","a","\xff"]',
    "duplicate member": b'["salt","a",{"b":1,"b":2}]',
    "duplicate member, escaped": b'["salt","a",{"b":1,"\\u0062":2}]',
    "duplicate member, deep": b'["salt","a",[{"b":{"c":1,"c":1}}]]',
    "NaN": b'["salt","a",NaN]',
    "1e400": b'["salt","a",1e400]',
    "lone surrogate in the value": b'["salt","a","\\ud800"]',
    "lone surrogate in the name": b'["salt","\\ud800",1]',
    "lone surrogate in the salt": b'["\\ud800","a",1]',
    "raw newline": b'["salt","a","\n"]',
    "depth 33": b'["salt","a",' + b"[" * 32 + b"]" * 32 + b"]",
    "depth 10,000": b'["salt","a",' + b"[" * 10_000 + b"]" * 10_000 + b"]",
}
TEXTS = {
    "padding": GOOD + "=",
    "white space": GOOD + " ",
    "newline inside": GOOD[:5] + "\n" + GOOD[5:],
    "plus": GOOD[:-1] + "+",
    "slash": GOOD[:-1] + "/",
    "a dot": GOOD[:5] + "." + GOOD[5:],
    "not encoded": '["salt","a",1]',
    "hexadecimal": base64url.decode(GOOD).hex(),
    "one character": "A",
    "stray bits": base64url.encode(b'["salt","a",10]')[:-1] + "R",
}


@pytest.mark.parametrize("data", ARRAYS.values(), ids=ARRAYS)
def test_a_malformed_array_is_refused(data):
    """A disclosure that is no strict JSON array of two or three right members is refused in every place."""
    text = base64url.encode(data)
    for claims in ({"_sd": [digest(text)]}, {"b": [{"...": digest(text)}]}, {}):
        with refused("disclosures_altered"):
            opened(licence(envelope(**claims), text))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_disclosure_in_another_spelling_is_refused(text):
    """A disclosure has one canonical base64url spelling."""
    with refused("disclosures_altered"):
        opened(licence(envelope(_sd=[digest(text)]), text))


def test_a_disclosure_in_the_wrong_place_is_refused():
    """Three elements in an array's place, or two in an object's, are refused (section 7.1 step 3.c)."""
    with refused("disclosures_altered"):
        opened(licence(envelope(b=[{"...": digest(GOOD)}]), GOOD))
    with refused("disclosures_altered"):
        opened(licence(envelope(_sd=[digest(ELEMENT)]), ELEMENT))


def test_an_empty_disclosure_is_refused():
    """Two tildes in a row are a disclosure of no characters, and refused."""
    for text in ("~~", f"~~{GOOD}~", f"~{GOOD}~~"):
        with refused("disclosures_altered"):
            sd_jwt.parse(licence(envelope()).rstrip("~") + text)


def test_the_untouched_disclosures_are_accepted():
    """Any salt, name, value and white space that RFC 9901 allows pass, and the text is hashed as received."""
    odd = [
        base64url.encode(b' [ "" , "" , null ]\n'),
        base64url.encode('["盐","姓名",{"b":[1.5,true,"\\u5f20"]}]'.encode()),
        base64url.encode(b'["s","n\\u0000",""]'),
    ]
    found = opened(licence(envelope(_sd=[digest(text) for text in odd]), *odd))
    assert found.claims == {"": None, "姓名": {"b": [1.5, True, "张"]}, "n\0": ""}
    assert opened(licence(envelope(b=[{"...": digest(ELEMENT)}]), ELEMENT)).claims == {"b": [1]}
