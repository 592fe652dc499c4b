"""Receipts that are reused: shown once at one counter, relied on at another, while the holder permits it."""

import pytest

from tests.journeys.test_ask_and_consent import answer, ask, question, say
from tests.records.tables import findings
from tests.wallet.test_wallet_mandates import certificate
from tests.world import CHILD, OTHER_PARENT, PARENT, Answer, World

OTHER = "newborn_medical_insurance"
UNTIL = "2026-12-31T23:59:59+08:00"


def use(world: World, holder: str = PARENT) -> Answer:
    """The newest use; as an answer, to read it like one."""
    page = world.holder(holder).get("/wallet/uses")
    return Answer(page.status, page["items"][0], page.headers)


def permit(world: World, use_id: str, until: str = UNTIL, holder: str = PARENT) -> Answer:
    return world.holder(holder).call("PUT", f"/wallet/uses/{use_id}/reuse", {"until": until})


def relied(world: World, receipt: str, item: str = "school_transfer", by: str = "edu_hall") -> Answer:
    body = {"receipt": receipt, "service_item": item, "operator": "clerk-03"}
    return world.counter(by).post("/verifier/receipts/check", body)


@pytest.fixture
def receipt(world: World) -> str:
    """A receipt for a parent's permit, shown to the school; the parent permits to rely on it."""
    world.issue()
    verdict = world.scan(world.show()["url"])
    assert permit(world, use(world)["use_id"]).status == 200
    return str(verdict["receipt"])


def test_shown_once_relied_on_elsewhere(world: World, receipt: str) -> None:
    """The other counter learns what was shown to whom, for what and when, and what its own matter still lacks."""
    world.wait(86_400)
    got = relied_after(world, receipt)
    assert (got["verdict"], got["reason"], got["channel"]) == ("accepted", "receipt_accepted", "receipt")
    (shown,) = got["licences"]
    assert (shown["licence_type"], shown["to"], shown["for"]) == (
        "residence_permit",
        "school2_office",
        "school_transfer",
    )
    assert "residence_district" in shown["claims_shown"]
    assert "440106" not in str(got.body)
    assert {one["licence_type"] for one in got["missing"]} >= {"student_status_certificate", "resident_id_card"}
    assert got["receipt"] != receipt
    assert findings(world) == []


def relied_after(world: World, receipt: str) -> Answer:
    """Rely on a receipt a day later, when tokens of the first day are over but the operator's."""
    world._counters.pop("edu_hall", None)
    return relied(world, receipt)


def test_the_holder_sees_it(world: World, receipt: str) -> None:
    """Whoever relied on the receipt stands among the uses."""
    world.wait(1)
    relied(world, receipt)
    seen = use(world)
    assert (seen["channel"], seen["verifier"], seen["service_item"]) == ("receipt", "edu_hall", "school_transfer")


def test_the_holder_takes_it_back(world: World, receipt: str) -> None:
    """Withdrawn: refused for that, at once; permitted anew, it stands again."""
    use_id = use(world)["use_id"]
    assert world.holder().delete(f"/wallet/uses/{use_id}/reuse").status == 204
    assert relied(world, receipt)["reason"] == "receipt_withdrawn"
    assert permit(world, use_id).status == 200
    assert relied(world, receipt)["reason"] == "receipt_accepted"


def test_not_permitted_over_or_too_old(world: World) -> None:
    """Without the holder's word, after the time that it gave, and after the time that the matter gives: refused."""
    world.issue()
    receipt = world.scan(world.show()["url"])["receipt"]
    assert relied(world, receipt)["reason"] == "receipt_not_permitted"
    permit(world, use(world)["use_id"], "2026-11-23T04:10:00Z")
    assert relied(world, receipt)["reason"] == "receipt_accepted"
    world.wait(600)
    assert relied(world, receipt)["reason"] == "receipt_expired"
    assert relied(world, receipt, "ride_hailing_driver")["reason"] == "receipts_not_taken"
    permit(world, next(one for one in world.holder().get("/wallet/uses")["items"] if one["receipt"])["use_id"])
    world.wait(30 * 86_400)
    world._counters.clear()
    world.house.counters.get("edu_hall")
    world._counters["edu_hall"] = world.caller("counter", "edu_hall")
    assert relied(world, receipt)["reason"] == "receipt_too_old"


@pytest.mark.parametrize(("verb", "cause", "reason"), [
    ("revoke", "moved_away", "revoked"), ("suspend", "endorsement_lapsed", "suspended"),
])  # fmt: skip
def test_a_licence_that_is_good_no_more(world: World, verb: str, cause: str, reason: str) -> None:
    """What was good when it was shown and is not now is refused for what it is now."""
    licence_id = world.issue()
    receipt = world.scan(world.show()["url"])["receipt"]
    permit(world, use(world)["use_id"])
    world.change(verb, licence_id, cause)
    assert relied(world, receipt)["reason"] == reason


def test_a_licence_that_was_renewed(world: World) -> None:
    """Superseded, not revoked: the holder shows the new one."""
    licence_id = world.issue()
    receipt = world.scan(world.show()["url"])["receipt"]
    permit(world, use(world)["use_id"])
    body = world.order(claims={"endorsed_until": "2028-09-01"})
    renewed = world.agency("police").post(f"/issuers/police/licences/{licence_id}/renew", body)
    assert renewed.status == 201, renewed.body
    assert relied(world, receipt)["reason"] == "licence_superseded"


def test_a_receipt_that_is_none(world: World, receipt: str) -> None:
    """Forged, cut, another kind of token, or of a refusal: nobody relies on it."""
    head, body, signature = receipt.split(".")
    for bent in (f"{head}.{body}.{signature[::-1]}", f"{head}.{body}", "x", world.house.registry.token(now=world.now)):
        assert relied(world, bent)["reason"] == "receipt_refused"
    code = world.show()["url"]
    world.scan(code)
    refused = world.scan(code)
    assert refused["reason"] == "already_used"
    assert relied(world, refused["receipt"])["reason"] == "receipt_of_no_acceptance"


def test_all_whose_licences_they_are_permit_it(world: World) -> None:
    """Parent and child in one presentation: while the child's part is not permitted, nobody relies on the receipt."""
    world.issue()
    certificate(world, PARENT)
    asked = ask(world)
    say(world, question(world), "confirm", {"sensitive": True})
    receipt = str(answer(world, asked)["receipt"])
    both = {one["holder_name"]: one["use_id"] for one in world.holder().get("/wallet/uses")["items"]}
    permit(world, both["李样本"])
    assert relied(world, receipt)["reason"] == "receipt_not_permitted"
    assert permit(world, both["张小例"], holder=OTHER_PARENT).status == 404
    assert permit(world, both["张小例"]).status == 200
    assert relied(world, receipt)["reason"] == "receipt_accepted"
    world.holder(CHILD).delete(f"/wallet/uses/{both['张小例']}/reuse")
    assert relied(world, receipt)["reason"] == "receipt_withdrawn"


def test_what_cannot_be_permitted(world: World, receipt: str) -> None:
    """For ever, in the past, somebody else's, and a use that was refused."""
    use_id = use(world)["use_id"]
    assert permit(world, use_id, "2028-01-01T00:00:00Z")["code"] == "reuse_refused"
    assert permit(world, use_id, "2020-01-01T00:00:00Z")["code"] == "reuse_refused"
    assert permit(world, use_id, holder=OTHER_PARENT).status == 404
    assert permit(world, "nobody").status == 404
    world.change("suspend", world.holder().get("/wallet/licences")["items"][0]["licence_id"], "endorsement_lapsed")
    world.wait(1)
    licence_id = world.holder().get("/wallet/licences")["items"][0]["licence_id"]
    world.scan(world.show(licences=[{"licence_id": licence_id, "claims": ["residence_district"]}])["url"])
    assert permit(world, use(world)["use_id"])["code"] == "reuse_refused"


def test_past_its_last_day_and_without_the_mandate(world: World) -> None:
    """A licence past its last day, a mandate that is over since, and a matter that lists nothing of it: refused."""
    world.issue(claims={"endorsed_until": "2026-11-24"})
    receipt = world.scan(world.show()["url"])["receipt"]
    permit(world, use(world)["use_id"])
    assert relied(world, receipt, "newborn_medical_insurance")["reason"] == "licence_not_requested"
    world.wait(2 * 86_400)
    world._counters["edu_hall"] = world.caller("counter", "edu_hall")
    assert relied(world, receipt)["reason"] == "licence_expired"


def test_a_parent_who_is_none_any_more(world: World) -> None:
    """The mother permitted it, and gives her mandate back: nobody relies on the child's part."""
    certificate(world, PARENT)
    receipt = world.scan(world.show()["url"])["receipt"]
    permit(world, use(world)["use_id"])
    assert relied(world, receipt)["reason"] == "receipt_accepted"
    (mandate,) = world.holder().get("/wallet/mandates")["items"]
    world.holder().delete(f"/wallet/mandates/{mandate['mandate_id']}")
    assert relied(world, receipt)["reason"] == "receipt_not_permitted"
