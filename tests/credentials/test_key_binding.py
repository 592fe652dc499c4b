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
    header,
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


def test_everything_a_binding_says_is_read():
    """Its own end, and the digests of transaction data in the order they were sent."""
    parts = _bound(life=timedelta(seconds=30), transaction_data=["dGVzdA", "bW9yZQ"])
    found = key_binding.check(parts, public(HOLDER), audience=AUDIENCE, nonce=NONCE, now=NOW)
    assert found == key_binding.KeyBinding(SECOND, SECOND + 30, (digest("dGVzdA"), digest("bW9yZQ")))


@pytest.mark.parametrize("changes", [{"exp": SECOND + 1}, {"nbf": SECOND}, {"transaction_data_hashes_alg": "sha-256"}])
def test_its_own_bounds_are_inside(changes):
    """The last second before its end, the first of its beginning, and the hash that was asked for."""
    parts = sd_jwt.parse(shown(PARTS, **changes))
    assert key_binding.check(parts, public(HOLDER), audience=AUDIENCE, nonce=NONCE, now=NOW).issued_at == SECOND


ONE, TWO, THREE = (key_binding.KeyBinding(SECOND, None, tuple(map(digest, named))) for named in ("a", "bc", ""))


@pytest.mark.parametrize("sent", [["a", "b", "c"], ["c", "a", "b"]])
def test_transaction_data_signed_once_each_is_taken(sent):
    """Several presentations share the data between them, in any order (OpenID4VP section 8.4)."""
    key_binding.check_transaction_data([ONE, TWO, THREE], sent)
    key_binding.check_transaction_data([THREE], [])


@pytest.mark.parametrize(
    ("bindings", "sent"),
    [([ONE], []), ([], ["a"]), ([THREE], ["a"]), ([ONE], ["b"]), ([ONE, ONE], ["a"]), ([ONE], ["a", "a"]), ([TWO], ["b"])],
)  # fmt: skip
def test_transaction_data_signed_otherwise_is_refused(bindings, sent):
    """What was not signed, was signed twice, or was never sent."""
    with refused("transaction_data_unmatched"):
        key_binding.check_transaction_data(bindings, sent)


def test_another_door_may_take_other_members():
    """`licence check` lets a `kid` be in a foreign key binding; a counter refuses it, and neither believes it."""
    parts = sd_jwt.parse(shown(PARTS, head=header(jws.KEY_BINDING, kid="x")))
    honest = {"iat": SECOND, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest(PARTS.presented)}
    assert key_binding.verified_payload(parts, public(HOLDER), jws.ANY_KEY_BINDING) == honest
    how = {"audience": AUDIENCE, "nonce": NONCE, "now": NOW}
    assert key_binding.check(parts, public(HOLDER), **how, purpose=jws.ANY_KEY_BINDING).issued_at == SECOND
    with refused("header_refused"):
        key_binding.verified_payload(parts, public(HOLDER))
    with refused("header_refused"):
        key_binding.check(parts, public(HOLDER), **how)
    with refused("holder_binding_invalid"):
        key_binding.verified_payload(parts, public(STRANGER), jws.ANY_KEY_BINDING)


def test_at_its_own_end_a_presentation_is_over():
    """`exp` is the first second that is too late (RFC 7519 section 4.1.4)."""
    with refused("presentation_stale"):
        key_binding.check(_bound(life=timedelta(0)), public(HOLDER), audience=AUDIENCE, nonce=NONCE, now=NOW)
