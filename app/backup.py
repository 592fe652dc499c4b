"""Backups: a dump of the database, a manifest of how far it goes; and loading one into an empty database.

A dump says no version of its schema, so that nothing serves it as it is: what was issued after it would be issued
again, with the same status indices. `licence restore` loads it, lets `epoch.py` close that gap, then says the version.
The key-encryption key is in no backup.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.pool import StaticPool
from sqlmodel import Session

from app import migrations, store
from app.database import EngineDatabase
from credentials import base64url
from issuers import store as issuers_store
from keys.models import WrappedRoot
from records import store as records_store
from records.models import AuditEntry

MANIFEST = "manifest.json"
DUMPS = {"sqlite": "licence.sqlite", "postgresql": "licence.pgdump"}
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
CHUNK = 1024 * 1024  # bytes read at once


class BackupError(Exception):
    """There is no backup to be made, or none to be restored; the sentence says what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ListState(_Strict):
    """How far a status list had come."""

    list_id: str
    version: int
    published_version: int
    issued_at: int


class Head(_Strict):
    """The last act of an audit stream."""

    stream: str
    sequence: int
    hash: str


class Manifest(_Strict):
    """What a backup holds, and how far it goes. Nobody signed it: it guards against mistakes, not against forgers."""

    format: Literal[1] = 1
    made_at: AwareDatetime
    base_url: str
    engine: Literal["sqlite", "postgresql"]
    schema_version: str
    dump: str
    dump_sha256: str = ""
    status_lists: list[ListState]
    audit: list[Head]
    checkpoint: str | None
    key_encryption_key: str = ""
    """What the key is called that opens this backup; unknown of those that were made before this was noted."""
    wrapped_root: str = ""
    """The one secret, wrapped by that key, in base64url: so that a wrong key is found before anything is loaded."""


def make(database: EngineDatabase, url: str, base_url: str, folder: Path, *, now: datetime) -> Manifest:
    """Write a dump and its manifest into a new or empty folder, readable by its owner alone; nothing waits for it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(
            f"{folder} 不是空文件夹，每次备份请用新文件夹 · is not empty: name a new folder for each backup"
        )
    engine = database.engine.dialect.name
    if not migrations.is_current(database.engine):
        raise BackupError(
            "数据库不是本版本的，请用正在服务的版本备份 · "
            "the database is not of this version: back it up with the release that serves it"
        )
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    dump = folder / DUMPS[engine]
    os.close(os.open(dump, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
    said: dict[str, Any] = {"made_at": now, "base_url": base_url, "engine": engine, "dump": dump.name}
    try:
        said |= _copy(database.engine, dump) if engine == "sqlite" else _dump(database.engine, url, dump)
    except BaseException:  # whatever it was: the folder is empty again, and the next try may have it
        dump.unlink()
        raise
    manifest = Manifest(**said | {"dump_sha256": _digest(dump)})
    handle = os.open(folder / MANIFEST, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(manifest.model_dump_json(indent=1) + "\n")
    return manifest


def read(folder: Path) -> Manifest:
    """Return a backup's manifest, if its dump is the one that was made with it."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise BackupError(f"{folder} 中没有完成的备份，请换一个 · holds no finished backup: take another") from error
    except ValidationError as error:
        raise BackupError(
            f"{folder / MANIFEST} 不是本版本或更早版本的清单 · is no manifest of this release or an older one"
        ) from error
    if manifest.dump != DUMPS[manifest.engine] or _digest(folder / manifest.dump) != manifest.dump_sha256:
        raise BackupError(
            f"{manifest.dump} 与清单不符，请换一份备份 · "
            "is not the dump that this manifest was written for: take another backup"
        )
    if not migrations.is_known(manifest.schema_version):
        raise BackupError(
            "备份出自更新的版本，请用该版本恢复 · a newer release made this backup: restore it with that one"
        )
    return manifest


def load(database: EngineDatabase, url: str, folder: Path, manifest: Manifest) -> bool:
    """Load a dump into an empty database, of this release's schema, and leave it without a version.

    Returns False if it is loaded already: an earlier restore of this backup did not come to its end.
    """
    engine = database.engine
    if engine.dialect.name != manifest.engine:
        raise BackupError(
            f"这是 {manifest.engine} 的备份，请把 LICENCE_DATABASE_URL 设为同类数据库 · "
            f"this is a backup of {manifest.engine}: set LICENCE_DATABASE_URL to such a database"
        )
    if migrations.is_held(engine) and _holds(database, manifest):
        return False
    with database.read() as session:
        if store.strangers(session) or store.any_row(session):
            raise BackupError(
                "数据库不是空的，请在 LICENCE_DATABASE_URL 写一个新库 · "
                "the database is not empty: name a new one in LICENCE_DATABASE_URL"
            )
    if manifest.engine == "sqlite":
        _copy_back(engine, folder / manifest.dump)
    else:
        migrations.drop(engine)
        _run("pg_restore", url, ["--single-transaction", "--no-owner", "--no-privileges", str(folder / manifest.dump)])
    migrations.upgrade_held(engine, manifest.schema_version)
    if not _holds(database, manifest):
        raise BackupError(
            "内容与清单不符，请换一份备份和一个空库 · "
            "the dump is not what its manifest says: take another backup, and an empty database"
        )
    return True


def beyond(heads: Sequence[Head], session: Session) -> list[str]:
    """Return the streams of which these heads know more, or something else, than the database does."""
    here = {stream: (sequence, digest) for stream, sequence, digest in store.audit_heads(session)}
    told: list[str] = []
    for head in heads:
        sequence, digest = here.get(head.stream, (0, ""))
        if head.sequence > sequence:
            told.append(f"{head.stream}: {head.sequence - sequence} acts later than the last one here")
        elif head.sequence == sequence and head.hash != digest:
            told.append(f"{head.stream}: act {sequence} is another one here")
    return told


def _manifest(session: Session) -> dict[str, Any]:
    last, root = records_store.last_checkpoint(session), session.get(WrappedRoot, 1)
    return {
        "schema_version": store.readiness(session)[0],
        "status_lists": [
            ListState(**row.model_dump(include=set(ListState.model_fields))) for row in issuers_store.lists(session)
        ],
        "audit": [Head(stream=one, sequence=at, hash=digest) for one, at, digest in store.audit_heads(session)],
        "checkpoint": last.note if last else None,
        "key_encryption_key": root.custodian if root else "",
        "wrapped_root": base64url.encode(root.wrapped) if root else "",
    }


def _holds(database: EngineDatabase, manifest: Manifest) -> bool:
    """Whether a database has the acts of a backup, to the last one; those of an earlier try at restoring may follow."""
    with database.read() as session:
        here = {stream: (sequence, digest) for stream, sequence, digest in store.audit_heads(session)}
        for one in manifest.audit:
            if here.get(one.stream) != (one.sequence, one.hash):
                entry = session.get(AuditEntry, (one.stream, one.sequence))
                if entry is None or entry.hash != one.hash:
                    return False
    return True


def _digest(file: Path) -> str:
    made = sha256()
    with file.open("rb") as source:
        while chunk := source.read(CHUNK):
            made.update(chunk)
    return made.hexdigest()


# SQLite


def _copy(engine: Engine, file: Path) -> dict[str, Any]:
    """Copy the database by SQLite's online backup, and read the manifest off the copy."""
    with closing(engine.dialect.dbapi.connect(str(file))) as copy:  # type: ignore[union-attr]
        source = engine.raw_connection()
        try:
            source.driver_connection.backup(copy)  # type: ignore[union-attr]
        finally:
            source.close()
        copy.isolation_level = None
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        reader = create_engine("sqlite://", module=engine.dialect.dbapi, creator=lambda: copy, poolclass=StaticPool)
        with Session(reader) as session:
            said = _manifest(session)
        copy.execute("DELETE FROM alembic_version")
    return said


def _copy_back(engine: Engine, file: Path) -> None:
    with closing(engine.dialect.dbapi.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as kept:  # type: ignore[union-attr]
        target = engine.raw_connection()
        try:
            kept.backup(target.driver_connection)
        finally:
            target.close()
    engine.dispose()  # what a connection knew of the empty database is over


# PostgreSQL


def _dump(engine: Engine, url: str, file: Path) -> dict[str, Any]:
    """Dump the database as it is at one instant, and read the manifest at the same."""
    connected = engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with connected as connection, connection.begin(), Session(connection) as session:
        snapshot, said = store.exported_snapshot(session), _manifest(session)
        options = ("--format=custom", "--no-owner", "--no-privileges", "--exclude-table-data=alembic_version")
        _run("pg_dump", url, [*options, f"--snapshot={snapshot}", f"--file={file}"])
    return said


def _run(program: str, url: str, options: Sequence[str]) -> None:
    """Run one of PostgreSQL's programs; the password goes by its environment, where `ps` does not show it."""
    found = shutil.which(program)
    if found is None:
        raise BackupError(
            f"没有 {program}，请安装不低于服务器版本的 PostgreSQL 客户端 · is not here: install PostgreSQL's client "
            "programs, of the server's version or later (Debian: apt install postgresql-client)"
        )
    address = make_url(url)
    more: Mapping[str, str] = {"PGPASSWORD": str(address.password)} if address.password else {}
    plain = address.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    done = subprocess.run(  # noqa: S603 - the program of that name, options of our own
        [found, f"--dbname={plain}", *options], env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(
            f"{found} 未成功；其版本须不低于服务器，目录放在 PATH 最前 · failed; it must be of the server's version "
            f"or later, and first in PATH: {' '.join(done.stderr.split())}"
        )
