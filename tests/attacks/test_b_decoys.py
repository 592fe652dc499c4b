"""Attack: counting digests, or looking at what was kept back, to learn what the holder did not show."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import base64url, concealing, key_binding, sd_jwt, sd_jwt_vc
from credentials import jws as gate
from tests.tokens import AUDIENCE, HOLDER, NONCE, NOW, digest, disclosure, envelope, issue, licence, opened, randomness

D = disclosure("salt", "a", 1)
DECOYS = ["A" * 43, "B" * 43, "C" * 43]


@pytest.mark.parametrize("count", range(4))
def test_decoys_pass_and_vanish(count):
    """Digests of nothing, at every level, are ignored and leave no trace in the claims."""
    decoys = DECOYS[:count]
    claims = {
        "_sd": [*decoys, digest(D)],
        "b": {"_sd": [f"{one}b" for one in decoys]},
        "c": [{"...": f"{one}c"} for one in decoys],
    }
    assert opened(licence(envelope(**claims), D)).claims == {"a": 1, "b": {}, "c": []}


def test_the_number_of_digests_does_not_tell_the_number_of_claims():
    """Licences with one and with five selective claims show equally many digests, all of one length and sorted."""
    shapes = set()
    for count in range(1, 6):
        names = [f"claim_{number}" for number in range(count)]
        payload, disclosures = concealing.conceal(
            dict.fromkeys(names, "x"),
            selective=[(name,) for name in names],
            randomness=randomness(str(count)),
            digests_at_top=5,
        )
        assert len(disclosures) == count
        assert payload["_sd"] == sorted(payload["_sd"])
        assert {len(base64url.decode(one)) for one in payload["_sd"]} == {32}
        shapes.add((len(payload["_sd"]), frozenset(payload)))
    assert len(shapes) == 1


def test_the_order_of_digests_does_not_tell_the_order_of_claims():
    """Claims given in another order leave their digests in no order but the sorted one."""
    for order in (["a", "b", "c"], ["c", "a", "b"]):
        payload, made = concealing.conceal(
            dict.fromkeys(order, 1), selective=[(name,) for name in order], randomness=randomness()
        )
        assert payload["_sd"] == sorted(one.digest for one in made)


def test_a_verifier_cannot_tell_decoys_from_claims_kept_back():
    """The claims of a licence are equal whether what is not shown is a decoy or a claim."""
    with_decoy = issue({"a": 1, "b": 2}, "a", decoys_to=4)
    with_claim = issue({"a": 1, "b": 2, "c": 3}, "a", "c", decoys_to=4)
    shown = [sd_jwt.select(parts, ["a"]) for parts in (with_decoy, with_claim)]
    assert opened(shown[0].text).claims == opened(shown[1].text).claims == {"a": 1, "b": 2}
    lengths = {len(gate.parse(parts.jwt, gate.LICENCE).unverified_payload()["_sd"]) for parts in shown}
    assert lengths == {4}


NAMES = st.sampled_from([f"claim_{number}" for number in range(8)])


@given(selective=st.sets(NAMES, min_size=1), chosen=st.sets(NAMES), decoys=st.integers(0, 12))
def test_what_is_not_shown_is_in_no_byte_of_the_presentation(selective, chosen, decoys):
    """For every choice of claims, a value kept back stands nowhere in the presentation, nor in what comes out of it."""
    values = {name: f"value-of-{name}" for name in selective}
    parts = sd_jwt.select(issue(values, *selective, decoys_to=decoys), chosen)
    text = key_binding.bind(parts, gate.es256(HOLDER), audience=AUDIENCE, nonce=NONCE, now=NOW)
    readable = b"\n".join(base64url.decode(part) for part in text.replace("~", ".").split(".") if part).decode(
        "utf-8", "replace"
    )
    claims = json.dumps(dict(opened(text).claims))
    for name, value in values.items():
        assert (value in readable) == (value in claims) == (name in chosen)


def test_an_unverified_licence_shows_no_disclosed_value():
    """What can be read before verification is issuer, type and key id: no claim."""
    parsed = sd_jwt_vc.parse_licence(issue({"a": "secret"}, "a").text)
    assert "secret" not in json.dumps(parsed.token.unverified_payload())
