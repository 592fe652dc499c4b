"""The peers, where they can be installed: programs that do the same work, driven line by line or over HTTP."""

import base64
import json
import os
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from app.cli.demo_server import free_port
from bench.city import on_core
from bench.core import AUDIENCE, NONCE, NOW, Bench
from bench.load import fire, request
from bench.peers.install import command
from credentials.jwk import export_public

SCRATCH = Path(os.environ.get("LICENCE_BENCH_SCRATCH", Path(tempfile.gettempdir()) / "licence-bench-peers"))
START_SECONDS = 60.0


Found = dict[str, Path | str]
"""What `install` returned."""


class Line:
    """A program that is told for how many seconds to work, and says how much it did."""

    def __init__(
        self, found: dict[str, Path | str], program: str, setup: dict[str, Any], *words: str, core: int
    ) -> None:
        run, env = command(SCRATCH, found, program, *words)
        with on_core(core):
            self._process = subprocess.Popen(run, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._program = program
        self._say(setup)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def rate(self, seconds: float) -> float:
        """Return how much it did in a second."""
        said = self.said({"seconds": seconds})
        return float(said["count"] / said["seconds"])

    def rate_of(self, work: str) -> Callable[[float], float]:
        """Return what gives the rate of one of several works that it does."""

        def rate(seconds: float) -> float:
            said = self.said({"seconds": seconds, "works": [work]})[work]
            return float(said["count"] / said["seconds"])

        return rate

    def said(self, what: dict[str, Any]) -> dict[str, Any]:
        """Return its answer to a line."""
        self._say(what)
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise RuntimeError(f"{self._program} ended")
        return json.loads(line)  # type: ignore[no-any-return]

    def _say(self, what: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps(what) + "\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]


def setup(bench: Bench) -> dict[str, Any]:
    """Return what a verifying program must know: presentations, the issuer's key, whom for, when, the status list."""
    lst = base64.urlsafe_b64encode(zlib.compress(bench.list.list.data)).rstrip(b"=").decode()
    return {
        "presentations": bench.presentations, "issuer_jwk": export_public(bench.issuer_key), "audience": AUDIENCE,
        "nonce": NONCE, "now": int(NOW.timestamp()), "status": {"bits": 2, "lst": lst},
    }  # fmt: skip


@contextmanager
def served(found: Found, program: str, told: dict[str, Any], core: int) -> Iterator[str]:
    """A peer's HTTP server on one core; yields its host and port."""
    port = free_port()
    words, env = command(SCRATCH, found, program, str(port))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump(told, config)
        config.flush()
        env["PEER_CONFIG"] = config.name
        with on_core(core):
            process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait(f"127.0.0.1:{port}")
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def verify_requests(host: str, told: dict[str, Any]) -> list[bytes]:
    """Return the requests that a peer's server verifies."""
    bodies = [
        {"presentation": one, "audience": told["audience"], "nonce": told["nonce"]} for one in told["presentations"]
    ]
    return [request(host, "/verify", json.dumps(one).encode()) for one in bodies]


def wait(host: str) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + START_SECONDS
    while not _answers(host):
        if time.monotonic() > end:
            raise RuntimeError(f"{host} does not answer")
        time.sleep(0.2)


def _answers(host: str) -> bool:
    try:
        fire([host], [request(host, "/healthz", b"", method="GET")], 0.01, 1)
    except (OSError, RuntimeError):
        return False
    return True


def firing(host: str, requests: list[bytes]) -> Callable[[float], float]:
    """Return what gives a server's rate over some seconds."""
    return lambda seconds: fire([host], requests, seconds, expect=b"accepted").rate
