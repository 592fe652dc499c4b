"""Attack: the header brings its own key, says where to fetch one, or asks for a feature (RFC 8725 section 3.10)."""

import socket

import pytest

from credentials import jwk, jws
from tests.tokens import ABSENT, AGENCY, STRANGER, envelope, header, public, refused, signed

OWN_KEY = jwk.export_public(STRANGER)
MEMBERS = {
    "jwk": OWN_KEY,
    "jku": "http://127.0.0.1:9/keys.json",
    "x5u": "http://127.0.0.1:9/chain.pem",
    "x5c": ["MIIBszCCAVmgAwIBAgIUQ3Jh"],
    "x5t": "dGhpcyBpcyBhIHRodW1icHJpbnQ",
    "x5t#S256": "dGhpcyBpcyBhIHRodW1icHJpbnQ",
    "crit": ["b64"],
    "b64": False,
    "zip": "DEF",
    "enc": "A128GCM",
    "epk": OWN_KEY,
    "p2c": 2_147_483_647,
    "p2s": "c2FsdA",
    "apu": "QQ",
    "iv": "AAAA",
    "tag": "AAAA",
    "url": "https://licence.example.gov.cn/",
    "nonce": "1",
    "iss": "https://licence.example.gov.cn/issuers/police",
    "exp": 1,
    "trust_chain": ["e30.e30."],
    "jwks": {"keys": [OWN_KEY]},
    "ALG": "ES256",
    "Kid": "police-2026-1",
    "": "",
    "__proto__": {},
    "anything": "unknown",
}
PURPOSES = [jws.LICENCE, jws.KEY_BINDING, jws.STATUS_LIST, jws.TRUST_LIST, jws.RECEIPT, jws.ANY, jws.ANY_STATUS_LIST]


@pytest.fixture
def _no_network(monkeypatch):
    """Let every outbound connection and name look-up fail the test."""

    def outward(*_):
        raise AssertionError("a header made the core go out")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, outward)
    monkeypatch.setattr(socket, "getaddrinfo", outward)


@pytest.mark.usefixtures("_no_network")
@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: str(purpose.typ))
@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_outside_the_allow_list_is_refused(purpose, name):
    """A header member that the purpose does not know is refused, and nothing it names is fetched."""
    if name in purpose.members:
        return  # a stranger's certificate is refused for its chain: `test_a_stranger_chain.py`
    text = signed(header(purpose, typ=purpose.typ or "statuslist+jwt", **{name: MEMBERS[name]}), envelope(), STRANGER)
    with refused("header_refused"):
        jws.parse(text, purpose)


def test_an_embedded_key_that_verifies_is_refused():
    """A token that carries the very key it is signed with is refused although the signature is right under it."""
    text = signed(header(jwk=OWN_KEY), envelope(), STRANGER)
    with refused("header_refused"):
        jws.parse(text, jws.LICENCE)
    assert jws.verify(jws.parse(signed(header(), envelope(), STRANGER), jws.LICENCE), jwk.import_public(OWN_KEY))


@pytest.mark.parametrize("member", [None, 1, True, ["dc+sd-jwt"], {"a": "b"}, 1.5], ids=repr)
def test_an_allowed_member_of_another_type_is_refused(member):
    """`typ`, `kid` and `cty` are texts, also where any `typ` will do."""
    for name in ("typ", "kid", "cty"):
        with refused("header_refused"):
            jws.parse(signed(header(**{name: member}), envelope()), jws.ANY)


def test_a_key_binding_header_has_no_kid():
    """The holder's key is the one in `cnf`: a key binding that names another by `kid` is refused."""
    with refused("header_refused"):
        jws.parse(signed(header(jws.KEY_BINDING, kid="mine"), {"iat": 1}), jws.KEY_BINDING)


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: str(purpose.typ))
def test_the_untouched_header_is_accepted(purpose):
    """The honest header passes, with its `kid` where one is allowed, and without."""
    typ = purpose.typ or "statuslist+jwt"
    assert jws.parse(signed(header(purpose, typ=typ), envelope()), purpose).header["typ"] == typ
    token = jws.parse(signed(header(purpose, typ=typ, kid=ABSENT), envelope()), purpose)
    assert token.kid is None
    assert jws.verify(token, public(AGENCY)).payload() == envelope()
