"""The audit chain: every act is in it, and whoever edits, deletes or reorders an entry is found out, by name."""

from typing import Any

import pytest
from sqlalchemy import event, inspect, text

from records import audit, store
from records.errors import AuditBrokenError
from tests.records.tables import acts, alter, counts, findings
from tests.world import World

STREAM = "issuers/police"


class DiskFullError(Exception):
    """What the database says in one of these tests."""


@pytest.fixture
def tampered(world: World) -> World:
    """A day's acts, for a test that tampers with them."""
    a_day(world)
    return world


def broken_at(world: World) -> tuple[str, int]:
    """The entry that verifying names."""
    with world.house.database.read() as session, pytest.raises(AuditBrokenError) as found:
        audit.verify(session)
    assert found.value.code == "audit_broken"
    return found.value.stream, found.value.sequence


def a_day(world: World) -> str:
    """A day's acts in several streams; returns the permit that they are about."""
    permit = world.issue()
    world.issue_certificate()
    world.change("suspend", permit, "endorsement_lapsed")
    world.change("reinstate", permit)
    world.scan(world.show()["url"])
    world.change("revoke", permit, "fraud")
    return permit


def test_honest_chain_verifies(world: World) -> None:
    """An untouched chain verifies, and verifying says how many entries there are."""
    a_day(world)
    with world.house.database.read() as session:
        assert audit.verify(session) == counts(world)["audit_entry"] > 20
    assert findings(world) == []


def test_every_act_has_its_entry(world: World) -> None:
    """Each act of a day stands once in its stream, with who did it and to what, in order."""
    permit = a_day(world)
    assert acts(world, STREAM) == [
        ("operator:op", "agency.added", "police"),
        ("agency:police", "licence.prepared", permit),
        ("agency:police", "licence.signed", permit),
        ("agency:police", "licence.suspended", permit),
        ("agency:police", "licence.reinstated", permit),
        ("agency:police", "licence.revoked", permit),
    ]
    assert [act for _, act, _ in acts(world, "verifier/school2_office")] == ["verification.accepted"]
    assert [act for _, act, _ in acts(world, f"wallet/{world.holder().subject}")] == [
        "holder.added",
        "licence.received",
        "holder.link_made",
        "holder.signed_in",
        "token.granted",
        "show.made",
        "use.show_code",
    ]
    (child,) = [one["principal"] for one in world.holder().get("/wallet/mandates")["items"]]
    told = [act for _, act, _ in acts(world, f"wallet/{child}")]
    assert told == ["holder.added", "mandate.given", "licence.received", "use.show_code"]
    assert ("operator:op", "counter.added", "school2_office") in acts(world, "verifier")
    assert {act for _, act, _ in acts(world, "keys")} == {
        "key.active",
        "key.next",
        "certificate.issued",
        "trust.admitted",
        "token.granted",
    }
    renewed = world.issue()
    made = world.agency("police").post(f"/issuers/police/licences/{renewed}/renew", world.order())
    with world.house.database.read() as session:
        last = session.execute(
            text("SELECT act, subject, detail FROM audit_entry WHERE stream = :s ORDER BY sequence DESC"), {"s": STREAM}
        ).first()
    assert last is not None
    assert tuple(last) == ("licence.signed", made["licence_id"], f'{{"supersedes":"{renewed}"}}')


def test_refused_requests_leave_no_entry(world: World) -> None:
    """What was not done is not told."""
    permit = a_day(world)
    before = counts(world)["audit_entry"]
    assert world.change("reinstate", permit).status == 409
    assert world.agency("police").post("/issuers/police/licences", world.order(claims={"sex": 1})).status == 422
    assert counts(world)["audit_entry"] == before


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'agency:samr'",
        "act = 'licence.signed2'",
        "subject = 'another'",
        'detail = \'{"cause":"moved_away"}\'',
        "at = '2026-11-22 04:00:00.000000'",
        "previous_hash = ''",
        "hash = 'aa'",
    ],
)
def test_edited_entry_is_named(tampered: World, change: str) -> None:
    """Editing any column of an entry is found at that very entry, by the doctor too."""
    assert alter(tampered, f"UPDATE audit_entry SET {change} WHERE stream = :s AND sequence = 4", s=STREAM) == 1
    assert broken_at(tampered) == (STREAM, 4)
    assert ("I5 audit chain", f"the chain breaks at {STREAM} entry 4") in findings(tampered)


def test_edited_entry_with_its_hash_made_anew_is_found_at_the_next(tampered: World) -> None:
    """Whoever edits an entry and reckons its hash anew is found at the entry behind it."""
    with tampered.house.database.write() as session:
        entry = session.get(audit.AuditEntry, (STREAM, 4))
        assert entry is not None
        entry.actor = "agency:samr"
        entry.hash = audit._hash(audit._hashed(entry)).hex()
    assert broken_at(tampered) == (STREAM, 5)


@pytest.mark.parametrize("sequence", [1, 3, 5])
def test_deleted_entry_is_named(tampered: World, sequence: int) -> None:
    """Deleting an entry, the first or one in the middle, is found where it stood."""
    assert alter(tampered, "DELETE FROM audit_entry WHERE stream = :s AND sequence = :n", s=STREAM, n=sequence) == 1
    assert broken_at(tampered) == (STREAM, sequence)


def test_deleted_entry_with_the_rest_moved_up_is_named(tampered: World) -> None:
    """Deleting an entry and numbering the rest anew is found too."""
    alter(tampered, "DELETE FROM audit_entry WHERE stream = :s AND sequence = 3", s=STREAM)
    for number in (4, 5, 6):
        alter(
            tampered,
            "UPDATE audit_entry SET sequence = :to WHERE stream = :s AND sequence = :n",
            s=STREAM,
            n=number,
            to=number - 1,
        )
    assert broken_at(tampered) == (STREAM, 3)


def test_reordered_entries_are_named(tampered: World) -> None:
    """Exchanging two entries is found at the first of the two."""
    for before, after in ((4, 99), (5, 4), (99, 5)):
        alter(
            tampered,
            "UPDATE audit_entry SET sequence = :to WHERE stream = :s AND sequence = :n",
            s=STREAM,
            n=before,
            to=after,
        )
    assert broken_at(tampered) == (STREAM, 4)


def test_entry_moved_to_another_stream_is_named(tampered: World) -> None:
    """An entry put at the end of another stream is found there."""
    alter(
        tampered,
        "UPDATE audit_entry SET stream = 'issuers/school1', sequence = 4 WHERE stream = :s AND sequence = 6",
        s=STREAM,
    )
    assert broken_at(tampered) == ("issuers/school1", 4)


def test_inserted_entry_is_named(tampered: World) -> None:
    """An act that never happened, put in at the end with a made-up hash, is found."""
    alter(
        tampered,
        "INSERT INTO audit_entry SELECT stream, 7, at, actor, act, subject, detail, hash, hash, NULL FROM audit_entry "
        "WHERE stream = :s AND sequence = 6",
        s=STREAM,
    )
    assert broken_at(tampered) == (STREAM, 7)


def test_licence_whose_entries_were_cut_off_is_missed(world: World) -> None:
    """Cutting off a stream's newest entries leaves a ledger row without its act, which the doctor tells."""
    permit = world.issue()
    alter(world, "DELETE FROM audit_entry WHERE stream = :s AND sequence > 1", s=STREAM)
    found = findings(world)
    assert found[0] == ("I5 audit chain", f"{permit} is valid, the audit says nothing")
    assert [name for name, _ in found] == ["I5 audit chain", "I7 outbox"]


def test_no_act_without_its_entry(world: World) -> None:
    """Where the entry cannot be written the act does not happen, and nothing of it stays."""
    permit = world.issue()
    before = counts(world)

    def full(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO audit_entry"):
            raise DiskFullError

    engine = world.house.database.engine
    event.listen(engine, "before_cursor_execute", full)
    try:
        made = world.change("revoke", permit, "fraud")
        issued = world.agency("police").post("/issuers/police/licences", world.order())
    finally:
        event.remove(engine, "before_cursor_execute", full)
    assert (made.status, made["code"]) == (500, "internal_error")
    assert (issued.status, issued["code"]) == (500, "internal_error")
    assert world.house.issuer.read("police", permit).state == "valid"
    after = counts(world)
    assert {name for name in before if before[name] != after[name]} <= {"holder_key"}
    assert findings(world) == []


def test_an_act_on_a_subject_is_found_by_index(world: World) -> None:
    """Whatever is looked for by subject is not looked for among all acts of its agency."""
    permit, asked = a_day(world), list[tuple[str, Any]]()
    engine = world.house.database.engine
    (index,) = [one for one in inspect(engine).get_indexes("audit_entry") if one["name"] == "acts_on_a_subject"]
    assert index["column_names"] == ["stream", "subject", "sequence"]
    event.listen(engine, "before_cursor_execute", lambda _c, _cur, statement, said, *_: asked.append((statement, said)))
    with world.house.database.read() as session:
        assert store.act(session, STREAM, permit, "licence.signed") is not None
        ((statement, said),) = asked
        if engine.dialect.name == "sqlite":  # PostgreSQL's plan is by cost: of so few rows any index will do
            plan = str(session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", said).all())
            assert "acts_on_a_subject" in plan, plan
