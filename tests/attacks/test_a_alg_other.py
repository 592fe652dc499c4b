"""Attack: a real signature of an algorithm or curve that the purpose or the key does not allow."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from credentials import jwk, jws
from tests.tokens import AGENCY, EDWARDS, compact, edwards_jwk, envelope, header, public, refused, signed

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _curve(curve, hashing, size):
    key = ec.derive_private_key(2**200 + 12345, curve)

    def sign(data):
        return b"".join(part.to_bytes(size, "big") for part in decode_dss_signature(key.sign(data, ec.ECDSA(hashing))))

    return sign


def _pss(data):
    return RSA_KEY.sign(data, padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH), SHA256())


REAL = {
    "RS256": lambda data: RSA_KEY.sign(data, padding.PKCS1v15(), SHA256()),
    "RS512": lambda data: RSA_KEY.sign(data, padding.PKCS1v15(), SHA512()),
    "PS256": _pss,
    "ES384": _curve(ec.SECP384R1(), SHA384(), 48),
    "ES512": _curve(ec.SECP521R1(), SHA512(), 66),
    "ES256K": _curve(ec.SECP256K1(), SHA256(), 32),
}
SPELLINGS = [
    "es256",
    "Es256",
    "ES256 ",
    " ES256",
    "ES256\x00",
    "ＥＳ256",
    "ECDSA",
    "SHA256withECDSA",
    "ESP256",
    "ES-256",
]
PURPOSES = [jws.LICENCE, jws.KEY_BINDING, jws.STATUS_LIST, jws.TRUST_LIST, jws.RECEIPT, jws.ANY]


@pytest.mark.parametrize("algorithm", REAL)
@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: str(purpose.typ))
def test_a_signature_of_another_kind_is_refused(purpose, algorithm):
    """RSA, a larger curve and Bitcoin's curve are refused by name, before any key is looked at."""
    text = compact(header(purpose, typ=purpose.typ or "JWT", alg=algorithm), envelope(), REAL[algorithm])
    with refused("algorithm_refused"):
        jws.parse(text, purpose)


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519", "Ed448"])
@pytest.mark.parametrize("purpose", PURPOSES[:-1], ids=lambda purpose: str(purpose.typ))
def test_a_real_edwards_signature_is_refused_inside(purpose, algorithm):
    """Ed25519 is for the outside doors alone: no purpose of the product takes it."""
    with refused("algorithm_refused"):
        jws.parse(compact(header(purpose, alg=algorithm), envelope(), EDWARDS.sign), purpose)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_near_spelling_is_refused(spelling):
    """An algorithm's name is compared character by character."""
    with refused("algorithm_refused"):
        jws.parse(signed(header(alg=spelling), envelope()), jws.LICENCE)


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_an_edwards_name_over_a_p256_key_is_refused(algorithm):
    """A header that names the other curve's algorithm does not choose how a P-256 key is used."""
    token = jws.parse(compact(header(alg=algorithm), envelope(), jws.es256(AGENCY)), jws.ANY)
    with refused("algorithm_refused"):
        jws.verify(token, public(AGENCY))


def test_es256_over_an_edwards_key_is_refused():
    """An ES256 token is not tried against an Ed25519 key."""
    token = jws.parse(compact(header(), envelope(), EDWARDS.sign), jws.ANY)
    with refused("algorithm_refused"):
        jws.verify(token, jwk.import_public(edwards_jwk()))


def test_the_untouched_tokens_are_accepted():
    """ES256 passes inside, and both names of Ed25519 pass at the outside door."""
    assert jws.verify(jws.parse(signed(header(), envelope()), jws.LICENCE), public(AGENCY))
    for algorithm in ("EdDSA", "Ed25519"):
        text = compact(header(alg=algorithm), envelope(), EDWARDS.sign)
        assert jws.verify(jws.parse(text, jws.ANY), jwk.import_public(edwards_jwk())).payload() == envelope()
