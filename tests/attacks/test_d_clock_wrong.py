"""Attack (or bad luck): a clock that is five minutes wrong, at the counter or in the holder's phone."""

from datetime import timedelta

import pytest

from tests.verifier.forge import Forge, refused
from tests.world import ITEM, World
from verifier import offline

FIVE = timedelta(minutes=5)


def test_a_counter_five_minutes_slow_says_so(world: World) -> None:
    """A counter off line whose clock is slow finds the pass in its future: cannot confirm, the clocks differ."""
    text = world.offline_pass(world.issue(), ["residence_district"])
    bundle = offline.open_bundle(world.bundle())
    made = offline.verify_pass(text, bundle, bundle.items[ITEM], now=world.now - FIVE)
    assert (str(made.outcome), made.reason, made.licences) == ("cannot_confirm", "clock_differs", [])


def test_a_counter_five_minutes_fast_says_so(world: World) -> None:
    """A counter off line whose clock is fast finds a pass of half a minute long gone: the clocks differ."""
    text = world.offline_pass(world.issue(), ["residence_district"], 30)
    bundle = offline.open_bundle(world.bundle())
    made = offline.verify_pass(text, bundle, bundle.items[ITEM], now=world.now + FIVE)
    assert (str(made.outcome), made.reason, made.licences) == ("cannot_confirm", "clock_differs", [])


def test_a_clock_five_minutes_fast_is_never_green(world: World) -> None:
    """Whatever it is called, a pass that is long gone by the counter's clock is not accepted."""
    text = world.offline_pass(world.issue(), ["residence_district"], 30)
    bundle = offline.open_bundle(world.bundle())
    made = offline.verify_pass(text, bundle, bundle.items[ITEM], now=world.now + FIVE)
    assert (str(made.outcome), made.licences) == ("cannot_confirm", [])


def test_a_phone_five_minutes_fast_says_so(world: World) -> None:
    """A presentation dated five minutes ahead cannot be confirmed: the clocks differ."""
    forge = Forge(world)
    made = forge.verdict(forge.licence(), iat=forge.second + 300)
    refused(made, "clock_differs", 5, "cannot_confirm")


def test_a_phone_five_minutes_slow_is_too_old(world: World) -> None:
    """A presentation dated five minutes back is too old: it is not accepted."""
    forge = Forge(world)
    refused(forge.verdict(forge.licence(), iat=forge.second - 300), "presentation_stale", 5)


@pytest.mark.parametrize(("off", "reason"), [(10, "accepted"), (11, "clock_differs"), (-60, "accepted")])
def test_the_bounds_of_a_presentations_minute(world: World, off: int, reason: str) -> None:
    """Ten seconds ahead and sixty back are within an honest clock's reach, a second more is not."""
    forge = Forge(world)
    assert forge.verdict(forge.licence(), iat=forge.second + off)["reason"] == reason


def test_a_presentation_sixty_one_seconds_old(world: World) -> None:
    """A presentation is too old from its sixty-first second on."""
    forge = Forge(world)
    refused(forge.verdict(forge.licence(), iat=forge.second - 61), "presentation_stale", 5)
