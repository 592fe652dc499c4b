"""Attack: with a stolen token, sign or revoke as much as the hour lets you."""

from tests.races.test_many_at_once import at_once
from tests.records.tables import acts, findings
from tests.world import World


def test_a_stolen_token_does_not_sign_for_ever(world: World) -> None:
    """The limit's worth is issued, the rest refused; one alert an hour, and another clerk goes on."""
    world.agency("police")
    world.restart(limit_acts_per_hour=5)
    thief = world.caller("clerk", "police", person="wang")
    other = world.caller("clerk", "police", person="li")
    answers = at_once([lambda: thief.post("/issuers/police/licences", world.order())] * 8)
    assert sorted(one.status for one in answers) == [201] * 5 + [429] * 3
    refused = next(one for one in answers if one.status == 429)
    assert refused["code"] == "velocity_exceeded"
    assert other.post("/issuers/police/licences", world.order()).status == 201
    told = [one for one in acts(world, "issuers/police") if one[1] == "alert.velocity"]
    assert told == [("clerk:police/wang", "alert.velocity", "clerk:police/wang")]
    world.wait(3600)
    assert thief.post("/issuers/police/licences", world.order()).status == 201
    assert findings(world) == []


def test_nor_as_many(world: World) -> None:
    """All of an agency together have a limit too: who makes itself many names signs no more."""
    world.agency("police")
    world.restart(limit_acts_per_hour=3, limit_agency_acts_per_hour=5)
    many = [world.caller("clerk", "police", person=f"p{one}") for one in range(4)]
    statuses = [one.post("/issuers/police/licences", world.order()).status for one in many for _ in range(2)]
    assert sorted(statuses) == [201] * 5 + [429] * 3
    assert world.issue_certificate()
    told = [one for one in acts(world, "issuers/police") if one[1] == "alert.velocity"]
    assert [subject for _, _, subject in told] == ["agency:police/all"]
    world.wait(3600)
    assert many[0].post("/issuers/police/licences", world.order()).status == 201


def test_nor_revoke(world: World) -> None:
    """Changes of status count like issuing; the same request again does not count."""
    permits = [world.issue() for _ in range(3)]
    world.restart(limit_acts_per_hour=2)
    thief = world.caller("clerk", "police", person="wang")
    body, key = {"cause": "fraud"}, {"Idempotency-Key": "one"}
    for permit in permits[:2]:
        headers = {"Idempotency-Key": permit[:100]}
        for _ in range(3):
            path = f"/issuers/police/licences/{permit}/revoke"
            assert thief.post(path, body, headers=headers).status == 200
    refused = thief.post(f"/issuers/police/licences/{permits[2]}/revoke", body, headers=key)
    assert (refused.status, refused["code"]) == (429, "velocity_exceeded")
    assert world.agency("police").get(f"/issuers/police/licences/{permits[2]}")["state"] == "valid"
