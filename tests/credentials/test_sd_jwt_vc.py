"""The licence: typed claims after verification, and its own dates to the second."""

import pytest

from credentials import jws, sd_jwt, sd_jwt_vc
from credentials.status_list import StatusReference
from credentials.type_metadata import ALWAYS, NEVER, ClaimRule
from tests.tokens import (
    ABSENT,
    AGENCY,
    HOLDER,
    ISSUER,
    KID,
    LIST_URI,
    SECOND,
    VCT,
    changed,
    disclosure,
    edwards_jwk,
    envelope,
    header,
    issue,
    later,
    licence,
    opened,
    public,
    refused,
)


def _dated(**dates):
    """Return a licence with these dates and no others."""
    return opened(licence(envelope(**{"iat": SECOND - 10, "exp": ABSENT, **dates})))


def test_a_licence_is_read():
    """Issuer, type, dates, holder key and status come out typed, and the claims without the envelope."""
    found = opened(issue({"school_name": "示例市第一小学", "grade": 3}, "grade", nbf=SECOND).text)
    assert (found.issuer, found.vct) == (ISSUER, VCT)
    assert (found.issued_at, found.not_before, found.expires_at) == (SECOND - 86_400, SECOND, SECOND + 86_400)
    assert found.holder_key.thumbprint == public(HOLDER).thumbprint
    assert found.status == StatusReference(LIST_URI, 7)
    assert found.claims == {"school_name": "示例市第一小学", "grade": 3}


def test_before_verification_only_names_are_read():
    """Parsing gives issuer, type and key id, under a type that has no claims."""
    parsed = sd_jwt_vc.parse_licence(issue({"a": 1}, "a").text)
    assert (parsed.issuer, parsed.vct, parsed.token.kid) == (ISSUER, VCT, KID)
    assert not hasattr(parsed, "claims")
    assert sd_jwt_vc.verify_licence(parsed, public(AGENCY)).claims == {"a": 1}


def test_no_member_of_the_envelope_is_among_the_claims():
    """Registered members are about the token; `sub` and unknown ones are claims."""
    payload = envelope(nbf=SECOND, aka_vcts=["x"], sub="s", licence_id="1.2", **{"vct#integrity": "sha256-AAAA"})
    assert opened(licence(payload)).claims == {"sub": "s", "licence_id": "1.2"}


@pytest.mark.parametrize("seconds", [-0.001, -0.5, -1])
def test_until_exp_a_licence_is_good(seconds):
    """A licence is good up to the last moment before its `exp`."""
    sd_jwt_vc.check_dates(_dated(exp=SECOND), now=later(seconds=seconds))


@pytest.mark.parametrize("seconds", [0, 0.001, 1, 86_400])
def test_at_exp_a_licence_has_expired(seconds):
    """At `exp`, and ever after, it has expired (RFC 7519 section 4.1.4)."""
    with refused("licence_expired"):
        sd_jwt_vc.check_dates(_dated(exp=SECOND), now=later(seconds=seconds))


@pytest.mark.parametrize("seconds", [0, 0.001, 1, 86_400])
def test_the_first_second_counts(seconds):
    """A licence is good from its `nbf` second on."""
    sd_jwt_vc.check_dates(_dated(nbf=SECOND), now=later(seconds=seconds))


@pytest.mark.parametrize("seconds", [-0.001, -1, -5])
def test_before_the_first_second_a_licence_is_not_yet_valid(seconds):
    """A moment before `nbf` it is not yet valid."""
    with refused("licence_not_yet_valid"):
        sd_jwt_vc.check_dates(_dated(nbf=SECOND), now=later(seconds=seconds))


def test_an_issuers_clock_may_run_a_minute_ahead():
    """An `iat` sixty seconds ahead passes, and one beyond says that the clocks differ."""
    found = _dated(iat=SECOND)
    for seconds in (-60, -59, 0):
        sd_jwt_vc.check_dates(found, now=later(seconds=seconds))
    for seconds in (-60.001, -61, -300):
        with refused("clock_differs"):
            sd_jwt_vc.check_dates(found, now=later(seconds=seconds))


def test_a_licence_without_end_does_not_end():
    """Without `exp` a licence is good in a hundred years."""
    sd_jwt_vc.check_dates(_dated(), now=later(days=36_500))


def test_reasons_do_not_hide_each_other():
    """A licence expired and from the future at once speaks of the clock first."""
    with refused("clock_differs"):
        sd_jwt_vc.check_dates(_dated(iat=SECOND, exp=SECOND), now=later(days=-1))


def _held(*disclosures: str, head: object = None, **changes):
    return sd_jwt_vc.held(sd_jwt.parse(licence(envelope(**changes), *disclosures, head=head)))


def test_a_wallet_holds_any_issuers_credential():
    """What a wallet keeps: names, dates, the holder's key, and the claims without the envelope, disclosed ones too."""
    found = sd_jwt_vc.held(issue({"a": 1, "b": 2}, "b", nbf=SECOND))
    assert found == sd_jwt_vc.Credential(
        vct=VCT,
        issuer=ISSUER,
        issued_at=SECOND - 86_400,
        not_before=SECOND,
        expires_at=SECOND + 86_400,
        holder_key=public(HOLDER),
        claims={"a": 1, "b": 2},
    )


def test_a_wallet_holds_one_that_says_little():
    """Issuer, dates and status are optional (SD-JWT VC section 2.2.2.1)."""
    found = _held(iss=ABSENT, iat=ABSENT, exp=ABSENT, status=ABSENT)
    assert (found.issuer, found.issued_at, found.not_before, found.expires_at) == (None, None, None, None)
    assert (found.vct, found.claims) == (VCT, {})


@pytest.mark.parametrize("name", ["x5t", "x5t#S256", "cty"])
def test_a_wallet_lets_foreign_header_members_be(name):
    """Members that mean nothing here may stand in a foreign credential, and in none of ours."""
    head = header(**{name: "x"})
    assert _held(head=head).vct == VCT
    with refused("header_refused"):
        sd_jwt_vc.parse_licence(licence(envelope(), head=head))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"vct": ABSENT}, "claim_invalid"),
        ({"vct": ""}, "claim_invalid"),
        ({"iss": 1}, "claim_invalid"),
        ({"iss": [ISSUER]}, "claim_invalid"),
        ({"iat": "1"}, "claim_invalid"),
        ({"nbf": "1"}, "claim_invalid"),
        ({"exp": 1.5}, "claim_invalid"),
        ({"cnf": ABSENT}, "holder_binding_missing"),
        ({"cnf": {"jwk": edwards_jwk()}}, "key_refused"),
        ({"_sd_alg": "sha-512"}, "disclosures_altered"),
    ],
    ids=repr,
)
def test_a_wallet_holds_nothing_odd(changes, code):
    """A registered claim that is odd, a missing type or holder's key: refused by its reason."""
    with refused(code):
        _held(**changes)


@pytest.mark.parametrize("name", ["vct#integrity", "aka_vcts", "status", "nbf"])
def test_a_wallet_holds_no_smuggled_member(name):
    """A registered claim must be signed in clear, for a wallet as for a verifier."""
    text = disclosure("salt", name, SECOND)
    payload = {"status": ABSENT, "_sd": [sd_jwt.digest(text)]}
    with refused("disclosures_altered", f"{name} must not be selectively disclosable"):
        _held(text, **payload)


def test_rules_of_the_type_are_held():
    """What the type's metadata demands is checked with the signature: refused, although everything else is right."""
    parsed = sd_jwt_vc.parse_licence(issue({"a": 1, "b": 2}, "b").text)
    fine = [ClaimRule(("a",), sd=NEVER), ClaimRule(("b",), sd=ALWAYS)]
    assert sd_jwt_vc.verify_licence(parsed, public(AGENCY), rules=fine).claims == {"a": 1, "b": 2}
    for broken in (
        ClaimRule(("a",), sd=ALWAYS),
        ClaimRule(("b",), sd=NEVER),
        ClaimRule(("c",), mandatory=True, sd=NEVER),
    ):
        with refused("type_rule_broken"):
            sd_jwt_vc.verify_licence(parsed, public(AGENCY), rules=[broken])


def test_a_signature_that_is_remembered_is_not_computed_again():
    """A memory is asked and told; it never makes another's signature good."""
    parsed = sd_jwt_vc.parse_licence(issue({"a": 1}).text)
    memory: set[jws.Fingerprint] = set()
    assert sd_jwt_vc.verify_licence(parsed, public(AGENCY), memory).claims == {"a": 1}
    assert len(memory) == 1
    assert sd_jwt_vc.verify_licence(parsed, public(AGENCY), memory).claims == {"a": 1}
    with refused("signature_invalid"):
        sd_jwt_vc.verify_licence(parsed, public(HOLDER), memory)
    assert len(memory) == 1


JWK = envelope()["cnf"]["jwk"]
STATUS = {"status_list": {"idx": 7, "uri": LIST_URI}}


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"iss": ISSUER, "sub": "s", "cnf": {"jwk": JWK}, "status": STATUS},
        {"cnf": {"jwk": edwards_jwk()}},
        {"cnf": {"x5t#S256": "x"}, "status": {"other": 1}},
    ],
    ids=range(4),
)
def test_what_is_optional_may_be_there_or_not(claims):
    """An SD-JWT VC needs its `vct`; issuer, subject, holder and status of any kind are optional (section 2.2.2)."""
    sd_jwt_vc.check_profile({"vct": VCT, **claims})


@pytest.mark.parametrize(
    ("claims", "code", "because"),
    [
        ({"vct": ABSENT}, "claim_invalid", "vct is not a text"),
        ({"vct": ""}, "claim_invalid", "vct is not a text"),
        ({"iss": None}, "claim_invalid", "iss is not a text"),
        ({"iss": 1}, "claim_invalid", "iss is not a text"),
        ({"sub": ["s"]}, "claim_invalid", "sub is not a text"),
        ({"cnf": None}, "claim_invalid", "cnf is not an object"),
        ({"cnf": "jwk"}, "claim_invalid", "cnf is not an object"),
        ({"cnf": ["jwk"]}, "claim_invalid", "cnf is not an object"),
        ({"cnf": {"jwk": None}}, "key_refused", "JSON object"),
        ({"cnf": {"jwk": JWK | {"crv": "P-384"}}}, "key_refused", "only P-256 and Ed25519"),
        ({"status": None}, "claim_invalid", "status is not an object"),
        ({"status": "status_list"}, "claim_invalid", "status is not an object"),
        ({"status": ["status_list"]}, "claim_invalid", "status is not an object"),
        ({"status": {"status_list": None}}, "claim_invalid", "no status_list"),
        ({"status": {"status_list": {"uri": LIST_URI, "idx": -1}}}, "status_index_invalid", ""),
    ],
    ids=repr,
)
def test_what_is_there_must_be_what_it_must_be(claims, code, because):
    """An optional claim that is odd is refused, not passed over."""
    with refused(code, because):
        sd_jwt_vc.check_profile(changed({"vct": VCT}, claims))


@pytest.mark.parametrize(
    ("seconds", "code"), [(-0.001, "licence_not_yet_valid"), (0, ""), (9.999, ""), (10, "licence_expired")]
)
def test_a_licence_is_good_from_its_first_instant_to_its_end(seconds, code):
    """At `nbf` it is good, at `exp` it is over."""
    found = _dated(nbf=SECOND, exp=SECOND + 10)
    if not code:
        sd_jwt_vc.check_dates(found, now=later(seconds=seconds))
        return
    with refused(code):
        sd_jwt_vc.check_dates(found, now=later(seconds=seconds))
