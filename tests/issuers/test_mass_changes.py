"""Changing many licences at once: looked at before, agreed on by two, done as one, published once."""

import pytest

from credentials.status_list import Status
from issuers.mass.mass_changes import MOST
from tests.issuers.city import status_of, statuses
from tests.races.test_many_at_once import at_once
from tests.records.tables import acts, counts, findings
from tests.world import PARENT, Answer, Caller, World

PATH = "/issuers/police/status-changes"
MOVED = "moved_away"


def states(world: World) -> set[str]:
    return {one["state"] for one in world.agency("police").get("/issuers/police/licences")["items"]}


@pytest.fixture
def permits(world: World) -> list[str]:
    return [world.issue(), world.issue()]


@pytest.fixture
def clerks(world: World, permits: list[str]) -> tuple[Caller, Caller]:
    """Two clerks of the police, in a service where two must agree."""
    made = [world.caller("clerk", "police", person=name) for name in ("li", "wang")]
    world.restart(four_eyes=True)
    for one in made:
        one.http = world.http
    return made[0], made[1]


def asked(licences: list[str], **more: object) -> dict[str, object]:
    return {"change": "revoke", "cause": MOVED, "licences": licences, **more}


def approve(by: Caller, made: Answer, content_hash: str | None = None) -> Answer:
    return by.post(f"{PATH}/{made['proposal_id']}/approve", {"content_hash": content_hash or made["content_hash"]})


def test_two_clerks_revoke_many(world: World, permits: list[str], clerks: tuple[Caller, Caller]) -> None:
    """Proposed by one, nothing changes; approved by the other, all are revoked, audited one by one, and published."""
    li, wang = clerks
    made = li.post(PATH, asked(permits))
    assert (made.status, made["state"]) == (202, "waiting")
    assert states(world) == {"valid"}
    (listed,) = wang.get(PATH)["items"]
    assert listed["content"] == {"to": "revoked", "cause": MOVED, "licences": 2}
    seen = wang.get(f"{PATH}/{listed['proposal_id']}")
    assert seen["content"] == {"to": "revoked", "cause": MOVED, "licences": permits}
    done = approve(wang, made, seen["content_hash"])
    assert (done.status, done["state"], done["changed"], done["left"]) == (200, "approved", 2, [])
    assert states(world) == {"revoked"}
    told = [
        (actor, act) for actor, act, _ in acts(world, "issuers/police") if act.startswith(("licence.revoked", "prop"))
    ]
    assert told == [
        ("clerk:police/li", "proposal.made"),
        ("clerk:police/wang", "proposal.approved"),
        ("clerk:police/wang", "licence.revoked"),
        ("clerk:police/wang", "licence.revoked"),
    ]
    assert findings(world) == []


def test_many_are_published_once(world: World, permits: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """However many change, their list is signed once, after the last, and says it of each; the others stay as they are."""
    other = world.issue()
    before, signed, publish = statuses(world), [], world.house.publisher.publish
    monkeypatch.setattr(
        world.house.publisher, "publish", lambda list_id, **how: signed.append(list_id) or publish(list_id, **how)
    )
    made = world.agency("police").post(PATH, asked(permits, **SUSPEND))
    assert (made.status, made["changed"]) == (200, 2)
    assert signed == ["police/1"]
    assert [status_of(world, one) for one in (*permits, other)] == [Status.SUSPENDED, Status.SUSPENDED, Status.VALID]
    assert statuses(world).version == before.version + 1
    assert signed == ["police/1"]
    assert findings(world) == []


def test_one_clerk_is_not_two(world: World, permits: list[str], clerks: tuple[Caller, Caller]) -> None:
    """Neither the same clerk, nor a system, nor the operator, nor another agency's clerk approves."""
    li, wang = clerks
    made = li.post(PATH, asked(permits))
    assert approve(li, made)["code"] == "same_person"
    assert world.agency("police").post(PATH, asked(permits))["code"] == "person_needed"
    assert approve(world.agency("police"), made)["code"] == "person_needed"
    body = {"content_hash": made["content_hash"]}
    assert world.operator.post(f"/admin/proposals/{made['proposal_id']}/approve", body)["code"] == "unknown_proposal"
    assert world.operator.get("/admin/proposals")["items"] == []
    assert approve(wang, made, "0" * 64)["code"] == "proposal_over"
    assert wang.post(f"{PATH}/{made['proposal_id']}/decline")["state"] == "declined"
    assert approve(wang, made)["code"] == "proposal_over"
    assert states(world) == {"valid"}


def test_what_is_over(world: World, permits: list[str], clerks: tuple[Caller, Caller]) -> None:
    """A day later nobody approves it, and the list says so."""
    li, wang = clerks
    made = li.post(PATH, asked(permits))
    world.wait(24 * 3600)
    assert approve(wang, made)["code"] == "proposal_over"
    assert wang.get(PATH)["items"][0]["state"] == "expired"


def test_what_changed_meanwhile_is_left(world: World, permits: list[str], clerks: tuple[Caller, Caller]) -> None:
    """A licence that was revoked for another cause before the approval keeps that cause, and is told."""
    li, wang = clerks
    made = li.post(PATH, asked(permits))
    assert world.change("revoke", permits[0], "fraud").status == 200
    done = approve(wang, made)
    assert (done["changed"], [one["licence_id"] for one in done["left"]]) == (1, [permits[0]])
    assert world.agency("police").get(f"/issuers/police/licences/{permits[0]}")["cause"] == "fraud"
    assert findings(world) == []


def test_many_approve_at_once(world: World, permits: list[str], clerks: tuple[Caller, Caller]) -> None:
    """Of eight approvals at once one does it; each licence changes once."""
    li, wang = clerks
    made = li.post(PATH, asked(permits))
    answers = at_once([lambda: approve(wang, made)] * 8)
    assert sorted(one.status for one in answers) == [200] + [409] * 7
    assert len([act for _, act, _ in acts(world, "issuers/police") if act == "licence.revoked"]) == 2


def test_a_preview_does_nothing(world: World, permits: list[str]) -> None:
    """It says how many would change, and of each other one why it would not."""
    world.change("revoke", permits[0], MOVED)
    before = counts(world)
    seen = world.agency("police").post(PATH, asked([*permits, "nobody", permits[1]], preview=True))
    assert (seen["state"], seen["changed"]) == ("preview", 1)
    assert [(one["licence_id"], one["code"]) for one in seen["left"]] == [
        (permits[0], "licence_revoked"),
        ("nobody", "not_found"),
        (permits[1], "twice"),
    ]
    assert counts(world) == before


def test_if_one_cannot_nothing_is_done(world: World, permits: list[str]) -> None:
    """Unknown, another agency's, twice, in the wrong state, for a cause of another type: refused whole, by pointer."""
    certificate = world.issue_certificate()
    before = counts(world)
    police = world.agency("police")
    for body, pointer, code in (
        (asked([*permits, "nobody"]), "/licences/2", "not_found"),
        (asked([permits[0], certificate]), "/licences/1", "not_found"),
        (asked([permits[0], permits[0]]), "/licences/1", "twice"),
        (asked(permits, change="reinstate", cause=None), "/licences/0", "wrong_state"),
        (asked(permits, cause="superseded"), "/cause", "unknown_cause"),
        (asked(permits, change="suspend", preview=True), "/cause", "unknown_cause"),
        (asked([*permits, "nobody"], change="suspend"), "/licences/0", "unknown_cause"),
    ):
        refused = police.post(PATH, body)
        assert (refused.status, refused["faults"][0]["pointer"], refused["faults"][0]["code"]) == (422, pointer, code)
    assert police.post(PATH, asked([]))["code"] == "invalid_request"
    assert police.post(PATH, asked(["x"] * (MOST + 1)))["code"] == "invalid_request"
    assert counts(world) == before


def test_as_many_as_there_may_be(world: World, permits: list[str]) -> None:
    """A body with the most licences, each with an identifier of full length, is read."""
    many = [f"{permits[0][:-20]}{number:020d}" for number in range(MOST)]
    seen = world.agency("police").post(PATH, asked(many, preview=True))
    assert (seen.status, len(seen["left"])) == (200, MOST)


def test_twenty_wait_and_no_more(world: World, permits: list[str], clerks: tuple[Caller, Caller]) -> None:
    """One person buries nobody's proposal; declining one makes room."""
    li, wang = clerks
    made = [li.post(PATH, asked(permits)) for _ in range(21)]
    assert [one.status for one in made] == [202] * 20 + [409]
    assert made[-1]["code"] == "too_many_proposals"
    assert wang.post(PATH, asked(permits)).status == 202
    assert li.post(f"{PATH}/{made[0]['proposal_id']}/decline").status == 200
    assert li.post(PATH, asked(permits)).status == 202


def test_one_alone_revokes_few(world: World) -> None:
    """Where two agree on many, a loop of single revocations ends at the hour's limit, with an alert; not in others'."""
    permits = [world.issue() for _ in range(3)]
    world.restart(four_eyes=True, limit_revocations_per_hour=2)
    assert [world.change("revoke", one, MOVED).status for one in permits] == [200, 200, 429]
    refused = world.change("revoke", permits[2], MOVED)
    assert refused["code"] == "revocations_exceeded"
    assert ("agency:police", "alert.velocity", "agency:police/revocations") in acts(world, "issuers/police")
    assert world.change("suspend", permits[2], "endorsement_lapsed").status == 200
    world.wait(3600)
    assert world.change("revoke", permits[2], MOVED).status == 200


def test_where_one_is_enough(world: World, permits: list[str]) -> None:
    """In the demonstration one call suspends and reinstates all; the same key again answers the same and does nothing."""
    police = world.agency("police")
    body = asked(permits, change="suspend", cause="endorsement_lapsed")
    first = police.post(PATH, body, headers={"Idempotency-Key": "once"})
    assert (first.status, first["state"], first["changed"]) == (200, "done", 2)
    again = police.post(PATH, asked(permits, change="reinstate", cause=None))
    assert again["changed"] == 2
    assert police.post(PATH, body, headers={"Idempotency-Key": "once"}).body == first.body
    assert states(world) == {"valid"}
    assert world.scan(world.show(PARENT)["url"])["reason"] == "accepted"


def test_the_same_key_proposes_once(world: World, permits: list[str], clerks: tuple[Caller, Caller]) -> None:
    """A repeated request is answered with the proposal that it made."""
    key = {"Idempotency-Key": "once"}
    first, second = (clerks[0].post(PATH, asked(permits), headers=key) for _ in range(2))
    assert (first.status, first["proposal_id"]) == (second.status, second["proposal_id"])
    answers = at_once([lambda: clerks[0].post(PATH, asked(permits), headers={"Idempotency-Key": "twice"})] * 6)
    assert {one.status for one in answers} == {202}
    assert len({one["proposal_id"] for one in answers}) == 1
    assert len(clerks[0].get(PATH)["items"]) == 2


SUSPEND = {"change": "suspend", "cause": "endorsement_lapsed"}


def test_a_suspension_of_many_is_undone_as_a_whole(world: World, permits: list[str]) -> None:
    """Within an hour one clerk undoes it, once: what was changed since stays as it is; the list says so at once."""
    more = world.issue()
    made = world.agency("police").post(PATH, asked([*permits, more], **SUSPEND))
    assert (made["changed"], made["undo_until"] is not None) == (3, True)
    world.wait(60)
    world.change("revoke", more, MOVED)
    undone = world.agency("police").post(f"{PATH}/{made['change_id']}/undo")
    assert (undone["state"], undone["changed"], [one["licence_id"] for one in undone["left"]]) == ("undone", 2, [more])
    assert states(world) == {"valid", "revoked"}
    (listed,) = world.agency("police").get(PATH)["changes"]
    assert (listed["change_id"], listed["change"], listed["licences"]) == (made["change_id"], "suspend", 3)
    assert (listed["undo_until"], listed["undone_at"] is not None) == (None, True)
    before = counts(world)
    world.wait(7200)
    again = world.caller("clerk", "police", person="wang").post(f"{PATH}/{made['change_id']}/undo")
    assert (again.status, again.body) == (200, undone.body)
    assert {**counts(world), "access_token": 0, "audit_entry": 0} == {**before, "access_token": 0, "audit_entry": 0}
    assert findings(world) == []


def test_undone_by_eight_at_once(world: World, permits: list[str]) -> None:
    """Each licence is reinstated once; whoever asks at the same moment is told what came of it."""
    made = world.agency("police").post(PATH, asked(permits, **SUSPEND))
    answers = at_once([lambda: world.agency("police").post(f"{PATH}/{made['change_id']}/undo")] * 8)
    assert {(one.status, one["changed"]) for one in answers} == {(200, 2)}
    assert world.agency("police").post(f"{PATH}/{made['change_id']}/undo")["changed"] == 2
    assert len([act for _, act, _ in acts(world, "issuers/police") if act == "licence.reinstated"]) == 2
    assert findings(world) == []


def test_what_was_done_is_listed(world: World, permits: list[str], clerks: tuple[Caller, Caller]) -> None:
    """Approved by two, a suspension is among what was done, with until when it can be undone; a month later no more."""
    li, wang = clerks
    assert li.get(PATH)["changes"] == []
    done = approve(wang, li.post(PATH, asked(permits, **SUSPEND)))
    (listed,) = li.get(PATH)["changes"]
    assert (listed["change_id"], listed["undo_until"]) == (done["change_id"], done["undo_until"])
    world.wait(3601)
    assert li.get(PATH)["changes"][0]["undo_until"] is None
    world.wait(29 * 86400)
    assert world.house.forget_what_is_over(now=world.now)["mass_changes"] == 0
    world.wait(86400)
    assert world.house.forget_what_is_over(now=world.now)["mass_changes"] == 1


def test_what_was_suspended_again_meanwhile_stays_suspended(world: World, permits: list[str]) -> None:
    """One that was reinstated and suspended for another reason is not this change's any more."""
    made = world.agency("police").post(PATH, asked(permits, **SUSPEND))
    world.wait(5)
    world.change("reinstate", permits[0])
    world.wait(5)
    world.change("suspend", permits[0], SUSPEND["cause"])
    assert world.agency("police").post(f"{PATH}/{made['change_id']}/undo")["changed"] == 1
    assert states(world) == {"valid", "suspended"}
    assert findings(world) == []


def test_too_late_or_never_to_be_undone(world: World, permits: list[str]) -> None:
    """After an hour, of a revocation, of another agency, of nothing: refused, and nothing changes."""
    police = world.agency("police")
    late = police.post(PATH, asked(permits[:1], **SUSPEND))
    revoked = police.post(PATH, asked(permits[1:]))
    assert revoked["undo_until"] is None
    assert police.post(f"{PATH}/{revoked['change_id']}/undo")["code"] == "undo_over"
    assert world.agency("school1").post(f"/issuers/school1/status-changes/{late['change_id']}/undo").status == 404
    world.wait(3601)
    assert police.post(f"{PATH}/{late['change_id']}/undo")["code"] == "undo_over"
    assert states(world) == {"suspended", "revoked"}
