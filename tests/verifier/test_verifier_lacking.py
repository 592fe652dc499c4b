"""What a matter still needs is told by claims: at once, with its alternatives, and where to get it."""

from typing import Any

import pytest

from app import catalogue
from tests.issuers.claims_of_types import SENT, order
from tests.records.tables import findings
from tests.wallet.test_wallet_mandates import certificate, give
from tests.world import CHILD, OTHER_PARENT, PARENT, World
from verifier.service_items import Need, ServiceItem

CARD = SENT["resident_id_card"].claims


def item(*needs: Need) -> ServiceItem:
    return ServiceItem("k", "c", {"zh": "事", "en": "it"}, "edu", ("hall_counter",), needs)


def need(kind: str, *claims: str, **more: Any) -> Need:
    return Need(kind, "applicant", claims, {"zh": "因", "en": "why"}, more.pop("required", True), **more)


@pytest.mark.parametrize(("needs", "shown", "lacks"), [
    ([need("a", "x", "y")], {}, ["a"]),
    ([need("a", "x", "y")], {"a": ["x"]}, ["a"]),
    ([need("a", "x", "y")], {"a": ["x", "y"]}, []),
    ([need("a", "x", "y", optional=frozenset({"y"}))], {"a": ["x"]}, []),
    ([need("a", "x", required=False)], {}, []),
    ([need("a")], {}, ["a"]),
    ([need("a", "x", "y", claim_sets=(("x",), ("y",)))], {"a": ["y"]}, []),
    ([need("a", "x", either="e"), need("b", "y", either="e", required=False)], {"b": ["y"]}, []),
    ([need("a", "x", either="e"), need("b", "y", either="e", required=False)], {"b": []}, ["a"]),
])  # fmt: skip
def test_what_is_lacking(needs: list[Need], shown: dict[str, list[str]], lacks: list[str]) -> None:
    """A need is met by all its claims that every licence of the type has, by one of its sets, or by an alternative."""
    assert [one["licence_type"] for one in item(*needs).lacking(shown)] == lacks


def test_alternatives_are_told_with_the_first() -> None:
    """Who has neither social insurance nor a business is told of both, and where each is had."""
    told = catalogue.items()["points_school_entry"].lacking({})
    (livelihood,) = [one for one in told if one["or"]]
    assert livelihood["licence_type"] == "social_insurance_certificate"
    assert [one["licence_type"] for one in livelihood["or"]] == ["business_licence"]
    assert all(one["where"] for one in (livelihood, *livelihood["or"]))


def test_a_withheld_claim_is_missed(world: World) -> None:
    """A permit without the claim that the item needs is genuine, and the matter says what it still needs."""
    permit = world.issue()
    shown = world.show(licences=[{"licence_id": permit, "claims": ["residence_district"]}])
    made = world.scan(shown["url"], item="points_household")
    assert made["verdict"] == "accepted"
    assert "residence_permit" in [one["licence_type"] for one in made["missing"]]


def test_of_alternatives_one_leaves(world: World) -> None:
    """A merchant who has both is asked for the first alone: nobody learns more than the matter needs."""
    agencies = {"social_insurance_certificate": "hrss", "business_licence": "samr"}
    for kind, agency in agencies.items():
        how = {"representative": world.person(PARENT)} if kind == "business_licence" else {}
        made = world.agency(agency).post(f"/issuers/{agency}/licences", order(world, kind, **how))
        assert made.status == 201, made.body
    world.issue()
    shown = world.show(SENT["social_insurance_certificate"].holder, service_item="points_school_entry")
    kinds = {one["licence_type"] for one in world.scan(shown["url"], item="points_school_entry")["licences"]}
    assert "social_insurance_certificate" in kinds
    assert "business_licence" not in kinds


def test_both_parents_in_one_scan(world: World) -> None:
    """The father hands his card to the mother: one scan of hers brings the child's certificate and both cards."""
    certificate(world, PARENT, OTHER_PARENT)
    cards = {
        PARENT: world.issue("resident_id_card", claims=CARD),
        OTHER_PARENT: world.issue("resident_id_card", OTHER_PARENT, claims=CARD | {"sex": "男", "birth_date": "1985-03-15"}),
    }  # fmt: skip
    assert len(world.scan(world.show()["url"])["licences"]) == 2, "his card is not hers to show"
    given = give(world.holder(OTHER_PARENT), world, PARENT, "helper", types=["resident_id_card"])
    assert given.status == 201, given.body
    made = world.scan(world.show()["url"])
    assert made["verdict"] == "accepted"
    names = [one["claims"]["holder_name"] for one in made["licences"] if one["licence_type"] == "resident_id_card"]
    assert sorted(names) == sorted(world.person(one)["name"] for one in cards)
    assert [one["by_mandate"] for one in made["licences"]].count(True) == 2
    seen = world.holder(OTHER_PARENT).get("/wallet/uses")["items"]
    assert [(one["holder_name"], one["actor_name"]) for one in seen] == [("张示例", "李样本")]
    assert world.holder(OTHER_PARENT).delete(f"/wallet/mandates/{given['mandate_id']}").status == 204
    assert len(world.scan(world.show()["url"])["licences"]) == 2
    assert world.holder(CHILD).get("/wallet/uses")["items"]
    assert findings(world) == []
