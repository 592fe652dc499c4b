"""The demonstration's servers: real processes on loopback, over a database of their own."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.cli.client import CallRefusedError, Client

START_SECONDS = 20


class StoryBrokenError(Exception):
    """A step did not end as it was told."""


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def environment(place: Path, port: int) -> dict[str, str]:
    """Return the server's environment: a key-encryption key and a database, made unless they are there, migrated."""
    kek = place / "kek"
    env = {name: value for name, value in os.environ.items() if not name.startswith("LICENCE_")}
    env |= {
        "LICENCE_BASE_URL": f"http://127.0.0.1:{port}",
        "LICENCE_DATABASE_URL": f"sqlite:///{place / 'licence.db'}",
        "LICENCE_KEK_FILE": str(kek),
        "LICENCE_DEMO": "true",
        "LICENCE_REFRESH_SECONDS": "0",  # what the story changes is seen in its next sentence
    }
    if not kek.exists():
        command(env, "keys", "new-kek", str(kek))
    command(env, "migrate")
    return env


def first_token(env: dict[str, str]) -> str:
    """Return an operator's token for the day."""
    return str(json.loads(command(env, "token", "grant", "operator", "demo", "--days", "1", "--json"))["token"])


def command(env: dict[str, str], *words: str) -> str:
    """Return what a `licence` command printed."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "app.cli.main", *words], env=env, capture_output=True, check=False, timeout=60
    )
    if done.returncode != 0:
        raise StoryBrokenError(f"licence {' '.join(words)}: {done.stderr.decode()}")
    return done.stdout.decode()


@contextmanager
def server(place: Path, env: dict[str, str], port: int) -> Iterator[str]:
    """Run the real server until the block ends."""
    with (place / "server.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "app.cli.main", "serve", "--port", str(port)], env=env, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    with closing(Client(url)) as probe:
        _await_answer(probe, process, deadline)


def _await_answer(probe: Client, process: "subprocess.Popen[bytes]", deadline: float) -> None:
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StoryBrokenError("the server ended at once")
        try:
            probe.get("/readyz")
        except CallRefusedError:
            time.sleep(0.1)
        else:
            return
    raise StoryBrokenError("the server did not get ready")
