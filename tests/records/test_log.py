"""The transparency log: every act gets in, what is in can be proved, and no change of any record goes unseen."""

import json
import random
from base64 import b64decode
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from credentials import checkpoint, jws, merkle, strict_json
from records import audit, log, store
from records.errors import AuditBrokenError
from records.models import AuditEntry, LogNode
from tests.races.test_many_at_once import at_once
from tests.records.tables import counts, findings
from tests.world import COUNTER, World

ORIGIN = "127.0.0.1:8080/log"
TRIES = 1000


def a_day(world: World) -> None:
    """Some acts of every kind."""
    permit = world.issue()
    world.scan(world.show()["url"])
    world.change("suspend", permit, "endorsement_lapsed")
    world.change("reinstate", permit)
    world.issue_certificate()
    world.change("revoke", permit, "fraud")
    world.operator.post("/admin/keys/rotate", {"owner": "police", "purpose": "licence"})


def read(world: World) -> tuple[checkpoint.Checkpoint, str]:
    """The log's checkpoint as anybody reads it."""
    note = world.anybody.get("/log/checkpoint")
    assert note.headers["content-type"].startswith("text/plain")
    return checkpoint.read(note.body, ORIGIN, world.house.log.keys()), note.body


def leaves(world: World) -> list[bytes]:
    return [b64decode(one) for one in world.anybody.get("/log/leaves")["hashes"]]


def test_every_act_gets_in(world: World) -> None:
    """Under a new checkpoint every act is a leaf, and the root is what the leaves make."""
    a_day(world)
    signed, _ = read(world)
    with world.house.database.read() as session:
        hashes = session.exec(select(AuditEntry.hash).order_by(col(AuditEntry.log_index))).all()
    assert signed.size == len(hashes) == len(leaves(world))
    assert leaves(world) == [merkle.leaf_hash(bytes.fromhex(one)) for one in hashes]
    kept = dict(enumerate(leaves(world)))
    assert merkle.root(signed.size, lambda level, index: _made(kept, level, index)) == signed.root
    assert findings(world) == []


def _made(kept: dict[int, bytes], level: int, index: int) -> bytes:
    if level == 0:
        return kept[index]
    return merkle.node_hash(_made(kept, level - 1, 2 * index), _made(kept, level - 1, 2 * index + 1))


def test_nothing_new_is_nothing_to_sign(world: World) -> None:
    """Asked again with nothing done between, it is the very same checkpoint, and no row more."""
    a_day(world)
    note = world.house.log.checkpoint(now=world.now, fresh=True)
    before = counts(world)
    world.wait(120)
    assert world.house.log.checkpoint(now=world.now, fresh=True) == note
    assert counts(world) == before


def test_it_only_grows(world: World) -> None:
    """Checkpoints a minute apart are consistent; within the minute and without an act the same one is told."""
    a_day(world)
    first, note = read(world)
    world.issue()
    assert read(world)[1] == note
    world.wait(60)
    second, _ = read(world)
    assert second.size > first.size
    told = world.anybody.get(f"/log/consistency?before={first.size}&after={second.size}")
    merkle.check_consistency(
        first.size, second.size, [b64decode(one) for one in told["proof"]], first.root, second.root
    )
    world.wait(60)
    assert read(world)[1] == read(world)[1]
    too_long = world.anybody.get(f"/log/consistency?before=1&after={second.size + 50}")
    assert (too_long.status, too_long["code"]) == (422, "proof_refused")


def test_nothing_is_readable(world: World) -> None:
    """What the log shows the public holds no name, number, claim or identifier."""
    a_day(world)
    shown = read(world)[1] + json.dumps(world.anybody.get("/log/leaves").body)
    for one in ("police", "licence", COUNTER, world.holder().subject, world.people["li_si"]["code"], "1.2.156"):
        assert one not in shown


def test_a_receipt_is_proved_by_anybody(world: World) -> None:
    """With receipt, proof and the trust list's keys alone: this very receipt is in the log, by this counter."""
    world.issue()
    verdict = world.scan(world.show()["url"])
    proof = world.counter().get(f"/verifier/verifications/{verdict['verification_id']}/proof")
    assert proof.status == 200, proof.body
    trust = world.house.registry.token(now=world.now)
    claims = jws.parse(trust, jws.TRUST_LIST).unverified_payload()
    keys = [row["jwk"] for row in claims["log_keys"]]
    assert keys
    act = proof["act"]
    hashed = {name: value for name, value in act.items() if name != "hash"}
    assert sha256(strict_json.canonical(hashed)).hexdigest() == act["hash"]
    assert json.loads(act["detail"])["receipt"] == sha256(verdict["receipt"].encode()).hexdigest()
    assert (act["subject"], act["act"]) == (verdict["verification_id"], "verification.accepted")
    signed = checkpoint.read(proof["checkpoint"], ORIGIN, world.house.log.keys())
    leaf = merkle.leaf_hash(bytes.fromhex(act["hash"]))
    path = [b64decode(one) for one in proof["path"]]
    merkle.check_inclusion(leaf, proof["leaf_index"], signed.size, path, signed.root)
    other = world.counter("other_desk").get(f"/verifier/verifications/{verdict['verification_id']}/proof")
    assert other.status == 404


def test_many_at_once(world: World) -> None:
    """Sixteen checkpoints and eight issues at once: one log, no leaf twice, one root for each size."""
    world.agency("police")
    world.wait(61)
    calls: list[Any] = [lambda: world.house.log.checkpoint(now=world.now, fresh=True)] * 16 + [world.issue] * 8
    notes = [one for one in at_once(calls) if "/log\n" in one]
    world.house.log.checkpoint(now=world.now, fresh=True)
    roots: dict[int, bytes] = {}
    for note in notes:
        signed = checkpoint.read(note, ORIGIN, world.house.log.keys())
        assert roots.setdefault(signed.size, signed.root) == signed.root
    assert findings(world) == []


def test_a_thousand_changes_are_all_found(world: World, record_property: Any) -> None:
    """Editing, deleting, reordering or cutting off any act, with chain and leaves made to fit or not: found each time."""
    a_day(world)
    house, dice, found = world.house, random.Random(4), 0
    note, kept = house.log.checkpoint(now=world.now, fresh=True), leaves(world)
    tries = TRIES if "sqlite" in world.database_url else TRIES // 10
    for _ in range(tries):
        with house.database.engine.connect() as connection, Session(connection) as session:
            session.begin()
            tamper(session, dice)
            session.flush()
            session.expire_all()
            with pytest.raises(AuditBrokenError):
                house.log.verify(session, [note], kept)
            found += 1
            session.rollback()
    record_property("audit: changes tried", tries)
    record_property("audit: changes not found", tries - found)
    with house.database.read() as session:
        assert house.log.verify(session, [note], kept)[1] == len(kept)


def tamper(session: Session, dice: random.Random) -> None:
    """Do to the records what an insider with the database and this code could."""
    entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.log_index))).all()
    victim = dice.choice(entries)
    stream = [one for one in entries if one.stream == victim.stream]
    how = dice.choice(["edit", "edit", "edit hash", "delete", "swap", "cut", "cut stream", "leaf"])
    if how.startswith("edit"):
        edit(victim, dice.choice(["hash", "previous_hash"] if how == "edit hash" else EDITABLE))
    elif how == "swap":
        other = entries[entries.index(victim) - 1]
        victim.subject, other.subject = other.subject + "-", victim.subject
    elif how == "leaf":
        edit(session.get(LogNode, (0, victim.log_index)), "hash")
    else:
        first = stream.index(victim) if how != "cut stream" else 0
        gone = [victim] if how == "delete" else stream[first:]
        for one in gone:
            session.delete(one)
            stream.remove(one)
    session.flush()
    if how not in {"edit hash", "leaf"} and dice.random() < 0.6:  # made to fit again, those would be undone
        refit(session, stream)


EDITABLE = ["actor", "act", "subject", "detail", "at"]


def edit(row: Any, name: str) -> None:
    """Change a column."""
    was = getattr(row, name)
    changed = f"{was}x" if isinstance(was, str) else bytes(32) if isinstance(was, bytes) else was.replace(year=2020)
    setattr(row, name, changed)


def refit(session: Session, stream: list[AuditEntry]) -> None:
    """Make chain, numbers, leaves and subtrees fit the changed records, as whoever hides a change would."""
    previous = ""
    for number, one in enumerate(sorted(stream, key=lambda row: row.sequence), 1):
        if one.sequence != number:
            one.sequence = number
        one.previous_hash = previous
        one.hash = previous = audit._hash(audit._hashed(one)).hex()
        session.flush()
    rows = list(
        session.exec(
            select(AuditEntry).where(col(AuditEntry.log_index).is_not(None)).order_by(col(AuditEntry.log_index))
        )
    )
    for one in rows:
        one.log_index = None
    session.flush()
    for node in session.exec(select(LogNode)):
        session.delete(node)
    session.flush()
    while log.grow(session):
        session.flush()
    assert store.log_size(session) == len(rows)


def test_the_first_bad_act_is_named(world: World) -> None:
    """What was kept elsewhere, then a change here: `licence audit verify` says no and names it."""
    a_day(world)
    note = world.house.log.checkpoint(now=world.now, fresh=True)
    kept = [b64decode(one) for one in world.anybody.get("/log/leaves")["hashes"]]
    with world.house.database.read() as session:
        entries, logged = world.house.log.verify(session, [note], kept)
    assert entries >= logged > 10
    with world.house.database.write() as session:
        victim = session.exec(select(AuditEntry).where(AuditEntry.act == "licence.revoked")).one()
        stream, sequence, victim.actor = victim.stream, victim.sequence, "agency:nobody"
    with world.house.database.read() as session, pytest.raises(AuditBrokenError) as broken:
        world.house.log.verify(session, [note], kept)
    assert (broken.value.stream, broken.value.sequence) == (stream, sequence)
    assert any("the chain breaks at issuers/police" in one for _, one in findings(world))


def test_no_act_hides_behind_a_place_that_is_none(world: World) -> None:
    """An act that somebody gave a negative place is no leaf and waits for none: it is found, not passed over."""
    a_day(world)
    read(world)
    with world.house.database.write() as session:
        session.execute(
            text("UPDATE audit_entry SET log_index = -1 WHERE log_index = (SELECT max(log_index) FROM audit_entry)")
        )
    with world.house.database.read() as session, pytest.raises(AuditBrokenError):
        log.verify(session)
