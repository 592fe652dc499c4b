"""Base45 as in RFC 9285, with one spelling for every sequence of bytes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import base45
from credentials.errors import MalformedError
from tests.tokens import refused

RFC9285 = {
    "AB": "BB8",
    "Hello!!": "%69 VD92EX0",
    "base-45": "UJCLQE7W581",
    "ietf!": "QED8WEX0",
}
EDGES = {b"": "", b"\0": "00", b"\xff": "U5", b"\0\0": "000", b"\xff\xff": "FGW", b"\x01\x00": "V50"}


@pytest.mark.parametrize(("plain", "text"), RFC9285.items())
def test_the_rfcs_vectors_hold(plain, text):
    """The four examples of RFC 9285 sections 4.3 and 4.4, both ways."""
    assert base45.encode(plain.encode()) == text
    assert base45.decode(text) == plain.encode()


@pytest.mark.parametrize(("data", "text"), EDGES.items())
def test_the_edges_hold(data, text):
    """The least and greatest byte and pair of bytes, both ways."""
    assert base45.encode(data) == text
    assert base45.decode(text) == data


@given(st.binary())
def test_bytes_come_back(data):
    """Whatever is encoded decodes to itself, in the alphabet of a QR code's alphanumeric mode."""
    text = base45.encode(data)
    assert set(text) <= set(base45.ALPHABET)
    assert len(text) == len(data) // 2 * 3 + len(data) % 2 * 2
    assert base45.decode(text) == data


@given(st.text(alphabet=base45.ALPHABET, max_size=12))
def test_a_text_decodes_only_if_it_is_the_one_spelling(text):
    """A text either is exactly what encoding its bytes gives, or is refused."""
    try:
        data = base45.decode(text)
    except MalformedError:
        return
    assert base45.encode(data) == text


@pytest.mark.parametrize("text", ["GGW", ":::", "FGWGGW", "V5", "::", "FGW::", "A", "BB8A", "0000"], ids=repr)
def test_what_encoding_never_writes_is_refused(text):
    """RFC 9285 section 6: three characters beyond 65535, two beyond 255, and one left over."""
    with refused("malformed"):
        base45.decode(text)


def test_exactly_the_numbers_in_range_decode():
    """Of all pairs of characters, the 256 that are a byte decode, and no other."""
    good = 0
    for pair in itertools.product(base45.ALPHABET, repeat=2):
        try:
            good += len(base45.decode("".join(pair)))
        except MalformedError:
            continue
    assert good == 256


@pytest.mark.parametrize("character", list("abz_=,;!\"#&'()<>?@[]\\^`{|}~\n\t\0é０张\ud800"), ids=repr)
def test_a_character_outside_the_alphabet_is_refused(character):
    """Small letters, line ends and everything else outside the 45 characters are refused."""
    for text in (character * 3, "BB" + character, character + "B8"):
        with refused("malformed"):
            base45.decode(text)


def test_the_alphabet_is_a_qr_codes():
    """The 45 characters, in the order of RFC 9285 table 1."""
    assert base45.ALPHABET == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
