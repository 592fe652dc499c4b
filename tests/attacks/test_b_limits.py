"""Attack: so many disclosures, or so deep a nest of them, that reading them is the damage."""

import pytest

from credentials import sd_jwt
from credentials.strict_json import MAX_DEPTH
from tests.tokens import digest, disclosure, envelope, licence, one, opened, refused


def _many(count: int) -> list[str]:
    return [disclosure("s", str(number), number) for number in range(count)]


def _nest(depth: int, *, arrays: bool = False) -> list[str]:
    """Return disclosures each of which holds the digest of the next, `depth` of them."""
    made = [disclosure("s", "bottom") if arrays else disclosure("s", "d", "bottom")]
    for _ in range(depth - 1):
        inside = digest(made[-1])
        made.append(disclosure("s", [{"...": inside}]) if arrays else disclosure("s", "d", {"_sd": [inside]}))
    return made


def test_the_most_disclosures_are_accepted():
    """512 disclosures pass."""
    texts = _many(sd_jwt.MAX_DISCLOSURES)
    found = opened(licence(envelope(_sd=[digest(text) for text in texts]), *texts))
    assert len(found.claims) == sd_jwt.MAX_DISCLOSURES == 512


def test_one_disclosure_too_many_is_refused():
    """The 513th refuses all, before any is decoded."""
    texts = _many(sd_jwt.MAX_DISCLOSURES + 1)
    with refused("malformed"):
        sd_jwt.parse("~".join(["e30.e30.", *texts, ""]))
    with refused("malformed"):
        sd_jwt.parse("~".join(["e30.e30.", *["!"] * (sd_jwt.MAX_DISCLOSURES + 1), ""]))


@pytest.mark.parametrize(
    "text", ["~" * 60_000, "a~" * 30_000, "e30.e30.~" + "A" * 66_000 + "~"], ids=["~", "a~", "long"]
)
def test_a_giant_is_refused(text):
    """Tens of thousands of tildes or characters are refused by their number."""
    with refused("malformed"):
        sd_jwt.parse(text)


@pytest.mark.parametrize("arrays", [False, True], ids=["objects", "arrays"])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 60, 200])
def test_a_nest_of_disclosures_too_deep_is_refused(depth, arrays):
    """Disclosures inside disclosures beyond the depth limit are refused, each of them shallow on its own."""
    texts = _nest(depth, arrays=arrays)
    place = {"b": [{"...": digest(texts[-1])}]} if arrays else {"_sd": [digest(texts[-1])]}
    with refused("disclosures_altered"):
        opened(licence(envelope(**place), *texts))


def test_a_nest_of_disclosures_is_accepted():
    """A nest well inside the limit passes and comes out whole."""
    texts = _nest(20)
    claims = opened(licence(envelope(_sd=[digest(texts[-1])]), *texts)).claims
    for _ in range(20):
        claims = claims["d"]
    assert claims == "bottom"


def test_a_deep_clear_payload_inside_the_limit_is_accepted():
    """A payload of depth 31 passes signature, strict JSON and processing."""
    value = "bottom"
    for _ in range(MAX_DEPTH - 2):
        value = {"d": value}
    assert opened(licence(envelope(d=value))).claims == {"d": value}


def test_the_depth_limit_is_one_limit():
    """A payload of depth 32, which strict JSON lets in, is not refused as nested too deeply afterwards."""
    value = "bottom"
    for _ in range(MAX_DEPTH - 1):
        value = {"d": value}
    assert opened(licence(envelope(d=value))).claims == {"d": value}


def test_the_limits_hold_without_a_token():
    """Processing refuses a nest too deep by itself, whoever calls it."""
    texts = _nest(40)
    with refused("disclosures_altered"):
        sd_jwt.process({"_sd": [digest(texts[-1])]}, [one(text) for text in texts])
