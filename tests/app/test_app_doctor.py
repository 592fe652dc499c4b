"""The doctor finds what is wrong: each invariant is broken from beside the service, and named."""

import tracemalloc
from typing import Any

import pytest
from sqlmodel import select

from app import doctor
from app.invariants import checks
from credentials import base64url, jws, status_list
from issuers.models import LicenceCopy, LicenceRow, StatusListRow
from issuers.publishing import LIST_SIZE
from keys.models import KeyPurpose
from records import audit
from records.models import AuditEntry, IdempotencyKey
from records.outbox.models import OutboxEvent
from records.rows import store as rows_store
from records.store import PAGE
from tests.records.tables import alter, findings
from tests.world import World

I1, I2, LISTS, I5, I6 = (
    "I1 signatures and ledger rows",
    "I2 status indices",
    "I3 and I4 status lists",
    "I5 audit chain",
    "I6 idempotency keys",
)


def _row(world: World, licence_id: str) -> LicenceRow:
    with world.house.database.read() as session:
        return session.exec(select(LicenceRow).where(LicenceRow.licence_id == licence_id)).one()


def _names(world: World) -> set[str]:
    return {name for name, _ in findings(world)}


def _relist(world: World, **changes: object) -> None:
    """Sign the agency's list anew with other contents, as somebody with the vault's key would."""
    with world.house.database.read() as session:
        row = session.exec(select(StatusListRow)).one()
    claims = jws.parse(row.token, jws.STATUS_LIST).unverified_payload()
    lst = status_list.compress(status_list.pack(row.size, row.bits, changes.pop("statuses", {})))  # type: ignore[arg-type]
    key = world.house.vault.active("police", KeyPurpose.STATUS_LIST)
    assert key.signer is not None
    claims |= {"status_list": {"bits": row.bits, "lst": lst}} | changes
    alter(
        world, "UPDATE status_list SET token = :token", token=jws.sign(jws.STATUS_LIST, claims, key.signer, kid=key.kid)
    )


def test_a_healthy_city(world: World) -> None:
    """A city in which everything happened once has no findings."""
    first, second, third = (world.issue() for _ in range(3))
    world.change("suspend", first, "endorsement_lapsed")
    world.change("revoke", second, "moved_away")
    world.scan(world.show(licences=[{"licence_id": third, "claims": []}])["url"])
    assert findings(world) == []


def test_i1_a_licence_the_ledger_does_not_know(world: World) -> None:
    """A deleted ledger row shows: the audit and the wallet still know the licence."""
    licence_id = world.issue()
    alter(world, "DELETE FROM idempotency_key WHERE result = :one", one=licence_id)
    alter(world, "DELETE FROM licence WHERE licence_id = :one", one=licence_id)
    assert (I1, f"{licence_id} was signed or is held, and the ledger does not know it") in findings(world)


@pytest.mark.parametrize("signature", ["", base64url.encode(bytes(64))], ids=["none", "another"])
def test_i1_a_signature_that_is_none(world: World, signature: str) -> None:
    """A row without its signature, or with one that does not fit, is named."""
    licence_id = world.issue()
    alter(world, "UPDATE licence SET signature = :one", one=signature or None)
    assert next(sentence for name, sentence in findings(world) if name == I1).startswith(licence_id)


def test_i2_another_index_than_was_signed(world: World) -> None:
    """A ledger that points at another place of the list than the signed bytes is named."""
    licence_id = world.issue()
    alter(world, "UPDATE licence SET status_index = :one", one=(_row(world, licence_id).status_index + 1) % 1000)
    assert I2 in _names(world)


def _copy(world: World, licence_id: str, index: int) -> None:
    """Put a copy of a licence, with a place of its own, beside the service."""
    of = _row(world, licence_id)
    with world.house.database.write() as session:
        session.add(
            LicenceCopy(
                copy_id="c", licence_id=licence_id, thumbprint="t", status_list_id=of.status_list_id, kid=of.kid,
                status_index=index, signing_input=of.signing_input, signature=of.signature, created_at=world.now,
            )
        )  # fmt: skip


def test_i2_an_index_given_twice(world: World) -> None:
    """A copy that has a licence's place is named with that place."""
    licence_id = world.issue()
    index = _row(world, licence_id).status_index
    _copy(world, licence_id, index)
    assert (I2, f"police/1 index {index} was given 2 times") in findings(world)


def test_i2_a_decoy_s_index(world: World) -> None:
    """A licence or a copy at a place that says revoked from the first day on is named."""
    licence_id = world.issue()
    with world.house.database.read() as session:
        first, second, *_ = session.exec(select(StatusListRow)).one().decoys
    alter(world, "UPDATE licence SET status_index = :one", one=first)
    _copy(world, licence_id, second)
    said = {sentence for name, sentence in findings(world) if name == I2}
    assert {f"police/1 index {one} was given, and is a decoy's" for one in (first, second)} <= said


def test_i1_a_copy_the_ledger_does_not_know(world: World) -> None:
    """A copy that the audit says was signed and that has no row is named."""
    world.issue()
    with world.house.database.write() as session:
        audit.record(
            session, stream="issuers/police", actor="t", act="licence.copied", subject="gone", now=world.now, detail={}
        )
    assert (I1, "copy gone was signed, and the ledger does not know it") in findings(world)


def test_so_many_are_told_and_then_that_there_are_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at a city with much amiss is told the first of it, and how much more there is."""
    monkeypatch.setattr(doctor, "MOST_TOLD", 2)
    for _ in range(4):
        world.issue()
    alter(world, "UPDATE licence SET signature = NULL")
    said = [sentence for name, sentence in findings(world) if name == I1]
    assert (len(said), said[-1]) == (3, "and 2 more of these")


def test_i3_a_list_that_says_something_else(world: World) -> None:
    """A list that says suspended of a revoked licence, or of a valid one, does not say what was acknowledged."""
    licence_id = world.issue()
    world.change("revoke", licence_id, "moved_away")
    _relist(world, statuses={_row(world, licence_id).status_index: 2})
    assert LISTS in _names(world)


def test_i3_a_list_that_still_suspends(world: World) -> None:
    """After reinstating, a list that still says suspended is named."""
    licence_id = world.issue()
    assert world.change("suspend", licence_id, "endorsement_lapsed").status == 200
    world.change("reinstate", licence_id)
    _relist(world, statuses={_row(world, licence_id).status_index: 2})
    assert LISTS in _names(world)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE status_list SET token = ''",
        "UPDATE status_list SET published_version = version + 1",
        "UPDATE status_list SET issued_at = issued_at - 1",
    ],
)
def test_i3_i4_a_list_that_was_tampered_with(world: World, statement: str) -> None:
    """A list without its token, ahead of its changes, or dated otherwise is named."""
    world.change("revoke", world.issue(), "moved_away")
    alter(world, statement)
    assert LISTS in _names(world)


def test_i3_a_list_nobody_signed(world: World) -> None:
    """A list whose signature does not verify is named."""
    world.change("revoke", world.issue(), "moved_away")
    with world.house.database.read() as session:
        token = session.exec(select(StatusListRow)).one().token
    alter(
        world,
        "UPDATE status_list SET token = :token",
        token=token.rpartition(".")[0] + "." + base64url.encode(bytes(64)),
    )
    assert any("not signed" in sentence for name, sentence in findings(world) if name == LISTS)


def test_i4_a_revocation_taken_back(world: World) -> None:
    """A licence that the list says is revoked and the ledger says is valid is named."""
    licence_id = world.issue()
    world.change("revoke", licence_id, "moved_away")
    alter(world, "UPDATE licence SET state = 'valid'")
    assert {LISTS, I5} <= _names(world)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE signing_key SET state = 'compromised' WHERE owner = 'police' AND purpose = 'licence'",
        "INSERT INTO authorisation (agency, vct, valid_from) VALUES ('police', 'urn:x', '2026-01-01 00:00:00')",
        (
            "INSERT INTO access_token (token_id, secret_hash, role, subject, scopes, created_at, expires_at) VALUES "
            "('t', 'h', 'operator', 'x', 'operate', '2026-01-01 00:00:00', '2027-01-01 00:00:00')"
        ),
        "DELETE FROM verification",
        "UPDATE licence SET state = 'suspended'",
    ],
)
def test_i5_an_act_that_nobody_did(world: World, statement: str) -> None:
    """What changed without an entry in the audit is named."""
    world.issue()
    world.scan(world.show()["url"])
    for child in ("verified_presentation",):
        alter(world, f"DELETE FROM {child}")
    assert I5 not in _names(world)
    alter(world, statement)
    assert I5 in _names(world)


def test_i6_a_key_that_names_another_licence(world: World) -> None:
    """An idempotency key pointed at another licence is named, and so is the licence it left."""
    first, second = world.issue(), world.issue()
    alter(world, "UPDATE idempotency_key SET result = :second WHERE result = :first", first=first, second=second)
    said = [sentence for name, sentence in findings(world) if name == I6]
    assert len(said) == 2


def _more(world: World, model: type[Any], like: dict[str, Any], numbers: range, *names: str) -> None:
    rows = [
        like | {name: LIST_SIZE + at if name in {"status_index", "sequence"} else f"{at}" for name in names}
        for at in numbers  # no index that the list has: its licences' are random
    ]
    with world.house.database.write() as session:
        rows_store.insert_many(session, model, rows)


def _grown(world: World, like: dict[type[Any], dict[str, Any]], numbers: range) -> int:
    """Add so many rows that are like others, and return the most bytes that any invariant takes to be examined."""
    _more(world, LicenceRow, like[LicenceRow], numbers, "licence_id", "serial", "status_index")
    _more(world, AuditEntry, like[AuditEntry], numbers, "sequence", "subject", "hash")
    _more(world, OutboxEvent, like[OutboxEvent], numbers, "event_id")
    _more(world, IdempotencyKey, like[IdempotencyKey], numbers, "key", "result")
    most = 0
    for check in (checks.signatures, checks.indices, checks.lists, checks.audited, checks.idempotency, checks.owed):
        tracemalloc.start()
        told = sum(1 for _ in check(world.house, world.now))
        most = max(most, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert told < PAGE or check is not checks.signatures  # they are like one that is well signed
    return most


def test_no_city_is_too_large(world: World) -> None:
    """What is examined is a page of rows in memory, however many there are."""
    world.issue()
    like = {}
    with world.house.database.read() as session:
        for model in (LicenceRow, AuditEntry, OutboxEvent, IdempotencyKey):
            query = select(model).where(AuditEntry.act == "licence.signed") if model is AuditEntry else select(model)
            like[model] = session.exec(query.limit(1)).one().model_dump() | (
                {"log_index": None} if model is AuditEntry else {}
            )
    few = _grown(world, like, range(100, 2 * PAGE))
    assert _grown(world, like, range(2 * PAGE, 8 * PAGE)) < 1.5 * few
