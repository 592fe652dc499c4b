"""Attack: keep a code until it suits."""

import pytest

from tests.world import World


@pytest.mark.parametrize("form", ["url", "typed_code"])
def test_a_kept_code_is_refused(world: World, form: str) -> None:
    """A code, scanned or typed, is refused from its sixtieth second on, with the instant it ended."""
    world.issue()
    shown = world.show()
    world.counter()
    world.wait(60)
    for _ in range(2):
        made = world.scan(shown[form])
        assert (made["verdict"], made["reason"]) == ("refused", "code_expired")
        assert made["reason_at"] == "2026-11-23T04:01:00+00:00"
        assert made["licences"] == []
    assert world.holder().get("/wallet/uses")["items"] == []


def test_a_clock_set_back_revives_no_used_code(world: World) -> None:
    """A used code stays used when the service's clock goes back to before its use."""
    world.issue()
    world.wait(30)
    shown = world.show()
    assert world.scan(shown["url"])["reason"] == "accepted"
    world.wait(-30)
    assert world.scan(shown["url"])["reason"] == "already_used"
