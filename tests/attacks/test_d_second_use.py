"""Attack: use a code a second time, at once, later, at another counter, or sixteen times in parallel."""

from concurrent.futures import ThreadPoolExecutor

from tests.world import ITEM, World


def test_a_second_use_is_refused_with_the_time_of_the_first(world: World) -> None:
    """The second scan says when the code was used, and tells nothing of the licence."""
    world.issue()
    shown = world.show()
    assert world.scan(shown["url"])["reason"] == "accepted"
    world.wait(5)
    made = world.scan(shown["url"])
    assert (made["verdict"], made["reason"]) == ("refused", "already_used")
    assert made["reason_at"] == "2026-11-23T04:00:00+00:00"
    assert made["licences"] == []
    assert made["checks"][0] == {"number": 0, "step": "claim", "outcome": "failed", "reason": "already_used"}


def test_used_stays_used_after_its_minute(world: World) -> None:
    """A used code is used, not expired, also an hour later."""
    world.issue()
    shown = world.show()
    world.scan(shown["url"])
    world.wait(3000)
    assert world.scan(shown["url"])["reason"] == "already_used"


def test_sixteen_at_once(world: World) -> None:
    """Of sixteen scans of one code at the same time exactly one is accepted, and one use is written down."""
    world.issue()
    scanned = world.show()["url"]
    desk = world.counter()
    body = {"scanned": scanned, "service_item": ITEM}
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: desk.post("/verifier/verifications", body), range(16)))
    assert [one.status for one in answers] == [200] * 16
    assert sorted(one["reason"] for one in answers) == ["accepted"] + ["already_used"] * 15
    assert len(world.holder().get("/wallet/uses")["items"]) == 1
