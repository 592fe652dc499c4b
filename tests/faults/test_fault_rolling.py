"""A rolling upgrade with a migration, among requests: two releases at work over one database, and none is refused.

The next release is this one with a migration more and a column that it writes. Nobody who calls is told of it: whoever
finds a worker gone asks another, as the proxy does.
"""

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from app import migrations
from app.cli.demo_server import command, first_token
from app.database import engine
from tests.faults.outages import OwnServer
from tests.faults.soak import MUCH, Worker, opened
from tests.faults.soak_city import Books, Door, Hours, Receiver, again_and_again, issue, revoke, show_and_verify
from tests.issuers.batch_rows import ndjson, row

ROOT = Path(__file__).parents[2]
ROOMS = ("app", "credentials", "issuers", "keys", "records", "verifier", "wallet")
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "{next}"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("licence", sa.Column("of_the_next", sa.String(), nullable=True))
"""
COLUMN = "    card_by: str | None = Field(default=None)\n"
ROWS = range(10_000, 11_200)
AT_WORK = 4.0  # seconds of each state of affairs
DRAINED = 1.0  # seconds: as long as the deployment waits before it ends a worker, or less


def _next_release(place: Path) -> Path:
    """Write the next release; returns where it is."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, place / room, ignore=shutil.ignore_patterns("__pycache__"))
    head = migrations.head()
    following = f"{int(head) + 1:04d}"
    migration = place / f"app/migrations/versions/{following}_of_the_next.py"
    migration.write_text(MIGRATION.format(next=following, head=head))
    models = place / "issuers/models.py"
    said = models.read_text()
    assert said.count(COLUMN) == 1
    models.write_text(said.replace(COLUMN, f'{COLUMN}    of_the_next: str | None = Field(default="here")\n'))
    return place


@contextmanager
def _load(urls: list[str], police: Door, counter: Door, holders: list[Door], books: Books) -> Iterator[None]:
    """Let agencies issue and revoke, and holders show, all the while; `urls` may change."""
    stop, hours = threading.Event(), Hours(1e6)

    def agency() -> Door:
        return Door(urls, books, police.token, kept=False)

    first, second, third = agency(), agency(), agency()
    acts = (
        lambda number: issue(first, books, "a", number),
        lambda number: issue(second, books, "b", number),
        lambda number: revoke(third, books, "r", number),
        lambda _number: show_and_verify(holders, counter, books),
    )
    threads = [again_and_again(stop, books, act, 0.002, hours) for act in acts]
    try:
        yield
    finally:
        stop.set()
        for one in threads:
            one.join()


def test_two_releases_at_work(own_server: OwnServer, tmp_path: Path) -> None:
    """Old alone, migrated, both with a batch, new alone, both again, and back to the old: all is answered, once.

    The batch comes to its end whoever has its parts, and the webhook is told of every licence.
    """
    books, receiver, url = Books(), Receiver(), own_server.new()
    env = {
        "LICENCE_BASE_URL": "http://127.0.0.1:8080", "LICENCE_DATABASE_URL": url, "LICENCE_DEMO": "true",
        "LICENCE_KEK_FILE": str(tmp_path / "kek"), "LICENCE_LIMIT_REVOCATIONS_PER_HOUR": "1000000",
        **{f"LICENCE_LIMIT_{one}": MUCH for one in ("ADDRESS", "CALLER", "DOORS")},
    }  # fmt: skip
    command(env, "keys", "new-kek", str(tmp_path / "kek"))
    code = _next_release(tmp_path / "next")
    old, new = Worker(env, tmp_path), Worker(env, tmp_path, code)
    urls: list[str] = [old.url]
    try:
        old.start()
        operator = Door(urls, books, first_token(env), kept=False)
        police, counter, holders, _ = opened(operator, urls, books, receiver, kept=False)
        with _load(urls, police, counter, holders, books):
            time.sleep(AT_WORK)
            _of_next(code, env, "migrate")
            time.sleep(AT_WORK)
            new.start()
            urls.append(new.url)
            job = _batch(police)
            time.sleep(AT_WORK)
            urls.remove(old.url)  # the proxy takes it out, and what it has begun it ends
            time.sleep(DRAINED)
            assert old.signal(signal.SIGTERM) in {0, -signal.SIGTERM}
            time.sleep(AT_WORK)
            old.start()  # the release is taken back
            urls.append(old.url)
            time.sleep(AT_WORK)
            urls.remove(new.url)
            time.sleep(DRAINED)
            assert new.signal(signal.SIGTERM) in {0, -signal.SIGTERM}
            time.sleep(AT_WORK)
        until = time.monotonic() + 120
        issued = {("licence.issued", one) for one in books.issued.values()}
        while time.monotonic() < until and not (issued <= receiver.got.keys() and _done(police, job)):
            time.sleep(0.5)
        assert _done(police, job)
        assert issued <= receiver.got.keys()
        examined = _of_next(code, env, "doctor", "--deep")
    finally:
        for one in (old, new):
            one.signal(signal.SIGKILL)
            one.cable.end()
        receiver.end()
    assert books.broken == [], books.figures
    assert [name for name in books.figures if name.startswith("tried again")] == [], "refused, or cut in the middle"
    assert "✗" not in examined
    made = engine(url)
    with made.connect() as connection:
        rows = connection.execute(text("SELECT licence_id, of_the_next, reference FROM licence")).all()
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    made.dispose()
    of_the_batch = {reference for _, _, reference in rows if reference is not None}
    assert of_the_batch == {row(number)["reference"] for number in ROWS}
    assert {name for name, _, reference in rows if reference is None} == set(books.issued.values())
    assert {column for _, column, _ in rows} == {None, "here"}
    assert version == f"{int(migrations.head()) + 1:04d}"
    assert min(books.figures[one] for one in ("issued", "revoked", "verified: accepted")) > 5, books.figures


def _batch(police: Door) -> str:
    content, headers = ndjson([row(number) for number in ROWS]), {"Content-Type": "application/x-ndjson"}
    status, job = police(
        "POST", "/issuers/police/batches?licence_type=residence_permit", key="b", content=content, headers=headers
    )
    assert status == 202, job
    return str(job["job_id"])


def _done(police: Door, job: str) -> bool:
    return bool(police("GET", f"/issuers/police/batches/{job}")[1]["state"] == "done")


def _of_next(code: Path, env: dict[str, str], *words: str) -> str:
    """What a command of the next release says."""
    done = subprocess.run(
        [sys.executable, "-m", "app.cli.main", *words], env=env, cwd=code, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return done.stdout.decode()
