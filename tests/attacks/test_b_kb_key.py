"""Attack: the key binding is signed by another key than the one in the licence (RFC 9901 section 7.3)."""

import hmac

import pytest

from credentials import base64url, jwk, jws, key_binding, sd_jwt
from tests.tokens import (
    AGENCY,
    AUDIENCE,
    EDWARDS,
    HOLDER,
    NONCE,
    NOW,
    SECOND,
    STRANGER,
    changed,
    compact,
    digest,
    edwards_jwk,
    envelope,
    header,
    issue,
    licence,
    opened,
    public,
    refused,
    shown,
    verified,
)

PARTS = issue({"a": 1}, "a")
PAYLOAD = {"iat": SECOND, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest(PARTS.presented)}
KEY = envelope()["cnf"]["jwk"]


@pytest.mark.parametrize("key", [STRANGER, AGENCY], ids=["stranger", "agency"])
def test_a_key_binding_by_another_key_is_refused(key):
    """A stranger's signature, and even the agency's own, is not the holder's."""
    with refused("holder_binding_invalid"):
        verified(shown(PARTS, key=key))


def test_a_pass_by_another_key_is_refused():
    """The same holds for offline passes."""
    text = shown(PARTS, key=STRANGER, aud=key_binding.OFFLINE_AUDIENCE, exp=SECOND + 60)
    with refused("holder_binding_invalid"):
        key_binding.check_offline(sd_jwt.parse(text), public(HOLDER), now=NOW)


def test_a_holder_with_two_licences_shows_only_with_the_right_key():
    """A licence bound to another of the holder's keys does not take this one's signature."""
    other = issue({"a": 1}, "a", cnf={"jwk": jwk.export_public(STRANGER)})
    assert verified(shown(other, key=STRANGER)).claims == {"a": 1}
    with refused("holder_binding_invalid"):
        verified(shown(other, key=HOLDER))


@pytest.mark.parametrize("name", ["jwk", "kid", "x5c", "jku", "x5u", "cnf"])
def test_a_key_named_in_the_key_binding_is_refused(name):
    """The key is in the licence: a key binding that brings or names one is refused."""
    value = jwk.export_public(STRANGER) if name in {"jwk", "cnf"} else "https://example/keys"
    with refused("header_refused"):
        verified(shown(PARTS, key=STRANGER, head=header(jws.KEY_BINDING, **{name: value})))


@pytest.mark.parametrize("algorithm", ["none", "HS256", "EdDSA", "ES384", "RS256", None], ids=repr)
def test_another_algorithm_in_the_key_binding_is_refused(algorithm):
    """A key binding is ES256: `none` and an HMAC under the holder's public key are refused."""
    secret = public(HOLDER).thumbprint.encode()
    binding = compact(
        header(jws.KEY_BINDING, alg=algorithm),
        PAYLOAD,
        lambda data: b"" if algorithm == "none" else hmac.digest(secret, data, "sha256"),
    )
    with refused("algorithm_refused"):
        verified(PARTS.presented + binding)


@pytest.mark.parametrize("bend", [lambda s: b"", lambda s: s[:-1], lambda s: bytes(64), lambda s: s[32:] + s[:32]])
def test_a_bent_signature_of_the_holder_is_refused(bend):
    """An empty, short, zero or swapped signature is not the holder's."""
    binding = compact(header(jws.KEY_BINDING), PAYLOAD, lambda data: bend(jws.es256(HOLDER)(data)))
    with refused("holder_binding_invalid"):
        verified(PARTS.presented + binding)


NO_HOLDER_KEYS = {
    "private": {"d": base64url.encode(bytes(31) + b"\x01")},
    "off the curve": {"y": KEY["x"]},
    "oct": {"kty": "oct", "k": "AAAA"},
    "P-384": {"crv": "P-384"},
    "for encryption": {"use": "enc"},
    "for signing": {"key_ops": ["sign"]},
    "another algorithm": {"alg": "ES384"},
}


@pytest.mark.parametrize("changes", NO_HOLDER_KEYS.values(), ids=NO_HOLDER_KEYS)
def test_a_licence_bound_to_a_bad_key_is_refused(changes):
    """A holder key that would be refused anywhere is refused in `cnf`."""
    with refused("key_refused"):
        opened(licence(envelope(cnf={"jwk": changed(KEY, changes)})))


def test_a_licence_bound_to_an_edwards_key_is_refused():
    """Holder keys are P-256, also where Ed25519 would be understood."""
    assert EDWARDS.public_key()
    with refused("key_refused"):
        opened(licence(envelope(cnf={"jwk": edwards_jwk()})))


def test_the_untouched_key_binding_is_accepted():
    """The same payload signed by the holder's key is accepted."""
    binding = compact(header(jws.KEY_BINDING), PAYLOAD, jws.es256(HOLDER))
    assert verified(PARTS.presented + binding).claims == {"a": 1}
