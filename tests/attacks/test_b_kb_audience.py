"""Attack: a presentation made for one counter is shown at another (RFC 9901 section 4.3)."""

import pytest

from credentials import key_binding, sd_jwt
from tests.tokens import ABSENT, AUDIENCE, HOLDER, NONCE, NOW, SECOND, issue, public, refused, shown, verified

PARTS = issue({"a": 1}, "a")
AUDIENCES = {
    "absent": ABSENT,
    "null": None,
    "empty": "",
    "another": "x509_san_dns:other.example.gov.cn",
    "array of the right one": [AUDIENCE],
    "array with the right one": ["x509_san_dns:other.example.gov.cn", AUDIENCE],
    "object": {"aud": AUDIENCE},
    "true": True,
    "number": 1,
    "capitals": AUDIENCE.upper(),
    "without its scheme": AUDIENCE.removeprefix("x509_san_dns:"),
    "slash behind": AUDIENCE + "/",
    "space behind": AUDIENCE + " ",
    "NUL behind": AUDIENCE + "\0",
    "longer": AUDIENCE + ".evil.example",
    "shorter": AUDIENCE[:-1],
    "look-alike": AUDIENCE.replace("o", "\u043e"),
    "wildcard": "*",
    "offline": key_binding.OFFLINE_AUDIENCE,
}


@pytest.mark.parametrize("audience", AUDIENCES.values(), ids=AUDIENCES)
def test_another_audience_is_refused(audience):
    """`aud` is this verifier's name, one text, character by character."""
    with refused("wrong_audience"):
        verified(shown(PARTS, aud=audience))


@pytest.mark.parametrize("audience", [value for name, value in AUDIENCES.items() if name != "offline"], ids=repr)
def test_a_pass_for_another_audience_is_refused(audience):
    """An offline pass has the one fixed audience: what was made for a counter is no pass."""
    for aud in (audience, AUDIENCE):
        text = shown(PARTS, aud=aud, exp=SECOND + 60)
        with refused("wrong_audience"):
            key_binding.check_offline(sd_jwt.parse(text), public(HOLDER), now=NOW)


def test_a_pass_is_no_presentation():
    """An offline pass, bound to no counter, is refused where a counter asked."""
    with refused("wrong_audience"):
        verified(shown(PARTS, aud=key_binding.OFFLINE_AUDIENCE, exp=SECOND + 60))


def test_the_audience_is_the_verifiers_word_not_the_presentations():
    """A presentation for another counter passes there, and only there."""
    other = "x509_san_dns:other.example.gov.cn"
    text = shown(PARTS, aud=other)
    assert verified(text, audience=other).claims == {"a": 1}
    with refused("wrong_audience"):
        verified(text)


def test_the_untouched_audience_is_accepted():
    """The right audience passes online, and the fixed one offline."""
    assert verified(shown(PARTS, aud=AUDIENCE, nonce=NONCE)).claims == {"a": 1}
    text = shown(PARTS, aud=key_binding.OFFLINE_AUDIENCE, exp=SECOND + 60)
    assert key_binding.check_offline(sd_jwt.parse(text), public(HOLDER), now=NOW).expires_at == SECOND + 60
