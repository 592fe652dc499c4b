"""Four eyes: stolen keys and trust changes are proposed by one, approved by another, once, within a day, as looked at."""

import pytest

from credentials.jwk import export_public
from keys.models import KeyPurpose
from tests.foreign import new_key
from tests.races.test_many_at_once import at_once
from tests.records.tables import acts, counts, findings
from tests.world import Answer, Caller, World

NEW_AGENCY = {
    "key": "newbody", "name": {"zh": "新机关", "en": "New"}, "kind": "public_body", "uscc": "1144019900DEM0015H",
    "region": "440199", "domain": "公安", "may_sign": [],
}  # fmt: skip
RIGHT = "/admin/agencies/police/types/driving_licence"


def token(world: World, person: str, subject: str = "op") -> str:
    body = {"role": "operator", "subject": subject, "person": person}
    return str(world.operator.post("/admin/tokens", body)["secret"])


@pytest.fixture
def second(world: World) -> Caller:
    """Another operator, Wang, in a service where two must agree; `world.operator` is Li."""
    world.agency("police")
    li, wang = token(world, "li"), token(world, "wang")
    world.operator = Caller(world.http, li, "op")
    world.restart(four_eyes=True)
    return Caller(world.http, wang, "op")


def approve(by: Caller, proposal: Answer, content_hash: str | None = None) -> Answer:
    body = {"content_hash": content_hash or proposal["content_hash"]}
    return by.post(f"/admin/proposals/{proposal['proposal_id']}/approve", body)


def compromise(world: World) -> Answer:
    kid = world.house.vault.active("police", KeyPurpose.LICENCE).kid
    made = world.operator.post(f"/admin/keys/{kid}/compromise", {"since": "2026-11-20T00:00:00+08:00"})
    assert made.status == 202, made.body
    return made


def test_a_stolen_key_needs_two(world: World, second: Caller) -> None:
    """Proposed, seen by the other with all its content, approved: then the key is compromised, and not before."""
    kid = world.house.vault.active("police", KeyPurpose.LICENCE).kid
    made = compromise(world)
    assert world.house.vault.active("police", KeyPurpose.LICENCE).kid == kid
    (seen,) = second.get("/admin/proposals")["items"]
    assert (seen["kind"], seen["content"]["kid"], seen["state"]) == ("key.compromise", kid, "waiting")
    done = approve(second, made)
    assert (done.status, done["state"], done["decided_by"]) == (200, "approved", "operator:op/wang")
    assert world.house.vault.active("police", KeyPurpose.LICENCE).kid != kid
    told = [act for _, act, _ in acts(world, "keys")]
    assert told.index("proposal.made") < told.index("proposal.approved") < told.index("key.compromised")
    assert findings(world) == []


def test_one_person_is_not_two(world: World) -> None:
    """Whoever proposed it cannot approve it, by no other token of theirs; declining it they may."""
    world.agency("police")
    nobody = world.operator
    secrets = [token(world, "li"), token(world, "li", "night_shift"), token(world, "wang")]
    world.restart(four_eyes=True)
    li, li_again, wang = (Caller(world.http, secret, "op") for secret in secrets)
    assert nobody.call("PUT", RIGHT, {})["code"] == "person_needed"
    made = li.call("PUT", RIGHT, {})
    assert approve(li, made)["code"] == approve(li_again, made)["code"] == "same_person"
    assert approve(nobody, made)["code"] == "person_needed"
    made_up = {"role": "operator", "subject": "op", "person": "myself"}
    assert li.post("/admin/tokens", made_up)["code"] == "operator_token_refused"
    assert li.post(f"/admin/proposals/{made['proposal_id']}/decline")["state"] == "declined"
    assert approve(wang, made)["code"] == "proposal_over"


def test_what_was_not_looked_at(world: World, second: Caller) -> None:
    """Another hash, one that is over, one that is not there."""
    made = compromise(world)
    assert approve(second, made, "0" * 64)["code"] == "proposal_over"
    assert second.post("/admin/proposals/nobody/approve", {"content_hash": "0" * 64})["code"] == "unknown_proposal"
    assert second.post(f"/admin/proposals/{made['proposal_id']}/approve", {})["code"] == "invalid_request"
    world.wait(24 * 3600)
    assert approve(second, made)["code"] == "proposal_over"


def test_trust_needs_two(world: World, second: Caller) -> None:
    """Taking an agency in, giving a right and withdrawing it: each waits, and each is done when approved."""
    assert world.operator.call("PUT", RIGHT, {}).status == 202
    assert world.operator.call("PUT", RIGHT, {"valid_until": "2020-01-01T00:00:00Z"}).status == 422
    given = world.operator.call("PUT", RIGHT, {"valid_until": "2027-01-01T00:00:00Z"})
    vct = world.house.issuer.vct("driving_licence")
    assert not world.house.registry.may_sign("police", vct, now=world.now)
    assert approve(second, given).status == 200
    assert world.house.registry.may_sign("police", vct, now=world.now)
    withdrawn = world.operator.delete(RIGHT)
    assert approve(second, withdrawn).status == 200
    assert not world.house.registry.may_sign("police", vct, now=world.now)
    taken = world.operator.post("/admin/agencies", NEW_AGENCY)
    assert taken.status == 202, taken.body
    assert approve(second, taken).status == 200
    assert world.house.issuer.agency("newbody").key == "newbody"
    assert findings(world) == []


def test_a_key_for_an_agency_needs_two(world: World, second: Caller) -> None:
    """One operator cannot give an agency a key of theirs and put it to use: registering it waits for another."""
    jwk = export_public(new_key())
    before = counts(world)["signing_key"]
    made = world.operator.post("/admin/keys", {"owner": "police", "jwk": jwk})
    assert made.status == 202, made.body
    assert counts(world)["signing_key"] == before
    assert world.operator.post("/admin/keys", {"owner": "police", "jwk": {"kty": "EC"}})["code"] == "key_refused"
    assert approve(second, made).status == 200
    assert counts(world)["signing_key"] == before + 1


def test_what_is_not_there_is_not_proposed(world: World, second: Caller) -> None:
    """A key, an agency or a right that is none is refused to the first person, not to the second."""
    since = {"since": "2026-11-20T00:00:00+08:00"}
    answers = [
        world.operator.post("/admin/keys/nokid/compromise", since),
        world.operator.call("PUT", "/admin/agencies/nope/types/residence_permit", {}),
        world.operator.delete("/admin/agencies/nope/types/residence_permit"),
        world.operator.delete("/admin/agencies/police/types/driving_licence"),
    ]
    assert [(one.status, one["code"]) for one in answers] == [(404, "unknown_key"), *[(404, "not_found")] * 3]
    assert second.get("/admin/proposals")["items"] == []


def test_a_right_that_has_not_begun_is_withdrawn(world: World, second: Caller) -> None:
    """Given by mistake from next week on, it is taken back before it begins."""
    given = world.operator.call("PUT", RIGHT, {"valid_from": "2027-01-01T00:00:00Z"})
    assert approve(second, given).status == 200
    assert approve(second, world.operator.delete(RIGHT)).status == 200


def test_what_cannot_be_done_stays_open(world: World, second: Caller) -> None:
    """An act that fails is not approved: said so, and it may be tried again or declined."""
    first, made = (world.operator.post("/admin/agencies", NEW_AGENCY) for _ in range(2))
    assert approve(second, first).status == 200
    failed = approve(second, made)
    assert (failed.status, failed["code"]) == (409, "agency_exists")
    states = {one["proposal_id"]: one["state"] for one in second.get("/admin/proposals")["items"]}
    assert states == {first["proposal_id"]: "approved", made["proposal_id"]: "waiting"}
    assert second.post(f"/admin/proposals/{made['proposal_id']}/decline").status == 200


def test_many_approve_at_once(world: World, second: Caller) -> None:
    """Sixteen approvals at once: one is done."""
    made = compromise(world)
    before = counts(world)["signing_key"]
    answers = at_once([lambda: approve(second, made)] * 16)
    assert sorted(one.status for one in answers) == [200] + [409] * 15
    assert counts(world)["signing_key"] == before + 1
    assert findings(world) == []


def test_two_must_agree_unless_it_is_a_demonstration(world: World) -> None:
    """By default outside the demonstration, and never by leaving a setting out."""
    assert not world.house.settings.two_must_agree
    world.restart(demo=False)
    assert world.house.settings.two_must_agree
    assert world.operator.call("PUT", RIGHT, {})["code"] == "person_needed"


def test_one_operator_is_not_two_clerks(world: World, second: Caller) -> None:
    """A clerk's token is proposed; its secret goes to the operator who approves it, once."""
    made = world.operator.post("/admin/tokens", {"role": "clerk", "subject": "police", "person": "ghost"})
    assert (made.status, made["kind"]) == (202, "token.grant")
    assert approve(world.operator, made)["code"] == "same_person"
    done = approve(second, made)
    clerk = Caller(world.http, done["made"]["secret"])
    assert clerk.get("/issuers/police/licences").status == 200
    assert "secret" not in str(second.get("/admin/proposals").body)
    system = world.operator.post("/admin/tokens", {"role": "agency", "subject": "police"})
    assert system.status == 201


def test_what_a_crash_left_between_approval_and_act(world: World, second: Caller) -> None:
    """Approved and not done: the next start does it; a token is not made for nobody, and waits again."""
    kid = world.house.vault.active("police", KeyPurpose.LICENCE).kid
    made = compromise(world)
    token_asked = world.operator.post("/admin/tokens", {"role": "clerk", "subject": "police", "person": "ghost"})
    eyes = world.house.four_eyes
    for one in (made, token_asked):
        with world.house.database.write() as session:  # all that a kill -9 lets happen
            eyes.approve_in(
                session, one["proposal_id"], one["content_hash"], stream="keys", actor="operator:op/wang", now=world.now
            )
    assert world.house.vault.active("police", KeyPurpose.LICENCE).kid == kid
    world.restart(four_eyes=True)
    assert world.house.vault.active("police", KeyPurpose.LICENCE).kid == kid  # it may be in somebody's hands
    world.wait(61)
    world.restart(four_eyes=True)
    assert world.house.vault.active("police", KeyPurpose.LICENCE).kid != kid
    second.http = world.http
    states = {one["kind"]: one["state"] for one in second.get("/admin/proposals")["items"]}
    assert states == {"key.compromise": "approved", "token.grant": "waiting"}
    assert findings(world) == []
