"""Attack: disclosures are added, repeated, or left without the one that holds their digest (RFC 9901 section 7.1)."""

import pytest

from tests.tokens import digest, disclosure, envelope, licence, opened, refused

D = disclosure("salt-1", "a", 1)
E = disclosure("salt-2", "b", 2)
ELEMENT = disclosure("salt-3", 3)
PARENT = disclosure("salt-4", "parent", {"_sd": [digest(E)]})
PAYLOAD = envelope(_sd=[digest(D), digest(PARENT)], list=[{"...": digest(ELEMENT)}])

BENT = {
    "a stranger's": (D, disclosure("salt-9", "admin", True)),
    "a stranger's array element": (D, disclosure("salt-9", "admin")),
    "a stranger's alone": (disclosure("salt-9", "admin", True),),
    "the same value under another salt": (disclosure("salt-x", "a", 1),),
    "another value under the same salt": (disclosure("salt-1", "a", 2),),
    "another name": (disclosure("salt-1", "A", 1),),
    "the same array with another spacing": (disclosure("salt-1", "a", 1).replace(D, "WyJzYWx0LTEiLCJhIiwxXQ"),),
    "twice": (D, D),
    "twice, apart": (D, PARENT, E, D),
    "three times": (D, D, D),
    "an element twice": (ELEMENT, ELEMENT),
    "a child without its parent": (D, E),
    "a child alone": (E,),
}


@pytest.mark.parametrize("disclosures", BENT.values(), ids=BENT)
def test_a_disclosure_that_no_digest_asks_for_is_refused(disclosures):
    """A disclosure altered, added, repeated or orphaned is refused, wherever it stands among good ones."""
    with refused("disclosures_altered"):
        opened(licence(PAYLOAD, *disclosures))
    with refused("disclosures_altered"):
        opened(licence(PAYLOAD, *disclosures[::-1]))


def test_a_disclosure_on_a_licence_without_digests_is_refused():
    """A licence that conceals nothing has no disclosures."""
    with refused("disclosures_altered"):
        opened(licence(envelope(a=1), D))


def test_a_digest_in_an_ordinary_claim_is_no_reference():
    """A digest as the value of a claim, or in an ordinary array, references nothing."""
    for claims in ({"a": digest(D)}, {"list": [digest(D)]}, {"sd": [digest(D)]}, {"_sd2": [digest(D)]}):
        with refused("disclosures_altered"):
            opened(licence(envelope(**claims), D))


def test_a_disclosure_from_another_licence_is_refused():
    """A disclosure does not travel between licences, even for the same claim and value."""
    other = disclosure("salt-of-another", "a", 1)
    assert opened(licence(envelope(_sd=[digest(other)]), other)).claims == {"a": 1}
    with refused("disclosures_altered"):
        opened(licence(PAYLOAD, other))


def test_the_untouched_licence_is_accepted_with_every_subset():
    """Every set of disclosures that is closed under its parents passes, in any order."""
    whole = {"a": 1, "parent": {"b": 2}, "list": [3]}
    assert opened(licence(PAYLOAD, D, PARENT, E, ELEMENT)).claims == whole
    assert opened(licence(PAYLOAD, ELEMENT, E, PARENT, D)).claims == whole
    assert opened(licence(PAYLOAD, PARENT)).claims == {"parent": {}, "list": []}
    assert opened(licence(PAYLOAD)).claims == {"list": []}
