"""Changing status: which changes are allowed, for which causes, and how soon everybody can see."""

import pytest

from app import catalogue
from tests.issuers.city import status_of
from tests.issuers.claims_of_types import SENT, order
from tests.records.tables import acts, counts, findings
from tests.world import World

SUSPENDING, REVOKING = "endorsement_lapsed", "fraud"


@pytest.mark.parametrize(
    ("history", "verb", "status", "code"),
    [
        ([], "suspend", 200, "suspended"),
        ([], "revoke", 200, "revoked"),
        ([], "reinstate", 409, "wrong_state"),
        (["suspend"], "suspend", 409, "wrong_state"),
        (["suspend"], "reinstate", 200, "valid"),
        (["suspend"], "revoke", 200, "revoked"),
        (["suspend", "reinstate"], "suspend", 200, "suspended"),
        (["suspend", "reinstate"], "reinstate", 409, "wrong_state"),
        (["revoke"], "revoke", 409, "licence_revoked"),
        (["revoke"], "suspend", 409, "licence_revoked"),
        (["revoke"], "reinstate", 409, "licence_revoked"),
        (["suspend", "revoke"], "reinstate", 409, "licence_revoked"),
    ],
)
def test_transition(world: World, history: list[str], verb: str, status: int, code: str) -> None:
    """Each change is allowed from the states that it may start in, and refused with its code from the others."""
    causes = {"suspend": SUSPENDING, "revoke": REVOKING}
    permit = world.issue()
    for step in history:
        assert world.change(step, permit, causes.get(step)).status == 200
    before, listed = counts(world), status_of(world, permit)
    world.wait(1)
    made = world.change(verb, permit, causes.get(verb))
    assert made.status == status
    if status == 200:
        assert (made["state"], made["cause"], made["state_since"]) == (code, causes.get(verb), "2026-11-23T04:00:01Z")
        assert status_of(world, permit) == {"valid": 0, "revoked": 1, "suspended": 2}[code]
        act = {"suspend": "licence.suspended", "revoke": "licence.revoked", "reinstate": "licence.reinstated"}[verb]
        assert acts(world, "issuers/police")[-1] == ("agency:police", act, permit)
    else:
        assert made["code"] == code
        assert counts(world) == before
        assert status_of(world, permit) == listed
    assert findings(world) == []


@pytest.mark.parametrize("licence_type", list(SENT))
def test_only_the_types_own_causes(world: World, licence_type: str) -> None:
    """Every cause of a type works for its own change and for no other; superseded and flags are nobody's to send."""
    agency = SENT[licence_type].agency
    made = world.agency(agency).post(f"/issuers/{agency}/licences", order(world, licence_type))
    licence_id = made["licence_id"]
    causes = catalogue.licence_types()[licence_type].causes
    effects = {code: one.effect for code, one in causes.items() if code != "superseded"}
    wrong = [("suspend", code) for code, effect in effects.items() if effect != "suspend"]
    wrong += [("revoke", code) for code, effect in effects.items() if effect != "revoke"]
    wrong += [(verb, code) for verb in ("suspend", "revoke") for code in ("superseded", "nonsense", "FRAUD", "瞎编")]
    before = counts(world)
    for verb, cause in wrong:
        refused = world.change(verb, licence_id, cause, by=agency)
        assert (refused.status, refused["code"]) == (422, "unknown_cause"), (verb, cause)
    assert counts(world) == before
    for cause in (code for code, effect in effects.items() if effect == "suspend"):
        assert world.change("suspend", licence_id, cause, by=agency)["cause"] == cause
        assert world.change("reinstate", licence_id, by=agency)["state"] == "valid"
    for cause in (code for code, effect in effects.items() if effect == "revoke"):
        one = world.agency(agency).post(f"/issuers/{agency}/licences", order(world, licence_type))["licence_id"]
        assert world.change("revoke", one, cause, by=agency)["cause"] == cause


def test_a_cause_is_demanded(world: World) -> None:
    """Suspending and revoking without a cause, or with unknown members, is refused."""
    permit, police = world.issue(), world.agency("police")
    for verb in ("suspend", "revoke"):
        path = f"/issuers/police/licences/{permit}/{verb}"
        for body in (
            None,
            {},
            {"cause": ""},
            {"cause": None},
            {"cause": "fraud", "state": "valid"},
            {"cause": ["fraud"]},
        ):
            made = police.post(path, body)
            assert (made.status, made["code"]) == (422, "invalid_request"), (verb, body)
    assert status_of(world, permit) == 0


def test_change_of_nothing_is_404(world: World) -> None:
    """There is nothing to change at an identifier that is not the agency's, whatever the cause."""
    world.agency("police")
    for verb, cause in (("suspend", SUSPENDING), ("revoke", REVOKING), ("reinstate", None)):
        made = world.change(verb, "nothing", cause)
        assert (made.status, made["code"]) == (404, "not_found")
