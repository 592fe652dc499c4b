"""One idempotency key, one result: for every verb, for other bodies, and over a crash at any statement."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.issuers.city import another_worker, dies_at, status_of, univ
from tests.issuers.claims_of_types import SENT, order
from tests.records.tables import counts, findings
from tests.world import PARENT, Answer, Caller, World

KEY = {"Idempotency-Key": "case-2026-000123"}


def test_same_key_same_body_same_licence(world: World) -> None:
    """The same request again answers the same licence, and writes nothing."""
    police = world.agency("police")
    first = police.post("/issuers/police/licences", world.order(), headers=KEY)
    before = counts(world)
    world.wait(1800)
    again = police.post("/issuers/police/licences", world.order(), headers=KEY)
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert counts(world) == before


def test_members_in_another_order_are_the_same_body(world: World) -> None:
    """The order of a body's members means nothing."""
    police, body = world.agency("police"), world.order()
    first = police.post("/issuers/police/licences", body, headers=KEY)
    turned = {name: body[name] for name in reversed(body)} | {"claims": dict(reversed(body["claims"].items()))}
    assert police.post("/issuers/police/licences", turned, headers=KEY)["licence_id"] == first["licence_id"]


def test_without_a_key_every_request_is_its_own(world: World) -> None:
    """Two requests without a key are two licences."""
    assert world.issue() != world.issue()


@pytest.mark.parametrize("other", [{"claims": {"continuous_months": 69}}, {"reference": "other"}])
def test_other_body_is_refused(world: World, other: dict[str, Any]) -> None:
    """The same key with another body is refused, and nothing is written."""
    police = world.agency("police")
    police.post("/issuers/police/licences", world.order(), headers=KEY)
    before = counts(world)
    made = police.post("/issuers/police/licences", world.order(**other), headers=KEY)
    assert (made.status, made["code"]) == (422, "idempotency_key_reused")
    assert counts(world) == before


def test_other_operation_is_refused(world: World) -> None:
    """A key that issued does not prepare, renew or revoke."""
    police = world.agency("police")
    permit = police.post("/issuers/police/licences", world.order(), headers=KEY)["licence_id"]
    for path, body in [
        ("/prepare", world.order()),
        (f"/{permit}/renew", world.order()),
        (f"/{permit}/revoke", {"cause": "fraud"}),
        (f"/{permit}/suspend", {"cause": "endorsement_lapsed"}),
    ]:
        made = police.post(f"/issuers/police/licences{path}", body, headers=KEY)
        assert (made.status, made["code"]) == (422, "idempotency_key_reused"), path
    assert police.get(f"/issuers/police/licences/{permit}")["state"] == "valid"


def test_two_agencies_may_use_the_same_key(world: World) -> None:
    """A key means something to its caller only."""
    police, school = world.agency("police"), world.agency("school1")
    one = police.post("/issuers/police/licences", world.order(), headers=KEY)
    two = school.post("/issuers/school1/licences", order(world, "enrolment_certificate"), headers=KEY)
    assert (one.status, two.status) == (201, 201)


@pytest.mark.parametrize("key", ["", "x" * 129])
def test_key_out_of_range_is_refused(world: World, key: str) -> None:
    """An idempotency key has 1 to 128 characters."""
    police = world.agency("police")
    made = police.post("/issuers/police/licences", world.order(), headers={"Idempotency-Key": key})
    assert (made.status, made["code"]) == (422, "invalid_request")


def test_prepare_again_gives_the_same_bytes(world: World) -> None:
    """Preparing again under one key gives the same licence and the same bytes; another body is refused."""
    agency = univ(world)
    first = agency.post("/issuers/univ/licences/prepare", order(world, "graduation_certificate"), headers=KEY)
    world.wait(30)
    again = agency.post("/issuers/univ/licences/prepare", order(world, "graduation_certificate"), headers=KEY)
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    other = order(world, "graduation_certificate", reference="other")
    made = agency.post("/issuers/univ/licences/prepare", other, headers=KEY)
    assert (made.status, made["code"]) == (422, "idempotency_key_reused")


def test_renew_again_gives_the_same_version(world: World) -> None:
    """Renewing again under one key gives the same next version; another body is refused."""
    police, permit = world.agency("police"), world.issue()
    path = f"/issuers/police/licences/{permit}/renew"
    first = police.post(path, world.order(), headers=KEY)
    again = police.post(path, world.order(), headers=KEY)
    assert (first.status, again.status, again["licence_id"]) == (201, 201, first["licence_id"])
    made = police.post(path, world.order(reference="other"), headers=KEY)
    assert (made.status, made["code"]) == (422, "idempotency_key_reused")


def test_change_again_answers_the_same(world: World) -> None:
    """Suspending, reinstating and revoking again under one key each do it once; another cause is refused."""
    police, permit = world.agency("police"), world.issue()
    path = f"/issuers/police/licences/{permit}"
    for verb, body, state in [
        ("suspend", {"cause": "endorsement_lapsed"}, "suspended"),
        ("reinstate", None, "valid"),
        ("revoke", {"cause": "fraud"}, "revoked"),
    ]:
        headers = {"Idempotency-Key": f"case-{verb}"}
        first = police.post(f"{path}/{verb}", body, headers=headers)
        before = counts(world)
        again = police.post(f"{path}/{verb}", body, headers=headers)
        assert (first.status, again.status, first["state"]) == (200, 200, state)
        assert again.body == first.body
        assert counts(world) == before
    made = police.post(f"{path}/revoke", {"cause": "moved_away"}, headers={"Idempotency-Key": "case-revoke"})
    assert (made.status, made["code"]) == (422, "idempotency_key_reused")


def _dies_everywhere(
    world: World, prepare: Callable[[int], tuple[str, Any]], judge: Callable[[Answer], None]
) -> list[int]:
    """Send one request per crash point until it survives, each time again to a healthy worker; count the deaths."""
    police, died = world.agency("police"), []
    world.holder()
    house = world.build()
    with another_worker(world, house) as worker:
        sick = Caller(worker.http, police.token)
        for number in range(400):
            path, body = prepare(number)
            headers = {"Idempotency-Key": f"crash-{number}"}
            with dies_at(house, number):
                made = sick.post(path, body, headers=headers)
            again = police.post(path, body, headers=headers)
            assert again.status in {200, 201}, (number, again.body)
            judge(again)
            if made.status < 400:
                assert made["licence_id"] == again["licence_id"]
                return died
            assert made.status in {500, 503}
            died.append(number)
    raise AssertionError("it never survived")


def test_issue_survives_a_crash_at_every_statement(world: World) -> None:
    """Wherever a worker dies while issuing, the same request then gives one licence, delivered, with sound books."""
    made: list[str] = []

    def judge(answer: Answer) -> None:
        assert (answer["state"], answer["delivered"]) == ("valid", True)
        made.append(answer["licence_id"])

    died = _dies_everywhere(world, lambda _number: ("/issuers/police/licences", world.order()), judge)
    assert len(died) >= 20
    held = [one["licence_id"] for one in world.holder().get("/wallet/licences")["items"]]
    assert sorted(held) == sorted(made)
    assert len(set(made)) == len(died) + 1 == counts(world)["licence"]
    assert findings(world) == []


def test_renewal_survives_a_crash_at_every_statement(world: World) -> None:
    """Wherever a worker dies while renewing, the same request then gives one next version and the old one is gone."""
    made: list[str] = []

    def prepare(_number: int) -> tuple[str, Any]:
        made.append(world.issue())
        return f"/issuers/police/licences/{made[-1]}/renew", world.order()

    def judge(answer: Answer) -> None:
        assert (answer["state"], answer["version"], answer["supersedes"]) == ("valid", 2, made[-1])
        assert answer["delivered"] is True
        assert (status_of(world, made[-1]), status_of(world, answer["licence_id"])) == (1, 0)

    died = _dies_everywhere(world, prepare, judge)
    assert len(died) >= 20
    held = world.holder().get("/wallet/licences")["items"]
    assert len(held) == len(made)
    assert not {one["licence_id"] for one in held} & set(made)
    assert findings(world) == []


def test_revoking_survives_a_crash_at_every_statement(world: World) -> None:
    """Wherever a worker dies while revoking, the same request then revokes once, and the list says so."""
    made: list[str] = []

    def prepare(_number: int) -> tuple[str, Any]:
        made.append(world.issue())
        return f"/issuers/police/licences/{made[-1]}/revoke", {"cause": "fraud"}

    def judge(answer: Answer) -> None:
        assert (answer["state"], answer["cause"]) == ("revoked", "fraud")
        assert status_of(world, made[-1]) == 1

    died = _dies_everywhere(world, prepare, judge)
    assert len(died) >= 8
    assert findings(world) == []


def test_a_valid_licence_is_in_its_wallet(world: World) -> None:
    """Whichever statement of issuing a worker dies at: what is valid was delivered, what was delivered is valid."""
    police = world.agency("police")
    world.holder()
    house = world.build()
    with another_worker(world, house) as worker:
        sick = Caller(worker.http, police.token)
        for number in range(400):
            with dies_at(house, number):
                made = sick.post(
                    "/issuers/police/licences", world.order(), headers=KEY | {"Idempotency-Key": f"{number}"}
                )
            if made.status == 201:
                break
    valid = police.get("/issuers/police/licences?state=valid")["items"]
    held = world.holder().get("/wallet/licences")["items"]
    assert {one["licence_id"] for one in valid} == {one["licence_id"] for one in held} != set()
    assert findings(world) == []


def test_preparation_that_nobody_finished_is_over_in_time(world: World) -> None:
    """A request that comes back after its preparation's life is told so; a new key gives a new licence."""
    police = world.agency("police")
    house = world.build()
    headers = {"Idempotency-Key": "slow"}
    with another_worker(world, house) as worker:
        sick = Caller(worker.http, police.token)
        for number in range(400):
            headers = {"Idempotency-Key": f"slow-{number}"}
            with dies_at(house, number):
                sick.post("/issuers/police/licences", world.order(), headers=headers)
            if police.get("/issuers/police/licences?state=prepared")["items"]:
                break
    left = police.get("/issuers/police/licences?state=prepared")["items"]
    assert len(left) == 1
    world.wait(600)
    assert status_of(world, left[0]["licence_id"]) == 1
    late = police.post("/issuers/police/licences", world.order(), headers=headers)
    assert (late.status, late["code"]) == (410, "preparation_expired")
    assert police.get(f"/issuers/police/licences/{left[0]['licence_id']}")["state"] == "burnt"
    assert police.post("/issuers/police/licences", world.order(), headers={"Idempotency-Key": "new"}).status == 201
    assert findings(world) == []


def test_renewal_that_nobody_finished_can_be_made_anew(world: World) -> None:
    """A renewal that a crash left unsigned past its time does not stand in the way of the next renewal."""
    police, permit = world.agency("police"), world.issue()
    path = f"/issuers/police/licences/{permit}/renew"
    house = world.build()
    with another_worker(world, house) as worker:
        sick = Caller(worker.http, police.token)
        for number in range(400):
            with dies_at(house, number):
                sick.post(path, world.order(), headers={"Idempotency-Key": f"dead-{number}"})
            if police.get("/issuers/police/licences?state=prepared")["items"]:
                break
    world.wait(601)
    made = police.post(path, world.order(), headers={"Idempotency-Key": "new"})
    assert made.status == 201, made.body
    assert status_of(world, permit) == 1
    assert SENT["residence_permit"].holder == PARENT
    assert [one["licence_id"] for one in world.holder().get("/wallet/licences")["items"]] == [made["licence_id"]]


def test_two_keys_of_one_request(world: World) -> None:
    """Which of two keys counts nobody knows: refused, and nothing is issued."""
    world.agency("police")
    secret = {"Authorization": f"Bearer {world.agency('police').token}"}
    sent = [*secret.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    made = world.http.post("/issuers/police/licences", json=world.order(), headers=sent)
    assert (made.status_code, made.json()["code"]) == (400, "malformed")
    assert world.agency("police").get("/issuers/police/licences")["items"] == []
