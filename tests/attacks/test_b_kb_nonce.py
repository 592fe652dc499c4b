"""Attack: a presentation answers another request than the one that was asked (RFC 9901 section 7.3)."""

import pytest

from credentials import key_binding, sd_jwt
from tests.tokens import ABSENT, HOLDER, NONCE, NOW, SECOND, issue, public, refused, shown, verified

PARTS = issue({"a": 1}, "a")
NONCES = {
    "absent": ABSENT,
    "null": None,
    "empty": "",
    "another": "another-nonce-another-nonce",
    "capitals": NONCE.upper(),
    "space behind": NONCE + " ",
    "NUL behind": NONCE + "\0",
    "shorter": NONCE[:-1],
    "longer": NONCE + "a",
    "array": [NONCE],
    "object": {"nonce": NONCE},
    "number": 1,
    "true": True,
}


@pytest.mark.parametrize("nonce", NONCES.values(), ids=NONCES)
def test_another_nonce_is_refused(nonce):
    """`nonce` is the request's, as a text, character by character."""
    with refused("wrong_nonce"):
        verified(shown(PARTS, nonce=nonce))


def test_a_presentation_for_an_earlier_request_is_refused():
    """A presentation is good for its own request and for no other, even at the same counter in the same minute."""
    text = shown(PARTS, nonce="first")
    assert verified(text, nonce="first").claims == {"a": 1}
    with refused("wrong_nonce"):
        verified(text, nonce="second")


@pytest.mark.parametrize("nonce", [ABSENT, None, "", 1, True, ["n"], {"n": 1}], ids=repr)
def test_a_pass_without_a_nonce_is_refused(nonce):
    """An offline pass has a nonce, so that a counter can remember which it has seen."""
    text = shown(PARTS, aud=key_binding.OFFLINE_AUDIENCE, exp=SECOND + 60, nonce=nonce)
    with refused("claim_invalid"):
        key_binding.check_offline(sd_jwt.parse(text), public(HOLDER), now=NOW)


def test_the_untouched_nonce_is_accepted():
    """The right nonce passes, and any text at all in a pass."""
    assert verified(shown(PARTS)).claims == {"a": 1}
    text = shown(PARTS, aud=key_binding.OFFLINE_AUDIENCE, exp=SECOND + 60, nonce="任意")
    assert key_binding.check_offline(sd_jwt.parse(text), public(HOLDER), now=NOW).issued_at == SECOND
