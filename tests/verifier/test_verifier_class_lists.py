"""Class lists: many pupils, over days; who is complete, who lacks what; no claim is kept."""

from typing import Any

import pytest

from tests.issuers.claims_of_types import SENT
from tests.records.tables import alter, findings
from tests.wallet.test_wallet_answers import answer as agree
from tests.wallet.test_wallet_answers import drive, look
from tests.wallet.test_wallet_mandates import CERTIFICATE, certificate
from tests.world import BASE_URL, OTHER_PARENT, PARENT, Answer, World

PATH = "/verifier/class-lists"
REQUESTS = "UPDATE presentation_request SET state = state"


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


def linked(world: World, class_list: Answer, number: int = 1, **body: int) -> Answer:
    made = world.counter().post(f"{PATH}/{class_list['list_id']}/entries/{number}/link", body)
    assert made.status == 201, made.body
    return made


def test_answered_by_link_days_later(world: World) -> None:
    """A parent follows the link two days on, sees who asks, agrees: the entry is complete, and the link is over."""
    drive(world)
    class_list = made(world, "07 号", "12 号")
    link = linked(world, class_list)["link"]
    world.wait(2 * 86400)
    seen = look(world, link)
    assert (seen.status, seen["verifier_name"]) == (201, "Office")
    assert states(world, class_list) == [("07 号", "waiting"), ("12 号", "waiting")]
    assert agree(world, seen).status == 200
    assert states(world, class_list) == [("07 号", "complete"), ("12 号", "waiting")]
    (entry, _) = world.counter().get(f"{PATH}/{class_list['list_id']}")["entries"]
    assert (entry["lacks"], entry["reason"], bool(entry["receipt"])) == ([], "accepted", True)
    again = look(world, link)
    assert "失效" in again["detail"]
    assert findings(world) == []


def test_a_link_followed_in_a_browser(world: World) -> None:
    """A person sees who asks for what, and a button that opens the wallet; a declined request leaves the entry open."""
    drive(world)
    class_list = made(world, "a")
    link = linked(world, class_list)["link"]
    page = world.anybody.get(link.removeprefix(BASE_URL))
    assert page.status == 200
    assert "网络预约出租汽车驾驶员证核发" in page.body
    assert "openid4vp" not in page.body, "a link that is only looked at opens nothing"
    assert alter(world, REQUESTS) == 0
    page = world.anybody.post(link.removeprefix(BASE_URL))
    assert "href='openid4vp://?client_id=x509_hash" in page.body
    assert "data:image/png;base64," in page.body
    world.wait(8 * 86400)
    assert world.house.forget_what_is_over(now=world.now)["requests"] == 1
    assert alter(world, REQUESTS) == 0
    seen = look(world, link)
    agree(world, seen, agree=False)
    assert states(world, class_list) == [("a", "refused")]
    assert agree(world, look(world, link)).status == 200
    assert states(world, class_list) == [("a", "complete")]


def test_answered_after_the_list_was_closed(world: World) -> None:
    """A request that was opened before adds nothing any more; nothing of what was shown stays."""
    drive(world)
    class_list = made(world, "a")
    seen = look(world, linked(world, class_list)["link"])
    world.counter().post(f"{PATH}/{class_list['list_id']}/close")
    assert agree(world, seen).status == 200
    assert states(world, class_list) == [("a", "waiting")]
    assert alter(world, "UPDATE presentation_request SET state = state WHERE sealed_verdict IS NOT NULL") == 0


def test_links_that_are_over(world: World) -> None:
    """An earlier link, one whose days are past, one of a closed list, one that never was: each leads nowhere."""
    class_list = made(world, "a")
    first = linked(world, class_list)["link"]
    second = linked(world, class_list, days=1)["link"]
    over = [first, f"{BASE_URL}{PATH}/links/nothing"]
    world.wait(86400)
    over.append(second)
    third = linked(world, class_list)["link"]
    assert world.anybody.get(third.removeprefix(BASE_URL)).status == 200
    world.counter().post(f"{PATH}/{class_list['list_id']}/close")
    over.append(third)
    for link in over:
        path = link.removeprefix(BASE_URL)
        assert world.anybody.get(path).status == 410
        refused = world.anybody.get(path, headers={"Accept": "application/json"})
        assert (refused.status, refused["code"]) == (410, "class_link_over")
    late = world.counter().post(f"{PATH}/{class_list['list_id']}/entries/1/link", {})
    assert (late.status, late["code"]) == (409, "class_list_over")
    assert world.counter().post(f"{PATH}/{class_list['list_id']}/entries/2/link", {}).status == 409
    assert world.counter("other_desk").post(f"{PATH}/{class_list['list_id']}/entries/1/link", {}).status == 404


def test_made_once_under_one_key(world: World) -> None:
    """The same request twice makes one list; another body under the same key is refused."""
    body = {"name": "x", "service_item": "school_transfer", "labels": ["a"]}
    headers = {"Idempotency-Key": "list-1"}
    first, second = (world.counter().post(PATH, body, headers=headers) for _ in range(2))
    assert first["list_id"] == second["list_id"]
    other = world.counter().post(PATH, body | {"name": "y"}, headers=headers)
    assert other["code"] == "idempotency_key_reused"


def test_who_lacks_is_told_where_to_get_it(world: World) -> None:
    """What is missing names the agencies that issue it."""
    class_list = made(world, "a", item="school_transfer")
    (entry,) = class_list["entries"]
    where = {one["licence_type"]: [name["zh"] for name in one["where"]] for one in entry["lacks"]}
    assert where["resident_id_card"] == ["示例市公安局"]
    assert where["birth_certificate"]
    certificate(world, PARENT)
    verdict = world.scan(world.show()["url"])
    assert {one["licence_type"]: bool(one["where"]) for one in verdict["missing"]} == {
        "birth_certificate": True,
        "resident_id_card": True,
    }


def test_a_replaced_link_adds_nothing(world: World) -> None:
    """A request opened by a link that was replaced since is answered to nobody's good."""
    drive(world)
    class_list = made(world, "a")
    seen = look(world, linked(world, class_list)["link"])
    linked(world, class_list)
    assert agree(world, seen).status == 200
    assert states(world, class_list) == [("a", "waiting")]


def test_one_entry_is_one_child(world: World) -> None:
    """The certificate of one child and the birth certificate of another complete nobody; each other scan adds up."""
    certificate(world, PARENT)
    class_list = made(world, "a", "b", item="school_transfer")
    assert scanned(world, class_list, 1, world.show()["url"])["reason"] == "accepted"
    about = {"birth_date": "2016-11-12", "student_status_no": "G440199201611120045", "grade": 4}
    other = world.issue(CERTIFICATE, "child_b", "school1", guardians=[world.person(OTHER_PARENT)], claims=about)
    claims = sorted(world.house.items["school_transfer"].listed[CERTIFICATE])
    theirs = [{"licence_id": other, "claims": claims}]
    refused = scanned(world, class_list, 1, world.show(OTHER_PARENT, licences=theirs)["url"])
    assert (refused["verdict"], refused["reason"], refused["licences"]) == ("refused", "another_person", [])
    assert scanned(world, class_list, 2, world.show(OTHER_PARENT, licences=theirs)["url"])["reason"] == "accepted"
    assert scanned(world, class_list, 1, world.show()["url"])["reason"] == "accepted"
    assert "li_si" not in str(world.counter().get(f"{PATH}/{class_list['list_id']}").body)
    assert findings(world) == []


def test_a_parent_adds_their_own_later(world: World) -> None:
    """What is of no child (the guardian's card) goes to the entry whoever shows it."""
    certificate(world, PARENT)
    class_list = made(world, "a", item="school_transfer")
    assert scanned(world, class_list, 1, world.show()["url"])["reason"] == "accepted"
    about = {"sex": "女", "birth_date": "1987-08-22"}
    card = world.issue("resident_id_card", claims=SENT["resident_id_card"].claims | about)
    one = [{"licence_id": card, "claims": ["holder_name", "holder_code_last4"]}]
    assert scanned(world, class_list, 1, world.show(licences=one)["url"])["reason"] == "accepted"
    (entry,) = world.counter().get(f"{PATH}/{class_list['list_id']}")["entries"]
    assert [lack["licence_type"] for lack in entry["lacks"]] == ["birth_certificate"]


def test_a_stranger_s_card_completes_nobody(world: World) -> None:
    """Who may not act for the child adds nothing, before or after; the other parent does."""
    certificate(world, PARENT, OTHER_PARENT)
    cards = {
        PARENT: SENT["resident_id_card"].claims,
        OTHER_PARENT: SENT["resident_id_card"].claims | {"sex": "男", "birth_date": "1985-03-15"},
        "graduate": SENT["resident_id_card"].claims | {"birth_date": "2002-06-20"},
    }
    held = {who: world.issue("resident_id_card", who, claims=claims) for who, claims in cards.items()}

    def shown(who: str) -> str:
        one = [{"licence_id": held[who], "claims": ["holder_name", "holder_code_last4"]}]
        return str(world.show(who, licences=one)["url"])

    class_list = made(world, "a", "b", item="school_transfer")
    assert scanned(world, class_list, 1, world.show()["url"])["reason"] == "accepted"
    refused = scanned(world, class_list, 1, shown("graduate"))
    assert (refused["reason"], refused["licences"]) == ("another_person", [])
    assert scanned(world, class_list, 1, shown(OTHER_PARENT))["reason"] == "accepted"
    assert scanned(world, class_list, 2, shown("graduate"))["reason"] == "accepted"
    assert scanned(world, class_list, 2, world.show()["url"])["reason"] == "another_person"
    assert findings(world) == []


def test_closed_while_a_code_was_verified(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict stands, nothing is added, and the counter is told so instead of being shown green."""
    certificate(world, PARENT)
    class_list = made(world, "a", item="school_transfer")
    verify = world.house.verifier.verify_scan

    def closed_meanwhile(*args: Any, **how: Any) -> Any:
        verdict = verify(*args, **how)
        assert world.counter().post(f"{PATH}/{class_list['list_id']}/close").status == 204
        return verdict

    monkeypatch.setattr(world.house.verifier, "verify_scan", closed_meanwhile)
    answer = scanned(world, class_list, 1, world.show()["url"])
    assert (answer.status, answer["code"]) == (409, "entry_changed")
    assert states(world, class_list) == [("a", "waiting")]
