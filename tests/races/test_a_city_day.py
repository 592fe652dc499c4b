"""An hour of a city's day on PostgreSQL: 32 counters and 64 holders, minute by minute, with all that people do.

No consent is lost, no answer is told twice, no verdict is without its receipt. `LICENCE_DAY_MINUTES` says how many
minutes of the hour are played (24 in `.ci/run`).
"""

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from keys.access import Role
from tests.races.test_a_hall_full_of_people import COUNTERS, HOLDERS, settle
from tests.races.test_many_at_once import at_once
from tests.records.tables import findings
from tests.world import ITEM, Answer, Caller, World

MINUTES = int(os.environ.get("LICENCE_DAY_MINUTES", "8"))
MORNING = "confirm", "confirm", "confirm", "decline", "ignore", "show", "leave", "rely"


@dataclass
class Desk:
    """A counter in one thread: what it asked, what it was told."""

    caller: Caller
    told: list[Answer] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)
    receipts: list[str] = field(default_factory=list)
    open: list[tuple[str, str]] = field(default_factory=list)
    """Questions that nobody has answered yet, and what is to be the answer."""

    def minute(self, holder: Caller, chance: random.Random) -> None:
        """Serve one person; then come back to whoever has not answered."""
        word = chance.choice(MORNING)
        self.words[word] += 1
        before = len(self.open)
        getattr(self, f"_{word}", lambda one: self._asked(one, word))(holder)
        self.come_back(before)

    def come_back(self, count: int | None = None) -> None:
        """Ask for the answers to the first `count` questions, or all, that nobody had answered."""
        waiting, self.open = self.open[:count], self.open[len(self.open) if count is None else count :]
        for ask_id, due in waiting:
            got = self.caller.get(f"/verifier/asks/{ask_id}")
            if got.status == 202:
                self.open.append((ask_id, due))
            else:
                assert (got.status, got["reason"]) == (200, due), got.body
                self.told.append(got)

    def _asked(self, holder: Caller, word: str) -> None:
        code = holder.post("/wallet/shows", {"ask": True, "qr": "none"})["url"]
        body = {"scanned": code, "service_item": ITEM, "operator": "clerk"}
        asked = self.caller.post("/verifier/asks", body)
        assert asked.status == 202, asked.body
        if word == "ignore":
            self.open.append((asked["ask_id"], "consent_expired"))
            return
        mine = holder.get("/wallet/consents", params={"state": "waiting"})["items"]
        consent = [one["consent_id"] for one in mine if one["counter"] == self.caller.subject][-1]
        answer = {"seen": holder.get(f"/wallet/consents/{consent}")["seen"]} if word != "decline" else {}
        said = holder.post(f"/wallet/consents/{consent}/{'decline' if word == 'decline' else 'confirm'}", answer)
        assert said.status == 204, said.body
        if word == "leave":  # the desk looks away, and comes back a minute later
            self.open.append((asked["ask_id"], "accepted"))
            return
        both = at_once([lambda: self.caller.get(f"/verifier/asks/{asked['ask_id']}")] * 2)
        (got,) = [one for one in both if one.status == 200]
        (other,) = [one for one in both if one.status != 200]
        assert (other.status, other["code"]) == (409, "ask_over")
        assert got["reason"] == ("declined" if word == "decline" else "accepted")
        self.told.append(got)
        if word == "confirm":
            self._permit(holder, str(got["receipt"]))

    def _permit(self, holder: Caller, receipt: str) -> None:
        (use,) = [one for one in holder.get("/wallet/uses")["items"] if one["receipt"] == receipt]
        until = {"until": "2026-12-23T00:00:00+08:00"}
        assert holder.call("PUT", f"/wallet/uses/{use['use_id']}/reuse", until).status == 200
        self.receipts.append(receipt)

    def _show(self, holder: Caller) -> None:
        code = holder.post("/wallet/shows", {"service_item": ITEM, "qr": "none"})["url"]
        body = {"scanned": code, "service_item": ITEM, "operator": "clerk"}
        first, second = at_once([lambda: self.caller.post("/verifier/verifications", body)] * 2)
        assert {first["reason"], second["reason"]} == {"accepted", "already_used"}
        self.told += [first, second]

    def _rely(self, _holder: Caller) -> None:
        for receipt in self.receipts[-1:]:
            got = self.caller.post("/verifier/receipts/check", {"receipt": receipt, "service_item": ITEM})
            assert got["reason"] == "receipt_accepted", got.body
            self.told.append(got)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_hour_of_a_city_s_day(world: World) -> None:
    """Minute by minute each desk serves somebody; in the end every word was heard once and the records hold."""
    chance = random.Random(26)
    desks = [Desk(world.counter(f"desk_{number}")) for number in range(COUNTERS)]
    people = [_signed_in_all_day(world, number) for number in range(HOLDERS)]
    for _ in range(MINUTES):
        today = chance.sample(people, COUNTERS)
        seeds = [chance.random() for _ in desks]

        def at(number: int, today: list[Caller] = today, seeds: list[float] = seeds) -> Callable[[], None]:
            return lambda: desks[number].minute(today[number], random.Random(seeds[number]))

        at_once([at(number) for number in range(COUNTERS)])
        world.wait(60)
    _evening(world, desks)
    told = [one for desk in desks for one in desk.told]
    assert all(one["receipt"] for one in told)
    assert len({one["verification_id"] for one in told}) == len(told)
    words: Counter[str] = sum((desk.words for desk in desks), Counter())
    assert sum(words.values()) == MINUTES * COUNTERS
    reasons = Counter(str(one["reason"]) for one in told)
    assert reasons["declined"] == words["decline"]
    assert reasons["consent_expired"] == words["ignore"]
    assert reasons["accepted"] == words["confirm"] + words["leave"] + words["show"]
    states = Counter(one["state"] for person in people for one in _asked(person))
    assert states["confirmed"] == words["confirm"] + words["leave"]
    assert (states["declined"], states["expired"]) == (words["decline"], words["ignore"])
    assert findings(world) == []


def _evening(world: World, desks: list[Desk]) -> None:
    """The desks come back to who has answered; whoever has not does not any more."""
    for desk in desks:
        desk.come_back()
    world.wait(120)
    for desk in desks:
        desk.come_back()
        assert desk.open == []


def _signed_in_all_day(world: World, number: int) -> Caller:
    one = settle(world, number)
    life = timedelta(hours=12)
    one.token = world.house.access.grant(Role.HOLDER, one.subject, life=life, actor="test", now=world.now)
    return one


def _asked(person: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get("/wallet/consents", params={"limit": 200})["items"]
    return found
