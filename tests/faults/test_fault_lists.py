"""Nobody publishes: the old list serves to its end and then nothing is confirmed. A list that lacks bits is refused."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app import background, logs
from credentials import status_list
from credentials.status_list import Status
from issuers.errors import ListsBehindError, StatusListUnsoundError
from issuers.lists import store as lists_store
from issuers.publishing import LIST_LIFE
from keys.errors import NoSigningKeyError
from keys.vault import Vault
from tests.issuers.city import status_of, statuses
from tests.issuers.claims_of_types import SENT
from tests.records.tables import alter, findings
from tests.world import World
from verifier.checking import ONLINE_STATUS_MAX_AGE

SECOND = timedelta(seconds=1)


@pytest.fixture
def no_publisher(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let no key sign status lists, as where the custodian of keys is away; `undo` brings it back."""

    def away(_vault: Vault, _kid: str) -> None:
        raise NoSigningKeyError

    monkeypatch.setattr(Vault, "signer", away)
    return monkeypatch


def test_old_list_to_its_end_then_amber(world: World, request: pytest.FixtureRequest) -> None:
    """Unsigned for a day: the list that is out is served, and passes go on green, to its last second; then amber.

    A counter that is on line is amber sooner, after a quarter of an hour; `/readyz` warns at half the list's life.
    """
    permit = world.issue()
    world.change("suspend", world.issue(), "endorsement_lapsed")
    before = statuses(world)
    stopped = request.getfixturevalue("no_publisher")
    ended, online = int(LIST_LIFE.total_seconds()), int(ONLINE_STATUS_MAX_AGE.total_seconds())
    world.wait(online)
    assert _shown(world, permit) == ("accepted", "accepted")
    world.wait(1)
    assert _shown(world, permit) == ("cannot_confirm", "status_stale")
    world.wait(ended // 2 - online - 2)
    assert (statuses(world), _passed(world, permit)) == (before, ("accepted", "accepted"))
    assert world.anybody.get("/readyz").body == {"status": "ready"}
    world.wait(1)
    told = world.anybody.get("/readyz")
    assert (told.status, told["degraded"]) == (200, {"status_lists": "half their life is over"})
    world.wait(ended // 2 - 1)
    assert (statuses(world), _passed(world, permit)) == (before, ("accepted", "accepted"))
    world.wait(1)
    assert [_passed(world, permit)[0], _shown(world, permit)[0]] == ["cannot_confirm", "cannot_confirm"]
    made = world.anybody.get("/issuers/police/status/1")
    assert (made.status, made["code"], int(made.headers["retry-after"]) > 0) == (503, "no_signing_key", True)
    stopped.undo()
    assert _shown(world, permit) == ("accepted", "accepted")
    assert world.anybody.get("/readyz").body == {"status": "ready"}
    assert findings(world) == []


def _shown(world: World, permit: str) -> tuple[str, str]:
    """What a counter on line says of a licence."""
    world._holders.clear()  # a day is longer than a session: the holder signs in anew
    shown = world.show(licences=[{"licence_id": permit, "claims": ["residence_district"]}])
    made = world.scan(shown["url"])
    return made["verdict"], made["reason"]


def _passed(world: World, permit: str) -> tuple[str, str]:
    """What a counter says of an offline pass."""
    world._holders.clear()
    made = world.scan(world.offline_pass(permit, ["residence_district"]))
    return made["verdict"], made["reason"]


def test_lists_that_no_key_signs_are_named(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The duty fails and says which lists and why; the others are published all the same; the doctor names them too."""
    for agency, kind in (("police", "residence_permit"), ("traffic_police", "driving_licence")):
        world.agency(agency)
        about = {"sex": "女", "birth_date": "1987-08-22"} if agency == "traffic_police" else {}
        world.issue(kind, by=agency, claims=(SENT[kind].claims if about else {}) | about)
    statuses(world)
    alter(world, "UPDATE signing_key SET state = 'retired' WHERE owner = 'police' AND purpose = 'status_list'")
    monkeypatch.setattr(background, "DUTIES", [one for one in background.DUTIES if one.name == "publish"])
    logs.configure()

    async def a_round() -> None:
        failed = asyncio.Event()
        tasks = background.start(world.house, lambda: world.now, lambda _duty: failed.set())
        await asyncio.wait_for(failed.wait(), 30)
        await asyncio.sleep(0.05)
        for one in tasks:
            one.cancel()

    asyncio.run(a_round())
    assert '"lists": "police/1: no_signing_key"' in capfd.readouterr().err
    with world.house.database.read() as session:
        rows = {one.list_id: one for one in lists_store.all_published(session)}
    assert (rows["police/1"].signs, rows["traffic_police/1"].version) == (
        None,
        rows["traffic_police/1"].published_version,
    )
    told = [said for name, said in findings(world) if name == "status lists have a key"]
    assert told == ["police/1: no key of police signs it"]


def test_a_change_that_cannot_be_published_is_never_hidden(world: World, request: pytest.FixtureRequest) -> None:
    """Revoked while no list can be signed: the old list, which says valid, is served to nobody; amber, not green."""
    permit = world.issue()
    assert status_of(world, permit) == 0
    stopped = request.getfixturevalue("no_publisher")
    assert world.change("revoke", permit, "fraud").status == 200
    made = world.anybody.get("/issuers/police/status/1")
    assert (made.status, made["code"]) == (503, "no_signing_key")
    assert _shown(world, permit)[0] != "accepted"
    stopped.undo()
    assert status_of(world, permit) == 1
    assert _shown(world, permit) == ("refused", "revoked")
    assert findings(world) == []


@pytest.mark.parametrize("bit", [Status.REVOKED, Status.SUSPENDED])
def test_a_list_that_lost_a_bit_in_packing(world: World, monkeypatch: pytest.MonkeyPatch, bit: int) -> None:
    """A list whose packed bytes lack a bit of the ledger's is not published, and the refusal has its code."""
    permit = world.issue()
    verb, cause = {Status.REVOKED: ("revoke", "fraud"), Status.SUSPENDED: ("suspend", "endorsement_lapsed")}[bit]
    before = statuses(world)
    pack = status_list.pack

    def loses_one(size: int, bits: int, said: Mapping[int, int]) -> bytes:
        index = world.house.issuer.read("police", permit).status_index
        return pack(size, bits, {at: status for at, status in said.items() if at != index})

    with monkeypatch.context() as broken:
        broken.setattr(status_list, "pack", loses_one)
        world.house.publisher._kept.clear()  # a worker that has just started makes the list of the whole ledger
        made = world.change(verb, permit, cause)
        assert (made.status, made["code"]) == (503, "status_list_unsound")
        served = world.anybody.get("/issuers/police/status/1")
        assert (served.status, served["code"]) == (503, "status_list_unsound")
        with pytest.raises(ListsBehindError, match="police/1: status_list_unsound"):
            world.house.publisher.publish_due(now=world.now)
    assert status_of(world, permit) == bit
    assert statuses(world).version > before.version
    assert findings(world) == []


def test_a_revocation_that_the_ledger_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that would take a published revocation back is not published; what is out stays true to its end."""
    revoked, other = world.issue(), world.issue()
    world.change("revoke", revoked, "fraud")
    before = statuses(world)
    index = world.house.issuer.read("police", revoked).status_index
    listed = lists_store.listed_statuses

    def forgets(*what: Any) -> dict[int, int]:
        return {at: status for at, status in listed(*what).items() if at != index}

    with monkeypatch.context() as broken:
        broken.setattr(lists_store, "listed_statuses", forgets)
        world.house.publisher._kept.clear()
        with pytest.raises(StatusListUnsoundError):
            world.house.publisher.publish("police/1", now=world.now)
        world.wait(400)
        with pytest.raises(ListsBehindError, match="police/1: status_list_unsound"):
            world.house.publisher.publish_due(now=world.now)
        assert statuses(world) == before
        assert world.change("revoke", other, "fraud")["code"] == "status_list_unsound"
        assert world.anybody.get("/issuers/police/status/1")["code"] == "status_list_unsound"
    assert (status_of(world, revoked), status_of(world, other)) == (1, 1)
    assert findings(world) == []


@pytest.mark.parametrize("bit", [Status.REVOKED, Status.SUSPENDED])
def test_what_a_worker_keeps_is_not_believed(world: World, bit: int) -> None:
    """Bits that changed in memory, where nothing was changed in the ledger, are not published: they are counted."""
    first, second, bystander = (world.issue() for _ in range(3))
    assert world.change("revoke", first, "fraud").status == 200
    kept = world.house.publisher._kept["police/1"]
    data, index = bytearray(kept.bits.data), world.house.issuer.read("police", bystander).status_index
    data[index * 2 >> 3] |= bit << (index * 2 & 7)
    world.house.publisher._kept["police/1"] = replace(kept, bits=replace(kept.bits, data=bytes(data)))
    assert world.change("revoke", second, "fraud").status == 200
    assert [status_of(world, one) for one in (first, second, bystander)] == [1, 1, 0]
    assert findings(world) == []
