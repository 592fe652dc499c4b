"""Migrations: a migrated database is what the models say, on both engines."""

from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from app import migrations
from app.database import engine
from app.migrations import running
from tests.world import World


def _differences(made: Engine) -> list[object]:
    with made.connect() as connection:
        return running.differences(connection)


def test_migrations_are_complete(world: World) -> None:
    """A migrated database does not differ from the models in any table, column, index or constraint."""
    assert _differences(world.house.database.engine) == []
    assert migrations.is_current(world.house.database.engine)


def test_a_difference_would_be_found(tmp_path: Path) -> None:
    """The comparison above does find a missing column."""
    made = engine(f"sqlite:///{tmp_path / 'bent.db'}")
    migrations.upgrade(made)
    assert _differences(made) == []
    with made.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE verification DROP COLUMN operator")
    assert _differences(made)
    made.dispose()


def test_versions_are_read_from_the_names_of_files() -> None:
    """What a worker reads without Alembic is what Alembic knows: one line of versions, and its head."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert migrations.known() == tuple(sorted(one.revision for one in scripts.walk_revisions()))
    assert [migrations.head()] == scripts.get_heads()


def test_an_empty_database_is_not_current(tmp_path: Path) -> None:
    """A database that was never migrated is not of this version; migrating twice changes nothing."""
    made = engine(f"sqlite:///{tmp_path / 'new.db'}")
    assert not migrations.is_current(made)
    migrations.upgrade(made)
    migrations.upgrade(made)
    assert migrations.is_current(made)
    made.dispose()
