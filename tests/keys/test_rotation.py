"""Keys' lives: published before use, one at work, kept for verifying, never believed again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from credentials import jws
from credentials.jwk import export_public
from issuers.models import LicenceRow
from keys.models import KeyPurpose
from tests.foreign import new_key
from tests.issuers.city import signature, statuses, univ
from tests.issuers.claims_of_types import order
from tests.races.test_many_at_once import at_once
from tests.records.tables import acts, findings
from tests.world import Answer, World


def rotate(world: World, owner: str = "police", purpose: str = "licence") -> str:
    """The operator rotates a key; returns the kid that signs from now on."""
    made = world.operator.post("/admin/keys/rotate", {"owner": owner, "purpose": purpose})
    assert made.status == 200, made.body
    return str(made["key"])


def compromise(world: World, kid: str) -> Answer:
    """The operator gives a key up."""
    return world.operator.post(f"/admin/keys/{kid}/compromise", {"since": "2026-11-20T00:00:00+08:00"})


def states(world: World, owner: str = "police", purpose: KeyPurpose = KeyPurpose.LICENCE) -> list[str]:
    """States of an owner's keys, sorted."""
    return sorted(row.state for row in world.house.vault.key_rows(owner, purpose))


def row(world: World, licence_id: str) -> LicenceRow:
    """A licence's ledger row."""
    return world.house.issuer.read("police", licence_id)


def test_first_key_is_active_the_second_next(world: World) -> None:
    """An agency begins with one active key and the next one, published already; that one does not sign yet."""
    world.agency("police")
    assert states(world) == states(world, purpose=KeyPurpose.STATUS_LIST) == ["active", "next"]
    (waiting,) = [one.kid for one in world.house.vault.key_rows("police", KeyPurpose.LICENCE) if one.state == "next"]
    assert row(world, world.issue()).kid != waiting
    assert rotate(world) == waiting


def test_rotated_once_however_often_it_is_said(world: World) -> None:
    """Sent again, or many at once: the key that was named is retired, and the one after it signs, published before."""
    world.agency("police")
    by_state = {one.state: one.kid for one in world.house.vault.key_rows("police", KeyPurpose.LICENCE)}
    active, following = by_state["active"], by_state["next"]
    body = {"owner": "police", "purpose": "licence", "retires": active}
    answers = at_once([lambda: world.operator.post("/admin/keys/rotate", body)] * 6)
    answers.append(world.operator.post("/admin/keys/rotate", body))
    assert {(one.status, one["key"]) for one in answers} == {(200, following)}
    assert states(world) == ["active", "next", "retired"]
    unknown = world.operator.post("/admin/keys/rotate", {**body, "retires": "nobody's"})
    assert (unknown.status, unknown["code"]) == (404, "unknown_key")
    assert findings(world) == []


def test_rotation_keeps_old_signatures_good(world: World) -> None:
    """After a rotation old licences still verify, new ones are signed by the new key, and a next one is published."""
    old = world.issue()
    new_kid = rotate(world)
    assert states(world) == ["active", "next", "retired"]
    assert world.scan(world.show()["url"])["reason"] == "accepted"
    new = world.issue()
    assert (row(world, new).kid, row(world, old).kid != new_kid) == (new_kid, True)
    for licence_id in (old, new):
        shown = world.show(licences=[{"licence_id": licence_id, "claims": ["residence_district"]}])
        assert world.scan(shown["url"])["reason"] == "accepted"
    assert findings(world) == []


def test_published_next_key_is_the_one_that_follows(world: World) -> None:
    """The key that a trust list announced as next is the very one that the next rotation puts to work."""
    world.agency("police")
    rotate(world)
    claims = jws.parse(world.anybody.get("/keys/trust-list").body, jws.TRUST_LIST).unverified_payload()
    announced = [
        key["kid"]
        for agency in claims["agencies"]
        for key in agency["keys"]
        if (key["state"], key["purpose"]) == ("next", "licence")
    ]
    assert [rotate(world)] == announced
    assert states(world) == ["active", "next", "retired", "retired"]


@pytest.mark.parametrize(
    ("owner", "purpose"), [("police", "status_list"), ("operator", "trust_list"), ("operator", "receipt")]
)
def test_every_purpose_rotates(world: World, owner: str, purpose: str) -> None:
    """Keys for lists and receipts rotate without a verdict changing."""
    world.issue()
    assert world.scan(world.show()["url"])["reason"] == "accepted"
    rotate(world, owner, purpose)
    assert world.scan(world.show()["url"])["reason"] == "accepted"
    world.wait(360)
    assert world.scan(world.show()["url"])["reason"] == "accepted"
    assert findings(world) == []


def test_rotation_is_the_operators(world: World) -> None:
    """No agency, counter or holder rotates or gives up a key."""
    kid = world.house.vault.active("police", KeyPurpose.LICENCE).kid if world.agency("police") else ""
    for caller in (world.agency("police"), world.counter(), world.holder()):
        made = caller.post("/admin/keys/rotate", {"owner": "police", "purpose": "licence"})
        assert (made.status, made["code"]) == (403, "scope_refused")
        made = caller.post(f"/admin/keys/{kid}/compromise", {"since": "2026-11-20T00:00:00+08:00"})
        assert (made.status, made["code"]) == (403, "scope_refused")
    assert states(world) == ["active", "next"]


def test_compromised_key_is_believed_by_nobody(world: World) -> None:
    """A licence of a compromised key is refused as such; the agency's next key signs at once, and another is next."""
    old = world.issue()
    kid = row(world, old).kid
    shown = world.show()
    assert compromise(world, kid).status == 204
    verdict = world.scan(shown["url"])
    assert (verdict["verdict"], verdict["reason"], verdict["licences"]) == ("refused", "key_compromised", [])
    metadata = world.anybody.get("/.well-known/jwt-vc-issuer/issuers/police")
    assert kid not in {one["kid"] for one in metadata["jwks"]["keys"]}
    assert states(world) == ["active", "compromised", "next"]
    new = world.issue()
    assert row(world, new).kid != kid
    said = {one["licence_id"]: one["state"] for one in world.holder().get("/wallet/licences")["items"]}
    assert said == {old: "key_compromised", new: "valid"}  # whoever holds it knows before a counter says so
    listed = world.agency("police").get("/issuers/police/licences")["items"]
    assert [one["licence_id"] for one in listed if one["kid"] == kid] == [old]  # what its agency issues again
    shown = world.show(licences=[{"licence_id": new, "claims": ["residence_district"]}])
    assert world.scan(shown["url"])["reason"] == "accepted"
    assert ("operator:op", "key.compromised", kid) in acts(world, "keys")


@pytest.mark.parametrize("purpose", ["trust_list", "receipt", "log", "request"])
def test_no_key_of_ours_stays_given_up(world: World, purpose: str) -> None:
    """The operator's keys, too, are followed by another in the same act; said again, the earlier date counts."""
    world.house.log.checkpoint(now=world.now, fresh=True)
    if world.house.vault.active_kid("operator", KeyPurpose(purpose)) is None:
        world.house.vault.create("operator", KeyPurpose(purpose), actor="operator", now=world.now)
    kid = world.house.vault.active("operator", KeyPurpose(purpose)).kid
    since = [world.now + timedelta(days=1), world.now - timedelta(days=2), world.now - timedelta(days=1)]
    for one in since:
        world.house.vault.compromise(kid, since=one, actor="operator:op", now=world.now)
    after = world.house.vault.active("operator", KeyPurpose(purpose))
    assert after.kid != kid
    (given_up,) = [one for one in world.house.vault.key_rows("operator") if one.state == "compromised"]
    assert (given_up.kid, given_up.compromised_from) == (kid, since[1])


def test_compromised_next_and_retired_keys(world: World) -> None:
    """Keys that wait and keys that retired can be given up too; the active one goes on."""
    old = world.issue()
    rotate(world)
    kids = {one.state: one.kid for one in world.house.vault.key_rows("police", KeyPurpose.LICENCE)}
    for state in ("next", "retired"):
        assert compromise(world, kids[state]).status == 204
    assert states(world) == ["active", "compromised", "compromised", "next"]
    shown = world.show(licences=[{"licence_id": old, "claims": []}])
    assert world.scan(shown["url"])["reason"] == "key_compromised"
    new = world.issue()
    shown = world.show(licences=[{"licence_id": new, "claims": []}])
    assert world.scan(shown["url"])["reason"] == "accepted"
    assert rotate(world) not in kids.values()


def test_unknown_key_is_404(world: World) -> None:
    """There is nothing to give up at a kid that is none."""
    made = compromise(world, "nothing")
    assert (made.status, made["code"]) == (404, "unknown_key")


def test_preparation_under_a_compromised_key_is_not_completed(world: World) -> None:
    """A signature by a key that was given up after the preparation is not taken."""
    prepared = univ(world).post("/issuers/univ/licences/prepare", order(world, "graduation_certificate"))
    compromise(world, prepared["kid"])
    path = f"/issuers/univ/licences/{prepared['licence_id']}/complete"
    made = univ(world).post(path, signature(prepared))
    assert (made.status, made["code"]) == (404, "unknown_key")
    assert world.house.issuer.read("univ", prepared["licence_id"]).signature is None


def test_compromised_list_key_is_replaced_in_the_very_next_list(world: World) -> None:
    """Once a list key was given up and rotated, the list served is signed by the new key and licences verify."""
    world.issue()
    statuses(world)
    shown = world.show()
    compromise(world, world.house.vault.active("police", KeyPurpose.STATUS_LIST).kid)
    kid = rotate(world, "police", "status_list")
    token = world.anybody.get("/issuers/police/status/1").body
    assert jws.parse(token, jws.STATUS_LIST).kid == kid
    assert world.scan(shown["url"])["reason"] == "accepted"


def test_books_are_sound_after_a_compromise(world: World) -> None:
    """Giving a key up is no fault of the ledger: the doctor has nothing to say of it."""
    world.issue()
    compromise(world, world.house.vault.active("police", KeyPurpose.LICENCE).kid)
    rotate(world)
    assert findings(world) == []


def test_agencys_own_key_is_not_replaced_behind_its_back(world: World) -> None:
    """Rotating the licence key of an agency that keeps its own does not give its signature to the service."""
    univ(world)
    made = world.operator.post("/admin/keys/rotate", {"owner": "univ", "purpose": "licence"})
    assert (made.status, made["code"]) == (409, "owner_keeps_key")
    assert world.house.vault.active("univ", KeyPurpose.LICENCE).signer is None
    assert states(world, "univ") == ["active"]


def test_who_keeps_its_keys_now_gets_none_of_ours(world: World) -> None:
    """An agency that moved to keys of its own: its old key here, stolen, is given up, and nothing takes its place."""
    old = world.house.vault.create("moved", KeyPurpose.LICENCE, actor="operator:op", now=world.now)
    jwk = export_public(new_key())
    world.house.vault.register("moved", KeyPurpose.LICENCE, jwk, actor="operator:op", now=world.now)
    with world.house.database.write() as session:  # its own key follows the one that was here
        world.house.vault._promote(session, "moved", KeyPurpose.LICENCE, now=world.now)
    rows = world.house.vault.key_rows("moved", KeyPurpose.LICENCE)
    active = world.house.vault.active("moved", KeyPurpose.LICENCE)
    world.house.vault.compromise(old, since=world.now, actor="operator:op", now=world.now)
    after = world.house.vault.key_rows("moved", KeyPurpose.LICENCE)
    assert {one.kid for one in after} == {one.kid for one in rows}
    assert world.house.vault.active("moved", KeyPurpose.LICENCE) == active
    assert [one.kid for one in after if one.sealed is not None] == [old]


def test_keys_made_at_once_leave_one_active(world: World) -> None:
    """Of keys made at the same moment for one owner and purpose one is active and the others next."""
    houses = [world.build() for _ in range(4)]

    def make(number: int) -> str:
        return houses[number % 4].vault.create("newcomer", KeyPurpose.LICENCE, actor="test", now=world.now)

    try:
        with ThreadPoolExecutor(8) as pool:
            kids = list(pool.map(make, range(8)))
    finally:
        for house in houses:
            house.database.engine.dispose()
    assert len(set(kids)) == 8
    assert states(world, "newcomer") == ["active"] + ["next"] * 7
    assert findings(world) == []


def test_rotations_at_once_leave_one_active(world: World) -> None:
    """Eight rotations at the same moment leave one active key and no key lost, and licences are signed by it."""
    old = world.issue()
    with ThreadPoolExecutor(8) as pool:
        answered = list(pool.map(lambda _: rotate(world), range(8)))
    found = states(world)
    assert found.count("active") == 1
    assert set(found) <= {"active", "next", "retired"}
    new = world.issue()
    active = next(one.kid for one in world.house.vault.key_rows("police", KeyPurpose.LICENCE) if one.state == "active")
    assert row(world, new).kid == active
    assert active in answered
    for licence_id in (old, new):
        shown = world.show(licences=[{"licence_id": licence_id, "claims": []}])
        assert world.scan(shown["url"])["reason"] == "accepted"
    assert findings(world) == []
