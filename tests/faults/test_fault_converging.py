"""What workers remember: whatever was changed at one is seen at every other `LICENCE_REFRESH_SECONDS` later, no later."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from keys.models import KeyPurpose
from tests.issuers.city import another_worker
from tests.records.tables import findings
from tests.world import COUNTER, ITEM, Answer, Caller, World

REMEMBERED = 2


@dataclass
class Two:
    """A city with two workers that remember; `here` is the world's own."""

    world: World
    there: Caller
    permit: str
    token: str

    def verdict(self, http: object) -> Answer:
        """What a counter is told of the permit, shown anew, by one worker."""
        shown = self.world.show(licences=[{"licence_id": self.permit, "claims": ["residence_district"]}])
        body = {"scanned": shown["url"], "service_item": ITEM}
        return Caller(http, self.token).post("/verifier/verifications", body)  # type: ignore[arg-type]

    def both(self) -> list[str]:
        """What both workers say: a verdict's reason, or the code of a refusal."""
        made = [self.verdict(http) for http in (self.world.http, self.there.http)]
        return [one["reason"] if one.status == 200 else one["code"] for one in made]


@pytest.fixture
def two(world: World) -> Iterator[Two]:
    """Two workers that have just looked at everything."""
    permit, token = world.issue(), world.counter().token
    world.restart(refresh_seconds=REMEMBERED)
    with another_worker(world, world.build(refresh_seconds=REMEMBERED)) as there:
        made = Two(world, there, permit, str(token))
        assert made.both() == ["accepted", "accepted"]
        yield made


def _revoke(two: Two) -> Answer:
    return two.world.change("revoke", two.permit, "fraud")


def _steal(two: Two) -> Answer:
    kid = two.world.house.vault.active("police", KeyPurpose.LICENCE).kid
    return two.world.operator.post(f"/admin/keys/{kid}/compromise", {"since": "2020-01-01T00:00:00+08:00"})


def _suspend(two: Two) -> Answer:
    return two.world.operator.post(f"/admin/counters/{COUNTER}/suspend")


def _end_token(two: Two) -> Answer:
    (one,) = two.world.operator.get(f"/admin/tokens?role=counter&subject={COUNTER}")["items"]
    return two.world.operator.delete(f"/admin/tokens/{one['token_id']}")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_revoke, {"revoked"}), (_steal, {"key_compromised"}), (_suspend, {"counter_suspended", "token_refused"}),
        (_end_token, {"token_refused"}),
    ],
)  # fmt: skip
def test_both_see_it_two_seconds_later(two: Two, change: Callable[[Two], Answer], told: set[str]) -> None:
    """A licence, a key, a counter or its token: two seconds after the answer, each worker refuses."""
    assert change(two).status in {200, 204}
    two.world.wait(REMEMBERED)
    assert set(two.both()) <= told
    two.world.wait(30)
    assert set(two.both()) <= told
    assert findings(two.world) == []


def test_the_one_that_just_looked_may_say_so_for_two_seconds(two: Two) -> None:
    """It is this long and not nothing: the other worker answers from what it knows, a moment before it looks again."""
    two.world.wait(REMEMBERED)
    assert two.both() == ["accepted", "accepted"]
    _revoke(two)
    two.world.wait(REMEMBERED - 0.1)
    assert two.both()[1] == "accepted"
    two.world.wait(0.1)
    assert two.both() == ["revoked", "revoked"]


def test_an_agency_s_token_is_looked_up_each_time(two: Two) -> None:
    """Of all others nothing is remembered: the next call is refused, at every worker."""
    police = two.world.agency("police")
    callers = [Caller(http, police.token) for http in (two.world.http, two.there.http)]
    assert [one.get("/issuers/police/licences").status for one in callers] == [200, 200]
    (one,) = two.world.operator.get("/admin/tokens?role=agency&subject=police")["items"]
    assert two.world.operator.delete(f"/admin/tokens/{one['token_id']}").status in {200, 204}
    assert [one.get("/issuers/police/licences").status for one in callers] == [401, 401]
