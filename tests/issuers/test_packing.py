"""Packing a list block by block gives what packing it whole gives, and compresses what changed alone."""

import random
import zlib

from credentials import base64url, status_list
from issuers.lists import packing


def test_blocks_are_one_stream():
    """Whatever changed before: the text inflates, as one zlib stream, to these very bits."""
    dice, blocks = random.Random(7), None
    data = bytearray(dice.randbytes(5 * status_list.BLOCK + 17))
    for _ in range(20):
        for _ in range(dice.randrange(4)):
            data[dice.randrange(len(data))] ^= 1
        lst, blocks = packing.compressed(bytes(data), blocks)
        assert zlib.decompress(base64url.decode(lst)) == data
        assert status_list.unpack(lst, 2).data == data


def test_what_did_not_change_is_not_compressed_again(monkeypatch):
    """One bit of a hundred blocks: one is compressed; a longer list takes over what it has in common."""
    made = []
    whole = zlib.compressobj
    monkeypatch.setattr(zlib, "compressobj", lambda *said, **more: made.append(1) or whole(*said, **more))
    data = bytearray(100 * status_list.BLOCK)
    _, blocks = packing.compressed(bytes(data), None)
    assert len(made) == 100
    data[50 * status_list.BLOCK + 3] = 1
    _, blocks = packing.compressed(bytes(data), blocks)
    assert len(made) == 101
    packing.compressed(bytes(data) + b"\1", blocks)
    assert len(made) == 102


def test_a_million_entries_cost_a_twentieth_more():
    """Blocks are large enough: a list with one in a hundred revoked grows by five per cent."""
    data = status_list.pack(1_000_000, 2, dict.fromkeys(random.Random(1).sample(range(1_000_000), 10_000), 1))
    lst, _ = packing.compressed(data, None)
    assert len(lst) < 1.06 * len(base64url.encode(zlib.compress(data, status_list.COMPRESSION_LEVEL)))
