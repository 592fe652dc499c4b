"""Schema migrations, run from code: `licence migrate`. Alembic (`running.py`) is loaded by what migrates alone."""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
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
    from app.migrations import running  # noqa: PLC0415 - half a second, which nobody who serves needs

    with engine.begin() as connection:
        running.upgrade(connection)


@cache
def known() -> tuple[str, ...]:
    """Return the versions of the schema that this release can bring up to its own, which is the last."""
    return tuple(sorted(one.name[:4] for one in (Path(__file__).parent / "versions").glob("[0-9]*.py")))


def head() -> str:
    """Return the version of this release's schema."""
    return known()[-1]


def is_current(engine: Engine) -> bool:
    """Whether a database has exactly this version's schema."""
    with engine.connect() as connection:
        return _version(connection) == head()


def serves(version: str | None) -> bool:
    """Whether this release works on a schema of that version: its own, or a later one that has grown out of it.

    Versions are numbered in one line, and a migration only adds what the release before does without: so of a rolling
    restart both releases are at work. One release further on may take away; by then nobody runs this one.
    """
    return version is not None and version.isdigit() and int(version) >= int(head())


def is_served(engine: Engine) -> bool:
    """Whether this release works on a database's schema."""
    with engine.connect() as connection:
        return serves(_version(connection))


def is_known(version: str) -> bool:
    """Whether this release can bring a schema of that version up to its own."""
    return version in known()


def is_held(engine: Engine) -> bool:
    """Whether a database's version was taken off it: a restore has loaded it and not come to its end."""
    with engine.connect() as connection:
        return inspect(connection).has_table("alembic_version") and _version(connection) is None


def upgrade_held(engine: Engine, version: str) -> None:
    """Bring a database that says no version from `version` to this release's schema; it goes on saying none."""
    from app.migrations import running  # noqa: PLC0415 - as above

    with engine.begin() as connection:
        running.stamp(connection, version)
        running.upgrade(connection)
        connection.execute(text("DELETE FROM alembic_version"))


def release(engine: Engine) -> None:
    """Let a database say its version: from now on it is served."""
    from app.migrations import running  # noqa: PLC0415 - as above

    with engine.begin() as connection:
        running.stamp(connection, "head")


def drop(engine: Engine) -> None:
    """Drop every table of ours; whoever calls has looked that there is nothing in them."""
    with engine.begin() as connection:
        SQLModel.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


def _version(connection: Connection) -> str | None:
    """Return the version that a database says; None if it says none, or is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
