"""Attack: a good token of one kind is shown at the door of another (RFC 8725 sections 2.8 and 3.11)."""

import pytest

from credentials import jws, sd_jwt, sd_jwt_vc, status_list
from tests.tokens import (
    ABSENT,
    AGENCY,
    HOLDER,
    LIST_SIGNER,
    SECOND,
    envelope,
    header,
    issue,
    licence,
    listed,
    opened,
    public,
    read_list,
    refused,
    shown,
    signed,
    status_payload,
    verified,
)

DOORS = {
    "licence": jws.LICENCE,
    "key binding": jws.KEY_BINDING,
    "status list": jws.STATUS_LIST,
    "trust list": jws.TRUST_LIST,
    "receipt": jws.RECEIPT,
    "request": jws.REQUEST,
    "key proof": jws.KEY_PROOF,
    "key attestation": jws.KEY_ATTESTATION,
    "client attestation": jws.CLIENT_ATTESTATION,
    "its proof": jws.CLIENT_ATTESTATION_POP,
    "DPoP": jws.DPOP,
    "issuer metadata": jws.ISSUER_METADATA,
    "server metadata": jws.SERVER_METADATA,
}
STRANGERS = [
    "JWT",
    "jwt",
    "at+jwt",
    "licence-access+jwt",
    "openid4vci-proof",
    "keyattestation+jwt",
    "statuslist+cwt",
    "vc+sd-jwt",
    "example+sd-jwt",
    "sd-jwt",
    "application/dc+sd-jwt",
    "DC+SD-JWT",
    "dc+sd-jwt ",
    "dc+sd-jwt;v=1",
    "dc+sd\u2010jwt",
    "",
    ABSENT,
    None,
    ["dc+sd-jwt"],
    1,
    True,
]


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize("door", DOORS)
def test_only_the_diagonal_passes(door, kind):
    """Of every kind of token at every door, well signed by one and the same key, only its own kind passes."""
    text = signed(header(DOORS[kind], kid=ABSENT), envelope())
    if door == kind:
        assert jws.verify(jws.parse(text, DOORS[door]), public(AGENCY)).payload() == envelope()
        return
    with refused("wrong_token_type"):
        jws.parse(text, DOORS[door])


@pytest.mark.parametrize("typ", STRANGERS, ids=repr)
@pytest.mark.parametrize("door", DOORS)
def test_another_typ_is_refused_at_every_door(door, typ):
    """A `typ` that is missing, foreign, or a near spelling of the right one is refused."""
    with refused("wrong_token_type"):
        jws.parse(signed(header(DOORS[door], typ=typ), envelope()), DOORS[door])


def test_a_status_list_is_no_licence():
    """A status list token in a licence's place, even with a licence's claims, is refused."""
    with refused("wrong_token_type"):
        opened(licence({**status_payload(), **envelope()}, head=header(jws.STATUS_LIST)))


def test_a_licence_is_no_status_list():
    """A licence in a status list's place, even with a list's claims, is refused."""
    with refused("wrong_token_type"):
        read_list(listed({**envelope(), **status_payload()}, head=header()))


def test_a_licence_is_no_key_binding():
    """A licence in the place of the key binding, signed by the holder's key over the right hash, is refused."""
    with refused("wrong_token_type"):
        verified(shown(issue({"a": 1}), head=header(kid=ABSENT)))


def test_a_key_binding_is_no_licence():
    """A key binding in a licence's place, even signed by the agency, is refused."""
    with refused("wrong_token_type"):
        opened(licence(envelope(), head=header(jws.KEY_BINDING)))


@pytest.mark.parametrize("key", [HOLDER, LIST_SIGNER], ids=["holder", "list signer"])
def test_a_licence_under_a_key_of_another_purpose_is_refused(key):
    """A holder's or a list signer's key does not sign licences."""
    with refused("signature_invalid"):
        opened(licence(envelope(), key=key))


@pytest.mark.parametrize("key", [AGENCY, HOLDER], ids=["licence signer", "holder"])
def test_a_list_under_a_key_of_another_purpose_is_refused(key):
    """A licence signer's or a holder's key does not sign status lists."""
    with refused("signature_invalid"):
        read_list(listed(status_payload(), key=key))


def test_the_outside_list_door_takes_lists_only():
    """The outside door for status lists takes any allowed algorithm, and still only status lists."""
    assert jws.parse(listed(status_payload()), jws.ANY_STATUS_LIST)
    with refused("wrong_token_type"):
        jws.parse(signed(header(), envelope()), jws.ANY_STATUS_LIST)


def test_a_presentation_is_no_jws():
    """An SD-JWT with key binding is refused where a plain token is expected, and a plain token inside one is not."""
    text = shown(issue({"a": 1}))
    with refused("malformed"):
        jws.parse(text, jws.LICENCE)
    assert jws.parse(sd_jwt.parse(text).jwt, jws.LICENCE)


def test_the_untouched_tokens_are_accepted():
    """The honest licence, presentation and list pass at their own doors."""
    assert sd_jwt_vc.parse_licence(licence(envelope())).issuer == envelope()["iss"]
    assert verified(shown(issue({"a": 1}))).issued_at == SECOND - 86_400
    assert read_list(listed(status_payload())).list.read(7) == status_list.Status.SUSPENDED
