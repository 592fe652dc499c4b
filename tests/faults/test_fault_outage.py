"""The database away, its answer lost, its disk full: refused with 503 and a code, and one result afterwards."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg.errors
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.problem_codes import PROBLEMS
from credentials import key_binding, sd_jwt
from issuers.batch.working import LEASE
from records.models import IdempotencyKey
from records.rows import store as rows_store
from tests.faults.outages import Breakable, loses_the_answer, no_room
from tests.issuers.batch_rows import ndjson, progress, row, send, work
from tests.issuers.city import another_worker, status_of
from tests.records.tables import counts, findings
from tests.world import COUNTER, ITEM, Answer, Caller, World

KEY = {"Idempotency-Key": "case-2026-000123"}


def _refused(made: Answer) -> None:
    assert (made.status, made["code"]) == (503, "database_unavailable")
    assert int(made.headers["retry-after"]) > 0
    assert made["message"] == {
        "zh": PROBLEMS["database_unavailable"].zh, "en": PROBLEMS["database_unavailable"].en,
    }  # fmt: skip


def test_away_and_back(breakable: Breakable, fragile: World) -> None:
    """Without its database every call is 503 with Retry-After and a code; back again, one key gives one licence."""
    police, permit = fragile.agency("police"), fragile.issue()
    shown, revoke = fragile.show(), (f"/issuers/police/licences/{permit}/revoke", {"cause": "fraud"})
    fragile.counter()
    before = counts(fragile)
    with breakable.away(fragile):
        for made in (
            police.post("/issuers/police/licences", fragile.order(), headers=KEY),
            police.post(*revoke, headers={"Idempotency-Key": "revoke"}),
            police.get(f"/issuers/police/licences/{permit}"),
            fragile.counter().post("/verifier/verifications", {"scanned": shown["url"], "service_item": ITEM}),
            fragile.holder().get("/wallet/licences"),
            fragile.anybody.get("/issuers/police/status/1"),
        ):
            _refused(made)
        ready = fragile.anybody.get("/readyz")  # it was before, and other workers have no other database
        assert (ready.status, ready["degraded"]) == (200, {"database": "away"})
        assert fragile.anybody.get("/healthz").status == 200
    assert fragile.anybody.get("/readyz").status == 200
    assert counts(fragile) == before
    assert fragile.scan(shown["url"])["verdict"] == "accepted"
    made = [police.post("/issuers/police/licences", fragile.order(), headers=KEY) for _ in range(2)]
    assert [one.status for one in made] == [201, 201]
    assert made[0]["licence_id"] == made[1]["licence_id"]
    assert police.post(*revoke, headers={"Idempotency-Key": "revoke"}).status == 200
    assert status_of(fragile, permit) == 1
    assert counts(fragile)["licence"] == 2
    assert findings(fragile) == []


def test_verifying_goes_on_from_memory(breakable: Breakable, fragile: World) -> None:
    """A worker that has just verified does so without its database, while what it remembers is fresh enough."""
    permit, token = fragile.issue(), fragile.counter().token
    fragile.restart(refresh_seconds=2)
    desk, audience = Caller(fragile.http, str(token)), fragile.house.verifier.audience(COUNTER)
    bodies = [
        {"service_item": ITEM, "nonce": f"n{minute}", "presentations": _presented(fragile, permit, audience, minute)}
        for minute in range(20)
    ]
    before = counts(fragile)

    def said(minute: int) -> str:
        made = desk.post("/verifier/checks", bodies[minute])
        return str(made["reason"] if made.status == 200 else made["code"])

    assert said(0) == "accepted"
    with breakable.away(fragile):
        told = []
        for minute in range(1, 20):
            fragile.wait(60)
            told.append(said(minute))
        _refused(desk.post("/verifier/verifications", {"scanned": "LW1-0", "service_item": ITEM}))
    assert told == ["accepted"] * 14 + ["database_unavailable"] * 5
    assert counts(fragile) == before
    assert findings(fragile) == []


def _presented(world: World, permit: str, audience: str, minute: int) -> list[str]:
    """What a wallet would send so many minutes from now."""
    keeping, later = world.house.wallet._keeping, world.now + timedelta(minutes=minute)
    (found,) = keeping.opened(str(world.holder().subject), [permit], now=world.now)
    parts = sd_jwt.select(found.parts, ["residence_district"])
    return [key_binding.bind(parts, keeping.signer(found.key), audience=audience, nonce=f"n{minute}", now=later)]


def test_restarted_between_two_requests(breakable: Breakable, fragile: World) -> None:
    """Connections that a restart broke are found out before they are used: the next request is answered."""
    fragile.issue()
    with breakable.away(fragile):
        pass
    assert fragile.agency("police").post("/issuers/police/licences", fragile.order(), headers=KEY).status == 201
    assert findings(fragile) == []


def test_verifying_by_command_goes_on(breakable: Breakable, fragile: World, tmp_path: Path) -> None:
    """With the database away, a pass verifies against the trust bundle, by the command line, as before."""
    scanned, bundle = tmp_path / "pass.txt", tmp_path / "bundle.json"
    scanned.write_text(fragile.offline_pass(fragile.issue(), ["residence_district"]))
    bundle.write_text(json.dumps(fragile.bundle()))
    second = str(int(fragile.now.timestamp()) + 60)
    words = ["verify", "--json", "--trust", str(bundle), "--now", second, "--service-item", ITEM, str(scanned)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LICENCE_")}
    with breakable.away(fragile):
        done = subprocess.run(
            [sys.executable, "-m", "app.cli.main", *words], env=clean, capture_output=True, check=False
        )
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "accepted"), done.stderr
    assert findings(fragile) == []


def test_commit_outcome_unknown(world: World) -> None:
    """Whichever commit's answer is lost, the retry under the same key gives the same licence, and there is one."""
    police, made = world.agency("police"), []
    world.holder()
    house = world.build()
    with another_worker(world, house) as worker:
        sick = Caller(worker.http, police.token)
        for number in range(100):
            headers = {"Idempotency-Key": f"lost-{number}"}
            before = {one["licence_id"] for one in police.get("/issuers/police/licences?limit=100")["items"]}
            with loses_the_answer(house, number):
                first = sick.post("/issuers/police/licences", world.order(), headers=headers)
            again = police.post("/issuers/police/licences", world.order(), headers=headers)
            assert (again.status, again["state"], again["delivered"]) == (201, "valid", True)
            made.append(again["licence_id"])
            after = {one["licence_id"] for one in police.get("/issuers/police/licences?limit=100")["items"]}
            assert after - before == {again["licence_id"]}
            if first.status == 201:
                break
            _refused(first)
    assert len(made) > 5
    held = [one["licence_id"] for one in world.holder().get("/wallet/licences")["items"]]
    assert sorted(held) == sorted(made)
    assert findings(world) == []


def test_revocation_whose_outcome_is_unknown(world: World) -> None:
    """Whichever commit's answer is lost while revoking, the retry says revoked, the list too, and it is one act."""
    police = world.agency("police")
    house = world.build()
    with another_worker(world, house) as worker:
        sick = Caller(worker.http, police.token)
        for number in range(100):
            permit = world.issue()
            path, headers = f"/issuers/police/licences/{permit}/revoke", {"Idempotency-Key": f"lost-{number}"}
            with loses_the_answer(house, number):
                first = sick.post(path, {"cause": "fraud"}, headers=headers)
            again = police.post(path, {"cause": "fraud"}, headers=headers)
            assert (again.status, again["state"], status_of(world, permit)) == (200, "revoked", 1)
            if first.status == 200:
                break
            _refused(first)
    assert number > 3
    assert findings(world) == []


def test_a_batch_whose_outcome_is_unknown(world: World) -> None:
    """Whichever commit's answer is lost on the way, each row is one licence, and none is said to be of before."""
    world.agency("police")
    house = world.build()
    for number in range(100):
        job = send(world, ndjson([row(2 * number), row(2 * number + 1)]), key=f"lost-{number}")["job_id"]
        with suppress(DBAPIError), loses_the_answer(house, number) as done:
            work(world, house)
        world.wait(LEASE.total_seconds() + 1)
        work(world, house)
        far = progress(world, job)
        assert (far["state"], far["signed"], far["delivered"], far["issued_before"]) == ("done", 2, 2, 0), number
        if done[0] <= number:
            break
    assert number > 5
    assert findings(world) == []


@contextmanager
def _full(world: World) -> Iterator[None]:
    """Let the world's disk be full: SQLite may take no further page, PostgreSQL says what it says then."""
    house = world.house
    if house.database.engine.dialect.name == "postgresql":
        with no_room(house, psycopg.errors.DiskFull("could not extend file: No space left on device")):
            yield
        return
    with house.database.read() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()

    def little(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(house.database.engine, "connect", little)
    house.database.engine.dispose()
    try:
        yield
    finally:
        event.remove(house.database.engine, "connect", little)
        house.database.engine.dispose()


def test_disk_full(world: World) -> None:
    """Without room writes are refused with 503 and a code, reads go on; with room again the same key finishes it."""
    police, permit = world.agency("police"), world.issue()
    text_of_pass, bundle = world.offline_pass(permit, ["residence_district"]), world.bundle()
    refused = []
    with _full(world):
        for number in range(60):
            made = police.post("/issuers/police/licences", world.order(), headers={"Idempotency-Key": f"full-{number}"})
            if made.status != 201:
                _refused(made)
                refused.append(number)
        assert refused
        assert police.get(f"/issuers/police/licences/{permit}")["state"] == "valid"
        assert [one["licence_id"] for one in world.holder().get("/wallet/licences")["items"]].count(permit) == 1
        assert world.anybody.get("/readyz").status == 200
        assert world.bundle()["trust_list"] == bundle["trust_list"]
    for number in refused:
        headers = {"Idempotency-Key": f"full-{number}"}
        assert police.post("/issuers/police/licences", world.order(), headers=headers).status == 201
    assert counts(world)["licence"] == 61
    assert world.scan(text_of_pass)["verdict"] == "accepted"
    assert findings(world) == []


def test_what_the_driver_says_of_many_rows(world: World) -> None:
    """Rows sent all at once that a constraint refuses are refused as single ones are, whichever way they went."""
    row = {"caller": "a", "key": "k", "operation": "o", "body_hash": "h", "result": "r", "created_at": world.now}
    for _ in range(2):
        try:
            with world.house.database.write() as session:
                rows_store.insert_many(session, IdempotencyKey, [row, row])
        except IntegrityError:
            continue
        raise AssertionError("twice the same key")
    assert counts(world)["idempotency_key"] == 0
    assert findings(world) == []
