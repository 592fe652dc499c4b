"""Attack: a recorded key binding is put behind another set of disclosures (RFC 9901 section 4.3.1)."""

from dataclasses import replace

import pytest

from credentials import base64url, key_binding, sd_jwt
from tests.tokens import (
    ABSENT,
    HOLDER,
    NOW,
    SECOND,
    disclosure,
    issue,
    public,
    refused,
    shown,
    verified,
)

PARTS = issue({"a": 1, "b": 2, "c": 3}, "a", "b", "c")
A, B, C = PARTS.disclosures
BOUND = shown(replace(PARTS, disclosures=(A, B)))
BINDING = BOUND[BOUND.rindex("~") + 1 :]


def _with(*disclosures) -> str:
    """Return the licence with other disclosures in front of the key binding over A and B."""
    return replace(PARTS, disclosures=disclosures).presented + BINDING


OTHER_SETS = {
    "one more": (A, B, C),
    "one more in front": (C, A, B),
    "one fewer": (A,),
    "the other fewer": (B,),
    "none": (),
    "another": (A, C),
    "another order": (B, A),
}
OTHER_HASHES = {
    "absent": ABSENT,
    "null": None,
    "empty": "",
    "number": 0,
    "true": True,
    "array": [sd_jwt.digest(PARTS.presented)],
    "without the last tilde": sd_jwt.digest(PARTS.presented[:-1]),
    "with one tilde more": sd_jwt.digest(PARTS.presented + "~"),
    "of the JWT": sd_jwt.digest(PARTS.jwt),
    "of the JWT and a tilde": sd_jwt.digest(PARTS.jwt + "~"),
    "of the disclosures": sd_jwt.digest("~".join(one.text for one in PARTS.disclosures)),
    "padded": sd_jwt.digest(PARTS.presented) + "=",
    "hexadecimal": base64url.decode(sd_jwt.digest(PARTS.presented)).hex(),
    "of another licence": sd_jwt.digest(issue({"z": 1}, "z").presented),
}


@pytest.mark.parametrize("disclosures", OTHER_SETS.values(), ids=OTHER_SETS)
def test_another_set_of_disclosures_is_refused(disclosures):
    """A key binding over A and B does not cover more, fewer, others, or the same in another order."""
    with refused("holder_binding_invalid"):
        verified(_with(*disclosures))


@pytest.mark.parametrize("value", OTHER_HASHES.values(), ids=OTHER_HASHES)
def test_another_hash_is_refused(value):
    """`sd_hash` is the SHA-256 of exactly what stands in front of the key binding, its last tilde included."""
    with refused("holder_binding_invalid"):
        verified(shown(PARTS, sd_hash=value))
    text = shown(PARTS, sd_hash=value, aud=key_binding.OFFLINE_AUDIENCE, exp=SECOND + 60)
    with refused("holder_binding_invalid"):
        key_binding.check_offline(sd_jwt.parse(text), public(HOLDER), now=NOW)


def test_a_key_binding_does_not_move_to_another_licence():
    """A key binding over one licence is refused behind the next one of the same holder, equal in its claims."""
    other = issue({"a": 1, "b": 2, "c": 3}, "a", "b", "c", exp=SECOND + 86_401)
    with refused("holder_binding_invalid"):
        verified(replace(other, disclosures=(A, B)).presented + BINDING)


def test_a_disclosure_in_another_spelling_is_refused():
    """A disclosure of equal value in other bytes changes both the digest and the hash."""
    respelled = sd_jwt.parse_disclosure(disclosure(A.salt, A.name, A.value))
    assert respelled.text != A.text
    with refused("disclosures_altered"):
        verified(_with(respelled, B))
    with refused("holder_binding_invalid"):
        key_binding.check(sd_jwt.parse(_with(respelled, B)), public(HOLDER), audience="any", nonce="any", now=NOW)


def test_the_untouched_presentation_is_accepted():
    """The key binding over A and B behind A and B passes, and so does one over none."""
    assert verified(_with(A, B)).claims == {"a": 1, "b": 2}
    assert verified(shown(replace(PARTS, disclosures=()))).claims == {}
