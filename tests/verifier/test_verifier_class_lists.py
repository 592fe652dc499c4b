"""Class lists: many pupils, over days; who is complete, who lacks what; no claim is kept."""

import pytest

from tests.records.tables import findings
from tests.wallet.test_wallet_mandates import certificate
from tests.world import OTHER_PARENT, PARENT, Answer, World

PATH = "/verifier/class-lists"


def made(world: World, *labels: str, item: str = "ride_hailing_driver") -> Answer:
    body = {"name": "六（2）班", "service_item": item, "labels": list(labels)}
    return world.counter().post(PATH, body)


def scanned(world: World, class_list: Answer, number: int, code: str) -> Answer:
    path = f"{PATH}/{class_list['list_id']}/entries/{number}/verifications"
    return world.counter().post(path, {"scanned": code, "operator": "clerk-07"})


def states(world: World, class_list: Answer) -> list[tuple[str, str]]:
    seen = world.counter().get(f"{PATH}/{class_list['list_id']}")
    return [(one["label"], one["state"]) for one in seen["entries"]]


def test_collected_over_days(world: World) -> None:
    """One comes with part of it, is told what lacks, and brings the rest another day; another does not come."""
    from tests.issuers.claims_of_types import order  # noqa: PLC0415 - one more type of licence

    for kind, agency in (("resident_id_card", "police"), ("driving_licence", "traffic_police")):
        body = order(world, kind, holder=world.person(PARENT))
        assert world.agency(agency).post(f"/issuers/{agency}/licences", body).status in {201, 422}
    world.issue()
    class_list = made(world, "07 号", "12 号")
    assert (class_list.status, class_list["complete"]) == (201, 0)
    assert states(world, class_list) == [("07 号", "waiting"), ("12 号", "waiting")]
    held = {one["licence_type"]: one["licence_id"] for one in world.holder().get("/wallet/licences")["items"]}
    claims = world.house.items["ride_hailing_driver"].listed
    for kind in ("residence_permit", "resident_id_card", "driving_licence"):
        if kind in held:
            code = world.show(licences=[{"licence_id": held[kind], "claims": sorted(claims[kind])}])["url"]
            assert scanned(world, class_list, 1, code)["reason"] == "accepted"
    seen = world.counter().get(f"{PATH}/{class_list['list_id']}")
    first = seen["entries"][0]
    lacking = {"resident_id_card", "driving_licence"} - held.keys()
    assert {one["licence_type"] for one in first["lacks"]} == lacking
    assert first["state"] == ("lacking" if lacking else "complete")
    assert first["receipt"]
    assert seen["entries"][1]["state"] == "waiting"
    assert "440106" not in str(seen.body)
    assert [one["list_id"] for one in world.counter().get(PATH)["items"]] == [class_list["list_id"]]
    assert findings(world) == []


def test_a_refused_code_takes_nothing_away(world: World) -> None:
    """A code that was used already leaves the entry with what it had; one that never came is told as refused."""
    certificate(world, PARENT)
    class_list = made(world, "a", "b", item="school_transfer")
    code = world.show()["url"]
    assert scanned(world, class_list, 1, code)["reason"] == "accepted"
    assert scanned(world, class_list, 1, code)["reason"] == "already_used"
    assert scanned(world, class_list, 2, code)["reason"] == "already_used"
    assert states(world, class_list) == [("a", "lacking"), ("b", "refused")]


def test_closed_and_not_one_s_own(world: World) -> None:
    """A closed list takes no code, another counter's is not there, nor an entry that it has not."""
    world.issue()
    class_list = made(world, "a", item="school_transfer")
    world.counter("other_desk")
    other = world.counter("other_desk")
    assert other.get(f"{PATH}/{class_list['list_id']}").status == 404
    assert other.post(f"{PATH}/{class_list['list_id']}/close").status == 404
    assert scanned(world, class_list, 2, "x").status == 404
    assert world.counter().post(f"{PATH}/{class_list['list_id']}/close").status == 204
    refused = scanned(world, class_list, 1, world.show()["url"])
    assert (refused.status, refused["code"]) == (409, "class_list_over")
    assert world.holder(OTHER_PARENT).get("/wallet/uses")["items"] == []


@pytest.mark.parametrize("bent", [
    {"labels": []}, {"labels": ["x"] * 201}, {"labels": [""]}, {"service_item": "none"}, {"name": ""},
])  # fmt: skip
def test_lists_that_are_none(world: World, bent: dict[str, object]) -> None:
    """Empty and endless lists, and unknown items: refused."""
    body = {"name": "x", "service_item": "school_transfer", "labels": ["a"]} | bent
    assert world.counter().post(PATH, body).status in {404, 422}
