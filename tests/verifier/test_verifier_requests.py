"""Requests: one nonce, one counter, two minutes, one answer."""

import pytest

from tests.verifier.forge import ITEM, TYPE, Forge, failed, refused
from tests.world import BASE_URL, COUNTER, World
from tests.world import ITEM as TRANSFER


def test_a_request_is_openid4vps(world: World) -> None:
    """A request names the counter as client_id, a fresh nonce, and the item as DCQL."""
    first, second = world.ask(), world.ask()
    assert first["client_id"] == f"{BASE_URL}/verifier/counters/{COUNTER}"
    assert first["nonce"] != second["nonce"]
    assert len(first["nonce"]) >= 32
    assert first["expires_at"] == "2026-11-23T04:02:00Z"
    asked = {one["id"]: one for one in first["dcql_query"]["credentials"]}
    listed = world.house.items[TRANSFER].listed
    assert {key: {claim["path"][0] for claim in one["claims"]} for key, one in asked.items()} == listed
    assert {one["format"] for one in asked.values()} == {"dc+sd-jwt"}
    assert asked["residence_permit"]["meta"] == {"vct_values": [f"{BASE_URL}/issuers/types/residence_permit"]}


def test_a_second_answer_is_refused(world: World) -> None:
    """A nonce counts once: the same answer again, and a fresh one, are refused as already answered."""
    world.issue()
    request = world.ask()
    vp_token = world.present(request)
    assert world.answer(request, vp_token)["reason"] == "accepted"
    refused(world.answer(request, vp_token), "request_already_answered", 0)
    world.wait(1)
    refused(world.answer(request, world.present(request)), "request_already_answered", 0)


def test_the_wallet_may_be_asked_twice_in_a_second(world: World) -> None:
    """A phone that sends its request again in the same second gets a presentation again, not an error."""
    world.issue()
    request = world.ask()
    world.present(request)
    assert world.answer(request, world.present(request))["reason"] == "accepted"


def test_a_wrong_answer_spends_the_request_too(world: World) -> None:
    """After a refused answer the right one comes too late: a request cannot be tried until it fits."""
    world.issue()
    request = world.ask()
    refused(world.answer(request, {"residence_permit": ["nonsense"]}), "malformed", 2)
    refused(world.answer(request, world.present(request)), "request_already_answered", 0)


@pytest.mark.parametrize(("seconds", "reason"), [(119, "accepted"), (120, "request_expired"), (121, "request_expired")])
def test_a_request_lives_two_minutes(world: World, seconds: int, reason: str) -> None:
    """A request is answered within 120 seconds or not at all."""
    world.issue()
    request = world.ask()
    world.wait(seconds)
    made = world.answer(request, world.present(request))
    assert made["reason"] == reason


def test_anothers_request_is_not_there(world: World) -> None:
    """A counter cannot answer another's request, which stays unspent; a made-up one is not there either."""
    world.issue()
    request = world.ask()
    vp_token = world.present(request)
    stranger = world.counter("school2_gate")
    for name in (request["request_id"], "A" * 16):
        answer = stranger.post(f"/verifier/requests/{name}/answer", {"vp_token": vp_token})
        assert (answer.status, answer["code"]) == (404, "not_found")
    assert world.answer(request, vp_token)["reason"] == "accepted"


def test_a_presentation_for_another_counter(world: World) -> None:
    """A presentation that was made for another counter is refused, even with this request's nonce."""
    world.issue()
    request, others = world.ask(), world.ask("school2_gate")
    vp_token = world.present(request | {"client_id": others["client_id"]})
    refused(world.answer(request, vp_token), "wrong_audience", 5)


def test_a_presentation_for_another_request(world: World) -> None:
    """A presentation that answers another request of this counter is refused."""
    world.issue()
    request, other = world.ask(), world.ask()
    refused(world.answer(request, world.present(other)), "wrong_nonce", 5)


def test_a_licence_that_was_not_asked_for(world: World) -> None:
    """A licence outside the item is refused, under its own name and under one that was asked for."""
    certificate = world.issue_certificate()
    picked = {"licences": [{"licence_id": certificate, "claims": ["grade"]}]}
    request = world.ask(item=ITEM)
    vp_token = world.present(request, **picked)
    made = world.answer(request, vp_token)
    assert (made["verdict"], made["reason"], made["licences"]) == ("refused", "licence_not_requested", [])
    request = world.ask(item=ITEM)
    (texts,) = world.present(request, **picked).values()
    made = world.answer(request, {"residence_permit": texts})
    assert (made["verdict"], made["reason"], made["licences"]) == ("refused", "licence_not_requested", [])


def test_a_licence_under_anothers_name(world: World) -> None:
    """A permit sent as if it were the certificate that was asked for is refused, though the item lists both."""
    world.issue()
    request = world.ask()
    (texts,) = world.present(request).values()
    made = world.answer(request, {"student_status_certificate": texts})
    assert (made["verdict"], made["reason"], made["licences"]) == ("refused", "licence_not_requested", [])


@pytest.mark.parametrize("vp_token", [{}, {"residence_permit": []}, {"residence_permit": [], "resident_id_card": []}])
def test_nothing_presented(world: World, vp_token: dict) -> None:
    """An empty answer is refused as such, never accepted for want of a fault."""
    refused(world.answer(world.ask(), vp_token), "nothing_presented", 1)


def test_one_bad_licence_among_good_ones(world: World) -> None:
    """If one of several licences is refused, so is the whole, and none of the good ones is told."""
    forge = Forge(world)
    request = forge.ask()
    good = forge.shown(forge.licence(), request)
    bad = forge.shown(forge.licence(exp=forge.second - 10, iat=forge.second - 60), request)
    made = forge.answer(request, good, bad)
    assert (made["verdict"], made["reason"], made["licences"]) == ("refused", "licence_expired", [])
    assert failed(made) == [(6, "licence_expired")]


def test_more_presentations_than_anyone_needs(world: World) -> None:
    """Seventeen presentations are refused before any is looked at."""
    request = world.ask()
    made = world.answer(request, {"residence_permit": ["x"] * 17})
    assert (made["verdict"], made["reason"]) == ("refused", made["reason"])
    assert made["checks"][1]["outcome"] == "failed"
    assert all(one["outcome"] == "skipped" for one in made["checks"][2:8])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"vp_token": None},
        {"vp_token": "text"},
        {"vp_token": {TYPE: "text"}},
        {"vp_token": {TYPE: [1]}},
        {"vp_token": {}, "nonce": "mine"},
        {"vp_token": {str(place): [] for place in range(17)}},
    ],
)
def test_bodies_of_the_wrong_shape(world: World, body: dict) -> None:
    """A malformed answer is a fault of the request and does not spend it."""
    world.issue()
    request = world.ask()
    answer = world.counter().post(f"/verifier/requests/{request['request_id']}/answer", body)
    assert (answer.status, answer["code"]) == (422, "invalid_request")
    assert answer["faults"][0]["pointer"].startswith(("/vp_token", "/nonce"))
    assert world.answer(request, world.present(request))["reason"] == "accepted"
