"""One verdict object in every channel: show code, answer to a request, offline pass."""

import re
from typing import Any

import pytest

from credentials import jws
from credentials.jwk import import_public
from keys import trust_list
from tests.verifier.forge import ITEM, Forge
from tests.world import COUNTER, World
from tests.world import ITEM as TRANSFER
from verifier import offline

STEPS = ["claim", "obtain", "parse", "trust", "signature", "holder_binding", "dates", "status", "record"]
MEMBERS = {
    "verification_id", "verdict", "reason", "reason_at", "message", "channel", "offline", "checks", "licences",
    "missing", "verified_at", "status_as_of", "status_age_seconds", "receipt", "copy_until",
}  # fmt: skip
LICENCE_MEMBERS = {
    "licence_type", "name", "agency", "agency_name", "claims", "labels", "issued_at", "not_before", "expires_at",
    "status_as_of", "by_mandate",
}  # fmt: skip


def _by_code(world: World, licence_id: str) -> dict[str, Any]:
    return world.scan(world.show()["url"])


def _by_request(world: World, licence_id: str) -> dict[str, Any]:
    request = world.ask()
    return world.answer(request, world.present(request))


def _by_pass(world: World, licence_id: str) -> dict[str, Any]:
    return world.scan(world.offline_pass(licence_id, ["residence_district"]))


CHANNELS = {"show_code": _by_code, "vp_token": _by_request, "offline_pass": _by_pass}


@pytest.mark.parametrize("channel", CHANNELS)
def test_accepted_looks_the_same_in_every_channel(world: World, channel: str) -> None:
    """A green verdict has the same members, nine passed steps, the claims and a receipt, whatever the channel."""
    made = CHANNELS[channel](world, world.issue())
    assert made.keys() == MEMBERS
    assert (made["verdict"], made["reason"], made["reason_at"]) == ("accepted", "accepted", None)
    assert (made["channel"], made["offline"]) == (channel, False)  # this service has a network
    assert [(one["number"], one["step"], one["outcome"]) for one in made["checks"]] == [
        (number, step, "passed") for number, step in enumerate(STEPS)
    ]
    (licence,) = made["licences"]
    assert licence.keys() == LICENCE_MEMBERS
    assert licence["claims"] == {"residence_district": "440106", "endorsed_until": "2027-03-01"}
    assert licence["labels"]["residence_district"] == {
        "zh": "现居住地行政区划代码",
        "en": "District of residence",
    }
    assert (licence["agency"], licence["agency_name"]["zh"]) == ("police", "示例市公安局")
    assert made["status_age_seconds"] == 0
    assert made["verified_at"] == made["status_as_of"] == "2026-11-23T04:00:00+00:00"
    needed = {one["licence_type"] for one in made["missing"]}
    assert needed == {"student_status_certificate", "birth_certificate", "resident_id_card"}


@pytest.mark.parametrize("channel", CHANNELS)
def test_refused_looks_the_same_in_every_channel(world: World, channel: str) -> None:
    """A red verdict has the same members, names the failed step, and tells nothing of the licence."""
    licence_id = world.issue()
    request, shown, text = world.ask(), world.show(), world.offline_pass(licence_id, ["residence_district"])
    vp_token = world.present(request)
    world.change("revoke", licence_id, "moved_away")
    made = {
        "show_code": lambda: world.scan(shown["url"]),
        "vp_token": lambda: world.answer(request, vp_token),
        "offline_pass": lambda: world.scan(text),
    }[channel]()
    assert made.keys() == MEMBERS
    assert (made["verdict"], made["reason"]) == ("refused", "revoked")
    outcomes = [(one["number"], one["step"], one["outcome"]) for one in made["checks"]]
    expected = [(number, step, "passed") for number, step in enumerate(STEPS)]
    expected[7] = (7, "status", "failed")
    assert outcomes == expected
    assert (made["licences"], made["missing"]) == ([], [])
    assert re.search("[\u4e00-\u9fff]", made["message"]["zh"])
    assert made["receipt"]


def test_the_verdict_without_a_network_is_the_same_object(world: World) -> None:
    """Verifying with a bundle gives the members of the online verdict, flagged offline, without a receipt."""
    bundle = offline.open_bundle(world.bundle())
    licence_id = world.issue()
    bundle = offline.open_bundle(world.bundle())
    text = world.offline_pass(licence_id, ["residence_district"])
    made = offline.verify_pass(text, bundle, bundle.items[TRANSFER], now=world.now).as_json()
    assert made.keys() == MEMBERS
    assert (made["verdict"], made["offline"], made["receipt"]) == ("accepted", True, None)


def test_steps_not_reached_are_skipped_with_the_reason(world: World) -> None:
    """Every one of the nine steps is told in a refusal: those before passed, those after skipped, and why."""
    made = world.scan("0" * 26)
    assert [(one["number"], one["outcome"]) for one in made["checks"]] == [
        (0, "failed"),
        *((number, "skipped") for number in range(1, 8)),
        (8, "passed"),
    ]
    assert {one["reason"] for one in made["checks"] if one["outcome"] == "skipped"} == {"code_unknown"}


def test_what_is_recorded_can_be_read_by_its_counter_alone(world: World) -> None:
    """The counter reads its own verification back, without claims; another counter and a made-up name get 404."""
    world.issue()
    made = world.scan(world.show()["url"])
    path = f"/verifier/verifications/{made['verification_id']}"
    kept = world.counter().get(path)
    assert (kept.status, kept["verdict"], kept["reason"]) == (200, "accepted", "accepted")
    assert kept["receipt"] == made["receipt"]
    assert [one["number"] for one in kept["checks"]] == list(range(9))
    assert "440106" not in str({**kept.body, "receipt": ""})
    for caller, where in ((world.counter("school2_gate"), path), (world.counter(), "/verifier/verifications/none")):
        answer = caller.get(where)
        assert (answer.status, answer["code"]) == (404, "not_found")


def test_the_clerk_is_recorded(world: World) -> None:
    """The clerk whom the counter names stands in the record."""
    world.issue()
    body = {"scanned": world.show()["url"], "service_item": TRANSFER, "operator": "clerk-07"}
    made = world.counter().post("/verifier/verifications", body)
    assert world.counter().get(f"/verifier/verifications/{made['verification_id']}")["operator"] == "clerk-07"


@pytest.mark.parametrize("channel", CHANNELS)
def test_receipts_verify_and_hold_no_claim_value(world: World, channel: str) -> None:
    """A receipt verifies under the trust list's receipt keys and names claims, item, counter and verdict, no value."""
    made = CHANNELS[channel](world, world.issue())
    operator = {one["kid"]: import_public(one) for one in world.anybody.get("/keys/operator")["keys"]}
    trust = trust_list.read(world.anybody.get("/keys/trust-list").body, operator)
    unverified = jws.parse(made["receipt"], jws.RECEIPT)
    payload = jws.verify(unverified, trust.receipt_keys[unverified.kid]).payload()
    assert (payload["jti"], payload["counter"], payload["service_item"]) == (
        made["verification_id"], COUNTER, TRANSFER,
    )  # fmt: skip
    assert (payload["verdict"], payload["reason"], payload["channel"]) == ("accepted", "accepted", channel)
    assert payload["licences"][0]["claims"] == ["endorsed_until", "residence_district"]
    for value in ("440106", "2027-03-01", "李", "440199198708220021"):
        assert value not in str(payload)


def test_receipts_go_on_verifying_after_the_key_was_rotated(world: World) -> None:
    """A receipt of last year's key still verifies, and new ones are signed with the new key."""
    world.issue()
    old = world.scan(world.show()["url"])["receipt"]
    assert world.operator.post("/admin/keys/rotate", {"owner": "operator", "purpose": "receipt"}).status == 200
    new = world.scan(world.show()["url"])["receipt"]
    trust = world.house.verifier.trust(world.now)
    kids = []
    for receipt in (old, new):
        unverified = jws.parse(receipt, jws.RECEIPT)
        kids.append(unverified.kid)
        assert jws.verify(unverified, trust.receipt_keys[unverified.kid]).payload()["verdict"] == "accepted"
    assert kids[0] != kids[1]


def test_a_licence_of_an_agency_that_keeps_its_key(world: World) -> None:
    """A licence signed outside the vault is accepted as any other."""
    forge = Forge(world)
    made = forge.verdict(forge.licence())
    assert (made["verdict"], made["reason"]) == ("accepted", "accepted")
    assert set(made["licences"][0]["claims"]) == {"school_name", "level", "graduation_date"}
    assert made["licences"][0]["licence_type"] in world.house.items[ITEM].listed
