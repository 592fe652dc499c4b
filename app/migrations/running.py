"""The one door to Alembic: steps from one version of the schema to another, and what the models say beside them."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlmodel import SQLModel


def upgrade(connection: Connection) -> None:
    """Bring a database to this release's schema, in the transaction of `connection`."""
    command.upgrade(_config(connection), "head")


def stamp(connection: Connection, version: str) -> None:
    """Let a database say `version`, and change nothing else."""
    command.stamp(_config(connection), version)


def differences(connection: Connection) -> list[object]:
    """Return how a migrated database differs from the models; nothing, if the migrations are complete."""
    return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
