"""PostgreSQL's disk is really full: a tablespace on a small memory disk, where this machine lets tests make one.

Simulated, and with SQLite's own limit, the same is in `test_fault_outage.py`.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.outages import OwnServer
from tests.records.tables import counts, findings
from tests.world import World

BLOCK = 64 * 1024


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 48 MB in memory; skipped where tests may not mount one."""
    folder = Path(tempfile.mkdtemp(prefix="licence-small-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    allowed = os.geteuid() == 0 and shutil.which("mount") is not None
    if not allowed or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        folder.rmdir()
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
def cramped(small_disk: Path, own_server: OwnServer) -> Iterator[World]:
    """The synthetic city with its PostgreSQL database on that disk."""
    space = small_disk / "space"
    space.mkdir()
    shutil.chown(space, own_server.user)
    own_server.administer(
        f"CREATE TABLESPACE small LOCATION '{space}'",
        "CREATE DATABASE cramped TEMPLATE template_licence TABLESPACE small",
    )
    with World(own_server.url("cramped")) as made:
        yield made
    own_server.administer("DROP DATABASE cramped WITH (FORCE)", "DROP TABLESPACE small")


def _fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(BLOCK))
    return filler


def test_no_space_left_on_device(cramped: World, small_disk: Path) -> None:
    """Writes that need room are 503 with a code, reads go on; with room again the same keys finish, and all is sound."""
    police, permit = cramped.agency("police"), cramped.issue()
    filler, refused = _fill(small_disk), []
    for number in range(60):
        made = police.post("/issuers/police/licences", cramped.order(), headers={"Idempotency-Key": f"full-{number}"})
        if made.status != 201:
            assert (made.status, made["code"], made.headers["retry-after"]) == (503, "database_unavailable", "5")
            refused.append(number)
    assert refused
    assert police.get(f"/issuers/police/licences/{permit}")["state"] == "valid"
    assert cramped.anybody.get("/readyz").status == 200
    filler.unlink()
    for number in refused:
        headers = {"Idempotency-Key": f"full-{number}"}
        assert police.post("/issuers/police/licences", cramped.order(), headers=headers).status == 201
    assert counts(cramped)["licence"] == 61
    assert findings(cramped) == []
