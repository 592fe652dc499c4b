"""Status lists: what is packed is read, at every width and every index."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import jws, status_list
from credentials.errors import StatusListInvalidError
from credentials.status_list import StatusReference
from tests.tokens import ISSUER, LIST_SIGNER, LIST_URI, NOW, SECOND, read_list, refused, status_payload


@given(bits=st.sampled_from([1, 2, 4, 8]), size=st.integers(1, 200), data=st.data())
def test_any_statuses_come_back(bits, size, data):
    """Every entry packed, compressed, inflated and read is what it was; the others are 0."""
    statuses = data.draw(st.dictionaries(st.integers(0, size - 1), st.integers(0, (1 << bits) - 1)))
    packed = status_list.pack(size, bits, statuses)
    assert len(packed) == (size * bits + 7) // 8
    found = status_list.unpack(status_list.compress(packed), bits)
    assert [found.read(index) for index in range(size)] == [statuses.get(index, 0) for index in range(size)]


@given(bits=st.sampled_from([1, 2, 4, 8]), size=st.integers(1, 200), data=st.data())
def test_entries_are_counted_as_they_are_read(bits, size, data):
    """As many entries are counted of each status as say it when they are read one by one."""
    statuses = data.draw(st.dictionaries(st.integers(0, size - 1), st.integers(0, (1 << bits) - 1)))
    found = status_list.counts(status_list.pack(size, bits, statuses), bits)
    assert found == Counter(status for status in statuses.values() if status)


@given(st.text(max_size=40))
def test_any_text_is_unpacked_or_refused(text):
    """No text makes the reader fail in another way."""
    with pytest.raises(StatusListInvalidError):
        status_list.unpack(text, 1)


def test_entries_go_from_the_least_significant_bit_up():
    """Section 4.1: entry 0 is the lowest bits of byte 0."""
    assert status_list.pack(8, 1, {0: 1}) == b"\x01"
    assert status_list.pack(8, 1, {7: 1}) == b"\x80"
    assert status_list.pack(4, 2, {1: 2}) == b"\x08"
    assert status_list.pack(2, 4, {1: 15}) == b"\xf0"
    assert status_list.pack(2, 8, {1: 255}) == b"\x00\xff"


@pytest.mark.parametrize(
    ("size", "bits", "length"), [(0, 1, 0), (1, 1, 1), (8, 1, 1), (9, 1, 2), (5, 2, 2), (3, 4, 2), (3, 8, 3)]
)
def test_a_list_is_as_long_as_it_must_be(size, bits, length):
    """The bytes are rounded up to hold every entry."""
    assert status_list.pack(size, bits, {}) == bytes(length)


@pytest.mark.parametrize(
    ("size", "bits", "statuses"),
    [
        (8, 3, {}),
        (8, 0, {}),
        (8, 16, {}),
        (8, 1, {8: 1}),
        (8, 1, {-1: 1}),
        (8, 1, {0: 2}),
        (8, 2, {0: 4}),
        (8, 2, {0: -1}),
    ],
    ids=str,
)
def test_what_does_not_fit_is_never_published(size, bits, statuses):
    """An index or status that does not fit its list is a programmer's error, not a wrap-around."""
    with pytest.raises(ValueError, match=r"bits|out of range"):
        status_list.pack(size, bits, statuses)


def test_a_token_of_ours_is_read():
    """The claims that publishing signs are those that reading wants."""
    payload = status_list.token_payload(
        issuer=ISSUER,
        uri=LIST_URI,
        bits=2,
        lst=status_list.compress(status_list.pack(1_000, 2, {999: 2})),
        version=12,
        issued_at=SECOND,
        expires_at=SECOND + 3_600,
        time_to_live=timedelta(minutes=5),
    )
    found = read_list(jws.sign(jws.STATUS_LIST, payload, jws.es256(LIST_SIGNER), kid="list-1"))
    assert (found.uri, found.issued_at, found.expires_at) == (LIST_URI, SECOND, SECOND + 3_600)
    assert (found.time_to_live, found.version) == (300, 12)
    assert (found.list.read(999), found.list.read(998)) == (status_list.Status.SUSPENDED, status_list.Status.VALID)
    found.check_current(now=NOW)


def test_a_reference_is_read():
    """A licence's status names an address and an index, from 0 to the last of the largest list."""
    for index in (0, 1, status_list.MAX_INDEX):
        claim = {"status_list": {"idx": index, "uri": LIST_URI}, "another_mechanism": {}}
        assert status_list.reference(claim) == StatusReference(LIST_URI, index)
    with refused("status_index_invalid"):
        status_list.reference({"status_list": {"idx": status_list.MAX_INDEX + 1, "uri": LIST_URI}})


def test_status_values_are_registered():
    """The values of section 7.1, and different words for each."""
    assert {one.name: one.value for one in status_list.Status} == {"VALID": 0, "REVOKED": 1, "SUSPENDED": 2}


def test_a_list_of_two_million_entries_is_small():
    """A mostly valid list of two million entries is read in one token of the size allowed."""
    statuses = {index * 997: 1 for index in range(2_000)}
    text = status_list.compress(status_list.pack(2_000_000, 2, statuses))
    assert len(text) < jws.MAX_LIST_TOKEN_BYTES // 100
    found = status_list.unpack(text, 2)
    assert sum(found.read(index * 997) for index in range(2_000)) == 2_000


TOLD = {"issuer": ISSUER, "uri": LIST_URI, "bits": 2, "lst": "eNo", "version": 4, "issued_at": 7, "expires_at": 9}


def test_a_list_token_has_exactly_these_claims():
    """Section 5.1's, with our issuer and counter; where the lists of an issuer stand only if that is told."""
    made = status_list.token_payload(**TOLD, time_to_live=timedelta(minutes=5))
    assert made == {
        "iss": ISSUER,
        "sub": LIST_URI,
        "iat": 7,
        "exp": 9,
        "ttl": 300,
        "licence_list_version": 4,
        "status_list": {"bits": 2, "lst": "eNo"},
    }
    more = status_list.token_payload(**TOLD, time_to_live=timedelta(minutes=5), aggregation_uri="https://x.example")
    assert more["status_list"] == {"bits": 2, "lst": "eNo", "aggregation_uri": "https://x.example"}


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_entries_stand_from_the_least_significant_bit_up(bits):
    """Section 4.1: neighbours of different values do not disturb each other, and the last may end inside a byte."""
    size = 19
    statuses = {at: (at * 7 + 1) % (1 << bits) for at in range(size)}
    data = status_list.pack(size, bits, statuses)
    assert len(data) == -(-size * bits // 8)
    number = int.from_bytes(data, "little")
    assert [number >> at * bits & (1 << bits) - 1 for at in range(size)] == list(statuses.values())
    assert number >> size * bits == 0


def test_an_end_at_its_very_time_is_no_contradiction():
    """A list that ends when it was made is read; whether it is current is another question."""
    token = jws.Verified({}, json.dumps(status_payload(iat=SECOND, exp=SECOND)).encode())
    assert status_list.read_token(token, uri=LIST_URI).expires_at == SECOND


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_the_order_of_changes_does_not_matter(bits):
    """A status set first is not lost when a neighbour is set after it, whichever comes first."""
    statuses = {at: (at * 5 + 1) % (1 << bits) for at in range(17)}
    backwards = dict(reversed(statuses.items()))
    assert status_list.pack(17, bits, backwards) == status_list.pack(17, bits, statuses)
    assert status_list.pack(8, 1, {7: 1, 0: 1}) == b"\x81"
