"""Attack: a width that no list has, or an index that is no entry: the answer is never "valid"."""

import pytest

from credentials import status_list
from credentials.errors import StatusIndexError, StatusListInvalidError, UnknownError
from tests.tokens import ABSENT, envelope, licence, listed, opened, read_list, refused, status_payload

LST = status_list.compress(bytes(16))
WIDTHS = [0, 3, 5, 6, 7, 9, 16, 32, -1, -2, 1.0, 2.0, 0.5, True, False, None, "1", "2", [1], {"bits": 1}, 2**63]
INDICES = {
    "negative": -1,
    "far negative": -(2**40),
    "float": 7.0,
    "fraction": 7.5,
    "true": True,
    "false": False,
    "null": None,
    "text": "7",
    "empty": "",
    "array": [7],
    "object": {"idx": 7},
    "beyond every list": status_list.MAX_INDEX + 1,
    "2^63": 2**63,
    "absent": ABSENT,
}


@pytest.mark.parametrize("bits", WIDTHS, ids=repr)
def test_another_width_confirms_nothing(bits):
    """A width but 1, 2, 4 and 8, or of another type, refuses the list."""
    with refused("status_list_invalid"):
        read_list(listed(status_payload(LST, bits)))


@pytest.mark.parametrize("value", [None, [], "list", 1, True, {}, {"bits": 1}, {"lst": LST}], ids=repr)
def test_a_list_that_is_no_object_confirms_nothing(value):
    """`status_list` is an object with `bits` and `lst`."""
    with refused("status_list_invalid"):
        read_list(listed(status_payload(status_list=value)))


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_an_index_in_a_licence_that_is_no_entry_confirms_nothing(index):
    """A licence whose index is negative, no whole number, or beyond every list has no status."""
    entry = {"uri": "u"} if index is ABSENT else {"uri": "u", "idx": index}
    with refused("status_index_invalid"):
        opened(licence(envelope(status={"status_list": entry})))


@pytest.mark.parametrize("index", [value for value in INDICES.values() if value is not ABSENT], ids=repr)
@pytest.mark.parametrize("bits", sorted(status_list.WIDTHS))
def test_reading_an_index_that_is_no_entry_confirms_nothing(bits, index):
    """The list itself refuses such an index too: no wrap-around, no rounding, no default."""
    found = status_list.StatusList(bits, b"\xff" * 16)
    with refused("status_index_invalid"):
        found.read(index)


@pytest.mark.parametrize("bits", sorted(status_list.WIDTHS))
def test_the_first_index_beyond_the_list_confirms_nothing(bits):
    """The last entry is read, and the next one is refused (Token Status List section 8.3)."""
    entries = 16 * 8 // bits
    found = read_list(listed(status_payload(status_list.compress(b"\xff" * 16), bits))).list
    assert found.read(entries - 1) == (1 << bits) - 1
    with refused("status_index_invalid"):
        found.read(entries)


def test_an_empty_list_confirms_nothing():
    """A list without entries has no entry 0."""
    found = read_list(listed(status_payload(status_list.compress(b""), 1))).list
    with refused("status_index_invalid"):
        found.read(0)


@pytest.mark.parametrize(
    "status", [ABSENT, None, {}, [], "valid", 0, {"status_list": None}, {"status_list": []}], ids=repr
)
def test_a_licence_without_a_status_is_refused(status):
    """A licence of this profile has a status list entry: without one it is refused, not taken as valid."""
    with refused("claim_invalid"):
        opened(licence(envelope(status=status)))


@pytest.mark.parametrize("uri", [ABSENT, None, "", 1, True, ["u"], {"u": 1}], ids=repr)
def test_a_status_without_an_address_is_refused(uri):
    """The list's address is a text."""
    entry = {"idx": 7} if uri is ABSENT else {"idx": 7, "uri": uri}
    with refused("claim_invalid"):
        opened(licence(envelope(status={"status_list": entry})))


def test_what_cannot_be_read_is_of_the_family_that_cannot_confirm():
    """An unreadable list or index is the world's fault: the verdict is "cannot confirm", not "refused"."""
    assert issubclass(StatusIndexError, UnknownError)
    assert issubclass(StatusListInvalidError, UnknownError)


def test_valid_suspended_revoked_and_unknown_are_different():
    """The three registered values are told apart, and a fourth is none of them."""
    found = read_list(listed(status_payload(status_list.compress(status_list.pack(8, 2, {1: 1, 2: 2, 3: 3})), 2))).list
    assert [found.read(index) for index in range(4)] == [0, 1, 2, 3]
    assert found.read(0) == status_list.Status.VALID
    assert found.read(1) == status_list.Status.REVOKED
    assert found.read(2) == status_list.Status.SUSPENDED
    assert found.read(3) not in set(status_list.Status)


@pytest.mark.parametrize("bits", sorted(status_list.WIDTHS))
def test_the_untouched_index_is_accepted(bits):
    """A licence's index is read from a list of any of the four widths."""
    lst = status_list.compress(status_list.pack(64, bits, {7: 1}))
    licence_status = opened(licence(envelope())).status
    assert read_list(listed(status_payload(lst, bits)), uri=licence_status.uri).list.read(licence_status.index) == 1
