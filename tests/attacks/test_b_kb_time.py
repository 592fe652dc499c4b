"""Attack: a presentation recorded earlier, or made for later, and clocks that differ (RFC 9901 section 7.3)."""

from datetime import timedelta, timezone

import pytest

from credentials import key_binding, sd_jwt
from credentials.errors import RefusedError
from tests.tokens import AUDIENCE, HOLDER, NONCE, NOW, SECOND, issue, later, public, refused, shown, verified

PARTS = issue({"a": 1}, "a")


def _offline(now=NOW, **changes):
    times = {"iat": SECOND, "exp": SECOND + 120, **changes}
    text = shown(PARTS, aud=key_binding.OFFLINE_AUDIENCE, **times)
    return key_binding.check_offline(sd_jwt.parse(text), public(HOLDER), now=now)


@pytest.mark.parametrize("age", [61, 62, 3_600, 86_400, SECOND])
def test_a_stale_presentation_is_refused(age):
    """A presentation older than its minute is stale, from the 61st second on."""
    with refused("presentation_stale"):
        verified(shown(PARTS, iat=SECOND - age))


@pytest.mark.parametrize("ahead", [11, 12, 60, 86_400])
def test_a_presentation_from_the_future_is_refused(ahead):
    """A presentation made more than ten seconds ahead says that one of the clocks is wrong."""
    with refused("clock_differs"):
        verified(shown(PARTS, iat=SECOND + ahead))


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_wrong_by_five_minutes_does_not_go_green(minutes):
    """Five minutes off on either side is refused, with a reason of its own for each side."""
    with refused("presentation_stale" if minutes > 0 else "clock_differs"):
        verified(shown(PARTS), now=later(minutes=minutes))


@pytest.mark.parametrize("age", [0, 1, 59, 60, -1, -9, -10])
def test_a_presentation_within_its_minute_is_accepted(age):
    """Sixty seconds of age and ten seconds ahead are still good."""
    assert verified(shown(PARTS, iat=SECOND - age)).claims == {"a": 1}


def test_the_bounds_do_not_depend_on_the_zone_of_now():
    """`now` in another zone is the same instant."""
    chinese = NOW.astimezone(timezone(timedelta(hours=8)))
    assert verified(shown(PARTS, iat=SECOND - 60), now=chinese)
    with refused("presentation_stale"):
        verified(shown(PARTS, iat=SECOND - 61), now=chinese)


def test_the_sixtieth_second_lasts_to_its_end():
    """Fractions of this machine's second do not make a presentation stale or early."""
    assert verified(shown(PARTS, iat=SECOND - 60), now=later(milliseconds=999))
    with refused("presentation_stale"):
        verified(shown(PARTS, iat=SECOND - 60), now=later(seconds=1))


@pytest.mark.parametrize("changes", [{"exp": SECOND - 1}, {"exp": SECOND - 3_600}, {"nbf": SECOND + 3_600}], ids=repr)
def test_a_presentation_outside_its_own_dates_is_refused(changes):
    """A key binding past its own `exp`, or before its own `nbf`, is no valid JWT (RFC 9901 section 7.3, RFC 7519)."""
    parts = sd_jwt.parse(shown(PARTS, iat=SECOND - 30, **changes))
    with pytest.raises(RefusedError):
        key_binding.check(parts, public(HOLDER), audience=AUDIENCE, nonce=NONCE, now=NOW)


@pytest.mark.parametrize("life", [0, -1, -60, 301, 302, 86_400])
def test_a_pass_of_another_life_is_refused(life):
    """A pass lives between a second and five minutes by its own dates."""
    with refused("claim_invalid"):
        _offline(exp=SECOND + life)


@pytest.mark.parametrize("life", [1, 60, 299, 300])
def test_a_pass_of_up_to_five_minutes_is_accepted(life):
    """A pass of one second and one of five minutes pass."""
    assert _offline(exp=SECOND + life).expires_at == SECOND + life


def test_a_pass_ends_at_its_exp():
    """A pass is good up to the last moment before its `exp` and stale from then on."""
    assert _offline(now=later(seconds=119))
    assert _offline(now=later(seconds=119, milliseconds=999))
    with refused("presentation_stale"):
        _offline(now=later(seconds=120))
    with refused("presentation_stale"):
        _offline(now=later(days=1))


def test_a_pass_from_the_future_is_refused():
    """A pass made up to a minute ahead of this machine passes, and beyond it says that the clocks differ."""
    assert _offline(now=later(seconds=-60))
    with refused("clock_differs"):
        _offline(now=later(seconds=-61))
    with refused("clock_differs"):
        _offline(now=later(minutes=-5))


def test_a_pass_without_an_end_is_refused():
    """A presentation for a counter has no `exp`: it cannot live on as a pass."""
    text = shown(PARTS, aud=key_binding.OFFLINE_AUDIENCE)
    with refused("claim_invalid"):
        key_binding.check_offline(sd_jwt.parse(text), public(HOLDER), now=NOW)
