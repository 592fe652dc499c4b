"""Attack: a disclosure is called `_sd` or `...`, or like a claim that is there already (RFC 9901 section 7.1)."""

import pytest

from credentials import concealing, sd_jwt
from tests.tokens import digest, disclosure, envelope, licence, one, opened, randomness, refused

FREE = disclosure("salt", "a", 1)
HIDDEN = disclosure("salt", "shown", "by the thief")
TWIN = disclosure("salt-2", "a", 2)


@pytest.mark.parametrize("name", ["_sd", "..."])
@pytest.mark.parametrize("value", [1, [], ["A" * 43], {}, "x", None], ids=repr)
def test_a_reserved_name_is_refused(name, value):
    """A disclosure named `_sd` or `...` is refused at every level, although its digest is signed."""
    text = disclosure("salt", name, value)
    for claims in ({"_sd": [digest(text)]}, {"b": {"_sd": [digest(text)]}}, {"b": [{"_sd": [digest(text)]}]}):
        with refused("disclosures_altered"):
            opened(licence(envelope(**claims), text))


PRESENT = {
    "shown in the clear": ({"shown": 1, "_sd": [digest(HIDDEN)]}, [HIDDEN]),
    "shown in the clear, inside": ({"b": {"shown": 1, "_sd": [digest(HIDDEN)]}}, [HIDDEN]),
    "shown as null": ({"shown": None, "_sd": [digest(HIDDEN)]}, [HIDDEN]),
    "two of one name": ({"_sd": [digest(FREE), digest(TWIN)]}, [FREE, TWIN]),
    "two of one name, inside": ({"b": [{"_sd": [digest(FREE), digest(TWIN)]}]}, [TWIN, FREE]),
}


@pytest.mark.parametrize(("claims", "disclosures"), PRESENT.values(), ids=PRESENT)
def test_a_name_that_is_there_already_is_refused(claims, disclosures):
    """A disclosure never overwrites a claim of its own level, nor another disclosure."""
    with refused("disclosures_altered"):
        opened(licence(envelope(**claims), *disclosures))


@pytest.mark.parametrize("claims", [{"...": "A" * 43}, {"b": {"...": 1}}, {"b": {"...": [], "c": 1}}], ids=repr)
def test_dots_outside_an_array_are_refused(claims):
    """The member `...` has a meaning in arrays alone; an object with it elsewhere is refused."""
    with refused("disclosures_altered"):
        opened(licence(envelope(**claims)))


def test_dots_inside_a_disclosed_object_are_refused():
    """The same holds for what comes out of a disclosure."""
    text = disclosure("salt", "b", {"...": "A" * 43})
    with refused("disclosures_altered"):
        opened(licence(envelope(_sd=[digest(text)]), text))


@pytest.mark.parametrize("name", ["_sd", "..."])
def test_a_claim_of_a_reserved_name_is_never_issued(name):
    """Concealing refuses claims with a reserved name, at the top, inside, and in an array."""
    for claims in ({name: 1}, {"b": {name: 1}}, {"b": [{name: 1}]}):
        with refused("malformed"):
            concealing.conceal(claims, selective=[], randomness=randomness())


@pytest.mark.parametrize("stated", [{"_sd_alg": "sha-256"}, {}], ids=["stated", "by default"])
def test_a_disclosed_hash_name_never_comes_out(stated):
    """RFC 9901 section 7.1: `_sd_alg` is never among the claims, and refused as a name beside one."""
    text = disclosure("salt", "_sd_alg", "md5")
    with refused("disclosures_altered"):
        sd_jwt.process({**stated, "_sd": [digest(text)]}, [one(text)])


def test_the_untouched_licence_is_accepted():
    """A free name passes; so does one name at two levels, and `_sd` inside a name."""
    inner = disclosure("salt-3", "a", 3)
    near = disclosure("salt-4", "_sd_", 4)
    found = opened(licence(envelope(_sd=[digest(FREE), digest(near)], b={"_sd": [digest(inner)]}), FREE, near, inner))
    assert found.claims == {"a": 1, "_sd_": 4, "b": {"a": 3}}
