"""The primary is lost and its synchronous standby promoted: workers go on by themselves, and nothing acknowledged is lost."""

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.database import engine
from tests.faults.outages import OwnServer
from tests.records.tables import findings
from tests.world import World

TWO = "&target_session_attrs=read-write"


class Standby:
    """A standby of a server, in step with it, at an address of its own."""

    def __init__(self, primary: OwnServer) -> None:
        self._primary = primary
        self.place = Path(tempfile.mkdtemp(prefix="licence-standby-"))
        self._data = self.place / "data"
        self._data.mkdir()
        if primary.user is not None:
            for one in (self.place, self._data):
                shutil.chown(one, primary.user)
        self._data.chmod(0o700)
        self._run(
            "pg_basebackup",
            "-D",
            str(self._data),
            "-h",
            primary.socket,
            "-U",
            "postgres",
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
        )
        self._run(
            "pg_ctl", "-w", "-D", str(self._data), "-l", str(self.place / "log"), "start", "-o",
            f"-c unix_socket_directories={self.place} -c listen_addresses='' -c shared_buffers=32MB",
        )  # fmt: skip
        primary.administer(
            "ALTER SYSTEM SET synchronous_standby_names = '*'", "ALTER SYSTEM SET synchronous_commit = 'on'",
            "SELECT pg_reload_conf()",
        )  # fmt: skip
        self._await_in_step()

    def _await_in_step(self) -> None:
        admin = engine(self._primary.url("postgres"))
        deadline = time.monotonic() + 30
        with admin.connect() as connection:
            while not connection.execute(text("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")).first():
                assert time.monotonic() < deadline
                connection.rollback()
                time.sleep(0.1)
        admin.dispose()

    def promote(self) -> None:
        """Make it the primary."""
        self._run("pg_ctl", "-w", "-D", str(self._data), "promote")

    def end(self) -> None:
        """End it for good."""
        self._run("pg_ctl", "-w", "-m", "immediate", "-D", str(self._data), "stop")
        shutil.rmtree(self.place, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [str(self._primary.programs / program), *words], user=self._primary.user, check=True, timeout=60,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.place,
        )  # fmt: skip


@pytest.fixture
def primary() -> Iterator[OwnServer]:
    """A server for this test alone: it does not come back."""
    made = OwnServer()
    yield made
    made.end()


def test_a_standby_is_promoted(primary: OwnServer) -> None:
    """Issued and revoked until the primary was gone, and again when the standby is one; the doctor finds all of it."""
    url = primary.new()
    standby = Standby(primary)
    both = f"{url.partition('?')[0]}?host={primary.socket}&host={standby.place}{TWO}"
    issued: list[str] = []
    revoked: list[str] = []
    refused: list[int] = []
    stop = threading.Event()
    try:
        with World(both) as world:
            police = world.agency("police")

            def acts() -> None:
                while not stop.is_set():
                    made = police.post("/issuers/police/licences", world.order())
                    if made.status != 201:
                        refused.append(made.status)
                        time.sleep(0.05)
                        continue
                    issued.append(made["licence_id"])
                    if len(issued) % 3 == 0 and world.change("revoke", issued[-1], "fraud").status == 200:
                        revoked.append(issued[-1])

            thread = threading.Thread(target=acts)
            thread.start()
            time.sleep(2)
            before = len(issued)
            primary.stop()
            time.sleep(1)
            standby.promote()
            deadline = time.monotonic() + 60
            while len(issued) < before + 10 and time.monotonic() < deadline:
                time.sleep(0.1)
            stop.set()
            thread.join()
            assert before > 3
            assert len(issued) >= before + 10
            assert set(refused) == {503}
            ledger = {row.licence_id: row.state for row in world.house.issuer.page("police", limit=10_000)}
            assert set(issued) <= set(ledger)
            assert {one for one in revoked if ledger[one] != "revoked"} == set()
            assert findings(world) == []
    finally:
        stop.set()
        standby.end()
