"""Attack: a status list that inflates to gigabytes, to too little, or to something behind it."""

import gzip
import tracemalloc
import zlib

import pytest

from credentials import base64url, status_list
from tests.tokens import listed, read_list, refused, status_payload

DATA = status_list.pack(64, 2, {7: 2, 9: 1})
GOOD = zlib.compress(DATA, 9)


def _raw(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


def _with_dictionary(data: bytes) -> bytes:
    deflater = zlib.compressobj(zdict=b"dictionary")
    return deflater.compress(data) + deflater.flush()


def _never_ended(data: bytes) -> bytes:
    deflater = zlib.compressobj()
    return deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)


BENT = {
    "junk of a byte": GOOD + b"\0",
    "junk of a kilobyte": GOOD + b"x" * 1_024,
    "a second stream": GOOD + GOOD,
    "cut by a byte": GOOD[:-1],
    "cut by its checksum": GOOD[:-4],
    "cut in half": GOOD[: len(GOOD) // 2],
    "its header alone": GOOD[:2],
    "never ended": _never_ended(DATA),
    "wrong checksum": GOOD[:-1] + bytes([GOOD[-1] ^ 1]),
    "a bit flipped": GOOD[:5] + bytes([GOOD[5] ^ 0x10]) + GOOD[6:],
    "raw deflate": _raw(DATA),
    "gzip": gzip.compress(DATA),
    "preset dictionary": _with_dictionary(DATA),
    "not compressed": DATA,
    "nothing": b"",
    "text": b"not a list",
}
NO_TEXTS = [None, 1, True, [], {}, ["eNrbuRgAAhcBXQ"], 1.5]
NO_BASE64URL = [base64url.encode(GOOD) + "=", base64url.encode(GOOD) + "\n", "+/+/", "é", "A", " ", "\ud800"]


def _read(data: object) -> int:
    lst = base64url.encode(data) if isinstance(data, bytes) else data
    return read_list(listed(status_payload(status_list={"bits": 2, "lst": lst}))).list.read(7)


@pytest.mark.parametrize("data", BENT.values(), ids=BENT)
def test_a_bent_stream_is_refused(data):
    """A stream with something behind it, cut short, damaged, or in another format confirms nothing."""
    with refused("status_list_invalid"):
        _read(data)


@pytest.mark.parametrize("lst", NO_TEXTS, ids=repr)
def test_a_list_that_is_no_text_is_refused(lst):
    """`lst` is a text."""
    with refused("status_list_invalid"):
        read_list(listed(status_payload(status_list={"bits": 2, "lst": lst})))


@pytest.mark.parametrize("lst", NO_BASE64URL, ids=repr)
def test_a_list_that_is_not_base64url_is_refused(lst):
    """`lst` has one canonical spelling, also where it comes without a token."""
    with refused("status_list_invalid"):
        status_list.unpack(lst, 2)


@pytest.mark.parametrize(
    "size", [status_list.MAX_INFLATED_BYTES + 1, 64 * 2**20, 512 * 2**20], ids=["+1", "64M", "512M"]
)
def test_a_bomb_is_refused_and_costs_no_more_than_the_cap(size):
    """A list that inflates beyond the cap is refused, and at no time is much more than the cap in memory."""
    deflater = zlib.compressobj(9)
    bomb = b"".join(deflater.compress(bytes(2**20)) for _ in range(size >> 20))
    text = base64url.encode(bomb + deflater.compress(bytes(size % 2**20)) + deflater.flush())
    tracemalloc.start()
    try:
        with refused("status_list_invalid"):
            status_list.unpack(text, 1)
        assert tracemalloc.get_traced_memory()[1] < 3 * status_list.MAX_INFLATED_BYTES
    finally:
        tracemalloc.stop()


def test_the_largest_list_is_accepted():
    """A list of exactly the cap is read to its last entry."""
    text = status_list.compress(bytes(status_list.MAX_INFLATED_BYTES - 1) + b"\x80")
    found = status_list.unpack(text, 1)
    assert found.read(status_list.MAX_INDEX) == 1
    with refused("status_index_invalid"):
        found.read(status_list.MAX_INDEX + 1)


def test_the_untouched_list_is_accepted():
    """The honest stream is read, whatever level it was compressed at."""
    for level in range(10):
        assert _read(zlib.compress(DATA, level)) == status_list.Status.SUSPENDED
