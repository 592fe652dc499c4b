"""The licence: typed claims after verification, and its own dates to the second."""

import pytest

from credentials import sd_jwt_vc
from credentials.status_list import StatusReference
from tests.tokens import (
    ABSENT,
    AGENCY,
    HOLDER,
    ISSUER,
    KID,
    LIST_URI,
    SECOND,
    VCT,
    envelope,
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
