"""Base64url has one spelling for every sequence of bytes (RFC 7515 section 2, RFC 4648 section 5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import base64url
from credentials.errors import MalformedError
from tests.tokens import attempt, refused

RFC4648 = {"": "", "f": "Zg", "fo": "Zm8", "foo": "Zm9v", "foob": "Zm9vYg", "fooba": "Zm9vYmE", "foobar": "Zm9vYmFy"}
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.parametrize(("plain", "text"), RFC4648.items())
def test_the_rfcs_vectors_hold_without_padding(plain, text):
    """RFC 4648 section 10's vectors, less their padding."""
    assert base64url.encode(plain.encode()) == text
    assert base64url.decode(text) == plain.encode()


def test_the_two_safe_characters_are_used():
    """Values 62 and 63 are `-` and `_`."""
    assert base64url.encode(b"\xfb\xff\xbf") == "-_-_"
    assert base64url.decode("-_-_") == b"\xfb\xff\xbf"


@given(st.binary())
def test_bytes_come_back(data):
    """Whatever is encoded decodes to itself, in letters, digits, `-` and `_` alone."""
    text = base64url.encode(data)
    assert set(text) <= set(CHARACTERS)
    assert base64url.decode(text) == data


@given(st.text(alphabet=CHARACTERS + "=+/ \n\t.é\x00", max_size=24))
def test_a_text_decodes_only_if_it_is_the_one_spelling(text):
    """A text either is exactly what encoding its bytes gives, or is refused."""
    try:
        data = base64url.decode(text)
    except MalformedError:
        return
    assert base64url.encode(data) == text


@given(st.text(max_size=24))
def test_any_text_at_all_is_decoded_or_refused(text):
    """No text makes the decoder fail in another way."""
    data, code = attempt(base64url.decode, text)
    assert base64url.encode(data) == text if code is None else code == "malformed"


@pytest.mark.parametrize(
    "text",
    ["=", "Zg=", "Zg==", "Zh", "Zm9", "A", "AAAAA", "Zg\n", " Zg", "Z g", "+/+/", "Zg.", "é", "\ud800", "Ｚg"],
    ids=repr,
)
def test_another_spelling_is_refused(text):
    """Padding, stray bits, strangers and impossible lengths are refused."""
    with refused("malformed"):
        base64url.decode(text)


def test_a_name_is_no_option():
    """A name never begins with a dash, whatever the bytes; others are the plain spelling."""
    assert base64url.name(bytes([0xF8, 1, 2])) == "AAEC"
    assert base64url.encode(bytes([0xF8, 1, 2])) == "-AEC"
    assert base64url.name(bytes([1, 2, 3])) == base64url.encode(bytes([1, 2, 3]))
