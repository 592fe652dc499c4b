"""Webhooks on PostgreSQL: events a second of one worker, sorted, sent over HTTP, answered and noted."""

import multiprocessing
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app import clock
from bench import batch_load, city


class _Receiver(BaseHTTPRequestHandler):
    """Takes what comes, and keeps the connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _receive(port: Any) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    port.send(server.server_port)
    server.serve_forever()


def measure(url: str, count: int) -> float:
    """Return how many events a second one worker on one core brings to a receiver on another."""
    made = city.house(url)
    city.found(made)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    receiver = context.Process(target=_receive, args=(there,), daemon=True)
    with city.on_core(1):
        receiver.start()
    address = f"http://127.0.0.1:{here.recv()}/"
    made.outbox.add(f"agency:{city.AGENCY}", address, ["licence.issued"], now=clock.now())
    batch_load.receive(made, count)
    while made.batch_worker.work(clock.now):
        pass
    city.settle()
    with city.on_core(0):
        begun, sent = time.perf_counter(), 0
        while sent < count:
            sent += made.outbox.work(clock.now)
        taken = time.perf_counter() - begun
    receiver.terminate()
    receiver.join()
    made.database.engine.dispose()
    return count / taken


def main() -> None:
    """Measure once, by hand: `python -m bench.outbox_load`."""
    for name, database in (("postgresql", city.postgres), ("sqlite", city.sqlite)):
        with database() as url:
            print(name, round(measure(url, 2000)))


if __name__ == "__main__":
    main()
