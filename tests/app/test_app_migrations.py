"""Migrations: a migrated database is what the models say, on both engines."""

from pathlib import Path

from app import migrations
from app.database import engine
from tests.world import World


def test_migrations_are_complete(world: World) -> None:
    """A migrated database does not differ from the models in any table, column, index or constraint."""
    assert migrations.differences(world.house.database.engine) == []
    assert migrations.is_current(world.house.database.engine)


def test_a_difference_would_be_found(tmp_path: Path) -> None:
    """The comparison above does find a missing column."""
    made = engine(f"sqlite:///{tmp_path / 'bent.db'}")
    migrations.upgrade(made)
    assert migrations.differences(made) == []
    with made.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE verification DROP COLUMN operator")
    assert migrations.differences(made)
    made.dispose()


def test_an_empty_database_is_not_current(tmp_path: Path) -> None:
    """A database that was never migrated is not of this version; migrating twice changes nothing."""
    made = engine(f"sqlite:///{tmp_path / 'new.db'}")
    assert not migrations.is_current(made)
    migrations.upgrade(made)
    migrations.upgrade(made)
    assert migrations.is_current(made)
    made.dispose()
