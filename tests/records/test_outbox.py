"""The outbox: what others are owed is written with the act, reaches them once in the end, and says nothing it must not."""

import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from app import webhooks
from credentials import strict_json
from records.outbox import outbox
from records.outbox.events import BY_TYPE
from records.outbox.outbox import BACK_OFF, LEASE
from tests.records.tables import alter, findings
from tests.world import COUNTER, OTHER_PARENT, START, World
from wallet.errors import ForeignServiceError
from wallet.openid4vc.fetching import Fetched

POLICE, GATEWAY = "https://hooks.police.example/in", "https://sms.city.example/send"
ALL = ["licence.issued", "licence.suspended", "licence.reinstated", "licence.revoked"]


@dataclass
class Receiver:
    """A webhook's other side: checks the signature, keeps what came, or is down."""

    url: str
    secret: bytes = b""
    status: int = 200
    down: bool = False
    asked: int = 0
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, _method: str, _url: str, **how: Any) -> Fetched:
        self.asked += 1
        if self.down:
            raise ForeignServiceError("it does not answer")
        headers, body = how["headers"], how["json"]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + strict_json.dumps(body)
        right = b64encode(hmac.new(self.secret, signed, sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{right}"
        if self.status == 200:
            self.got.append((headers["webhook-id"], body))
        return Fetched(self.status, "text/plain", b"", {})


def listen(world: World, owner: str, url: str, types: list[str] = ALL) -> Receiver:
    if owner.startswith("agency:"):
        world.agency(owner.partition(":")[2])
    made = world.operator.post("/admin/webhooks", {"owner": owner, "url": url, "types": types})
    assert made.status == 201, made.body
    receiver = Receiver(url, b64decode(made["secret"].removeprefix("whsec_")))
    world.strangers[url] = receiver
    return receiver


def work(world: World) -> int:
    return world.house.outbox.work(lambda: world.now)


def types(receiver: Receiver) -> list[str]:
    return [body["type"] for _, body in receiver.got]


def test_an_agency_is_told_of_its_own_acts(world: World) -> None:
    """Each of its acts once, signed, in order; nobody else's, and no act of before it listened."""
    early = world.issue()
    world.wait(1)
    police = listen(world, "agency:police", POLICE)
    world.agency("school1")
    permit = world.issue()
    world.issue_certificate()
    world.wait(1)
    world.change("suspend", permit, "endorsement_lapsed")
    world.wait(1)
    world.change("revoke", permit, "moved_away")
    assert work(world) == 3
    assert work(world) == 0
    assert types(police) == ["licence.issued", "licence.suspended", "licence.revoked"]
    assert {body["data"]["subject"] for _, body in police.got} == {permit}
    assert early not in str(police.got)
    assert findings(world) == []


def test_the_gateway_tells_holders_and_no_claim(world: World) -> None:
    """The message gateway learns whose wallet and which words; no claim, no name, no number, no code is in it."""
    gateway = listen(world, "gateway", GATEWAY, ["licence.issued", "licence.used", "mandate.given", "consent.asked"])
    permit = world.issue()
    world.issue_certificate()
    shown = world.show()
    world.scan(shown["url"])
    work(world)
    assert set(types(gateway)) == {"licence.issued", "licence.used", "mandate.given"}
    told = next(body["data"] for _, body in gateway.got if body["data"]["subject"] == permit)
    assert told["holder"] == world.holder().subject
    assert told["text"]["zh"] == "您的一份电子证照已签发。详情请在电子证照钱包中查看。"
    everything = str(gateway.got)
    for secret in ("李样本", "440199198708220021", "440106", "示例市", shown["url"].split("#")[1], "张小例"):
        assert secret not in everything


def test_six_hours_down_and_every_event_once(world: World) -> None:
    """A receiver that is down for six hours gets every event once in the end; another one waits for nothing."""
    down, other = listen(world, "agency:police", POLICE), listen(world, "gateway", GATEWAY)
    down.down = True
    issued = []
    for hour in range(6):
        issued.append(world.issue())
        for _ in range(12):
            work(world)
            world.wait(300)
        assert len(other.got) == hour + 1
        world._agencies.pop("police", None)
        world._agencies["police"] = world.caller("agency", "police")
    assert down.got == []
    assert down.asked < 60
    down.down = False
    while work(world) or world.now < START + timedelta(hours=7):
        world.wait(60)
    assert sorted(body["data"]["subject"] for _, body in down.got) == sorted(issued)
    assert len({event_id for event_id, _ in down.got}) == 6


def test_three_days_and_then_dead(world: World) -> None:
    """After 72 hours an event is given up and listed as dead; replayed, it comes under the same identifier."""
    police = listen(world, "agency:police", POLICE)
    police.status = 500
    world.issue()
    for _ in range(200):
        work(world)
        world.wait(1800)
    assert police.got == []
    hook = world.house.outbox.webhooks()[0].webhook_id
    fresh = world.house.access.grant("operator", "op", life=webhooks.REMIND_BEFORE, actor="t", now=world.now)  # type: ignore[arg-type]
    world.operator.token = fresh
    (dead,) = world.operator.get(f"/admin/webhooks/{hook}/deliveries", params={"dead": True})["items"]
    assert (dead["said"], dead["next_at"], bool(dead["dead_at"])) == ("HTTP 500", None, True)
    assert len(BACK_OFF) <= dead["tries"] <= 30
    police.status = 200
    assert world.operator.post(f"/admin/webhooks/{hook}/replay", {"since": "2026-11-01T00:00:00Z"})["events"] == 1
    work(world)
    assert [event_id for event_id, _ in police.got] == [dead["event_id"]]


def test_what_waits_says_when_it_is_tried(world: World) -> None:
    """While an address rests, that is when it is asked again, whatever was planned for one of its messages."""
    police = listen(world, "agency:police", POLICE)
    police.down = True
    world.issue()
    for _ in range(6):
        work(world)
        world.wait(600)
    hook = world.house.outbox.webhooks()[0]
    world.issue()
    work(world)
    waiting = world.operator.get(f"/admin/webhooks/{hook.webhook_id}/deliveries")["items"]
    asked_again = world.house.outbox.webhooks()[0].rests_until
    assert asked_again is not None
    assert asked_again > world.now
    assert [datetime.fromisoformat(one["next_at"]) >= asked_again for one in waiting] == [True, True]


def test_a_silent_webhook_is_asked_seldom_and_all_it_was_owed_is_given_up(world: World) -> None:
    """However much it is owed, it is asked once a round, ever more seldom; after three days none of it is tried on."""
    police = listen(world, "agency:police", POLICE)
    police.down = True
    for _ in range(40):
        world.issue()
    for _ in range(73 * 6):
        work(world)
        world.wait(600)
    hook = world.house.outbox.webhooks()[0]
    assert (hook.silent_since, hook.rests_until is not None) == (START, True)
    assert police.asked < 73 * 2 + 20
    assert len(world.house.outbox.deliveries(hook.webhook_id, dead=True, limit=99)) == 40
    asked = police.asked
    world.wait(86_400)
    assert (work(world), police.asked) == (0, asked)


def test_after_days_without_us_one_failure_gives_nothing_up(world: World) -> None:
    """This service was down for four days: that the first try fails then costs none of what waited its three days."""
    police = listen(world, "agency:police", POLICE)
    for _ in range(3):
        world.issue()
    world.wait(4 * 86_400)
    police.down = True
    work(world)
    police.down = False
    for _ in range(3):
        world.wait(60)
        work(world)
    assert len(police.got) == 2, "the one that was tried is given up, as it always was"


def test_what_is_always_refused_keeps_no_other_waiting(world: World) -> None:
    """A receiver that does not take some events takes the others at once; those are tried again, later each time."""
    police = listen(world, "agency:police", POLICE)
    poison = {world.issue() for _ in range(20)}

    def picky(method: str, url: str, **how: Any) -> Fetched:
        if how["json"]["data"]["subject"] in poison:
            police.asked += 1
            return Fetched(422, "text/plain", b"", {})
        return police(method, url, **how)

    world.strangers[POLICE] = picky
    others = {world.issue() for _ in range(40)}
    assert work(world) == 40
    assert {body["data"]["subject"] for _, body in police.got} == others
    police.asked = 0
    for _ in range(60):  # an hour, in which others come and are taken
        world.wait(60)
        world.issue()
        assert work(world) == 1
    assert police.asked - 60 <= 6 * len(poison)
    hook = world.house.outbox.webhooks()[0]
    owed = [one for one, again in world.house.outbox.deliveries(hook.webhook_id, dead=False, limit=500) if again]
    assert {(one.said, one.dead_at) for one in owed} == {("HTTP 422", None)}
    assert (len(owed), hook.silent_since, hook.rests_until) == (len(poison), None, None)


def test_what_this_release_does_not_know_waits_for_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a newer release: its events are left to it, and the webhook is told all others meanwhile."""
    police = listen(world, "agency:police", POLICE)
    strange = world.issue()
    alter(world, "UPDATE outbox_event SET type = 'licence.issued.twice' WHERE subject = :one", one=strange)
    world.house.outbox.sort(world.now)
    hook = world.house.outbox.webhooks()[0].webhook_id
    alter(world, "UPDATE outbox_event SET sorted_at = NULL WHERE subject = :one", one=strange)
    alter(world, "UPDATE webhook SET types = :both", both='["licence.issued", "licence.issued.twice"]')
    known = world.issue()
    assert work(world) == 1
    assert [body["data"]["subject"] for _, body in police.got] == [known]
    assert world.house.outbox.webhooks()[0].rests_until is None
    monkeypatch.setattr(outbox, "BY_TYPE", {**BY_TYPE, "licence.issued.twice": BY_TYPE["licence.issued"]})
    world.wait(10)
    assert work(world) == 1
    assert world.house.outbox.deliveries(hook, dead=False, limit=9)[-1][0].said == "200"


def test_what_crashed_is_sent_again(world: World) -> None:
    """A worker that dies with a delivery in hand: two minutes later another sends it."""
    police = listen(world, "agency:police", POLICE)
    world.issue()
    world.house.outbox.sort(world.now)
    from records.outbox import store  # noqa: PLC0415 - what the dead worker did

    hook = world.house.outbox.webhooks()[0].webhook_id
    with world.house.database.write() as session:
        assert len(store.take(session, hook, world.now, world.now + LEASE, 9)) == 1
    assert work(world) == 0
    world.wait(120)
    assert work(world) == 1
    assert len(police.got) == 1


def test_a_worker_that_was_stopped_too_long_notes_nothing(world: World) -> None:
    """Its lease ran out in the middle and another delivered: that it was not answered itself changes nothing."""
    police = listen(world, "agency:police", POLICE)
    world.issue()
    stopped, outbox = [], world.house.outbox

    def slow(method: str, url: str, **how: Any) -> Fetched:
        if not stopped:
            stopped.append(True)
            world.wait(121)
            stopped.append(outbox._serve(outbox.webhooks()[0], lambda: world.now))  # as another worker would
            raise ForeignServiceError("too late")
        return police(method, url, **how)

    world.strangers[POLICE] = slow
    assert work(world) == 0
    hook = world.operator.get("/admin/webhooks")["items"][0]["webhook_id"]
    (told,) = world.operator.get(f"/admin/webhooks/{hook}/deliveries")["items"]
    assert stopped == [True, 1]
    assert (told["delivered_at"] is not None, told["next_at"], told["tries"]) == (True, None, 1)
    world.wait(86_400)
    assert work(world) == 0
    assert len(police.got) == 1


def test_a_webhook_that_is_back_takes_no_lease_away(world: World) -> None:
    """Another worker has a delivery in hand, leased a little later: what waits is hurried, that is not."""
    from records.outbox import store  # noqa: PLC0415 - what the other worker does

    listen(world, "agency:police", POLICE)
    for _ in range(2):
        world.issue()
    outbox = world.house.outbox
    outbox.sort(world.now)
    hook = outbox.webhooks()[0].webhook_id
    until = world.now + LEASE + timedelta(milliseconds=20)
    with world.house.database.write() as session:
        (other,) = store.take(session, hook, world.now, until, 1)
    assert work(world) == 1
    with world.house.database.write() as session:
        assert store.note(session, other, until, delivered_at=world.now, next_at=None, tries=1, said="200")


def test_an_act_and_its_event_are_one(world: World) -> None:
    """An event taken out, or put in, is what `doctor --deep` finds."""
    world.issue()
    world.wait(1)
    world.change("revoke", world.issue(), "moved_away")
    assert findings(world) == []
    assert alter(world, "DELETE FROM outbox_event WHERE type = 'licence.revoked'") == 1
    assert [name for name, _ in findings(world)] == ["I7 outbox"]


def test_near_expiry_is_told_once(world: World) -> None:
    """A month before its last day a licence's holder is reminded, once."""
    gateway = listen(world, "gateway", GATEWAY, ["licence.near_expiry"])
    permit = world.issue(claims={"endorsed_until": "2026-12-20"})
    world.issue()
    assert [webhooks.remind(world.house, now=world.now) for _ in range(2)] == [1, 0]
    work(world)
    assert [body["data"]["subject"] for _, body in gateway.got] == [permit]
    assert findings(world) == []


@pytest.mark.parametrize("bent", [
    {"url": "http://hooks.example/x", "demo": False}, {"url": "https://user@hooks.example/"}, {"url": "ftp://x/"},
    {"url": "http://127.0.0.1:8080/admin/tokens"}, {"types": ["nonsense"]}, {"owner": "holder:x"}, {"types": []},
    {"url": "https://[::1/a"}, {"url": "https://hooks.example/\x7f"}, {"url": "https://\u94a9\u5b50.example/"},
    {"types": ["licence.used"]},
])  # fmt: skip
def test_webhooks_that_are_none(world: World, bent: dict[str, Any]) -> None:
    """Plain http, a user in the address, this service itself, unknown events and owners: refused."""
    world.agency("police")
    bent = dict(bent)
    if bent.pop("demo", True) is False:
        world.restart(demo=False, base_url="https://wallet.city.example")
        world.operator.http = world.http
    body = {"owner": "agency:police", "url": POLICE, "types": ["licence.revoked"]} | bent
    assert world.operator.post("/admin/webhooks", body).status == 422
    assert world.operator.post("/admin/webhooks", body | {"owner": "agency:nobody", "url": POLICE,
                                                          "types": ["licence.revoked"]}).status == 422  # fmt: skip


def test_who_relied_on_it_is_told_with_the_holder_s_word(world: World) -> None:
    """The counter of a use learns of the revocation, if the holder lets it, until then, and learns nothing else."""
    permits = [world.issue() for _ in range(3)]
    desk = listen(world, f"counter:{world.counter() and COUNTER}", "https://desk.example/in", ["licence.revoked"])
    for permit in permits:
        world.scan(world.show(licences=[{"licence_id": permit, "claims": ["residence_district"]}])["url"])
        world.wait(1)
    of = {one["licences"][0]["licence_id"]: one["use_id"] for one in world.holder().get("/wallet/uses")["items"]}
    until = {"until": "2026-12-31T23:59:59+08:00"}
    for permit in permits[:2]:
        assert world.holder().call("PUT", f"/wallet/uses/{of[permit]}/notice", until).status == 204
    assert world.holder(OTHER_PARENT).call("PUT", f"/wallet/uses/{of[permits[2]]}/notice", until).status == 404
    assert world.holder().delete(f"/wallet/uses/{of[permits[1]]}/notice").status == 204
    for permit in permits:
        world.change("revoke", permit, "moved_away")
    work(world)
    assert [body["data"] for _, body in desk.got] == [{"subject": permits[0]}]
    assert world.holder().call("PUT", f"/wallet/uses/{of[permits[0]]}/notice", {"until": "2029-01-01T00:00:00Z"})[
        "code"
    ] == "reuse_refused"  # fmt: skip


def test_an_address_that_breaks_its_client_breaks_nothing_else(world: World) -> None:
    """Whatever a webhook's address makes of a client, the others are told, and the round ends."""
    bad, good = listen(world, "agency:police", POLICE), listen(world, "gateway", GATEWAY, ["licence.issued"])

    def breaks(*_: Any, **__: Any) -> Fetched:
        raise ZeroDivisionError

    world.strangers[bad.url] = breaks
    world.issue()
    assert work(world) == 1
    assert len(good.got) == 1


def test_what_was_told_long_ago_is_forgotten(world: World) -> None:
    """A month later events and deliveries are gone, but from the first that somebody is still owed on all stay."""
    told, deaf = listen(world, "agency:police", POLICE), listen(world, "gateway", GATEWAY, ["licence.near_expiry"])
    licence_id = world.issue()
    assert (work(world), told.asked, deaf.asked) == (1, 1, 0)
    world.wait(29 * 86400)
    assert world.house.forget_what_is_over(now=world.now)["events"] == 0
    world.wait(2 * 86400)
    assert world.house.forget_what_is_over(now=world.now)["events"] > 0
    assert findings(world) == []
    told.down = True
    again = world.caller("agency", "police")
    cause = {"cause": "endorsement_lapsed"}
    assert again.post(f"/issuers/police/licences/{licence_id}/suspend", cause).status == 200
    work(world)
    world.wait(31 * 86400)
    assert world.house.forget_what_is_over(now=world.now)["events"] == 0
    assert findings(world) == []


def test_what_an_ended_webhook_was_owed_holds_nothing_up(world: World) -> None:
    """Ended while it did not answer, it is owed nothing; old events are forgotten all the same."""
    police = listen(world, "agency:police", POLICE)
    police.down = True
    world.issue()
    work(world)
    hook = world.house.outbox.webhooks()[0].webhook_id
    assert world.operator.delete(f"/admin/webhooks/{hook}").status == 204
    world.wait(31 * 86400)
    assert world.house.forget_what_is_over(now=world.now)["events"] > 0


def test_replayed_late_it_is_tried_for_three_days_again(world: World) -> None:
    """An event of last week, replayed, is not dead after one failure."""
    police = listen(world, "agency:police", POLICE)
    world.issue()
    work(world)
    world.wait(7 * 86400)
    hook = world.house.outbox.webhooks()[0].webhook_id
    police.down = True
    assert world.house.outbox.replay(hook, world.now - timedelta(days=10), now=world.now) == 1
    work(world)
    ((one, _),) = world.house.outbox.deliveries(hook, dead=False, limit=5)
    assert (one.dead_at, one.tries, one.next_at is not None) == (None, 1, True)
