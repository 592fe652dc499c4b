"""Showing: what `bind` makes, `check` takes, for this verifier, this nonce, this minute."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import jws, key_binding, sd_jwt
from tests.tokens import (
    AUDIENCE,
    HOLDER,
    NONCE,
    NOW,
    SECOND,
    STRANGER,
    digest,
    issue,
    later,
    public,
    refused,
    shown,
    verified,
)

PARTS = issue({"a": 1, "b": 2}, "a", "b")
SIGN = jws.es256(HOLDER)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


def _bound(parts=PARTS, **changes):
    return sd_jwt.parse(key_binding.bind(parts, SIGN, **{"audience": AUDIENCE, "nonce": NONCE, "now": NOW, **changes}))


def test_a_presentation_has_exactly_the_members_of_the_rfc():
    """Header and payload of a key binding are those of RFC 9901 section 4.3, and no others."""
    token = jws.parse(_bound().key_binding, jws.KEY_BINDING)
    assert dict(token.header) == {"alg": "ES256", "typ": "kb+jwt"}
    assert token.unverified_payload() == {
        "iat": SECOND,
        "aud": AUDIENCE,
        "nonce": NONCE,
        "sd_hash": digest(PARTS.presented),
    }


def test_a_presentation_of_ours_is_accepted():
    """What the wallet binds, the verifier accepts as a whole."""
    text = key_binding.bind(sd_jwt.select(PARTS, ["a"]), SIGN, audience=AUDIENCE, nonce=NONCE, now=NOW)
    assert verified(text).claims == {"a": 1}


@given(TEXTS, TEXTS)
def test_any_audience_and_nonce_come_back(audience, nonce):
    """Audience and nonce may be any texts."""
    found = key_binding.check(
        _bound(audience=audience, nonce=nonce), public(HOLDER), audience=audience, nonce=nonce, now=NOW
    )
    assert found == key_binding.KeyBinding(SECOND, None)


def test_binding_twice_replaces_the_first():
    """Binding a presentation again does not bind over the earlier key binding."""
    again = _bound(_bound(nonce="first"), nonce="second")
    assert key_binding.check(again, public(HOLDER), audience=AUDIENCE, nonce="second", now=NOW)
    assert again.text.count("~") == PARTS.text.count("~")


@pytest.mark.parametrize("milliseconds", [0, 1, 500, 999])
def test_fractions_of_a_second_are_cut(milliseconds):
    """`iat` is the second that has begun, so that an honest presentation is never from the future."""
    found = key_binding.check(
        _bound(now=later(milliseconds=milliseconds)), public(HOLDER), audience=AUDIENCE, nonce=NONCE, now=NOW
    )
    assert found.issued_at == SECOND


def test_a_pass_of_ours_is_accepted_offline():
    """A pass names the fixed audience, ends by itself, and is accepted without a request."""
    text = key_binding.bind(
        PARTS, SIGN, audience=key_binding.OFFLINE_AUDIENCE, nonce="n", now=NOW, life=timedelta(minutes=5)
    )
    found = key_binding.check_offline(sd_jwt.parse(text), public(HOLDER), now=later(minutes=4))
    assert found == key_binding.KeyBinding(SECOND, SECOND + 300)


def test_the_limits_are_what_the_house_says():
    """A presentation is made for one minute, and a pass lives five at most."""
    assert timedelta(seconds=60) == key_binding.MAX_AGE
    assert timedelta(seconds=300) == key_binding.MAX_PASS_LIFE
    assert timedelta(seconds=10) == key_binding.FUTURE_LEEWAY


def test_the_signature_is_checked_before_anything_is_believed():
    """A forged key binding with everything else wrong too is called forged."""
    forged = sd_jwt.parse(shown(PARTS, key=STRANGER, aud="x", nonce="y", iat=0, sd_hash="z"))
    with refused("holder_binding_invalid"):
        key_binding.check(forged, public(HOLDER), audience=AUDIENCE, nonce=NONCE, now=NOW)
