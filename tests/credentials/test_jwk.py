"""Public keys go in and out of JWK unchanged; thumbprints identify them."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import base64url, jwk
from tests.tokens import AGENCY, EDWARDS, HOLDER, STRANGER, edwards_jwk, public

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@settings(max_examples=30)
@given(st.integers(1, N - 1))
def test_any_p256_key_comes_back(number):
    """The public half of any private key is exported and imported as the same key, always with 32-byte coordinates."""
    key = ec.derive_private_key(number, ec.SECP256R1())
    exported = jwk.export_public(key)
    assert exported == jwk.export_public(key.public_key())
    found = jwk.import_public(exported)
    assert isinstance(found.key, ec.EllipticCurvePublicKey)
    assert found.key.public_numbers() == key.public_key().public_numbers()
    assert len(base64url.decode(exported["x"])) == len(base64url.decode(exported["y"])) == 32


def test_a_coordinate_with_leading_zeros_keeps_its_length():
    """The key whose x begins with a zero byte is written with it."""
    key = next(
        key
        for number in range(1, 2_000)
        if (key := ec.derive_private_key(number, ec.SECP256R1())).public_key().public_numbers().x < 2**248
    )
    exported = jwk.export_public(key)
    assert base64url.decode(exported["x"])[0] == 0
    assert jwk.import_public(exported).jwk == exported


def test_an_edwards_key_comes_back():
    """An Ed25519 key is imported for both names of its algorithm."""
    found = jwk.import_public(edwards_jwk())
    assert found.key.public_bytes_raw() == EDWARDS.public_key().public_bytes_raw()
    assert found.algorithms == {"EdDSA", "Ed25519"}
    assert found.jwk == edwards_jwk()


@settings(max_examples=30)
@given(st.binary(min_size=32, max_size=32))
def test_any_honest_edwards_key_is_accepted(seed):
    """The small-order check refuses no key that a private key gave."""
    data = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert jwk.import_public(edwards_jwk(data)).jwk["x"] == base64url.encode(data)


def test_a_thumbprint_is_rfc_7638():
    """The thumbprint is over the required members alone: a kid, use or alg does not change it, another key does."""
    bare = public(AGENCY)
    dressed = jwk.import_public({"kid": "a", "use": "sig", **jwk.export_public(AGENCY), "alg": "ES256", "x5t": "AAAA"})
    assert bare.thumbprint == dressed.thumbprint
    assert dressed.kid == "a"
    assert dressed.jwk == jwk.export_public(AGENCY)
    assert len({public(key).thumbprint for key in (AGENCY, HOLDER, STRANGER)}) == 3


def test_an_imported_key_is_for_verifying_one_algorithm():
    """A P-256 key is for ES256 and nothing else."""
    assert public(AGENCY).algorithms == {"ES256"}
    assert public(AGENCY).kid is None


def test_an_exported_key_carries_no_private_part():
    """Exporting a private key gives its public members alone."""
    assert set(jwk.export_public(AGENCY)) == {"kty", "crv", "x", "y"}


def test_a_set_is_found_by_kid():
    """Each key of a set stands under its own kid; an empty set is a set."""
    keys = jwk.import_set(
        {"keys": [{**jwk.export_public(key), "kid": kid} for kid, key in (("a", AGENCY), ("b", HOLDER))]}
    )
    assert {kid: key.thumbprint for kid, key in keys.items()} == {
        "a": public(AGENCY).thumbprint,
        "b": public(HOLDER).thumbprint,
    }
    assert jwk.import_set({"keys": []}) == {}


@given(
    st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "use", "key_ops", "kid"]), st.text(max_size=4) | st.none())
)
def test_any_object_is_imported_or_refused(members):
    """No JSON object of texts makes the import fail in another way."""
    with pytest.raises(jwk.KeyRefusedError):
        jwk.import_public(members)
