"""A rolling upgrade: the newest migration only adds, a worker serves a newer schema, and refuses an older one.

One release is at work over the schema of the next: what it says of it must go on working.
"""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from app import doctor, migrations
from app.cli import opening
from app.setting_values import SettingsError
from tests.records.tables import alter, findings
from tests.world import KEK, World

ADDS = re.compile(r"CREATE (TABLE|(UNIQUE )?INDEX) |ALTER TABLE \S+ (ADD COLUMN |ALTER COLUMN \S+ SET STORAGE )")


def _statements(upgrade: Any, dialect: str) -> list[str]:
    """What a migration says to a database, without one."""
    said = io.StringIO()
    context = MigrationContext.configure(dialect_name=dialect, opts={"as_sql": True, "output_buffer": said})
    with Operations.context(context):
        upgrade()
    return [" ".join(one.split()) for one in said.getvalue().split(";") if one.strip()]


def contracts(statements: list[str]) -> list[str]:
    """The statements that take away, or demand, what the release before does not know of."""
    new = {name for one in statements for name in re.findall(r"CREATE TABLE (\S+)", one)}
    taken = []
    for one in statements:
        adds = ADDS.match(one)
        demands = "ADD COLUMN" in one and "NOT NULL" in one and "DEFAULT" not in one
        limits = one.startswith("CREATE UNIQUE INDEX") and one.split(" ON ")[1].split()[0] not in new
        if not adds or demands or limits:
            taken.append(one)
    return taken


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(migrations.__file__).parent))


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_newest_migration_only_adds(dialect: str) -> None:
    """The newest migration makes tables, indices, and columns that may be left out: the release before does not notice."""
    newest = _scripts().get_revision("head")
    statements = _statements(newest.module.upgrade, dialect)
    assert statements or dialect == "sqlite"  # there may be nothing to do there
    assert contracts(statements) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE licence DROP COLUMN cause", "DROP TABLE licence", "ALTER TABLE licence ALTER COLUMN cause SET NOT NULL",
        "ALTER TABLE licence ADD COLUMN colour VARCHAR NOT NULL", "ALTER TABLE licence RENAME TO permit",
        "CREATE UNIQUE INDEX one_serial ON licence (serial)", "UPDATE licence SET cause = ''",
        "ALTER TABLE licence ADD CONSTRAINT some CHECK (version > 0)",
    ],
)  # fmt: skip
def test_what_takes_away_is_found(statement: str) -> None:
    """The look at migrations does find what the release before would stumble over."""
    assert contracts([statement]) == [statement]


def test_versions_are_numbered_in_one_line() -> None:
    """Each migration has the number after the one before it: a greater number has grown out of a smaller one."""
    line = [one.revision for one in reversed(list(_scripts().walk_revisions()))]
    assert line == [f"{number:04d}" for number in range(1, len(line) + 1)]
    assert _scripts().get_heads() == [migrations.head()]


def test_a_newer_schema_is_served(world: World) -> None:
    """A later release has migrated: this one is ready, issues, changes and verifies; the doctor has nothing to say."""
    newer = f"{int(migrations.head()) + 1:04d}"
    permit = world.issue()
    try:
        alter(world, "UPDATE alembic_version SET version_num = :newer", newer=newer)
        alter(world, "CREATE TABLE of_the_next_release (name VARCHAR PRIMARY KEY)")
        alter(world, "ALTER TABLE licence ADD COLUMN of_the_next_release VARCHAR")
        assert world.anybody.get("/readyz").status == 200
        with_it = world.issue()
        shown = world.show(licences=[{"licence_id": with_it, "claims": ["residence_district"]}])
        assert world.scan(shown["url"])["verdict"] == "accepted"
        assert world.change("revoke", permit, "fraud").status == 200
        assert not migrations.is_current(world.house.database.engine)
        assert migrations.is_served(world.house.database.engine)
        assert [one for one in doctor.examine(world.house, deep=True, now=world.now) if one[1]] == []
    finally:
        alter(world, "ALTER TABLE licence DROP COLUMN of_the_next_release")
        alter(world, "DROP TABLE of_the_next_release")
        alter(world, "UPDATE alembic_version SET version_num = :head", head=migrations.head())
    assert findings(world) == []


@pytest.mark.parametrize("version", ["0001", "0000", "", "next", None])
def test_an_older_schema_is_refused(world: World, version: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of the new release over the old schema, or one that says no version, is not ready and does not start."""
    monkeypatch.setenv("LICENCE_DATABASE_URL", world.database_url)
    monkeypatch.setenv("LICENCE_BASE_URL", world.house.settings.base_url)
    monkeypatch.setenv("LICENCE_KEK", KEK)
    try:
        alter(world, "DELETE FROM alembic_version")
        if version is not None:
            alter(world, "INSERT INTO alembic_version (version_num) VALUES (:version)", version=version)
        assert world.anybody.get("/readyz").status == 503
        assert world.anybody.get("/healthz").status == 200
        with pytest.raises(SettingsError):
            opening.house()
    finally:
        alter(world, "DELETE FROM alembic_version")
        alter(world, "INSERT INTO alembic_version (version_num) VALUES (:head)", head=migrations.head())
    assert world.anybody.get("/readyz").status == 200
    assert findings(world) == []
