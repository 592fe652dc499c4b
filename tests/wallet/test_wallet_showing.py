"""Showing: what the holder chose, for a minute, once, and back again."""

import pytest
from starlette.testclient import TestClient

from app import catalogue
from app.main import create_app
from tests.world import BASE_URL, COUNTER, ITEM, OTHER_PARENT, Caller, World

PERMIT_LISTED = set(catalogue.items()[ITEM].listed["residence_permit"])
ALWAYS = {"holder_name_masked", "endorsed_until", "issued_on"}


def test_an_items_set_is_what_the_item_lists(world: World) -> None:
    """A code for a service item shows the newest valid licence of each listed type and leaves out the others."""
    world.issue()
    world.wait(1)
    world.issue(claims={"residence_district": "440103"})
    world.issue_certificate()
    made = world.scan(world.show(service_item=ITEM)["url"])
    assert made["verdict"] == "accepted"
    assert [one["licence_type"] for one in made["licences"]].count("residence_permit") == 1
    permit = next(one for one in made["licences"] if one["licence_type"] == "residence_permit")
    assert permit["claims"]["residence_district"] == "440103"


@pytest.mark.parametrize("chosen", [[], ["residence_district"], ["residence_district", "current_address", "sex"]])
def test_what_the_holder_chose_and_the_item_lists_leaves(world: World, chosen: list[str]) -> None:
    """Of the claims the holder picked only those that the item lists reach the counter."""
    licence_id = world.issue()
    shown = world.show(licences=[{"licence_id": licence_id, "claims": chosen}])
    made = world.scan(shown["url"])
    assert made["reason"] == "accepted"
    assert set(made["licences"][0]["claims"]) == (set(chosen) | ALWAYS) & PERMIT_LISTED
    use = world.holder().get("/wallet/uses")["items"][0]
    assert set(use["licences"][0]["claims"]) == (set(chosen) & PERMIT_LISTED) | ALWAYS


@pytest.mark.parametrize("name", ["no_such_claim", "iss", "cnf", "_sd", "status", ""])
def test_a_claim_the_licence_has_not_is_refused(world: World, name: str) -> None:
    """Choosing a claim that is not in the licence names the mistake, in every way of showing."""
    licence_id = world.issue()
    picked = {"licences": [{"licence_id": licence_id, "claims": ["residence_district", name]}]}
    answers = [
        world.holder().post("/wallet/shows", picked),
        world.holder().post("/wallet/presentations", picked | {"audience": "somebody", "nonce": "n" * 16}),
        world.holder().post("/wallet/passes", picked["licences"][0]),
    ]
    assert [(one.status, one["code"]) for one in answers] == [(422, "claim_not_in_licence")] * 3


@pytest.mark.parametrize(
    "body", [{}, {"licences": []}, {"service_item": ITEM, "licences": [{"licence_id": "x", "claims": []}]}]
)
def test_either_licences_or_an_item(world: World, body: dict) -> None:
    """A body that names neither licences nor an item, an empty list, or both, is refused with its faults."""
    refused = world.holder().post("/wallet/shows", body)
    assert (refused.status, refused["code"]) == (422, "invalid_request")
    assert refused["faults"]


def test_one_licence_twice_in_a_choice_shows_both_sets_or_is_refused(world: World) -> None:
    """Naming a licence twice never silently drops the claims that were picked first."""
    licence_id = world.issue()
    twice = [{"licence_id": licence_id, "claims": [name]} for name in ("residence_district", "continuous_months")]
    made = world.holder().post("/wallet/shows", {"licences": twice, "qr": "none"})
    if made.status == 422:
        return
    counter_item = "points_household"
    claims = world.scan(made["url"], item=counter_item)["licences"][0]["claims"]
    assert {"residence_district", "continuous_months"} <= set(claims)


def test_nothing_to_show(world: World) -> None:
    """An empty wallet and one of suspended licences have nothing to show; an unknown item is told as such."""
    assert world.holder().post("/wallet/shows", {"service_item": ITEM})["code"] == "nothing_to_show"
    licence_id = world.issue()
    assert world.holder().post("/wallet/shows", {"service_item": "no_such_item"})["code"] == "unknown_service_item"
    world.change("suspend", licence_id, "endorsement_lapsed")
    refused = world.holder().post("/wallet/shows", {"service_item": ITEM})
    assert (refused.status, refused["code"]) == (422, "nothing_to_show")


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(0, "accepted"), (59, "accepted"), (59.999, "accepted"), (60, "code_expired"), (61, "code_expired")],
)
def test_a_code_lives_sixty_seconds(world: World, seconds: float, reason: str) -> None:
    """A code is good for any instant before its sixtieth second and for none from then on."""
    world.issue()
    shown = world.show()
    world.counter()
    world.wait(seconds)
    made = world.scan(shown["url"])
    assert made["reason"] == reason
    if reason == "code_expired":
        assert made["verdict"] == "refused"
        assert made["reason_at"] == shown["expires_at"].replace("Z", "+00:00")


@pytest.mark.parametrize("life", [30, 300])
def test_the_life_of_a_code_can_be_set(world: World, life: int) -> None:
    """A house set to 30 or 300 seconds gives codes of just that life."""
    world.issue()
    holder, counter = world.holder(), world.counter()
    app = create_app(world.build(show_life_seconds=life), now=lambda: world.now)
    with TestClient(app, base_url=BASE_URL) as http:
        urls = [
            Caller(http, holder.token).post("/wallet/shows", {"service_item": ITEM, "qr": "none"})["url"]
            for _ in range(2)
        ]
        reasons = []
        for url, seconds in zip(urls, (life - 1, 1), strict=True):
            world.wait(seconds)
            body = {"scanned": url, "service_item": ITEM}
            reasons.append(Caller(http, counter.token).post("/verifier/verifications", body)["reason"])
    assert reasons == ["accepted", "code_expired"]


def test_a_withdrawn_code_says_when(world: World) -> None:
    """A code that its holder took back is refused as withdrawn, with the time."""
    world.issue()
    shown = world.show()
    world.wait(5)
    assert world.holder().delete(f"/wallet/shows/{shown['show_id']}").status == 204
    world.wait(5)
    for scanned in (shown["url"], shown["typed_code"]):
        made = world.scan(scanned)
        assert (made["verdict"], made["reason"]) == ("refused", "code_withdrawn")
        assert made["reason_at"] == "2026-11-23T04:00:05+00:00"


def test_a_used_code_cannot_be_withdrawn(world: World) -> None:
    """Taking a used code back is a conflict that says so."""
    world.issue()
    shown = world.show()
    world.scan(shown["url"])
    refused = world.holder().delete(f"/wallet/shows/{shown['show_id']}")
    assert (refused.status, refused["code"]) == (409, "already_used")


def test_only_ones_own_code_can_be_withdrawn(world: World) -> None:
    """Another's code, and one that never was, are not there; the code goes on working."""
    world.issue()
    shown = world.show()
    for show_id in (shown["show_id"], "A" * 16):
        refused = world.holder(OTHER_PARENT).delete(f"/wallet/shows/{show_id}")
        assert (refused.status, refused["code"]) == (404, "not_found")
    assert world.scan(shown["url"])["reason"] == "accepted"


def test_a_code_that_shows_nothing_the_item_lists(world: World) -> None:
    """A code for a licence that the counter's item does not list presents nothing, and is used up."""
    certificate = world.issue_certificate()
    shown = world.show(licences=[{"licence_id": certificate, "claims": ["grade"]}])
    assert world.scan(shown["url"], COUNTER, "points_household")["reason"] == "nothing_presented"
    assert world.scan(shown["url"])["reason"] == "already_used"
