"""Attack over HTTP: one agency signs in another's name, or a type that is not its own."""

import pytest

from credentials import jwk
from keys.models import KeyPurpose
from tests.tokens import AGENCY, STRANGER
from tests.verifier.forge import TYPE, Forge, kid_of, refused
from tests.world import BASE_URL, World


def test_one_agencys_key_under_anothers_name(world: World) -> None:
    """The university's good key signs nothing in the police's name: keys are looked up by issuer."""
    forge = Forge(world)
    world.agency("police")
    permit = {"iss": f"{BASE_URL}/issuers/police", "vct": f"{BASE_URL}/issuers/types/residence_permit"}
    request = forge.ask()
    text = forge.shown(forge.licence(**permit), request)
    made = world.answer(request, {"residence_permit": [text]})
    refused(made, "key_unknown", 3)


def test_anothers_kid_with_ones_own_name(world: World) -> None:
    """Naming another agency's key under one's own name finds no key."""
    forge = Forge(world)
    world.agency("police")
    rows = [row.kid for row in world.house.vault.key_rows("police")]
    for kid in rows:
        refused(forge.verdict(forge.licence(head=forge.head(kid=kid))), "key_unknown", 3)


def test_a_type_that_is_not_the_agencys(world: World) -> None:
    """The university may not sign residence permits, though it is trusted and its key is good."""
    forge = Forge(world)
    request = forge.ask()
    text = forge.shown(forge.licence(vct=f"{BASE_URL}/issuers/types/residence_permit"), request)
    refused(world.answer(request, {"residence_permit": [text]}), "type_not_authorised", 3)


def test_a_licence_from_before_the_right(world: World) -> None:
    """A licence dated before the agency had the right is refused, whoever moved the date."""
    forge = Forge(world)
    refused(forge.verdict(forge.licence(iat=forge.second - 601)), "type_not_authorised", 3)


def test_the_status_key_signs_no_licence(world: World) -> None:
    """A key that the trust list has for status lists does not sign licences: purposes are apart."""
    forge = Forge(world)
    kid = world.house.vault.active("univ", KeyPurpose.STATUS_LIST).kid
    _, signer = world.house.vault.by_kid(kid)
    assert signer is not None
    parts = forge.licence(head=forge.head(kid=kid))
    head, payload, _ = parts.jwt.split(".")
    from credentials import base64url, sd_jwt  # noqa: PLC0415 - the attacker's tool

    text = f"{head}.{payload}.{base64url.encode(signer(f'{head}.{payload}'.encode()))}"
    refused(forge.verdict(sd_jwt.SdJwt(text, parts.disclosures)), "key_unknown", 3)


def test_a_key_that_was_never_registered(world: World) -> None:
    """A stranger's key under its own true kid is unknown."""
    forge = Forge(world)
    refused(forge.verdict(forge.licence(head=forge.head(kid=kid_of(STRANGER)), key=STRANGER)), "key_unknown", 3)


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": "AAAA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        jwk.export_public(AGENCY) | {"d": "AAAA"},
        jwk.export_public(AGENCY) | {"use": "enc"},
        {},
    ],
)
def test_keys_that_no_agency_may_register(world: World, key: dict[str, str]) -> None:
    """Symmetric, private, foreign and broken keys are refused at registration, and the agency is not half taken in."""
    from app import catalogue  # noqa: PLC0415 - only here

    one = catalogue.agencies()["univ"]
    body = {name: one[name] for name in ("key", "name", "kind", "uscc", "region", "domain")}
    body |= {"may_sign": [TYPE], "licence_key": key}
    answer = world.operator.post("/admin/agencies", body)
    assert (answer.status, answer["code"]) == (422, "key_refused")
    again = world.operator.post("/admin/agencies", body | {"licence_key": jwk.export_public(AGENCY)})
    assert again.status == 201, again.body
