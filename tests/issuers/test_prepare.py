"""Prepare and complete: an agency that keeps its own key signs exactly the recorded bytes, in time, once."""

from typing import Any

import pytest

from app import catalogue
from credentials import base64url, jws
from credentials.jwk import export_public
from tests.issuers.city import UNIV_KEY, signature, status_of, univ
from tests.issuers.claims_of_types import in_wallet, order
from tests.records.tables import acts, counts, findings
from tests.tokens import HOLDER, OTHER_AGENCY, es256, public
from tests.world import Answer, World

TYPE = "graduation_certificate"


def prepare(world: World) -> Answer:
    """The university prepares its certificate."""
    made = univ(world).post("/issuers/univ/licences/prepare", order(world, TYPE))
    assert made.status == 201, made.body
    return made


def complete(world: World, prepared: Answer, body: Any) -> Answer:
    """The university sends a signature."""
    return univ(world).post(f"/issuers/univ/licences/{prepared['licence_id']}/complete", body)


def test_prepared_bytes_are_signed_and_delivered(world: World) -> None:
    """The bytes handed out are a licence of the agency's registered key, and become the holder's licence."""
    prepared = prepare(world)
    assert (prepared["state"], prepared["delivered"]) == ("prepared", False)
    assert prepared["prepared_until"] == "2026-11-23T04:10:00Z"
    assert world.holder("graduate").get("/wallet/licences")["items"] == []
    made = complete(world, prepared, signature(prepared))
    assert (made.status, made["state"], made["delivered"]) == (200, "valid", True)
    assert in_wallet(world, "graduate", made["licence_id"])["school_name"] == "示例大学"
    token = jws.assemble(prepared["signing_input"].encode(), base64url.decode(signature(prepared)["signature"]))
    verified = jws.verify(jws.parse(token, jws.LICENCE), public(UNIV_KEY))
    assert verified.header == {"alg": "ES256", "typ": "dc+sd-jwt", "kid": prepared["kid"]}
    assert verified.payload()["iss"] == "http://127.0.0.1:8080/issuers/univ"
    assert world.house.issuer.read("univ", made["licence_id"]).signing_input == prepared["signing_input"]
    shown = world.show("graduate", service_item="points_household")
    verdict = world.scan(shown["url"], item="points_household")
    assert (verdict["reason"], verdict["licences"][0]["claims"]["level"]) == ("accepted", "本科")
    assert findings(world) == []


def test_prepared_licence_is_not_yet_good(world: World) -> None:
    """Reading a preparation tells its state; it is in no wallet and may not be changed or renewed."""
    prepared = prepare(world)
    agency, path = univ(world), f"/issuers/univ/licences/{prepared['licence_id']}"
    assert agency.get(path)["state"] == "prepared"
    made = agency.post(f"{path}/revoke", {"cause": "issue_error"})
    assert (made.status, made["code"]) == (409, "wrong_state")
    made = agency.post(f"{path}/reinstate")
    assert (made.status, made["code"]) == (409, "wrong_state")


@pytest.mark.parametrize(
    ("name", "signed"),
    [
        ("another key", lambda data: es256(OTHER_AGENCY)(data)),
        ("the holder's key", lambda data: es256(HOLDER)(data)),
        ("other bytes", lambda data: es256(UNIV_KEY)(data + b"A")),
        ("r and s turned", lambda data: es256(UNIV_KEY)(data)[32:] + es256(UNIV_KEY)(data)[:32]),
        ("zeroes", lambda _data: bytes(64)),
        ("ones", lambda _data: b"\xff" * 64),
        ("one bit", lambda data: es256(UNIV_KEY)(data)[:-1] + bytes([es256(UNIV_KEY)(data)[-1] ^ 1])),
    ],
)
def test_wrong_signature_changes_nothing(world: World, name: str, signed: Any) -> None:
    """A signature by another key or over other bytes is refused, and the right one is still taken afterwards."""
    prepared = prepare(world)
    before = counts(world)
    bad = base64url.encode(signed(prepared["signing_input"].encode("ascii")))
    made = complete(world, prepared, {"signature": bad})
    assert (made.status, made["code"]) == (422, "signature_invalid"), name
    assert counts(world) == before
    row = world.house.issuer.read("univ", prepared["licence_id"])
    assert (row.state, row.signature, row.undelivered is None) == ("prepared", None, False)
    assert complete(world, prepared, signature(prepared)).status == 200


def test_signature_must_be_spelt_canonically(world: World) -> None:
    """A signature of another length, padded, or with stray last bits is refused."""
    prepared = prepare(world)
    good = signature(prepared)["signature"]
    stray = good[:-1] + next(one for one in "BCDEFGHIJKLMNOP" if one not in "AQgw")
    for bad, status, code in [
        (good + "==", 422, "invalid_request"),
        (good[:-1], 422, "invalid_request"),
        (good[:-1] + "=", 422, "invalid_request"),
        (good[:-1] + "+", 422, "invalid_request"),
        (stray, 422, "invalid_request"),
    ]:
        made = complete(world, prepared, {"signature": bad})
        assert (made.status, made["code"]) == (status, code), bad[-3:]
    assert world.house.issuer.read("univ", prepared["licence_id"]).state == "prepared"


def test_signature_of_another_preparation_is_refused(world: World) -> None:
    """Two preparations' signatures cannot be exchanged."""
    one, two = prepare(world), prepare(world)
    made = complete(world, one, signature(two))
    assert (made.status, made["code"]) == (422, "signature_invalid")


def test_complete_twice_answers_the_same(world: World) -> None:
    """Completing again, also long after, answers the same and writes nothing; a wrong signature is still refused."""
    prepared = prepare(world)
    first = complete(world, prepared, signature(prepared))
    before = counts(world)
    world.wait(3600)
    again = complete(world, prepared, signature(prepared))
    assert (again.status, again.body) == (200, first.body)
    assert counts(world) == before
    wrong = base64url.encode(es256(OTHER_AGENCY)(prepared["signing_input"].encode()))
    made = complete(world, prepared, {"signature": wrong})
    assert (made.status, made["code"]) == (422, "signature_invalid")


def test_late_completion_burns_the_index(world: World) -> None:
    """At the end of its ten minutes a preparation is over: its index says revoked for ever, the signature comes late."""
    prepared = prepare(world)
    assert status_of(world, prepared["licence_id"], "univ") == 0
    world.wait(600)
    made = complete(world, prepared, signature(prepared))
    assert (made.status, made["code"]) == (410, "preparation_expired")
    assert status_of(world, prepared["licence_id"], "univ") == 1
    again = complete(world, prepared, signature(prepared))
    assert (again.status, again["code"]) == (410, "preparation_expired")
    assert univ(world).get(f"/issuers/univ/licences/{prepared['licence_id']}")["state"] == "burnt"
    assert ("agency:univ", "licence.burnt", prepared["licence_id"]) in acts(world, "issuers/univ")
    assert world.holder("graduate").get("/wallet/licences")["items"] == []
    assert findings(world) == []


def test_one_second_before_the_end_is_in_time(world: World) -> None:
    """A completion in the last second is taken."""
    prepared = prepare(world)
    world.wait(599)
    assert complete(world, prepared, signature(prepared)).status == 200


def test_nobodys_preparation_says_revoked_without_being_asked(world: World) -> None:
    """A preparation that nobody completed reads revoked in the list once it is over, within the list's refresh."""
    prepared = prepare(world)
    world.wait(600)
    assert status_of(world, prepared["licence_id"], "univ") == 1


def test_list_never_takes_revoked_back_when_the_clock_does(world: World) -> None:
    """Once a list said that a preparation was over, a clock that goes back does not make it good again."""
    prepared = prepare(world)
    world.wait(700)
    assert status_of(world, prepared["licence_id"], "univ") == 1
    world.wait(-400)
    made = complete(world, prepared, signature(prepared))
    world.wait(1000)
    assert status_of(world, prepared["licence_id"], "univ") == 1
    assert (made.status, made["code"]) == (410, "preparation_expired")


def test_agency_that_keeps_its_key_cannot_issue(world: World) -> None:
    """Issuing and renewing need a key in the vault; the agency is told to prepare and complete."""
    agency = univ(world)
    before = counts(world)
    made = agency.post("/issuers/univ/licences", order(world, TYPE))
    assert (made.status, made["code"]) == (409, "agency_keeps_key")
    assert counts(world) == before


def test_agency_that_keeps_its_key_can_renew(world: World) -> None:
    """An agency that keeps its own key can prepare the next version of its licence."""
    prepared = prepare(world)
    complete(world, prepared, signature(prepared))
    made = univ(world).post(f"/issuers/univ/licences/{prepared['licence_id']}/renew/prepare", order(world, TYPE))
    assert made.status == 201, made.body
    assert (made["state"], made["supersedes"]) == ("prepared", prepared["licence_id"])
    assert status_of(world, prepared["licence_id"], "univ") == 0  # the old one holds until the new one is signed
    assert complete(world, made, signature(made))["version"] == 2
    assert status_of(world, prepared["licence_id"], "univ") == 1
    held = world.holder("graduate").get("/wallet/licences")["items"]
    assert [one["licence_id"] for one in held] == [made["licence_id"]]
    assert findings(world) == []


def test_private_key_is_not_taken_in(world: World) -> None:
    """Registering an agency's key with its private member is refused, and no agency is left behind."""
    number = UNIV_KEY.private_numbers().private_value.to_bytes(32, "big")
    before = counts(world)
    one = catalogue.agencies()["univ"]
    body = {name: one[name] for name in ("key", "name", "kind", "uscc", "region", "domain")} | {"may_sign": [TYPE]}
    body["licence_key"] = export_public(UNIV_KEY) | {"d": base64url.encode(number)}
    made = world.operator.post("/admin/agencies", body)
    assert (made.status, made["code"]) == (422, "key_refused")
    assert counts(world) == before


def test_complete_of_nothing_is_404(world: World) -> None:
    """There is nothing to complete at an identifier that is not the agency's."""
    permit = world.issue()
    for licence_id in (permit, "nothing"):
        made = univ(world).post(f"/issuers/univ/licences/{licence_id}/complete", {"signature": "A" * 86})
        assert (made.status, made["code"]) == (404, "not_found")
