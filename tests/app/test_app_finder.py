"""Finding a route by its fixed parts gives what trying all in turn gives; counts go by the library's rule."""

import random

import pytest
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from sqlalchemy import text
from starlette.routing import Match

from app.finder import _by_key, _key, plain
from app.limits import MOST_COUNTED, Counts
from app.main import create_app
from records.database import WouldWaitError, at_once
from tests.world import World


def test_the_same_route_is_found(world: World):
    """For an address of every operation the first that matches of its key is the first that matches of all."""
    routes = list(plain(create_app(world.house).routes))
    keyed = _by_key(routes)
    for route in routes:
        path = "/".join("name" if part.startswith("{") else part for part in route.path.split("/"))
        for method in route.methods:
            scope = {"type": "http", "method": method, "path": path, "root_path": ""}
            first = next(one for one in routes if one.matches(scope)[0] is Match.FULL)
            found = next(one for one in keyed[_key(path)] if one.matches(scope)[0] is Match.FULL)
            assert found is first, (method, path)


def test_what_is_not_found_is_the_routers_to_answer(world: World):
    """No such address, a method that is not taken, and what is mounted answer as ever."""
    assert world.anybody.get("/nothing/here").status == 404
    refused = world.anybody.call("PATCH", "/wallet/licences", None)
    assert (refused.status, refused.headers["allow"]) == (405, "GET")
    assert world.anybody.get("/static-offline-docs/swagger-ui.css").status == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/keys/trust-list", "/wallet/licences", "/nothing", "/openapi.json"])
def test_head_is_get_without_the_body(world: World, path: str):
    """Whoever only looks whether something is there gets status and headers, and never a body."""
    mother = world.holder()
    got, looked = (mother.http.request(how, path, headers={"Authorization": f"Bearer {mother.token}"})
                   for how in ("GET", "HEAD"))  # fmt: skip
    assert (looked.status_code, looked.content) == (got.status_code, b"")
    assert looked.headers["content-type"] == got.headers["content-type"]
    assert world.http.head("/wallet/shows").status_code == 405


def test_counts_go_by_the_librarys_rule(monkeypatch: pytest.MonkeyPatch):
    """The same calls at the same times are refused by both."""
    at = 1_000_000.0
    monkeypatch.setattr("time.time", lambda: at)
    ours, theirs = Counts(lambda: at), MemoryStorage()
    limiters = [SlidingWindowCounterRateLimiter(one) for one in (ours, theirs)]
    limit, dice, refused = parse("7/minute"), random.Random(4), 0
    for _ in range(3000):
        at += dice.choice((0.01, 1.0, 5.0, 20.0, 90.0)) * dice.random()
        said = [one.hit(limit, "caller", "x") for one in limiters]
        assert said[0] == said[1]
        left = [one.get_window_stats(limit, "caller", "x") for one in limiters]
        assert left[0].remaining == left[1].remaining
        assert left[0].reset_time == pytest.approx(left[1].reset_time)
        refused += not said[0]
    assert 100 < refused < 2900


def test_counts_are_bounded():
    """Ever new callers do not fill the memory; what is counted now stays."""
    counts = Counts(lambda: 100.0)
    for number in range(MOST_COUNTED + 10):
        assert counts.acquire_sliding_window_entry(f"caller {number}", 1, 60)
    assert len(counts._windows) <= MOST_COUNTED
    assert not counts.acquire_sliding_window_entry(f"caller {MOST_COUNTED + 9}", 1, 60)


def test_who_calls_now_is_not_forgotten():
    """Whoever reached a limit is still at it after any number of others came: the last one counted goes last."""
    counts = Counts(lambda: 100.0)
    assert counts.acquire_sliding_window_entry("busy", 2, 60)
    for number in range(MOST_COUNTED - 5):
        assert counts.acquire_sliding_window_entry(f"other {number}", 1, 60)
    assert counts.acquire_sliding_window_entry("busy", 2, 60)
    for number in range(MOST_COUNTED // 4):
        assert counts.acquire_sliding_window_entry(f"more {number}", 1, 60)
    assert not counts.acquire_sliding_window_entry("busy", 2, 60)


def test_a_moment_is_one(world: World):
    """What another transaction commits meanwhile is not seen, on either database."""
    acts = "SELECT count(*) FROM audit_entry"
    with world.house.database.moment() as session:
        before = session.execute(text(acts)).scalar_one()
        world.issue()
        assert session.execute(text(acts)).scalar_one() == before
    with world.house.database.read() as session:
        assert session.execute(text(acts)).scalar_one() > before


def test_what_must_not_wait_asks_no_database(world: World):
    """Within `at_once` both kinds of transaction are refused, afterwards they are not."""
    database = world.house.database
    for opened in (database.read, database.write, database.moment):
        with pytest.raises(WouldWaitError):
            at_once(lambda opened=opened: opened().__enter__())
        with opened():
            pass
