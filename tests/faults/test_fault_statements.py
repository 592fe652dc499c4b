"""A statement fails at step N: rolled back, nothing signed that the ledger does not know, the same key finishes it.

That a worker *dies* at every statement of issuing, renewing and revoking is in `tests/issuers/test_once.py`, of a batch
in `tests/issuers/test_batch.py`. Here one statement fails and whatever comes after it is said all the same; and what is
tried besides is suspending and verifying.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from issuers.batch import batches
from tests.faults.outages import fails_at
from tests.issuers.batch_rows import ndjson, progress, row, send, work
from tests.issuers.city import another_worker, signature, status_of, univ
from tests.issuers.claims_of_types import order
from tests.records.tables import acts, counts, findings
from tests.world import COUNTER, ITEM, Answer, Caller, World

TYPE = "graduation_certificate"
Prepare = Callable[[int], tuple[str, Any]]


def _at_every_statement(
    world: World, prepare: Prepare, judge: Callable[[Answer], None], *, agency: str = "police", name: str = "licence_id"
) -> int:
    """Send one request for each statement that can fail, each again to a healthy worker; returns how many failed.

    What is answered both times has the same `name`.
    """
    police, failed = world.agency(agency), 0
    world.holder()
    house = world.build()
    with another_worker(world, house) as worker:
        sick = Caller(worker.http, police.token)
        for number in range(400):
            path, body = prepare(number)
            headers = {"Idempotency-Key": f"failed-{number}"}
            with fails_at(house, number) as said:
                made = sick.post(path, body, headers=headers)
            again = police.post(path, body, headers=headers)
            assert again.status in {200, 201}, (number, again.body)
            judge(again)
            if made.status < 400:  # what failed was no part of the act: publishing it, or nothing any more
                assert made[name] == again[name]
            else:
                assert (made.status, made["code"], made.headers["retry-after"]) == (503, "database_unavailable", "5")
                failed += 1
            if len(said) <= number:
                return failed
    raise AssertionError("it never survived")


def test_issuing(world: World) -> None:
    """Whichever statement of issuing fails: 503, and the same key then gives one licence, delivered."""
    made: list[str] = []

    def judge(answer: Answer) -> None:
        assert (answer["state"], answer["delivered"]) == ("valid", True)
        made.append(answer["licence_id"])

    failed = _at_every_statement(world, lambda _number: ("/issuers/police/licences", world.order()), judge)
    assert failed >= 10
    assert len(set(made)) == len(made) == counts(world)["licence"] == counts(world)["held_licence"]
    assert findings(world) == []


@pytest.mark.parametrize(("verb", "cause", "bit"), [("suspend", "endorsement_lapsed", 2), ("revoke", "fraud", 1)])
def test_changing(world: World, verb: str, cause: str, bit: int) -> None:
    """Whichever statement of a change fails: the same key then makes it, once, and the list says so."""
    made: list[str] = []

    def prepare(_number: int) -> tuple[str, Any]:
        made.append(world.issue())
        return f"/issuers/police/licences/{made[-1]}/{verb}", {"cause": cause}

    def judge(answer: Answer) -> None:
        assert (answer["cause"], status_of(world, made[-1])) == (cause, bit)

    assert _at_every_statement(world, prepare, judge) >= 8
    with world.house.database.read() as session:
        told = session.connection().exec_driver_sql(
            f"SELECT count(*) FROM audit_entry WHERE act = 'licence.{verb.removesuffix('e')}ed'"
        )
        assert told.scalar_one() == len(made)
    assert findings(world) == []


@pytest.mark.parametrize("undone", [False, True])
def test_changing_many(world: World, undone: bool) -> None:
    """Whichever statement of a mass suspension, or of undoing it, fails: sent again it is done, once, for all of them."""
    made: list[list[str]] = []

    def prepare(number: int) -> tuple[str, Any]:
        made.append([world.issue(), world.issue()])
        body = {"change": "suspend", "cause": "endorsement_lapsed", "licences": made[-1]}
        if not undone:
            return "/issuers/police/status-changes", body
        done = world.agency("police").post("/issuers/police/status-changes", body)
        return f"/issuers/police/status-changes/{done['change_id']}/undo", None

    def judge(answer: Answer) -> None:
        assert (answer["changed"], answer["left"]) == (2, [])
        assert {status_of(world, one) for one in made[-1]} == {0 if undone else 2}

    assert _at_every_statement(world, prepare, judge, name="change_id") >= 6
    told = [act for _, act, _ in acts(world, "issuers/police")]
    assert told.count("licence.suspended") == 2 * len(made)
    assert told.count("licence.reinstated") == (2 * len(made) if undone else 0)
    assert findings(world) == []


def test_preparing_and_completing(world: World) -> None:
    """Whichever statement of preparing fails, and then of completing: one licence, in its holder's wallet."""
    university = univ(world)
    prepared: list[Answer] = []

    def judge(answer: Answer) -> None:
        prepared.append(answer)

    def complete(number: int) -> tuple[str, Any]:
        one = university.post(
            "/issuers/univ/licences/prepare", order(world, TYPE), headers={"Idempotency-Key": f"whole-{number}"}
        )
        return f"/issuers/univ/licences/{one['licence_id']}/complete", signature(one)

    path = "/issuers/univ/licences/prepare"
    assert _at_every_statement(world, lambda _number: (path, order(world, TYPE)), judge, agency="univ") >= 8
    assert len({one["licence_id"] for one in prepared}) == len(prepared) == counts(world)["licence"]
    assert {one["state"] for one in prepared} == {"prepared"}
    completed: list[Answer] = []
    assert _at_every_statement(world, complete, completed.append, agency="univ") >= 6
    assert {(one["state"], one["delivered"]) for one in completed} == {("valid", True)}
    held = world.holder("graduate").get("/wallet/licences?limit=100")["items"]
    assert {one["licence_id"] for one in held} == {one["licence_id"] for one in completed}
    assert findings(world) == []


def test_verifying(world: World) -> None:
    """Whichever statement of verifying fails: a code is accepted once at most, and no accepted use stays untold."""
    world.issue()
    counter, house = world.counter(), world.build()
    outcomes, accepted = set(), 0
    with another_worker(world, house) as worker:
        sick = Caller(worker.http, counter.token)
        for number in range(200):
            shown = world.show()
            body = {"scanned": shown["url"], "service_item": ITEM}
            with fails_at(house, number) as said:
                first = sick.post("/verifier/verifications", body)
            again = world.scan(shown["url"], COUNTER)
            verdicts = [first.body.get("verdict"), again["verdict"]]
            assert verdicts.count("accepted") <= 1, number
            accepted += verdicts.count("accepted")
            if again["verdict"] != "accepted":
                assert again["reason"] == "already_used"
            outcomes.add((first.status, again["verdict"]))
            if len(said) <= number:
                break
    assert outcomes >= {(503, "accepted"), (503, "refused"), (200, "refused")}
    uses = [one for one in _all(world.holder(), "/wallet/uses") if one["verdict"] == "accepted"]
    with world.house.database.read() as session:
        kept = session.connection().exec_driver_sql("SELECT count(*) FROM verification WHERE verdict = 'accepted'")
        assert accepted <= len(uses) == kept.scalar_one() <= number + 1
    assert findings(world) == []


def _all(caller: Caller, path: str) -> list[dict[str, Any]]:
    return list(caller.get(f"{path}?limit=100")["items"])


def test_preparing_a_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever statement of a batch's work fails once, the job comes to its end: one licence a row."""
    monkeypatch.setattr(batches, "CHUNK_ROWS", 4)
    send(world, ndjson([row(number) for number in range(1000, 1004)]), key="measured")
    with fails_at(world.house, -1) as said:
        work(world)
    for at in range(len(said)):
        job = send(world, ndjson([row(number) for number in range(4 * at, 4 * at + 4)]), key=f"job {at}")["job_id"]
        with fails_at(world.house, at), suppress(OperationalError):  # the next round tries again (`app/background.py`)
            work(world)
        world.wait(121)
        work(world)
        assert (progress(world, job)["state"], progress(world, job)["delivered"]) == ("done", 4)
    assert counts(world)["licence"] == 4 + 4 * len(said)
    assert findings(world) == []
