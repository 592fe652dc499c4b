"""School transfer: one licence from agency to counter."""

from app import catalogue
from tests.world import ITEM, World


def test_counter_sees_just_what_the_item_lists(world: World) -> None:
    """Claims in the verdict are exactly those that the service item lists, of licences that were shown."""
    world.issue()
    world.issue_certificate()
    made = world.scan(world.show()["url"])
    assert made["verdict"] == "accepted", made
    listed = catalogue.items()[ITEM].listed
    assert {one["licence_type"]: set(one["claims"]) for one in made["licences"]} == {
        "residence_permit": set(listed["residence_permit"]),
        "student_status_certificate": set(listed["student_status_certificate"]),
    }
    assert [check["outcome"] for check in made["checks"]] == ["passed"] * len(made["checks"])
    assert {check["number"] for check in made["checks"]} == set(range(9))


def test_suspended_reinstated_revoked(world: World) -> None:
    """A status change shows at the next scan; revoked is for good."""
    permit = world.issue()
    assert world.scan(world.show()["url"])["reason"] == "accepted"
    shown = world.show()
    assert world.change("suspend", permit, "endorsement_lapsed").status == 200
    assert world.scan(shown["url"])["reason"] == "suspended"
    assert world.change("reinstate", permit).status == 200
    assert world.scan(world.show()["url"])["reason"] == "accepted"
    shown = world.show()
    assert world.change("revoke", permit, "moved_away").status == 200
    made = world.scan(shown["url"])
    assert (made["verdict"], made["reason"], made["licences"]) == ("refused", "revoked", [])
    refused = world.change("reinstate", permit)
    assert (refused.status, refused["code"]) == (409, "licence_revoked")
