"""Attack: times that are no whole seconds, far out, missing, or in the wrong order."""

import pytest

from credentials import jws, key_binding, sd_jwt
from tests.tokens import (
    ABSENT,
    HOLDER,
    NOW,
    SECOND,
    envelope,
    issue,
    licence,
    listed,
    opened,
    public,
    read_list,
    refused,
    shown,
    status_payload,
    verified,
)

NO_SECONDS = {
    "float": float(SECOND),
    "fraction": SECOND + 0.5,
    "exponent": 1.7e9,
    "text": str(SECOND),
    "date": "2026-11-23T09:00:00Z",
    "true": True,
    "false": False,
    "null": None,
    "negative": -1,
    "far negative": -(2**63),
    "milliseconds": SECOND * 1_000,
    "year 10000": 253_402_300_800,
    "2^63": 2**63,
    "2^63 - 1": 2**63 - 1,
    "2^64": 2**64,
    "array": [SECOND],
    "object": {"s": SECOND},
    "empty": "",
}


@pytest.mark.parametrize("value", NO_SECONDS.values(), ids=NO_SECONDS)
@pytest.mark.parametrize("name", ["iat", "exp", "nbf"])
def test_a_licence_time_that_is_no_second_is_refused(name, value):
    """`iat`, `exp` and `nbf` of a licence are whole seconds between 1970 and 9999."""
    with refused("claim_invalid"):
        opened(licence(envelope(**{name: value})))


@pytest.mark.parametrize("value", NO_SECONDS.values(), ids=NO_SECONDS)
@pytest.mark.parametrize("name", ["iat", "exp"])
def test_a_key_binding_time_that_is_no_second_is_refused(name, value):
    """`iat` and, where it stands, `exp` of a key binding are whole seconds."""
    with refused("claim_invalid"):
        verified(shown(issue({"a": 1}), **{name: value}))


@pytest.mark.parametrize("value", NO_SECONDS.values(), ids=NO_SECONDS)
@pytest.mark.parametrize("name", ["iat", "exp"])
def test_a_pass_time_that_is_no_second_is_refused(name, value):
    """`iat` and `exp` of an offline pass are whole seconds."""
    times = {"iat": SECOND, "exp": SECOND + 60, name: value}
    text = shown(issue({"a": 1}), aud=key_binding.OFFLINE_AUDIENCE, **times)
    with refused("claim_invalid"):
        key_binding.check_offline(sd_jwt.parse(text), public(HOLDER), now=NOW)


@pytest.mark.parametrize("value", NO_SECONDS.values(), ids=NO_SECONDS)
@pytest.mark.parametrize("name", ["iat", "exp", "ttl", "licence_list_version"])
def test_a_list_time_that_is_no_second_is_refused(name, value):
    """`iat`, `exp`, `ttl` and the version of a status list are whole numbers: else nothing can be confirmed."""
    with refused("status_list_invalid"):
        read_list(listed(status_payload(**{name: value})))


def test_a_missing_iat_is_refused():
    """Licence, key binding and status list all say when they were made."""
    with refused("claim_invalid"):
        opened(licence(envelope(iat=ABSENT)))
    with refused("claim_invalid"):
        verified(shown(issue({"a": 1}), iat=ABSENT))
    with refused("status_list_invalid"):
        read_list(listed(status_payload(iat=ABSENT)))


def test_an_exp_before_iat_is_refused():
    """A licence, pass or list that ended before it began is refused; ending in the same second is allowed."""
    iat = SECOND - 10
    with refused("claim_invalid"):
        opened(licence(envelope(iat=iat, exp=iat - 1)))
    assert opened(licence(envelope(iat=iat, exp=iat))).expires_at == iat
    with refused("status_list_invalid"):
        read_list(listed(status_payload(iat=iat, exp=iat - 1)), now=NOW)


@pytest.mark.parametrize("digits", ["9" * 21, "9" * 400, "1e400", "-1e400", "NaN", "Infinity"])
def test_a_number_that_no_reader_keeps_is_malformed(digits):
    """A number that overflows is refused as JSON already."""
    payload = b'{"exp":%s,' % digits.encode() + jws.strict_json.dumps(envelope(exp=ABSENT))[1:]
    with refused("malformed"):
        opened(licence(payload))


def test_the_untouched_times_are_accepted():
    """Honest times pass, the first and the last second of the range too, and `exp` and `nbf` may be absent."""
    found = opened(licence(envelope(iat=0, nbf=0, exp=jws.LAST_SECOND)))
    assert (found.issued_at, found.not_before, found.expires_at) == (0, 0, jws.LAST_SECOND)
    assert opened(licence(envelope(exp=ABSENT))).expires_at is None
    assert verified(shown(issue({"a": 1})))
    assert read_list(listed(status_payload(exp=ABSENT, ttl=ABSENT, licence_list_version=ABSENT))).version == 0
