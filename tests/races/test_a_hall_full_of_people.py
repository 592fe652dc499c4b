"""Thirty-two counters and sixty-four holders at once: no consent lost, no answer told twice, no verdict without receipt."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from tests.races.test_many_at_once import at_once
from tests.records.tables import findings
from tests.world import Answer, Caller, World

COUNTERS, HOLDERS = 32, 64
WEIGHTS, CHECKS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10X98765432"


def citizen(number: int) -> dict[str, str]:
    """A synthetic person: a number of the district that was never assigned, with its check digit (GB 11643)."""
    born = date(1970, 1, 1) + timedelta(days=97 * number)
    body = f"440199{born:%Y%m%d}{number:03d}"
    check = CHECKS[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]
    return {"code_type": "111", "code": body + check, "name": f"测试{number}"}


def settle(world: World, number: int) -> Caller:
    """A person with a residence permit, signed in."""
    person = citizen(number)
    born = date(1970, 1, 1) + timedelta(days=97 * number)
    more = {"birth_date": born.isoformat(), "sex": "男" if number % 2 else "女"}
    order = world.order(claims=more) | {"holder": person}
    made = world.agency("police").post("/issuers/police/licences", order)
    assert made.status == 201, made.body
    holder_id = world.operator.post("/admin/holders", person)["key"]
    link = world.operator.post(f"/admin/holders/{holder_id}/sign-in-link")["secret"]
    return Caller(world.http, world.anybody.post("/wallet/sign-in", {"link": link})["access_token"], holder_id)


def one_ask(world: World, holder: Caller, desk: Caller, number: int) -> tuple[str, list[Answer]]:
    """One person at one desk: every fourth declines, the others say yes; the desk asks for the answer twice."""
    code = holder.post("/wallet/shows", {"ask": True, "qr": "none"})["url"]
    body = {"scanned": code, "service_item": "school_transfer", "operator": "clerk"}
    asked = desk.post("/verifier/asks", body)
    assert asked.status == 202, asked.body
    (waiting,) = holder.get("/wallet/consents", params={"state": "waiting"})["items"]
    word = "decline" if number % 4 == 0 else "confirm"
    seen = holder.get(f"/wallet/consents/{waiting['consent_id']}")["seen"]
    said = holder.post(f"/wallet/consents/{waiting['consent_id']}/{word}", {"seen": seen} if word == "confirm" else {})
    assert said.status == 204, said.body
    return word, [desk.get(f"/verifier/asks/{asked['ask_id']}") for _ in range(2)]


def test_a_hall_full_of_people(world: World) -> None:
    """Each person's word reaches the one desk that asked, once, with a receipt; the records hold together."""
    desks = [world.counter(f"desk_{number}") for number in range(COUNTERS)]
    people = [settle(world, number) for number in range(HOLDERS)]

    def day(desk: int) -> list[tuple[str, list[Answer]]]:
        mine = [number for number in range(HOLDERS) if number % COUNTERS == desk]
        return [one_ask(world, people[number], desks[desk], number) for number in mine]

    came: list[Any] = [one for some in at_once([lambda at=at: day(at) for at in range(COUNTERS)]) for one in some]  # type: ignore[misc]
    assert len(came) == HOLDERS
    for word, (first, second) in came:
        assert (first.status, first["reason"]) == (200, "accepted" if word == "confirm" else "declined")
        assert first["receipt"]
        assert (second.status, second["code"]) == (409, "ask_over")
    states = Counter(one.get("/wallet/consents")["items"][0]["state"] for one in people)
    assert states == {"confirmed": 48, "declined": 16}
    assert findings(world) == []
