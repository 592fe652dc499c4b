"""What the operator and agencies look over: who is there, which keys, and figures that add up."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from app import catalogue
from tests.issuers.claims_of_types import SENT
from tests.journeys.test_ask_and_consent import ask, question, say
from tests.records.tables import findings
from tests.world import ITEM, OTHER_PARENT, PARENT, World


def test_who_is_there(world: World) -> None:
    """Agencies with what they may sign now, counters as they stand, keys without their private parts."""
    world.agency("police")
    world.counter()
    world.operator.call("DELETE", "/admin/agencies/police/types/residence_permit")
    (police,) = world.operator.get("/admin/agencies")["items"]
    assert police["key"] == "police"
    assert "residence_permit" not in police["may_sign"]
    assert "resident_id_card" in police["may_sign"]
    (counter,) = world.operator.get("/admin/counters")["items"]
    assert (counter["key"], counter["channel"], counter["suspended"]) == ("school2_office", "hall_counter", False)
    world.operator.post("/admin/counters/school2_office/suspend")
    assert world.operator.get("/admin/counters")["items"][0]["suspended"] is True
    keys = world.operator.get("/admin/keys")["items"]
    assert {(one["owner"], one["purpose"], one["state"]) for one in keys} >= {
        ("police", "licence", "active"), ("police", "licence", "next"), ("operator", "receipt", "active"),
    }  # fmt: skip
    assert "sealed" not in str(keys)
    items = world.operator.get("/admin/service-items")["items"]
    assert items == world.counter("school2_desk").get("/verifier/service-items")["items"]


def test_figures_add_up(world: World) -> None:
    """Of two days: what was issued by type, verdicts by day, reasons of refusals, licences shown in place of papers."""
    world.issue()
    world.scan(world.show()["url"])
    world.wait(13 * 3600)
    world._holders.clear()  # a session of yesterday is over
    world.issue_certificate()
    shown = world.show()
    world.scan(shown["url"])
    world.scan(shown["url"])
    told = world.operator.get("/admin/figures", params={"days": 2})
    assert [(one["day"], one["issued"], one["accepted"], one["refused"]) for one in told["days"]] == [
        ("2026-11-23", 1, 1, 0), ("2026-11-24", 1, 1, 1),
    ]  # fmt: skip
    assert told["issued_by_type"] == {"residence_permit": 1, "student_status_certificate": 1}
    assert told["not_accepted_by_reason"] == {"already_used": 1}
    (item,) = told["items"]
    assert (item["key"], item["verified"], item["proofs_avoided"]) == (ITEM, 3, 3)
    assert len(world.operator.get("/admin/figures")["days"]) == 30
    assert findings(world) == []


def test_an_agency_s_figures_are_its_own(world: World) -> None:
    """Its licences and its counters' verdicts, nobody else's; a day that begins at midnight in the city."""
    world.now = world.now.replace(hour=16)  # midnight
    world.issue()
    world.scan(world.show()["url"])
    police = world.agency("police").get("/issuers/police/figures", params={"days": 1})
    assert (police["days"][0]["day"], police["days"][0]["issued"], police["items"]) == ("2026-11-24", 1, [])
    school = world.agency("school2").get("/issuers/school2/figures", params={"days": 1})
    assert (school["days"][0]["accepted"], school["issued_by_type"]) == (1, {})
    assert world.agency("school2").get("/issuers/police/figures").status == 404


@pytest.mark.parametrize("days", [0, 93, "x"])
def test_days_that_are_none(world: World, days: object) -> None:
    """Only whole days, a season's at most."""
    assert world.operator.get("/admin/figures", params={"days": days}).status == 422


def test_reported_questions_reach_the_operator(world: World) -> None:
    """Who asked what, and what was out of place; whose it is stays with the holder."""
    world.issue()
    ask(world)
    seen = question(world)
    assert say(world, seen, "decline", {"report": "我没有办理此事"}).status == 204
    (told,) = world.operator.get("/admin/reports")["items"]
    assert (told["counter"], told["service_item"], told["reported"]) == ("school2_office", ITEM, "我没有办理此事")
    assert world.holder().subject not in str(told)


def test_versions_say_what_changed() -> None:
    """A service item's content changes only with its version: this list is added to, never changed."""
    known = json.loads((Path(__file__).parent / "service_item_versions.json").read_text(encoding="utf-8"))
    for one in catalogue.read("service_items"):
        content = sha256(json.dumps(one, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]
        assert known.get(f"{one['key']} v{one['version']}") == content, f"give {one['key']} a new version: {content}"


def test_found_by_the_holder_s_number(world: World) -> None:
    """Each agency finds its own of a holder, by number, page by page; of nobody's number nothing."""
    mine = {world.issue(), world.issue("resident_id_card", claims=SENT["resident_id_card"].claims)}
    world.issue("residence_permit", OTHER_PARENT, claims={"sex": "男", "birth_date": "1985-03-15"})
    body = {"code_type": "111", "code": world.person(PARENT)["code"]}
    police = world.agency("police")
    first = police.post("/issuers/police/licences/find", body | {"limit": 1})
    rest = police.post("/issuers/police/licences/find", body | {"limit": 1, "cursor": first["next_cursor"]})
    assert {one["licence_id"] for one in (*first["items"], *rest["items"])} == mine
    assert rest["next_cursor"] is None
    assert world.agency("school1").post("/issuers/school1/licences/find", body)["items"] == []
    assert police.post("/issuers/police/licences/find", body | {"code": "440199190001010011"})["items"] == []
