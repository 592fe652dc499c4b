"""Attack: a public key that contradicts itself, carries a secret, or is no point of its curve."""

import pytest

from credentials import base64url, jwk
from tests.tokens import ABSENT, AGENCY, HOLDER, changed, edwards_jwk, refused

GOOD = jwk.export_public(AGENCY)
NUMBERS = AGENCY.public_key().public_numbers()
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def _b64(number: int, size: int = 32) -> str:
    return base64url.encode(number.to_bytes(size, "big"))


def _small_point() -> tuple[int, int]:
    """Return a point of P-256 whose x + p still fits in 32 bytes."""
    for x in range(1, 1_000):
        square = (x**3 - 3 * x + B) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square:
            return x, y
    raise AssertionError


SMALL_X, SMALL_Y = _small_point()
SECRETS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]
CHANGES = {
    "use enc": {"use": "enc"},
    "use null": {"use": None},
    "use list": {"use": ["sig"]},
    "use capital": {"use": "SIG"},
    "use empty": {"use": ""},
    "key_ops sign": {"key_ops": ["sign"]},
    "key_ops both": {"key_ops": ["verify", "sign"]},
    "key_ops twice": {"key_ops": ["verify", "verify"]},
    "key_ops empty": {"key_ops": []},
    "key_ops text": {"key_ops": "verify"},
    "key_ops null": {"key_ops": None},
    "key_ops encrypt": {"key_ops": ["encrypt", "wrapKey"]},
    "alg HS256": {"alg": "HS256"},
    "alg ES384": {"alg": "ES384"},
    "alg EdDSA": {"alg": "EdDSA"},
    "alg none": {"alg": "none"},
    "alg number": {"alg": 256},
    "alg false": {"alg": False},
    "kty absent": {"kty": ABSENT},
    "kty null": {"kty": None},
    "kty list": {"kty": ["EC"]},
    "kty oct": {"kty": "oct"},
    "kty RSA": {"kty": "RSA"},
    "kty OKP": {"kty": "OKP"},
    "kty lower": {"kty": "ec"},
    "crv absent": {"crv": ABSENT},
    "crv null": {"crv": None},
    "crv list": {"crv": ["P-256"]},
    "crv P-384": {"crv": "P-384"},
    "crv P-521": {"crv": "P-521"},
    "crv secp256k1": {"crv": "secp256k1"},
    "crv Ed25519": {"crv": "Ed25519"},
    "crv lower": {"crv": "p-256"},
    "kid number": {"kid": 1},
    "kid null": {"kid": None},
    "kid list": {"kid": ["a"]},
    "kid long": {"kid": "k" * 513},
    "x absent": {"x": ABSENT},
    "y absent": {"y": ABSENT},
    "x null": {"x": None},
    "x number": {"x": 1},
    "x list": {"x": [GOOD["x"]]},
    "x empty": {"x": ""},
    "x padded": {"x": GOOD["x"] + "="},
    "x not base64url": {"x": GOOD["x"][:-1] + "+"},
    "x white space": {"x": GOOD["x"] + "\n"},
    "x not ASCII": {"x": "é" + GOOD["x"][1:]},
    "x 31 bytes": {"x": base64url.encode(b"\x01" * 31)},
    "x 33 bytes": {"x": base64url.encode(b"\0" + base64url.decode(GOOD["x"]))},
    "off the curve by one": {"y": _b64(NUMBERS.y ^ 1)},
    "another key's y": {"y": jwk.export_public(HOLDER)["y"]},
    "origin": {"x": _b64(0), "y": _b64(0)},
    "y zero": {"y": _b64(0)},
    "all ones": {"x": _b64(2**256 - 1), "y": _b64(2**256 - 1)},
}
NOT_REDUCED = {
    "x + p": {"x": _b64(SMALL_X + P), "y": _b64(SMALL_Y)},
    "x is p": {"x": _b64(P), "y": _b64(pow(B, (P + 1) // 4, P))},
}
# The points of order 1, 2, 4 and 8 of edwards25519, and spellings with y not reduced modulo p = 2^255 - 19.
WEAK_EDWARDS = {
    "identity": "0100000000000000000000000000000000000000000000000000000000000000",
    "identity, sign set": "0100000000000000000000000000000000000000000000000000000000000080",
    "order 2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order 2, sign set": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "order 4": "0000000000000000000000000000000000000000000000000000000000000000",
    "order 4, sign set": "0000000000000000000000000000000000000000000000000000000000000080",
    "order 8 a": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8 b": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "order 8 c": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "order 8 d": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "y is p": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "y is p, sign set": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "y is p + 1": "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "y is 2^255 - 1": "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "no such point": "0200000000000000000000000000000000000000000000000000000000000000",
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_a_key_that_contradicts_itself_is_refused(changes):
    """A P-256 key with one member bent is refused at import."""
    with refused("key_refused"):
        jwk.import_public(changed(GOOD, changes))


@pytest.mark.parametrize("changes", NOT_REDUCED.values(), ids=NOT_REDUCED)
def test_a_second_spelling_of_a_point_is_refused(changes):
    """A coordinate of p or more is refused: else one key has two thumbprints and binds to two people."""
    with refused("key_refused"):
        jwk.import_public(changed(GOOD, changes))


@pytest.mark.parametrize("algorithm", [["ES256"], {}, {"ES256": 1}], ids=repr)
def test_an_algorithm_that_is_no_text_is_refused(algorithm):
    """A key whose `alg` is an array or object is refused like any other contradiction."""
    with refused("key_refused"):
        jwk.import_public({**GOOD, "alg": algorithm})


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("value", ["AAAA", None, ""], ids=repr)
def test_a_private_member_in_a_public_key_is_refused(name, value):
    """A public key that carries any private member, even an empty one, is refused on both curves."""
    for good in (GOOD, edwards_jwk()):
        with refused("key_refused"):
            jwk.import_public({**good, name: value})


@pytest.mark.parametrize("encoded", WEAK_EDWARDS.values(), ids=WEAK_EDWARDS)
def test_a_weak_edwards_point_is_refused(encoded):
    """A point of small order, not reduced, or not there at all is refused as an Ed25519 key."""
    with refused("key_refused"):
        jwk.import_public(edwards_jwk(bytes.fromhex(encoded)))


@pytest.mark.parametrize(
    "changes",
    [
        {"x": ABSENT},
        {"x": "AAAA"},
        {"x": 5},
        {"crv": "X25519"},
        {"crv": "Ed448"},
        {"crv": "P-256"},
        {"kty": "EC"},
        {"alg": "ES256"},
        {"use": "enc"},
        {"key_ops": ["sign"]},
    ],
    ids=repr,
)
def test_an_edwards_key_that_contradicts_itself_is_refused(changes):
    """An Ed25519 key is held to the same rules."""
    with refused("key_refused"):
        jwk.import_public(changed(edwards_jwk(), changes))


@pytest.mark.parametrize("value", [None, [], "key", 1, True, {}, {1: "EC"}, [GOOD]], ids=lambda value: repr(value)[:20])
def test_what_is_no_object_is_no_key(value):
    """A JWK is a JSON object."""
    with refused("key_refused"):
        jwk.import_public(value)


OCT = {"kty": "oct", "k": "AAAA", "kid": "c"}
SETS = {
    "null": None,
    "array": [],
    "no keys": {},
    "keys null": {"keys": None},
    "keys object": {"keys": {"a": GOOD}},
    "duplicate kid": {"keys": [{**GOOD, "kid": "a"}, {**jwk.export_public(HOLDER), "kid": "a"}]},
    "same key twice under one kid": {"keys": [{**GOOD, "kid": "a"}] * 2},
    "no kid": {"keys": [{**GOOD, "kid": "a"}, jwk.export_public(HOLDER)]},
    "oct beside": {"keys": [{**GOOD, "kid": "a"}, OCT]},
    "private beside": {"keys": [{**GOOD, "kid": "a"}, {**GOOD, "kid": "b", "d": "AAAA"}]},
    "a text beside": {"keys": [{**GOOD, "kid": "a"}, "key"]},
}


@pytest.mark.parametrize("value", SETS.values(), ids=SETS)
def test_a_set_with_one_bad_key_is_refused(value):
    """A set with a duplicate or missing `kid`, or one key that would be refused alone, is refused as a whole."""
    with refused("key_refused"):
        jwk.import_set(value)


def test_the_untouched_keys_are_accepted():
    """The honest keys pass with every member that agrees, the small point too, and unknown members are ignored."""
    agreeing = {"use": "sig", "key_ops": ["verify"], "kid": "k" * 512, "x-note": {"any": 1}}
    assert jwk.import_public({**GOOD, **agreeing, "alg": "ES256"}).jwk == GOOD
    for algorithm in ("EdDSA", "Ed25519"):
        assert jwk.import_public({**edwards_jwk(), **agreeing, "alg": algorithm}).algorithms == {"EdDSA", "Ed25519"}
    assert jwk.import_public({**GOOD, "x": _b64(SMALL_X), "y": _b64(SMALL_Y)}).algorithms == {"ES256"}
    keys = jwk.import_set({"keys": [{**GOOD, "kid": "a"}, {**edwards_jwk(), "kid": "b"}]})
    assert set(keys) == {"a", "b"}
