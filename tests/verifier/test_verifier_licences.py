"""The licence itself: dates, status, trust in its agency and key."""

import pytest

from tests.tokens import ABSENT
from tests.verifier.forge import TYPE, Forge, failed, refused
from tests.world import World


def test_dates_at_their_bounds(world: World) -> None:
    """A licence is good from its first second to its last, and no longer."""
    forge = Forge(world)
    now = forge.second
    assert forge.verdict(forge.licence(iat=now - 9, exp=now + 1))["reason"] == "accepted"
    refused(forge.verdict(forge.licence(iat=now - 9, exp=now)), "licence_expired", 6)
    assert forge.verdict(forge.licence(nbf=now))["reason"] == "accepted"
    refused(forge.verdict(forge.licence(nbf=now + 1)), "licence_not_yet_valid", 6)


def test_expired_over_time(world: World) -> None:
    """An issued permit is accepted on the endorsement's last day in the city's time and refused the day after."""
    world.issue(claims={"endorsed_until": "2026-11-23"})
    assert world.scan(world.show()["url"])["reason"] == "accepted"
    world.wait(11 * 3600 + 3599)
    shown_before = world.house.wallet  # the holder's session is an hour: show through the wallet itself
    now = world.now
    choice = shown_before.choose(world.holder().subject, "school_transfer", None, now=now)
    code = shown_before.show(world.holder().subject, choice, now=now)
    assert world.scan(code.url)["reason"] == "accepted"
    world.wait(3600)
    code = shown_before.show(world.holder().subject, choice, now=world.now)
    assert world.scan(code.url)["reason"] == "licence_expired"


def test_a_licence_for_later(world: World) -> None:
    """A permit whose first day lies ahead is refused until that day."""
    made = world.agency("police").post("/issuers/police/licences", world.order(valid_from="2026-11-24"))
    assert made.status == 201, made.body
    picked = {"licences": [{"licence_id": made["licence_id"], "claims": []}]}
    made = world.scan(world.show(**picked)["url"])
    assert (made["verdict"], made["reason"]) == ("refused", "licence_not_yet_valid")
    assert failed(made) == [(6, "licence_not_yet_valid")]


@pytest.mark.parametrize(
    ("verb", "cause", "reason"),
    [("suspend", "endorsement_lapsed", "suspended"), ("revoke", "moved_away", "revoked")],
)
def test_suspended_and_revoked_are_different_words(world: World, verb: str, cause: str, reason: str) -> None:
    """A status change shows at the very next scan, under its own reason."""
    licence_id = world.issue()
    shown = world.show()
    assert world.change(verb, licence_id, cause).status == 200
    refused(world.scan(shown["url"]), reason, 7)


def test_a_right_that_was_withdrawn(world: World) -> None:
    """Licences signed before an agency lost its right stay good; those it signs afterwards are refused."""
    forge = Forge(world)
    before = forge.licence()
    world.wait(10)
    assert world.operator.delete(f"/admin/agencies/univ/types/{TYPE}").status == 204
    assert forge.verdict(before)["reason"] == "accepted"
    refused(forge.verdict(forge.licence()), "type_not_authorised", 3)
    world.wait(1)
    refused(forge.verdict(forge.licence()), "type_not_authorised", 3)


def test_an_agency_that_nobody_vouches_for(world: World) -> None:
    """A licence of an agency that is not on the trust list is refused, whoever signed it."""
    forge = Forge(world)
    for issuer in ("http://127.0.0.1:8080/issuers/edu", "https://evil.example", forge.iss + "/", forge.iss.upper()):
        refused(forge.verdict(forge.licence(iss=issuer)), "untrusted_agency", 3)


def test_a_compromised_key(world: World) -> None:
    """A key that is marked as compromised is believed no more, whatever date the licence bears."""
    forge = Forge(world)
    before = forge.licence(iat=forge.second)
    world.wait(5)
    assert forge.verdict(before)["reason"] == "accepted"
    body = {"since": world.now.isoformat()}
    assert world.operator.post(f"/admin/keys/{forge.kid}/compromise", body).status == 204
    refused(forge.verdict(forge.licence()), "key_compromised", 3)
    refused(forge.verdict(before), "key_compromised", 3)


def test_a_retired_key_still_verifies(world: World) -> None:
    """After a rotation, licences of the old key and of the new one are accepted."""
    world.issue()
    old = world.show()
    assert world.operator.post("/admin/keys/rotate", {"owner": "police", "purpose": "licence"}).status == 200
    assert world.scan(old["url"])["reason"] == "accepted"
    world.issue()
    assert world.scan(world.show()["url"])["reason"] == "accepted"


@pytest.mark.parametrize(
    ("changes", "reason", "step"),
    [
        ({"iat": ABSENT}, "claim_invalid", 3),
        ({"iat": "now"}, "claim_invalid", 3),
        ({"exp": 1}, "claim_invalid", 4),
        ({"exp": 2**63}, "claim_invalid", 4),
        ({"nbf": True}, "claim_invalid", 4),
        ({"cnf": ABSENT}, "holder_binding_missing", 4),
        ({"cnf": {"jwk": {"kty": "oct", "k": "AAAA"}}}, "key_refused", 4),
        ({"status": ABSENT}, "claim_invalid", 4),
        ({"vct": ABSENT}, "claim_invalid", 2),
        ({"iss": ["a"]}, "claim_invalid", 2),
        ({"vct": "http://127.0.0.1:8080/issuers/types/no_such"}, "type_not_authorised", 3),
    ],
)
def test_registered_claims_of_the_wrong_kind(world: World, changes: dict, reason: str, step: int) -> None:
    """A licence of a trusted agency whose registered claims are missing or odd is refused, at its own step."""
    forge = Forge(world)
    refused(forge.verdict(forge.licence(**changes)), reason, step)


def test_a_licence_of_the_future_says_that_clocks_differ(world: World) -> None:
    """A licence signed more than a minute ahead cannot be confirmed: one of the clocks is wrong."""
    forge = Forge(world)
    assert forge.verdict(forge.licence(iat=forge.second + 60))["reason"] == "accepted"
    refused(forge.verdict(forge.licence(iat=forge.second + 61)), "clock_differs", 6, "cannot_confirm")
