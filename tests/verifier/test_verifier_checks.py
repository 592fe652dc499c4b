"""Checking without a record: the same steps, for who asked by itself; nothing is written down."""

import json

import pytest
from sqlmodel import select

from records.models import AuditEntry
from tests.world import ITEM, World
from verifier.checks import api


def _presented(world: World, nonce: str = "n-of-the-counter", counter: str = "school2_office") -> list[str]:
    """The mother's permit, presented to a counter and nonce."""
    permit = world.issue()
    audience = world.house.verifier.audience(counter)
    body = {
        "audience": audience,
        "nonce": nonce,
        "licences": [{"licence_id": permit, "claims": ["residence_district"]}],
    }
    made = world.holder().post("/wallet/presentations", body)
    assert made.status == 201, made.body
    return [text for texts in made["vp_token"].values() for text in texts]


def _check(world: World, presentations: list[str], nonce: str = "n-of-the-counter"):
    body = {"service_item": ITEM, "nonce": nonce, "presentations": presentations}
    return world.counter().post("/verifier/checks", body)


def _acts(world: World) -> int:
    with world.house.database.read() as session:
        return len(session.exec(select(AuditEntry)).all())


def test_green_says_what_was_shown_and_writes_nothing(world: World):
    """A presentation for this counter and nonce is accepted; no act, no receipt."""
    world.counter()
    texts = _presented(world)
    before = _acts(world)
    made = _check(world, texts)
    assert (made.status, made["verdict"], made["channel"], made["receipt"]) == (200, "accepted", "check", None)
    assert made["licences"][0]["claims"]["residence_district"]
    assert _acts(world) == before


def test_every_step_is_taken(world: World):
    """Another nonce, another counter's presentation, a minute later, a revoked licence: each has its reason."""
    world.counter()
    texts = _presented(world)
    assert _check(world, texts, "another")["reason"] == "wrong_nonce"
    assert _check(world, _presented(world, counter="someone_else"))["reason"] == "wrong_audience"
    for row in world.house.issuer.page("police", limit=9):
        world.change("revoke", row.licence_id, "moved_away")
    assert _check(world, texts)["reason"] == "revoked"
    world.wait(61)
    assert _check(world, texts)["reason"] == "presentation_stale"


@pytest.mark.parametrize("body", [
    {}, {"service_item": ITEM, "nonce": "", "presentations": ["x"]}, {"service_item": ITEM, "nonce": "n", "presentations": []},
    {"service_item": ITEM, "nonce": "n", "presentations": [1]}, {"service_item": 3, "nonce": "n", "presentations": ["x"]},
    {"service_item": ITEM, "nonce": "n", "presentations": ["x"], "more": 1},
])  # fmt: skip
def test_what_is_malformed_is_a_problem(world: World, body: dict):
    """Every fault is named; nothing is a verdict."""
    made = world.counter().post("/verifier/checks", body)
    assert (made.status, made["code"]) == (422, "invalid_request")
    assert made["faults"]


BY_HAND = ("/verifier/checks", "/verifier/verifications")


@pytest.mark.parametrize("path", BY_HAND)
def test_what_is_not_meant_for_it_is_refused_as_everywhere(world: World, path: str):
    """Another method is 405, a body that does not say it is JSON 415, none at all names its faults."""
    counter = world.counter()
    for method in ("GET", "PUT", "DELETE"):
        made = counter.call(method, path, None)
        assert (made.status, made["code"], made.headers["allow"]) == (405, "method_not_allowed", "POST")
    for kind in ("text/plain", "application/jwt", "text/x+json", "", None):
        headers = {} if kind is None else {"Content-Type": kind}
        made = counter.call("POST", path, None, content=b"{}", headers=headers)
        assert (made.status, made["code"]) == (415, "unsupported_media_type"), headers
    made = counter.call("POST", path, None, headers={"Content-Type": "application/json"})
    assert (made.status, made["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("path", BY_HAND)
@pytest.mark.parametrize("body", [{}, [], 3, None, {"service_item": 3, "more": 1}, {"service_item": ""}])
def test_its_faults_are_told_as_another_route_s(world: World, path: str, body: object):
    """Pointer, code and sentence of what is wrong with the service item are those of a route by FastAPI."""
    counter, pointers = world.counter(), ("", "/service_item", "/more")
    sent = {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}
    told = [counter.call("POST", one, None, **sent) for one in (path, "/verifier/requests")]
    mine, theirs = ([row for row in one["faults"] if row["pointer"] in pointers] for one in told)
    assert [one.status for one in told] == [422, 422]
    assert mine == theirs != []


def test_what_memory_has_is_answered_on_the_spot(world: World, monkeypatch: pytest.MonkeyPatch):
    """First in a thread, which may ask the database; then without one, to the same verdicts; a long body in one again."""
    world.restart(refresh_seconds=2)
    world.counter()
    texts, threads, whole = _presented(world), [], api.run_in_threadpool

    async def counted(*said):
        threads.append(1)
        return await whole(*said)

    monkeypatch.setattr(api, "run_in_threadpool", counted)
    assert (_check(world, texts)["verdict"], len(threads)) == ("accepted", 1)
    assert (_check(world, texts)["verdict"], _check(world, texts, "another")["reason"]) == ("accepted", "wrong_nonce")
    assert len(threads) == 1
    assert (_check(world, texts * 16)["verdict"], len(threads)) == ("accepted", 2)
    world.wait(3)
    assert (_check(world, texts)["verdict"], len(threads)) == ("accepted", 3)


def test_nobody_checks_without_a_counters_token(world: World):
    """It is no oracle for the public."""
    assert world.anybody.post("/verifier/checks", {}).status == 401
    assert world.agency("police").post("/verifier/checks", {}).status == 403
