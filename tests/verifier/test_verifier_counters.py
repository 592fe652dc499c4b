"""Counters and service items: who may ask for what."""

import re

import pytest
from sqlalchemy import text

from app import catalogue, permissions
from tests.world import COUNTER, ITEM, World


def test_a_suspended_counter_may_do_nothing(world: World) -> None:
    """A suspended counter is told so at every verb, and the holder's code stays unused."""
    world.issue()
    request, shown = world.ask(), world.show()
    vp_token = world.present(request)
    with world.house.database.engine.begin() as connection:
        connection.execute(text("UPDATE counter SET suspended = true WHERE key = :key"), {"key": COUNTER})
    desk = world.counter()
    answers = [
        desk.post("/verifier/verifications", {"scanned": shown["url"], "service_item": ITEM}),
        desk.post("/verifier/requests", {"service_item": ITEM}),
        desk.post(f"/verifier/requests/{request['request_id']}/answer", {"vp_token": vp_token}),
    ]
    assert [(one.status, one["code"]) for one in answers] == [(403, "counter_suspended")] * 3
    assert world.scan(shown["url"], counter="school2_gate")["reason"] == "accepted"


def test_a_suspended_counter_gets_no_bundle(world: World) -> None:
    """A suspended counter cannot fetch what it would need to go on verifying offline."""
    world.counter()
    with world.house.database.engine.begin() as connection:
        connection.execute(text("UPDATE counter SET suspended = true WHERE key = :key"), {"key": COUNTER})
    answer = world.counter().get("/verifier/trust-bundle")
    assert (answer.status, answer["code"]) == (403, "counter_suspended")


def test_a_suspended_counter_reads_nothing_either(world: World) -> None:
    """Whatever a counter may call is refused before anything is looked at; resumed, it goes on."""
    desk = world.counter()
    assert world.operator.post(f"/admin/counters/{COUNTER}/suspend").status == 204
    world.wait(5)
    rows = [name for name, row in permissions.TABLE.items() if row == permissions.COUNTER]
    assert len(rows) > 20
    for name in rows:
        method, path = name.split(" ")
        address = re.sub(r"\{[a-z_]+\}", "1", path)
        answer = desk.get(address) if method == "GET" else desk.call(method, address, {})
        assert (answer.status, answer["code"]) == (403, "counter_suspended"), name
    assert world.operator.post(f"/admin/counters/{COUNTER}/resume").status == 204
    world.wait(5)
    assert desk.get("/verifier/counter").status == 200


def test_an_item_that_the_channel_does_not_offer(world: World) -> None:
    """A hall counter cannot ask for a matter that is done on line only, in no way; the code stays unused."""
    world.issue()
    shown = world.show()
    body = {"scanned": shown["url"], "service_item": "graduate_household"}
    answers = [
        world.counter().post("/verifier/verifications", body),
        world.counter().post("/verifier/requests", {"service_item": "graduate_household"}),
    ]
    assert [(one.status, one["code"]) for one in answers] == [(403, "item_not_offered")] * 2
    web, online = world.counter("web_desk", "online"), {"service_item": "graduate_household"}
    for way, more in (("verifications", body), ("asks", body), ("scans", body), ("requests", online)):
        answer = web.post(f"/verifier/{way}", more)
        assert (answer.status, answer["code"]) == (403, "online_by_link")
    asked = web.post("/verifier/presentation-requests", online | {"session": "a-session-of-the-page"})
    assert asked.status == 201
    assert world.scan(shown["url"])["reason"] == "accepted"


def test_an_operator_s_name_has_nothing_invisible(world: World) -> None:
    """It goes into the records: bidi and control characters are refused, and the code stays unused."""
    world.issue()
    shown = world.show()
    body = {"scanned": shown["url"], "service_item": ITEM}
    for name in ("\u202egnp", "\t", "\uffff", "\x00"):
        for way in ("verifications", "scans", "asks"):
            answer = world.counter().post(f"/verifier/{way}", body | {"operator": name})
            assert answer.status in {400, 422}, (name, way)
    assert world.counter().post("/verifier/verifications", body | {"operator": "王 07"})["reason"] == "accepted"


@pytest.mark.parametrize("item", ["no_such_item", "SCHOOL_TRANSFER", "school_transfer "])
def test_an_item_that_is_not_there(world: World, item: str) -> None:
    """An unknown item is 404 and uses up no code."""
    world.issue()
    shown = world.show()
    answers = [
        world.counter().post("/verifier/verifications", {"scanned": shown["url"], "service_item": item}),
        world.counter().post("/verifier/requests", {"service_item": item}),
    ]
    assert [(one.status, one["code"]) for one in answers] == [(404, "unknown_service_item")] * 2
    assert world.scan(shown["url"])["reason"] == "accepted"


def test_service_items_say_what_and_why(world: World) -> None:
    """Every item of the catalogue is listed with what it needs and why, in Chinese and English."""
    answer = world.counter().get("/verifier/service-items")
    assert answer.status == 200
    assert [one["key"] for one in answer["items"]] == list(catalogue.items())
    for item in answer["items"]:
        assert item["name"].keys() >= {"zh", "en"}
        assert item["channels"]
        for need in item["needs"]:
            assert need["why"].keys() >= {"zh", "en"}
            assert need["claims"]


def test_no_token_for_a_counter_that_was_never_enrolled(world: World) -> None:
    """A token for a counter that does not exist is not given."""
    answer = world.operator.post("/admin/tokens", {"role": "counter", "subject": "ghost_desk"})
    assert (answer.status, answer["code"]) == (404, "not_found")


def test_only_counters_verify(world: World) -> None:
    """Holders, agencies, the operator and strangers are refused at the counter's doors."""
    for caller in (world.holder(), world.agency("police"), world.operator):
        assert caller.post("/verifier/requests", {"service_item": ITEM})["code"] == "scope_refused"
        assert caller.get("/verifier/trust-bundle")["code"] == "scope_refused"
    assert world.anybody.get("/verifier/service-items")["code"] == "token_refused"


def test_a_counter_of_the_same_key(world: World) -> None:
    """A counter's key is taken once."""
    world.counter()
    body = {"key": COUNTER, "agency": "school2", "name": {"zh": "另", "en": "Other"}, "channel": "kiosk"}
    answer = world.operator.post("/admin/counters", body)
    assert (answer.status, answer["code"]) == (409, "counter_exists")
