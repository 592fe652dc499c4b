"""Attack: force a counter off line, so that it does not learn of a revocation."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.issuers.claims_of_types import SENT
from tests.world import ITEM, World
from verifier import offline


def made_without_asking(world: World, licence_id: str) -> str:
    """A pass of a wallet that does not ask what became of the licence, as ours does."""
    subject, wallet = world.holder().subject, world.house.wallet
    wallet._states = lambda _licence_ids: {}
    return wallet.offline_pass(subject, licence_id, [], life=timedelta(minutes=5), now=world.now)


@pytest.mark.parametrize(
    ("hours", "outcome", "reason"), [(1, "accepted", "accepted"), (25, "cannot_confirm", "status_stale")]
)
def test_a_stale_bundle_turns_amber_never_green(world: World, hours: int, outcome: str, reason: str) -> None:
    """A bundle from before the revocation tells its age, and past the type's limit confirms nothing."""
    licence_id = world.issue()
    bundle = offline.open_bundle(world.bundle())
    world.change("revoke", licence_id, "moved_away")
    world.now += timedelta(hours=hours)
    text = made_without_asking(world, licence_id)
    made = offline.verify_pass(text, bundle, bundle.items[ITEM], now=world.now).as_json()
    assert (made["verdict"], made["reason"], made["offline"]) == (outcome, reason, True)
    if outcome == "accepted":
        assert made["status_age_seconds"] == hours * 3600
    else:
        assert made["licences"] == []


def test_on_line_a_pass_meets_the_revocation(world: World) -> None:
    """The same pass at a counter with a network is refused at once."""
    licence_id = world.issue()
    text = world.offline_pass(licence_id, [])
    world.change("revoke", licence_id, "moved_away")
    made = world.scan(text)
    assert (made["verdict"], made["reason"]) == ("refused", "revoked")


def test_a_revoked_licence_in_a_stale_list_is_still_revoked(world: World) -> None:
    """However old a list is, a revocation that it holds is believed: red, not amber."""
    licence_id = world.issue()
    world.change("revoke", licence_id, "moved_away")
    bundle = offline.open_bundle(world.bundle())
    world.now += timedelta(hours=30)
    text = made_without_asking(world, licence_id)
    made = offline.verify_pass(text, bundle, None, now=world.now)
    assert (str(made.outcome), made.reason) == ("refused", "revoked")


@pytest.mark.parametrize(("hours", "reason"), [(12, "accepted"), (13, "status_stale")])
def test_each_type_has_its_own_limit(world: World, hours: int, reason: str) -> None:
    """A social insurance certificate changes by the month and is believed off line for half a day only."""
    sent = SENT["social_insurance_certificate"]
    licence_id = world.issue("social_insurance_certificate", sent.holder, sent.agency, claims=sent.claims)
    bundle = offline.open_bundle(world.bundle())
    subject, wallet = world.holder(sent.holder).subject, world.house.wallet
    world.now += timedelta(hours=hours)
    text = wallet.offline_pass(subject, licence_id, [], life=timedelta(minutes=5), now=world.now)
    assert offline.verify_pass(text, bundle, None, now=world.now).reason == reason


def test_a_type_that_may_not_be_shown_offline(world: World) -> None:
    """A type whose data forbid it gets no pass, and the wallet says what to do instead."""
    licence_id = world.issue()
    keeping = world.house.wallet._keeping
    (vct,) = [vct for vct, kind in keeping._types.items() if kind.key == "residence_permit"]
    keeping._types = {**keeping._types, vct: replace(keeping._types[vct], offline_pass=False)}
    body = {"licence_id": licence_id, "claims": [], "qr": "none"}
    made = world.holder().post("/wallet/passes", body)
    assert (made.status, made["code"]) == (422, "offline_pass_not_allowed")
    assert "亮码" in made["message"]["zh"]


@pytest.mark.parametrize(("act", "cause"), [("revoke", "fraud"), ("suspend", "endorsement_lapsed")])
def test_no_pass_of_what_is_not_in_force(world: World, act: str, cause: str) -> None:
    """A bundle of yesterday does not know what the agency did since: the wallet does, and makes no pass of it."""
    licence_id = world.issue()
    assert world.change(act, licence_id, cause).status == 200
    made = world.holder().post("/wallet/passes", {"licence_id": licence_id, "claims": [], "qr": "none"})
    assert (made.status, made["code"]) == (409, "licence_not_in_force")
    assert world.holder().get("/wallet/uses")["items"] == []
