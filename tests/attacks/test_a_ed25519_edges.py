"""Attack: Ed25519 signatures with S beyond L, points of small order, and other lengths (RFC 8032 section 5.1.7)."""

import pytest

from credentials import jwk, jws
from tests.tokens import EDWARDS, compact, edwards_jwk, envelope, header, refused

L = 2**252 + 27742317777372353535851937790883648493
IDENTITY = (1).to_bytes(32, "little")
KEY = jwk.import_public(edwards_jwk())


def _s(signature: bytes) -> int:
    return int.from_bytes(signature[32:], "little")


def _scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


BENT = {
    "S + L": lambda sig: sig[:32] + _scalar(_s(sig) + L),
    "S + 2L": lambda sig: sig[:32] + _scalar(_s(sig) + 2 * L),
    "S + 8L": lambda sig: sig[:32] + _scalar(min(_s(sig) + 8 * L, 2**256 - 1)),
    "S is L": lambda sig: sig[:32] + _scalar(L),
    "S is 0": lambda sig: sig[:32] + _scalar(0),
    "S negated": lambda sig: sig[:32] + _scalar(L - _s(sig)),
    "S all ones": lambda sig: sig[:32] + b"\xff" * 32,
    "S big endian": lambda sig: sig[:32] + sig[:31:-1],
    "R identity, S 0": lambda _: IDENTITY + _scalar(0),
    "R identity": lambda sig: IDENTITY + sig[32:],
    "R zero, S 0": lambda _: bytes(64),
    "R not reduced": lambda sig: bytes.fromhex("ee" + "ff" * 30 + "7f") + sig[32:],
    "R sign flipped": lambda sig: sig[:31] + bytes([sig[31] ^ 0x80]) + sig[32:],
    "R changed by a bit": lambda sig: bytes([sig[0] ^ 1]) + sig[1:],
    "swapped": lambda sig: sig[32:] + sig[:32],
    "all ones": lambda _: b"\xff" * 64,
    "empty": lambda _: b"",
    "63 bytes": lambda sig: sig[:-1],
    "65 bytes": lambda sig: sig + b"\0",
    "twice": lambda sig: sig * 2,
    "hexadecimal": lambda sig: sig.hex().encode(),
}


def _verify(bend, algorithm: str = "EdDSA") -> None:
    text = compact(header(alg=algorithm), envelope(), lambda data: bend(EDWARDS.sign(data)))
    jws.verify(jws.parse(text, jws.ANY), KEY)


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("bend", BENT.values(), ids=BENT)
def test_a_bent_signature_is_refused(bend, algorithm):
    """A signature at the edge, of another length, or of small order is refused under both names."""
    with refused("signature_invalid"):
        _verify(bend, algorithm)


def test_the_untouched_signature_is_accepted():
    """The honest signature passes under both names of the algorithm."""
    _verify(lambda signature: signature)
    _verify(lambda signature: signature, "Ed25519")
