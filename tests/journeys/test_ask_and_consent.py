"""Ask and consent: the counter scans and names a matter, the holder says yes, less, or no, the counter gets one answer."""

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.races.test_many_at_once import at_once
from tests.records.tables import acts, alter, counts, findings
from tests.wallet.test_wallet_mandates import certificate
from tests.world import COUNTER, ITEM, OTHER_PARENT, PARENT, Answer, World


def ask(world: World, *, by: str = COUNTER, holder: str = PARENT, item: str = ITEM, **show: Any) -> Answer:
    """A code that only lets the counter ask, scanned."""
    code = world.holder(holder).post("/wallet/shows", {"ask": True, "qr": "none"} | show)
    body = {"scanned": code["url"], "service_item": item, "operator": "clerk-07"}
    return world.counter(by).post("/verifier/asks", body)


def question(world: World, holder: str = PARENT, **params: str) -> Answer:
    (waiting,) = world.holder(holder).get("/wallet/consents", params={"state": "waiting"})["items"]
    return world.holder(holder).get(f"/wallet/consents/{waiting['consent_id']}", params=params)


def say(world: World, asked: Answer, word: str, body: dict[str, Any] | None = None, holder: str = PARENT) -> Answer:
    seen = {"seen": asked["seen"]} if word == "confirm" else {}
    return world.holder(holder).post(f"/wallet/consents/{asked['consent_id']}/{word}", seen | (body or {}))


def answer(world: World, asked: Answer, by: str = COUNTER) -> Answer:
    return world.counter(by).get(f"/verifier/asks/{asked['ask_id']}")


def test_asked_and_agreed(world: World) -> None:
    """The holder sees who asks for what and why, says yes, and the counter gets one verdict with its receipt."""
    permit, child = world.issue(), certificate(world, PARENT)
    asked = ask(world)
    assert (asked.status, asked["state"]) == (202, "waiting")
    assert (answer(world, asked).status, answer(world, asked)["state"]) == (202, "waiting")
    seen = question(world)
    assert seen["counter_name"] == {"zh": "教务处", "en": "Office"}
    assert seen["agency_name"]["zh"]
    assert seen["item_name"] == {"zh": "小学生转学", "en": "Primary school transfer"}
    assert "学籍证明" in seen["replaces"]
    parts = {one["licence_id"]: one for one in seen["parts"]}
    assert parts.keys() == {permit, child}
    assert (parts[permit]["optional"], parts[child]["optional"]) == (True, False)
    assert (parts[permit]["sensitive"], parts[child]["sensitive"]) == (False, True)
    assert "current_address" in parts[permit]["kept"]
    assert parts[child]["why"]["en"] == "Enrolment and grade at the school being left"
    assert {one["licence_type"] for one in seen["missing"]} == {"birth_certificate", "resident_id_card"}
    assert say(world, seen, "confirm")["code"] == "sensitive_unconfirmed"
    assert say(world, seen, "confirm", {"sensitive": True}).status == 204
    verdict = answer(world, asked)
    assert (verdict.status, verdict["reason"], verdict["channel"]) == (200, "accepted", "ask")
    assert verdict["receipt"]
    for one in verdict["licences"]:
        part = next(part for part in seen["parts"] if part["licence_type"] == one["licence_type"])
        assert set(one["claims"]) <= set(part["shown"])
    again = answer(world, asked)
    assert (again.status, again["code"]) == (409, "ask_over")
    recorded = world.counter().get(f"/verifier/verifications/{verdict['verification_id']}")
    assert (recorded["operator"], recorded["receipt"]) == ("clerk-07", verdict["receipt"])
    uses = world.holder().get("/wallet/uses")["items"]
    assert {(one["channel"], one["verdict"]) for one in uses} == {("ask", "accepted")}
    (told,) = world.holder().get("/wallet/consents")["items"]
    assert (told["state"], bool(told["decided_at"]), bool(told["taken_at"])) == ("confirmed", True, True)
    assert findings(world) == []


def test_narrowed_declined_reported(world: World) -> None:
    """What is optional may stay out, what is required may not; a no is a no, and may be reported."""
    world.issue()
    certificate(world, PARENT)
    asked = ask(world)
    seen = question(world)
    refused = say(world, seen, "confirm", {"without": ["student_status_certificate"], "sensitive": True})
    assert refused["code"] == "consent_refused"
    assert say(world, seen, "confirm", {"without": ["residence_permit"], "sensitive": True}).status == 204
    assert {one["licence_type"] for one in answer(world, asked)["licences"]} == {"student_status_certificate"}
    asked = ask(world)
    seen = question(world)
    assert say(world, seen, "decline", {"report": "与转学无关"}).status == 204
    assert say(world, seen, "confirm", {"sensitive": True})["code"] == "consent_over"
    verdict = answer(world, asked)
    assert (verdict["verdict"], verdict["reason"], verdict["licences"]) == ("refused", "declined", [])
    me = world.holder().subject
    assert [act for _, act, _ in acts(world, f"wallet/{me}") if act.startswith("consent")][-2:] == [
        "consent.asked",
        "consent.reported",
    ]


def test_nobody_answers(world: World) -> None:
    """After two minutes the counter is told so, and a late yes is refused."""
    world.issue()
    asked = ask(world)
    seen = question(world)
    world.wait(119)
    assert answer(world, asked).status == 202
    world.wait(1)
    assert say(world, seen, "confirm")["code"] == "consent_over"
    verdict = answer(world, asked)
    assert (verdict["verdict"], verdict["reason"]) == ("cannot_confirm", "consent_expired")
    assert world.holder().get("/wallet/consents")["items"][0]["state"] == "expired"


def test_a_spent_consent(world: World) -> None:
    """Presentations that somebody took before are not there a second time, and nothing of them is kept."""
    world.issue()
    asked = ask(world)
    seen = question(world)
    say(world, seen, "confirm")
    assert world.house.consents.take(seen["consent_id"], now=world.now)
    assert world.house.consents.take(seen["consent_id"], now=world.now) is None
    assert answer(world, asked)["reason"] == "consent_spent"
    assert alter(world, "UPDATE consent SET state = state WHERE sealed IS NOT NULL") == 0


def test_a_code_that_opens_nothing(world: World) -> None:
    """Used, unknown and over: the verdict says so at once; a code made for asking shows nothing by itself."""
    world.issue()
    ask(world)
    code = world.holder().post("/wallet/shows", {"ask": True, "qr": "none"})["url"]
    body = {"scanned": code, "service_item": ITEM}
    assert world.counter().post("/verifier/asks", body).status == 202
    assert world.counter().post("/verifier/asks", body)["reason"] == "already_used"
    unknown = world.counter().post("/verifier/asks", {"scanned": "0" * 26, "service_item": ITEM})
    assert (unknown.status, unknown["reason"]) == (200, "code_unknown")
    shown = world.holder().post("/wallet/shows", {"ask": True, "qr": "none"})["url"]
    assert world.scan(shown)["reason"] == "consent_needed"
    assert world.holder().post("/wallet/shows", {"ask": True, "service_item": ITEM})["code"] == "invalid_request"


def test_whose_it_is(world: World) -> None:
    """Another counter gets no answer, another holder sees no question."""
    world.issue()
    asked = ask(world)
    seen = question(world)
    world.counter("other_desk")
    assert answer(world, asked, "other_desk").status == 404
    for word in ("confirm", "decline"):
        assert say(world, seen, word, holder=OTHER_PARENT).status == 404
    assert world.holder(OTHER_PARENT).get(f"/wallet/consents/{seen['consent_id']}").status == 404
    assert world.holder(OTHER_PARENT).get("/wallet/consents")["items"] == []


def test_one_word_and_one_answer(world: World) -> None:
    """Eight devices say yes and no at once, eight windows ask for the answer: one word counts, one answer is told."""
    world.issue()
    asked = ask(world)
    seen = question(world)
    words = at_once([lambda word=word: say(world, seen, word) for word in ["confirm", "decline"] * 4])  # type: ignore[misc]
    assert sorted(one.status for one in words) == [204] + [409] * 7
    answers = at_once([lambda: answer(world, asked)] * 8)
    assert sorted(one.status for one in answers) == [200] + [409] * 7
    assert findings(world) == []


def test_a_bank_always_asks(world: World) -> None:
    """Who is no agency asks for what is opened to it and for nothing else, and never without the holder's word."""
    world.issue()
    world.operator.post("/admin/counters", {
        "key": "bank", "agency": "school2", "name": {"zh": "示例银行", "en": "Bank"}, "channel": "hall_counter",
        "opened_types": ["resident_id_card", "residence_permit", "driving_licence"],
    })  # fmt: skip
    world._counters["bank"] = world.caller("counter", "bank")
    refused = ask(world, by="bank")
    assert (refused.status, refused["code"]) == (403, "item_not_offered")
    code = world.show(service_item="ride_hailing_driver")["url"]
    body = {"scanned": code, "service_item": "ride_hailing_driver"}
    assert world.counter("bank").post("/verifier/verifications", body)["reason"] == "consent_needed"
    asked = world.counter("bank").post("/verifier/asks", body)
    assert asked.status == 202
    say(world, question(world), "confirm")
    assert answer(world, asked, "bank")["reason"] == "accepted"


def test_a_kiosk_is_nobody_s_desk(world: World) -> None:
    """A kiosk names no operator; it asks, and its session keeps nothing of what it was told."""
    world.issue()
    kiosk = world.counter("kiosk", "kiosk")
    code = world.holder().post("/wallet/shows", {"ask": True, "qr": "none"})["url"]
    body = {"scanned": code, "service_item": ITEM}
    refused = kiosk.post("/verifier/asks", body | {"operator": "clerk-07"})
    assert (refused.status, refused["faults"][0]["code"]) == (422, "no_operator")
    asked = kiosk.post("/verifier/asks", body)
    say(world, question(world), "confirm")
    assert answer(world, asked, "kiosk")["reason"] == "accepted"


def test_every_device_is_told(world: World) -> None:
    """A signed-in device hears of a question as an event, once, and of nobody else's."""
    world.issue()
    asked = ask(world)
    heard = world.holder().get("/wallet/events", params={"seconds": 0})
    events = [line[6:] for line in str(heard.body).splitlines() if line.startswith("data: ")]
    assert heard.headers["content-type"].startswith("text/event-stream")
    told, used = [json.loads(one) for one in events]
    assert (told["counter"], told["state"]) == (COUNTER, "waiting")
    assert used.keys() == {"show_id"}  # and the page that shows the code knows that it was used
    assert asked["ask_id"] not in str(heard.body)
    assert "data: " not in str(world.holder(OTHER_PARENT).get("/wallet/events", params={"seconds": 0}).body)


def test_a_counter_that_waits_no_more(world: World) -> None:
    """Taken back, a question is over for the holder too; answered, or somebody else's, it cannot be."""
    world.issue()
    asked = ask(world)
    mine, theirs = world.counter(), world.counter("another_office")
    seen = question(world)
    assert theirs.delete(f"/verifier/asks/{asked['ask_id']}").status == 404
    assert mine.delete(f"/verifier/asks/{asked['ask_id']}").status == 204
    assert say(world, seen, "confirm")["code"] == "consent_over"
    assert world.holder().get("/wallet/uses")["items"] == []
    (row,) = world.holder().get("/wallet/consents")["items"]
    assert row["state"] == "withdrawn"
    assert mine.delete(f"/verifier/asks/{asked['ask_id']}").status == 204  # an answer that was lost
    assert [act for _, act, _ in acts(world, f"verifier/{COUNTER}")].count("ask.withdrawn") == 1
    assert mine.get(f"/verifier/asks/{asked['ask_id']}")["code"] == "ask_withdrawn"
    assert counts(world)["verification"] == 0  # nobody's verdict
    world.wait(61)
    later = ask(world)
    assert say(world, question(world), "confirm").status == 204
    assert mine.delete(f"/verifier/asks/{later['ask_id']}")["code"] == "ask_answered"
    assert mine.get(f"/verifier/asks/{later['ask_id']}")["verdict"] == "accepted"


def test_a_mandate_that_ends_between_question_and_answer(world: World) -> None:
    """The mother was asked, renounced, and says yes: the child's certificate stays where it is."""
    certificate(world, PARENT)
    ask(world)
    seen = question(world)
    world.wait(1)
    (mandate,) = world.holder().get("/wallet/mandates")["items"]
    world.holder().delete(f"/wallet/mandates/{mandate['mandate_id']}")
    assert say(world, seen, "confirm", {"sensitive": True})["code"] == "mandate_withdrawn"
    again = question(world)
    assert (again["parts"], say(world, again, "confirm", {"sensitive": True})["code"]) == ([], "nothing_to_show")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(without=st.sets(st.sampled_from(["residence_permit", "enrolment_certificate"])), item=st.sampled_from(
    ["school_transfer", "points_household", "ride_hailing_driver"]))  # fmt: skip
def test_what_leaves_is_what_is_listed_and_allowed(world: World, without: set[str], item: str) -> None:
    """For any item and any consent, the claims that reach the counter are listed, allowed, and all of these."""
    held = world.holder().get("/wallet/licences")["items"] or [world.issue(), certificate(world, PARENT)]
    assert held
    listed = world.house.items[item].listed
    asked = ask(world, item=item)
    if asked.status != 202:
        return
    seen = question(world)
    allowed = without & {one["licence_type"] for one in seen["parts"] if one["optional"]}
    kept = [one for one in seen["parts"] if one["licence_type"] not in allowed]
    if not kept:
        assert say(world, seen, "decline").status == 204
        answer(world, asked)
        return
    assert say(world, seen, "confirm", {"without": sorted(allowed), "sensitive": True}).status == 204
    verdict = answer(world, asked)
    assert {one["licence_type"] for one in verdict["licences"]} == {one["licence_type"] for one in kept}
    for one, part in product(verdict["licences"], kept):
        if one["licence_type"] == part["licence_type"]:
            assert set(one["claims"]) == set(part["shown"]) & set(listed[one["licence_type"]])
    world.wait(1)


def test_one_request_sent_eight_times_at_once(world: World) -> None:
    """A till that repeats itself opens one question, and no refusal is written down."""
    world.issue()
    code = world.holder().post("/wallet/shows", {"ask": True, "qr": "none"})["url"]
    body = {"scanned": code, "service_item": ITEM, "operator": "clerk-07"}
    desk, headers = world.counter(), {"Idempotency-Key": "till-1"}
    asked = at_once([lambda: desk.post("/verifier/asks", body, headers=headers)] * 8)
    assert {one.status for one in asked} == {202}
    assert len({one["ask_id"] for one in asked}) == 1


def test_a_bank_gets_nothing_by_a_pass(world: World) -> None:
    """Whoever is no agency asks, offline passes included."""
    text = world.offline_pass(world.issue(), ["residence_district"])
    body = {"key": "bank", "agency": "police", "name": {"zh": "银行", "en": "Bank"}, "channel": "hall_counter",
            "opened_types": ["residence_permit", "resident_id_card", "driving_licence"]}  # fmt: skip
    assert world.operator.post("/admin/counters", body).status == 201
    bank = world.caller("counter", "bank")
    made = bank.post("/verifier/verifications", {"scanned": text, "service_item": "ride_hailing_driver"})
    assert made["reason"] == "consent_needed"


@pytest.mark.parametrize("code", ["by one scan", "by the other"])
def test_scanned_whatever_it_is_for(world: World, code: str) -> None:
    """One address for all scans: what was chosen is verified at once, else its holder is asked."""
    world.issue()
    url = world.show(**({"ask": True} if code == "by one scan" else {}))["url"]
    body = {"scanned": url, "service_item": ITEM, "operator": "clerk-07"}
    made = world.counter().post("/verifier/scans", body)
    assert made.status == (202 if code == "by one scan" else 200)
    assert world.counter().get("/verifier/counter")["name"]["zh"] == "教务处"
