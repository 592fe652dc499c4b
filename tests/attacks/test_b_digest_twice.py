"""Attack: one digest stands in two places, so that one disclosure answers twice (RFC 9901 section 7.1 step 4)."""

import pytest

from tests.tokens import digest, disclosure, envelope, licence, opened, refused

D = disclosure("salt-1", "a", 1)
E = disclosure("salt-2", 2)
INNER = disclosure("salt-3", "inner", {"_sd": [digest(D)]})
LIST = disclosure("salt-4", "list", [{"...": digest(E)}])
DECOY = "A" * 43

TWICE = {
    "in one _sd": ({"_sd": [digest(D), digest(D)]}, [D]),
    "in two levels": ({"_sd": [digest(D)], "b": {"_sd": [digest(D)]}}, [D]),
    "in two siblings": ({"b": {"_sd": [digest(D)]}, "c": {"_sd": [digest(D)]}}, [D]),
    "in objects of an array": ({"b": [{"_sd": [digest(D)]}, {"_sd": [digest(D)]}]}, [D]),
    "in one array": ({"b": [{"...": digest(E)}, {"...": digest(E)}]}, [E]),
    "in two arrays": ({"b": [{"...": digest(E)}], "c": [{"...": digest(E)}]}, [E]),
    "in _sd and in an array": ({"_sd": [digest(D)], "b": [{"...": digest(D)}]}, [D]),
    "in the payload and in a disclosure": ({"_sd": [digest(D), digest(INNER)]}, [D, INNER]),
    "in an array and in a disclosure": ({"_sd": [digest(LIST)], "b": [{"...": digest(E)}]}, [E, LIST]),
    "a decoy in one _sd": ({"_sd": [DECOY, DECOY]}, []),
    "a decoy in two levels": ({"_sd": [DECOY], "b": [{"...": DECOY}]}, []),
    "undisclosed in two levels": ({"_sd": [digest(D)], "b": {"_sd": [digest(D)]}}, []),
}


@pytest.mark.parametrize(("claims", "disclosures"), TWICE.values(), ids=TWICE)
def test_a_digest_that_stands_twice_is_refused(claims, disclosures):
    """A digest met twice, at any level, directly or through a disclosure, disclosed or not, is refused."""
    with refused("disclosures_altered"):
        opened(licence(envelope(**claims), *disclosures))


def test_a_disclosure_that_contains_its_own_digest_in_the_payload_is_refused():
    """A disclosure whose value repeats the digest of the place it stands in is refused, not followed for ever."""
    outer = disclosure("salt-5", "b", {"_sd": [digest(D), digest(D)]})
    with refused("disclosures_altered"):
        opened(licence(envelope(_sd=[digest(outer)]), outer, D))


def test_the_untouched_licence_is_accepted():
    """Each digest once, at the top, in an array and inside a disclosure, passes."""
    found = opened(licence(envelope(_sd=[digest(INNER), digest(LIST), DECOY]), INNER, D, LIST, E))
    assert found.claims == {"inner": {"a": 1}, "list": [2]}
