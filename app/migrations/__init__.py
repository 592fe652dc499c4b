"""Schema migrations (Alembic), run from code: `licence migrate`."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlmodel import SQLModel

import issuers.batch.models
import issuers.models
import issuers.openid4vci.models
import keys.models
import keys.passkeys.models
import records.models
import records.outbox.models
import verifier.asks.models
import verifier.class_lists.models
import verifier.file_copies.models
import verifier.models
import verifier.openid4vp.models
import wallet.cases.models
import wallet.consents.models
import wallet.mandates.models
import wallet.models
import wallet.openid4vc.models
import wallet.sign_in.models

TABLES = (
    issuers.batch.models,
    issuers.models,
    issuers.openid4vci.models,
    keys.models,
    keys.passkeys.models,
    records.models,
    records.outbox.models,
    verifier.asks.models,
    verifier.class_lists.models,
    verifier.file_copies.models,
    verifier.models,
    verifier.openid4vp.models,
    wallet.cases.models,
    wallet.consents.models,
    wallet.mandates.models,
    wallet.models,
    wallet.openid4vc.models,
    wallet.sign_in.models,
)
"""Imported so that every table is known to the metadata."""


def upgrade(engine: Engine) -> None:
    """Bring a database to this version's schema."""
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@cache
def head() -> str:
    """Return the version of this release's schema."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def is_current(engine: Engine) -> bool:
    """Whether a database has exactly this version's schema."""
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    return found == head()


def serves(version: str | None) -> bool:
    """Whether this release works on a schema of that version: its own, or a later one that has grown out of it.

    Versions are numbered in one line, and a migration only adds what the release before does without: so of a rolling
    restart both releases are at work. One release further on may take away; by then nobody runs this one.
    """
    return version is not None and version.isdigit() and int(version) >= int(head())


def is_served(engine: Engine) -> bool:
    """Whether this release works on a database's schema."""
    with engine.connect() as connection:
        return serves(MigrationContext.configure(connection).get_current_revision())


def is_known(version: str) -> bool:
    """Whether this release can bring a schema of that version up to its own."""
    return version in {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}


def is_held(engine: Engine) -> bool:
    """Whether a database's version was taken off it: a restore has loaded it and not come to its end."""
    with engine.connect() as connection:
        has_table = inspect(connection).has_table("alembic_version")
        return has_table and MigrationContext.configure(connection).get_current_revision() is None


def upgrade_held(engine: Engine, version: str) -> None:
    """Bring a database that says no version from `version` to this release's schema; it goes on saying none."""
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.stamp(config, version)
        command.upgrade(config, "head")
        connection.execute(text("DELETE FROM alembic_version"))


def release(engine: Engine) -> None:
    """Let a database say its version: from now on it is served."""
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.stamp(config, "head")


def drop(engine: Engine) -> None:
    """Drop every table of ours; whoever calls has looked that there is nothing in them."""
    with engine.begin() as connection:
        SQLModel.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


def differences(engine: Engine) -> list[object]:
    """Return how a migrated database differs from the models; nothing, if the migrations are complete."""
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
