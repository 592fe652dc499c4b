"""Whole OpenID4VCI issuances: offer, token, nonce, proof, credential; ours and Credo's, one driver for both."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.demo_server import free_port
from bench.city import on_core
from bench.http_load import Load
from bench.others import SCRATCH, Found, Line, wait
from bench.peers.install import command


@contextmanager
def ours(found: Found, load: Load, core: int) -> Iterator[Line]:
    """The driver against our own server."""
    told = {
        "url": f"http://{load.host}/issuers/police/offers",
        "headers": {"Authorization": f"Bearer {load.city.tokens['police']}"},
        "body": {"licence_id": load.city.permit, "qr": "none"},
    }
    with Line(found, "holder", told, f"http://{load.host}", core=core) as line:
        yield line


@contextmanager
def credos(found: Found, core: int) -> Iterator[Line]:
    """The driver against Credo's issuer."""
    port = free_port()
    words, env = command(SCRATCH, found, "issuer_credo", str(port))
    with on_core(core):
        process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(f"127.0.0.1:{port}")
        with Line(found, "holder", {}, f"http://127.0.0.1:{port}", core=core + 1) as line:
            line.rate(4)  # it is slow to warm up
            yield line
    finally:
        process.kill()
        process.wait()
