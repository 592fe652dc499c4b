"""Attack: somebody shows another's licence without the proof of holding its key (RFC 9901 section 7.3)."""

import pytest

from credentials import key_binding, sd_jwt
from tests.tokens import (
    ABSENT,
    AUDIENCE,
    HOLDER,
    NONCE,
    NOW,
    envelope,
    issue,
    licence,
    opened,
    public,
    refused,
    shown,
    verified,
)

PARTS = issue({"a": 1, "b": 2}, "a", "b")
NO_KEYS = {
    "absent": ABSENT,
    "null": None,
    "text": "key",
    "empty": {},
    "kid only": {"kid": "police-2026-1"},
    "jkt only": {"jkt": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
    "jku only": {"jku": "https://example/keys"},
    "jwk null": {"jwk": None},
    "jwk text": {"jwk": "key"},
    "jwk array": {"jwk": [envelope()["cnf"]["jwk"]]},
    "array": [envelope()["cnf"]],
}


def test_a_licence_without_key_binding_is_refused():
    """A licence as it was issued, with all, some or no disclosures, is no presentation."""
    for parts in (PARTS, sd_jwt.select(PARTS, ["a"]), sd_jwt.select(PARTS, [])):
        with refused("holder_binding_missing"):
            verified(parts.text)


def test_a_licence_without_key_binding_is_no_pass():
    """The same holds for offline passes."""
    with refused("holder_binding_missing"):
        key_binding.check_offline(sd_jwt.parse(PARTS.text), public(HOLDER), now=NOW)


def test_a_presentation_cut_before_its_key_binding_is_refused():
    """Cutting the key binding off a recorded presentation leaves a licence, and a licence alone is refused."""
    text = shown(PARTS)
    with refused("holder_binding_missing"):
        verified(text[: text.rindex("~") + 1])


@pytest.mark.parametrize("binding", [" ", "null", "e30", "e30.e30", "e30.e30.e30.e30", "\n"], ids=repr)
def test_what_is_no_token_is_no_key_binding(binding):
    """Anything in the last place that is no compact JWS is refused as malformed."""
    with refused("malformed"):
        verified(PARTS.presented + binding)


@pytest.mark.parametrize("cnf", NO_KEYS.values(), ids=NO_KEYS)
def test_a_licence_bound_to_no_key_is_refused(cnf):
    """A licence without `cnf.jwk` is nobody's: it is refused with a key binding and without."""
    with refused("holder_binding_missing"):
        opened(licence(envelope(cnf=cnf)))


def test_the_untouched_presentation_is_accepted():
    """With its key binding, over all, some or no disclosures, the licence is accepted."""
    assert verified(shown(PARTS)).claims == {"a": 1, "b": 2}
    assert verified(shown(sd_jwt.select(PARTS, ["a"]))).claims == {"a": 1}
    assert verified(shown(sd_jwt.select(PARTS, []))).claims == {}
    found = key_binding.check(sd_jwt.parse(shown(PARTS)), public(HOLDER), audience=AUDIENCE, nonce=NONCE, now=NOW)
    assert found.expires_at is None
