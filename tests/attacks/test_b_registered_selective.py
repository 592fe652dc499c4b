"""Attack: what a verifier must see is made the holder's choice (RFC 9901 section 9.7, SD-JWT VC section 2.2.2.2)."""

import pytest

from credentials import jws, sd_jwt, sd_jwt_vc
from tests.tokens import ABSENT, AGENCY, SECOND, digest, disclosure, envelope, licence, one, opened, public, refused

OPTIONAL = {
    "exp": SECOND + 86_400,
    "nbf": SECOND,
    "aud": "somebody",
    "vct#integrity": "sha256-AAAA",
    "aka_vcts": ["https://other.example"],
    "cnf": envelope()["cnf"],
    "status": envelope()["status"],
}


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_registered_claim_in_a_disclosure_is_refused(name):
    """A registered claim that comes out of a disclosure is refused, although its digest is signed."""
    text = disclosure("salt", name, OPTIONAL[name])
    with refused("disclosures_altered"):
        opened(licence(envelope(**{name: ABSENT, "_sd": [digest(text)]}), text))


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "nbf", "cnf"])
def test_the_core_refuses_them_without_the_vc_profile(name):
    """RFC 9901's own five are refused at the outside door too, where any type of token is read."""
    text = disclosure("salt", name, "value")
    with refused("disclosures_altered"):
        sd_jwt.process({"_sd": [digest(text)]}, [one(text)])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("iss", "claim_invalid"),
        ("vct", "claim_invalid"),
        ("iat", "claim_invalid"),
        ("cnf", "holder_binding_missing"),
        ("status", "claim_invalid"),
    ],
)
def test_a_registered_claim_withheld_is_refused(name, code):
    """A licence whose issuer, type, issue date, key or status is kept back is refused as lacking it."""
    text = disclosure("salt", name, envelope()[name])
    with refused(code):
        opened(licence(envelope(**{name: ABSENT, "_sd": [digest(text)]})))


@pytest.mark.parametrize(
    ("claims", "hidden", "code"),
    [
        ({"cnf": {}}, ("jwk", envelope()["cnf"]["jwk"]), "holder_binding_missing"),
        ({"status": {}}, ("status_list", envelope()["status"]["status_list"]), "claim_invalid"),
        ({"status": {"status_list": {"uri": "u"}}}, ("idx", 7), "status_index_invalid"),
    ],
    ids=["key", "status", "index"],
)
def test_a_part_of_a_registered_claim_withheld_is_refused(claims, hidden, code):
    """A key, status or index that the holder kept back leaves nothing to go green on."""
    name, members = next(iter(claims.items()))
    inner = {**members, "_sd": [digest(disclosure("salt", *hidden))]}
    with refused(code):
        opened(licence(envelope(**{name: inner})))


def test_the_untouched_licence_is_accepted():
    """Registered claims in the clear pass, and `iat` and `sub` may be selective when they are shown."""
    payload = {**envelope(), "nbf": SECOND, "aka_vcts": ["x"], "vct#integrity": "sha256-AAAA"}
    assert opened(licence(payload)).not_before == SECOND
    iat, sub = disclosure("salt", "iat", SECOND), disclosure("salt-2", "sub", "x")
    found = opened(licence(envelope(iat=ABSENT, _sd=[digest(iat), digest(sub)]), iat, sub))
    assert found.issued_at == SECOND
    assert found.claims == {"sub": "x"}
    token = jws.verify(jws.parse(licence(payload).rstrip("~"), jws.LICENCE), public(AGENCY))
    assert sd_jwt_vc.typed(token.payload()).expires_at == payload["exp"]
