"""Attack: agency A signs in agency B's name, or leaves the name out."""

import pytest

from credentials import jwk, sd_jwt_vc
from tests.tokens import (
    ABSENT,
    AGENCY,
    ISSUER,
    OTHER_AGENCY,
    OTHER_ISSUER,
    VCT,
    digest,
    disclosure,
    envelope,
    licence,
    opened,
    public,
    refused,
)

KEYS = {ISSUER: public(AGENCY), OTHER_ISSUER: public(OTHER_AGENCY)}
NO_TEXTS = [ABSENT, None, "", 1, True, [ISSUER], {"url": ISSUER}]


def _by_name(text: str) -> sd_jwt_vc.Licence:
    """Return the licence verified under the key of the agency it names, as every verifier must."""
    parsed = sd_jwt_vc.parse_licence(text)
    return sd_jwt_vc.verify_licence(parsed, KEYS[parsed.issuer])


def test_one_agencys_key_with_anothers_name_is_refused():
    """A licence that names B and is signed by A fails under B's key, in both directions."""
    for name, key in ((OTHER_ISSUER, AGENCY), (ISSUER, OTHER_AGENCY)):
        with refused("signature_invalid"):
            _by_name(licence(envelope(iss=name), key=key))


@pytest.mark.parametrize(
    "name",
    [
        ISSUER + "/",
        ISSUER.upper(),
        ISSUER + "?",
        ISSUER + "#a",
        ISSUER.replace("o", "\u043e"),
        " " + ISSUER,
        ISSUER + "\0",
    ],
    ids=repr,
)
def test_a_name_alike_is_nobody(name):
    """An issuer name that only looks like an agency's finds no key: names are compared, not normalised."""
    assert sd_jwt_vc.parse_licence(licence(envelope(iss=name))).issuer not in KEYS


@pytest.mark.parametrize("value", NO_TEXTS, ids=repr)
@pytest.mark.parametrize("name", ["iss", "vct"])
def test_a_licence_without_issuer_or_type_is_refused(name, value):
    """`iss` and `vct` are texts that are there."""
    with refused("claim_invalid"):
        sd_jwt_vc.parse_licence(licence(envelope(**{name: value})))


@pytest.mark.parametrize("name", ["iss", "vct"])
def test_an_issuer_or_type_in_a_disclosure_is_refused(name):
    """An issuer or type that the holder may show or hide is refused before any key is tried."""
    hidden = disclosure("salt", name, envelope()[name])
    with refused("claim_invalid"):
        sd_jwt_vc.parse_licence(licence(envelope(**{name: ABSENT, "_sd": [digest(hidden)]}), hidden))


def test_the_untouched_licence_is_accepted():
    """Each agency's own licence verifies under its own name."""
    assert _by_name(licence(envelope())).vct == VCT
    assert _by_name(licence(envelope(iss=OTHER_ISSUER), key=OTHER_AGENCY)).issuer == OTHER_ISSUER
    assert opened(licence(envelope())).holder_key.jwk == envelope()["cnf"]["jwk"]
    assert jwk.import_public(envelope()["cnf"]["jwk"])
