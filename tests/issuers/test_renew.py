"""Renewing: the next version of the same serial, the old one superseded and out of sight."""

import pytest

from credentials.identifiers import check_character, parse_licence_id
from tests.issuers.city import status_of
from tests.issuers.claims_of_types import in_wallet
from tests.records.tables import counts, findings
from tests.world import World


def test_next_version_takes_the_olds_place(world: World) -> None:
    """The renewed licence has the same serial, the next version and a right check character; the old one is superseded."""
    police, permit = world.agency("police"), world.issue()
    shown = world.show()
    claims = {"endorsed_until": "2028-03-01", "continuous_months": 80}
    made = police.post(f"/issuers/police/licences/{permit}/renew", world.order(claims=claims))
    assert (made.status, made["version"], made["supersedes"]) == (201, 2, permit)
    old, new = parse_licence_id(permit), parse_licence_id(made["licence_id"])
    assert (new.type_code, new.issuer_code, new.serial, new.version) == (
        old.type_code, old.issuer_code, old.serial, 2,
    )  # fmt: skip
    parts = made["licence_id"].removeprefix("1.2.156.3005.2.").split(".")
    assert parts[3] == "002"
    assert parts[4] == check_character("".join(parts[:4]))
    before = police.get(f"/issuers/police/licences/{permit}")
    assert (before["state"], before["cause"]) == ("revoked", "superseded")
    assert (status_of(world, permit), status_of(world, made["licence_id"])) == (1, 0)
    assert [one["licence_id"] for one in world.holder().get("/wallet/licences")["items"]] == [made["licence_id"]]
    assert in_wallet(world, "li_si", made["licence_id"])["endorsed_until"] == "2028-03-01"
    assert world.scan(shown["url"])["reason"] == "revoked"
    verdict = world.scan(world.show()["url"])
    assert (verdict["reason"], verdict["licences"][0]["claims"]["endorsed_until"]) == ("accepted", "2028-03-01")
    assert findings(world) == []


def test_renewed_again_and_again(world: World) -> None:
    """Versions count up one by one, and only the newest is shown."""
    police, latest = world.agency("police"), world.issue()
    for version in (2, 3, 4):
        made = police.post(f"/issuers/police/licences/{latest}/renew", world.order())
        assert (made["version"], made["supersedes"]) == (version, latest)
        latest = made["licence_id"]
    assert [one["licence_id"] for one in world.holder().get("/wallet/licences")["items"]] == [latest]
    assert findings(world) == []


def test_renewing_does_not_lift_a_suspension(world: World) -> None:
    """A suspended licence is reinstated first: renewing needs another right than lifting a suspension."""
    permit = world.issue()
    world.change("suspend", permit, "endorsement_lapsed")
    made = world.agency("police").post(f"/issuers/police/licences/{permit}/renew", world.order())
    assert (made.status, made["code"]) == (409, "wrong_state")
    assert status_of(world, permit) == 2


def test_revoked_and_superseded_licences_are_not_renewed(world: World) -> None:
    """A revoked licence, and one that was renewed already, cannot be renewed; nothing is written."""
    police, permit, other = world.agency("police"), world.issue(), world.issue()
    world.change("revoke", permit, "moved_away")
    police.post(f"/issuers/police/licences/{other}/renew", world.order())
    before = counts(world)
    for licence_id in (permit, other):
        made = police.post(f"/issuers/police/licences/{licence_id}/renew", world.order())
        assert (made.status, made["code"]) == (409, "licence_revoked")
    assert counts(world) == before


def test_whoever_changes_what_was_renewed_is_told_of_it(world: World) -> None:
    """Renewed is not lost: whoever would renew or revoke the old one is sent to the new, in Chinese too."""
    permit, path = world.issue(), "/issuers/police/licences/{}/renew"
    assert world.agency("police").post(path.format(permit), world.order()).status == 201
    again = world.agency("police").post(path.format(permit), world.order())
    for refused in (again, world.change("revoke", permit, "fraud")):
        assert (refused.status, refused["code"]) == (409, "licence_revoked")
        assert "supersedes" in refused["detail"]
        assert "换发" in refused["message"]["zh"]


@pytest.mark.parametrize("reference", ["", "  ", "A\u202e1"])
def test_a_reference_says_something(world: World, reference: str) -> None:
    """A blank reference would tell nothing apart, an invisible character would tell apart what looks the same."""
    made = world.agency("police").post("/issuers/police/licences", world.order() | {"reference": reference})
    assert (made.status, made["code"]) == (422, "invalid_request")
    assert [one["pointer"] for one in made["faults"]] == ["/reference"]


def test_renewal_is_of_the_same_type(world: World) -> None:
    """A licence does not turn into one of another type."""
    permit = world.issue()
    body = world.order("resident_id_card", claims={"sex": "女"})
    body["claims"] |= {
        "ethnicity": "汉", "birth_date": "1987-08-22", "address": "示例路", "hukou_region": "440199",
        "issuing_authority": "示例市公安局",
    }  # fmt: skip
    made = world.agency("police").post(f"/issuers/police/licences/{permit}/renew", body)
    assert (made.status, made["code"]) == (409, "wrong_state")
    assert status_of(world, permit) == 0


def test_renewal_is_for_the_same_holder(world: World) -> None:
    """A licence's next version cannot go to somebody else; the holder keeps the licence."""
    permit = world.issue()
    body = world.order(holder="zhang_san", claims={"birth_date": "1985-03-15", "sex": "男"})
    made = world.agency("police").post(f"/issuers/police/licences/{permit}/renew", body)
    assert (made.status, made["code"]) == (422, "claims_refused")
    assert [(one["pointer"], one["code"]) for one in made["faults"]] == [("/holder/code", "other_holder")]
    assert status_of(world, permit) == 0
    assert world.holder("zhang_san").get("/wallet/licences")["items"] == []


def test_renewing_nothing_is_404(world: World) -> None:
    """There is nothing to renew at an identifier that is not the agency's."""
    world.agency("police")
    made = world.agency("police").post("/issuers/police/licences/nothing/renew", world.order())
    assert (made.status, made["code"]) == (404, "not_found")
