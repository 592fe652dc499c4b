"""All faults at once, each at the member that was sent; absurd days and numbers; rights from when to when."""

from datetime import timedelta
from typing import Any

import pytest

from tests.issuers.claims_of_types import SENT
from tests.world import World


def faults(world: World, licence_type: str, **order: Any) -> set[str]:
    """The pointers of an order's faults."""
    sent = SENT[licence_type]
    claims = sent.claims | order.pop("claims", {})
    body = world.order(licence_type, sent.holder, claims=claims, **order)
    if sent.guardian:
        body["guardian"] = world.person(sent.guardian)
    made = world.agency(sent.agency).post(f"/issuers/{sent.agency}/licences", body)
    assert made.status == 422, made.body
    return {one["pointer"] for one in made["faults"]}


@pytest.mark.parametrize("until", ["2020-01-01", "2300-01-01"])
def test_a_wrong_end_is_named_beside_other_faults(world: World, until: str) -> None:
    """A last day in the past, or absurd, is named although a claim is wrong too."""
    assert faults(world, "residence_permit", claims={"sex": "x"}, valid_until=until) == {"/claims/sex", "/valid_until"}


@pytest.mark.parametrize(
    ("licence_type", "claim", "value"),
    [
        ("residence_permit", "endorsed_until", "2020-01-01"),
        ("business_licence", "operating_until", "2001-01-01"),
        ("medical_insurance_voucher", "paid_from", "1949-12"),
        ("medical_insurance_voucher", "paid_to", "2199-12"),
        ("medical_insurance_voucher", "benefit_from", "2199-01-01"),
        ("enrolment_certificate", "attending_from", "2199-01-01"),
        ("employment_record", "policy_period_to", "2199-01-01"),
        ("residence_permit", "continuous_months", 999_999_999_999_999),
        ("student_status_certificate", "grade", 13),
    ],
)
def test_absurd_values_are_named_where_they_were_sent(world: World, licence_type: str, claim: str, value: Any) -> None:
    """Days long over or far ahead, and numbers that cannot be, are refused at their own member."""
    assert faults(world, licence_type, claims={claim: value}) == {f"/claims/{claim}"}


def test_a_period_ends_after_it_begins(world: World) -> None:
    """An end before its beginning is refused."""
    wrong = {"paid_from": "2020-05", "paid_to": "2020-04"}
    assert faults(world, "medical_insurance_voucher", claims=wrong) == {"/claims/paid_to"}


def test_the_operators_faults_come_all_at_once(world: World) -> None:
    """A malformed agency is told everything that is wrong with it, what the schema sees and what it does not."""
    body = {
        "key": "x", "name": {"zh": "\u202e坏", "en": "Bad"}, "kind": "k", "uscc": "1144019900DEM0023D", "region": "0",
        "domain": "d", "may_sign": ["residence_permit", "none"], "zzz": 1,
    }  # fmt: skip
    made = world.operator.post("/admin/agencies", body)
    assert made.status == 422
    assert {one["pointer"] for one in made["faults"]} >= {"/region", "/zzz", "/uscc", "/may_sign/1", "/name/zh"}
    counter = {"key": "desk", "agency": "school2", "name": {"zh": "\u202e坏", "en": "Bad"}, "channel": "kiosk"}
    made = world.operator.post("/admin/counters", counter)
    assert [one["pointer"] for one in made["faults"]] == ["/name/zh"]


def test_a_wrong_cause_and_signature_have_pointers(world: World) -> None:
    """An unknown cause and a signature that is no base64url are faults of their members."""
    permit = world.issue()
    made = world.change("revoke", permit, "eaten")
    assert (made.status, made["code"], made["faults"][0]["pointer"]) == (422, "unknown_cause", "/cause")
    path = f"/issuers/police/licences/{permit}/complete"
    made = world.agency("police").post(path, {"signature": "!" * 86})
    assert [one["pointer"] for one in made["faults"]] == ["/signature"]


def test_rights_from_when_to_when(world: World) -> None:
    """The operator gives a right that begins later and ends; before and after, nothing is signed; given again it goes on."""
    world.agency("police")
    path = "/admin/agencies/police/types/driving_licence"
    begins, ends = world.now + timedelta(days=1), world.now + timedelta(days=3)
    span = {"valid_from": begins.isoformat(), "valid_until": ends.isoformat()}
    assert world.operator.call("PUT", path, span).status == 204
    about = {"sex": "女", "birth_date": "1987-08-22"}
    order = world.order("driving_licence", claims=SENT["driving_licence"].claims | about)

    def tried() -> tuple[int, str]:
        made = world.agency("police").post("/issuers/police/licences", order)
        return made.status, made.body.get("code", "")

    assert tried() == (403, "type_not_authorised")
    world.wait(25 * 3600)
    assert tried() == (201, "")
    world.wait(2 * 24 * 3600)
    assert tried() == (403, "type_not_authorised")
    assert world.operator.call("PUT", path, {}).status == 204
    assert tried() == (201, "")
    wrong = {"valid_from": ends.isoformat(), "valid_until": begins.isoformat()}
    assert world.operator.call("PUT", path, wrong)["faults"][0]["pointer"] == "/valid_until"
    assert world.operator.call("PUT", "/admin/agencies/police/types/none", {}).status == 404
    assert world.operator.call("PUT", "/admin/agencies/nobody/types/driving_licence", {}).status == 404
