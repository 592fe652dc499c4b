"""Attack: a QR code that is no pass: other schemes, markup, giants, bombs, cut or bent packing."""

import tracemalloc
import zlib
from hashlib import sha256

import pytest

from credentials import base45, jws, key_binding, offline_pass
from tests.tokens import HOLDER, NOW, issue, later, refused

PRESENTATION = key_binding.bind(
    issue({"a": 1}, "a"),
    jws.es256(HOLDER),
    audience=key_binding.OFFLINE_AUDIENCE,
    nonce="n",
    now=NOW,
    life=later(minutes=1) - NOW,
)
GOOD = offline_pass.pack(PRESENTATION)
WHOLE = base45.decode(GOOD.removeprefix(offline_pass.PREFIX))
END = 2 + int.from_bytes(WHOLE[:2], "big")
TEXT = zlib.decompressobj(wbits=-15, zdict=offline_pass.DICTIONARY).decompress(WHOLE[2:END])
REST = WHOLE[END:]
SIGNATURES = bytes(2 * offline_pass.SIGNATURE_BYTES)


def _packed(text: bytes, rest: bytes = REST) -> str:
    deflater = zlib.compressobj(9, wbits=-15, memLevel=9, zdict=offline_pass.DICTIONARY)
    data = deflater.compress(text) + deflater.flush()
    return offline_pass.PREFIX + base45.encode(len(data).to_bytes(2, "big") + data + rest)


def _noise(size: int) -> bytes:
    """Return bytes that do not deflate."""
    return b"".join(sha256(b"%d" % number).digest() for number in range(size // 32))


def _body(text: str) -> bytes:
    return base45.decode(text.removeprefix(offline_pass.PREFIX))


TEXTS = {
    "empty": "",
    "prefix alone": "EL1:",
    "small prefix": GOOD.replace("EL1:", "el1:"),
    "next prefix": GOOD.replace("EL1:", "EL2:"),
    "no prefix": GOOD.removeprefix("EL1:"),
    "space before": " " + GOOD,
    "newline behind": GOOD + "\n",
    "twice": GOOD + GOOD,
    "health certificate": GOOD.replace("EL1:", "HC1:"),
    "address": "https://licence.example.gov.cn/s#AAAA",
    "script address": "javascript:alert(1)",
    "data address": "data:text/html,<script>alert(1)</script>",
    "file address": "file:///etc/passwd",
    "wireless network": "WIFI:T:WPA;S:free;P:free;;",
    "markup": "<img src=x onerror=alert(1)>",
    "markup behind the prefix": "EL1:<img src=x onerror=alert(1)>",
    "bidi": "EL1:\u202eABC",
    "NUL": "EL1:\0",
    "lone surrogate": "EL1:\ud800",
    "hanzi": "EL1:证照",
    "4 kB": "A" * 4_096,
    "4 kB behind the prefix": "EL1:" + "A" * 4_096,
    "10 MB": "EL1:" + "0" * 10_000_000,
    "the presentation itself": PRESENTATION,
    "cut by three": GOOD[:-3],
    "cut in half": GOOD[: len(GOOD) // 6 * 3 + 4],
    "junk behind": "EL1:" + base45.encode(_body(GOOD) + b"junk"),
    "a byte short": "EL1:" + base45.encode(_body(GOOD)[:-1]),
    "zlib": "EL1:" + base45.encode(zlib.compress(TEXT)),
    "no length": "EL1:" + base45.encode(WHOLE[2:]),
    "a length beyond": "EL1:" + base45.encode(b"\xff\xff" + WHOLE[2:]),
    "no signatures": "EL1:" + base45.encode(WHOLE[:END]),
    "not compressed": "EL1:" + base45.encode(b"\0\x40" + b"\xff" * 64 + SIGNATURES),
    "no text": _packed(b"", SIGNATURES),
    "three parts": _packed(b"{}\x1e{}\x1e{}", SIGNATURES),
    "a mark too many": _packed(TEXT + b'"\x01"'),
    "a digest too many": _packed(TEXT, REST[:32] + REST),
    "a text one byte too large": _packed(
        b"{}\x1e{}\x1e{}\x1e".ljust(offline_pass.MAX_JSON_BYTES + 1, b" "), SIGNATURES
    ),
    "marks that swell": _packed(b"{}\x1e{}\x1e{}\x1e" + b"\x01" * 900, bytes(900 * 32) + SIGNATURES),
    "a whole pass longer than any QR code": _packed(TEXT + _noise(4_000)),
    "a bomb": _packed(bytes(900_000), SIGNATURES),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_is_no_pass_is_not_a_licence_code(text):
    """Anything but a well-packed pass is "not a licence code", without a guess at what else it may be."""
    with refused("not_a_licence_code"):
        offline_pass.unpack(text)


def test_a_bomb_costs_no_more_than_the_cap():
    """A code that would inflate to megabytes is stopped at its cap."""
    bomb = _packed(bytes(2_000_000), SIGNATURES)
    assert len(bomb) <= offline_pass.MAX_TEXT
    tracemalloc.start()
    try:
        with refused("not_a_licence_code"):
            offline_pass.unpack(bomb)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_the_untouched_pass_is_accepted():
    """The honest pass comes back, and a text of exactly the cap is unpacked."""
    assert offline_pass.unpack(GOOD) == PRESENTATION
    assert _packed(TEXT) == GOOD
    text = b"{}\x1e{}\x1e{}\x1e{}"
    assert offline_pass.unpack(_packed(text.ljust(offline_pass.MAX_JSON_BYTES, b" "), SIGNATURES))
