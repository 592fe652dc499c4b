"""A PostgreSQL server of its own for what breaks databases; everybody else's stays up."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.outages import Breakable, OwnServer, moved
from tests.world import World


@pytest.fixture(scope="session")
def own_server() -> Iterator[OwnServer]:
    """A server that tests may stop."""
    try:
        made = OwnServer()
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("PostgreSQL is not here: install requirements-dev.txt")
    yield made
    made.end()


@pytest.fixture(params=["sqlite", "postgresql"])
def breakable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Breakable]:
    """A migrated, empty database that can be taken away, on each engine in turn."""
    if request.param == "sqlite":
        path = tmp_path / "disk" / "licence.db"
        path.parent.mkdir()
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield moved(path)
        return
    server: OwnServer = request.getfixturevalue("own_server")
    yield Breakable(server.new(), server.stop, server.start)


@pytest.fixture
def fragile(breakable: Breakable) -> Iterator[World]:
    """The synthetic city over such a database."""
    with World(breakable.url) as made:
        yield made
