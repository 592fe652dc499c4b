"""Attack: ECDSA signatures at the edges of their range and in other encodings (CVE-2022-21449 and its kin)."""

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from credentials import jws
from tests.tokens import AGENCY, compact, envelope, header, public, refused

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
TOP = 2**256 - 1
EDGES = {
    "0": 0,
    "1": 1,
    "n-1": N - 1,
    "n": N,
    "n+1": N + 1,
    "p": P,
    "p-n": P - N,
    "p+1": P + 1,
    "max": TOP,
    "n/2": N // 2,
}


def _pair(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _honest(data: bytes) -> tuple[int, int]:
    signature = jws.es256(AGENCY)(data)
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")


BENT = {
    "empty": lambda r, s: b"",
    "one byte": lambda r, s: b"\0",
    "63 bytes": lambda r, s: _pair(r, s)[:-1],
    "63 bytes, cut in front": lambda r, s: _pair(r, s)[1:],
    "65 bytes": lambda r, s: _pair(r, s) + b"\0",
    "65 bytes, zero in front": lambda r, s: b"\0" + _pair(r, s),
    "66 bytes, zero before each": lambda r, s: r.to_bytes(33, "big") + s.to_bytes(33, "big"),
    "96 bytes": lambda r, s: r.to_bytes(48, "big") + s.to_bytes(48, "big"),
    "twice": lambda r, s: _pair(r, s) * 2,
    "DER": encode_dss_signature,
    "DER padded to 72": lambda r, s: encode_dss_signature(r, s).ljust(72, b"\0"),
    "DER cut to 64": lambda r, s: encode_dss_signature(r, s)[:64],
    "swapped": lambda r, s: _pair(s, r),
    "little endian": lambda r, s: r.to_bytes(32, "little") + s.to_bytes(32, "little"),
    "r negated": lambda r, s: _pair(N - r, s),
    "r zero": lambda r, s: _pair(0, s),
    "s zero": lambda r, s: _pair(r, 0),
    "r is n": lambda r, s: _pair(N, s),
    "s is n": lambda r, s: _pair(r, N),
    "r changed by a bit": lambda r, s: _pair(r ^ 1, s),
    "s changed by a bit": lambda r, s: _pair(r, s ^ 1),
    "text of itself": lambda r, s: f"{r:064x}{s:064x}".encode(),
    "32 kB of zeros": lambda r, s: b"\0" * 32_768,
}


def _verify(signature) -> None:
    text = compact(header(), envelope(), lambda data: signature(*_honest(data)))
    jws.verify(jws.parse(text, jws.LICENCE), public(AGENCY))


@pytest.mark.parametrize("s", EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("r", EDGES.values(), ids=EDGES)
def test_a_signature_of_edge_numbers_is_refused(r, s):
    """No pair of 0, 1, n, p and their neighbours passes as a signature."""
    with refused("signature_invalid"):
        _verify(lambda *_: _pair(r, s))


@pytest.mark.parametrize("bent", BENT.values(), ids=BENT)
def test_a_bent_signature_is_refused(bent):
    """A good signature in another length, order or encoding is refused: r and s are 32 bytes each."""
    with refused("signature_invalid"):
        _verify(bent)


def test_adding_n_where_it_fits_is_refused():
    """A number beyond n is refused even where it equals the right one modulo n and fits into 32 bytes."""
    for attempt in range(3):
        text = compact(
            header(),
            envelope(attempt=attempt),
            lambda data: b"".join(min(part + N, TOP).to_bytes(32, "big") for part in _honest(data)),
        )
        with refused("signature_invalid"):
            jws.verify(jws.parse(text, jws.LICENCE), public(AGENCY))


def test_a_signature_over_another_payload_is_refused():
    """A signature does not move to another payload or header."""
    signature = jws.es256(AGENCY)(jws.signing_input(jws.LICENCE, envelope(iat=1), kid="police-2026-1"))
    with refused("signature_invalid"):
        _verify(lambda *_: signature)


def test_the_untouched_signature_and_its_twin_are_accepted():
    """The honest signature passes; so does (r, n - s), which RFC 7518 allows: signature bytes identify nothing."""
    _verify(_pair)
    _verify(lambda r, s: _pair(r, N - s))
