"""Attack: `_sd` or `...` holds something else than digests."""

import pytest

from tests.tokens import digest, disclosure, envelope, licence, opened, refused

D = disclosure("salt", "a", 1)
ELEMENT = disclosure("salt", 1)
NO_ARRAYS = [None, "", digest(D), {}, {"0": digest(D)}, 0, 1, True, False, 1.5]
NO_DIGESTS = [None, 1, True, [], [digest(D)], {}, {"...": digest(D)}, 1.5]


def _places(value):
    """Return payload claims with `_sd` at the top, inside an object, and inside an array."""
    return ({"_sd": value}, {"b": {"_sd": value}}, {"b": [{"_sd": value}]})


@pytest.mark.parametrize("value", NO_ARRAYS, ids=repr)
def test_an_sd_that_is_no_array_is_refused(value):
    """`_sd` is an array, wherever it stands."""
    for claims in _places(value):
        with refused("disclosures_altered"):
            opened(licence(envelope(**claims)))


@pytest.mark.parametrize("value", NO_DIGESTS, ids=repr)
def test_a_digest_that_is_no_text_is_refused(value):
    """Each member of `_sd` is a text, also beside good ones."""
    for claims in _places([digest(D), value]):
        with refused("disclosures_altered"):
            opened(licence(envelope(**claims), D))


@pytest.mark.parametrize("value", NO_DIGESTS, ids=repr)
def test_an_array_digest_that_is_no_text_is_refused(value):
    """`...` in an array names one digest, as a text."""
    with refused("disclosures_altered"):
        opened(licence(envelope(b=[{"...": value}])))


@pytest.mark.parametrize("beside", [{"a": 1}, {"_sd": []}, {"_sd": [digest(D)]}, {"": None}], ids=repr)
def test_an_array_digest_with_company_is_refused(beside):
    """The object that stands for an array element has the one member `...`."""
    with refused("disclosures_altered"):
        opened(licence(envelope(b=[{"...": digest(ELEMENT), **beside}]), ELEMENT))


@pytest.mark.parametrize("value", NO_ARRAYS, ids=repr)
def test_an_sd_that_is_no_array_inside_a_disclosure_is_refused(value):
    """What comes out of a disclosure is held to the same rule."""
    text = disclosure("salt", "b", {"_sd": value})
    with refused("disclosures_altered"):
        opened(licence(envelope(_sd=[digest(text)]), text))


def test_the_untouched_arrays_are_accepted():
    """An empty `_sd`, digests of any text, and an array digest alone pass."""
    claims = {"_sd": [digest(D), "", "not even base64url"], "b": {"_sd": []}, "c": [{"...": digest(ELEMENT)}, {}]}
    assert opened(licence(envelope(**claims), D, ELEMENT)).claims == {"a": 1, "b": {}, "c": [1, {}]}
