"""A client that costs little: raw HTTP/1.1 over a few connections, one thread, requests made beforehand."""

import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass
class Fired:
    """What came of a round: how many were answered in how many seconds, and how long each took in milliseconds."""

    count: int
    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.count / self.seconds


def request(host: str, path: str, body: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> bytes:
    """Return a whole request as bytes."""
    said = {"Host": host, "Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def fire(
    hosts: Sequence[str], requests: Sequence[bytes], seconds: float, connections: int = 8, expect: bytes = b""
) -> Fired:
    """Send requests in turn, one after another on each connection, for `seconds`; any that is not 200 raises.

    With `expect`, every answer's body holds it.
    """
    chosen = selectors.DefaultSelector()
    following = _round_and_round(requests)
    latencies: list[float] = []
    started = time.perf_counter()
    for line in _lines(hosts, connections):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(next(following))
        chosen.register(line, selectors.EVENT_READ, [b"", time.perf_counter(), line])
    over = started + seconds
    while time.perf_counter() < over:
        for key, _ in chosen.select(timeout=1):
            state, heard = key.data, key.data[2]
            state[0] += heard.recv(65536)
            if (body := _answered(state[0])) is None:
                continue
            if expect not in body:
                raise RuntimeError(f"not the answer that was expected: {body[:300]!r}")
            now = time.perf_counter()
            latencies.append((now - state[1]) * 1000)
            state[0], state[1] = b"", now
            heard.sendall(next(following))
    spent = time.perf_counter() - started
    for key in list(chosen.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return Fired(len(latencies), spent, latencies)


def fire_at(
    hosts: Sequence[str], requests: Sequence[bytes], rate: float, seconds: float, connections: int = 32
) -> Fired:
    """Send `rate` requests a second, evenly, whatever the answers do; latency counts from when each was due."""
    chosen = selectors.DefaultSelector()
    idle = _lines(hosts, connections)
    following, latencies = _round_and_round(requests), []
    started = time.perf_counter()
    due = started
    while True:
        now = time.perf_counter()
        if now >= started + seconds and not chosen.get_map():
            break
        while due <= now and idle and due < started + seconds:
            line = idle.pop()
            line.sendall(next(following))
            chosen.register(line, selectors.EVENT_READ, [b"", due])
            due += 1 / rate
        for key, _ in chosen.select(timeout=max(0.0, min(0.001, due - time.perf_counter()))):
            key.data[0] += key.fileobj.recv(65536)  # type: ignore[union-attr]
            if _answered(key.data[0]) is not None:
                latencies.append((time.perf_counter() - key.data[1]) * 1000)
                chosen.unregister(key.fileobj)
                idle.append(key.fileobj)  # type: ignore[arg-type]
    for line in idle:
        line.close()
    return Fired(len(latencies), time.perf_counter() - started, latencies)


def _lines(hosts: Sequence[str], connections: int) -> list[socket.socket]:
    """Open so many connections, to each host in turn."""
    places = [hosts[at % len(hosts)].split(":") for at in range(connections)]
    return [socket.create_connection((name, int(port))) for name, port in places]


def _answered(data: bytes) -> bytes | None:
    """Return the body of a whole answer, None while it is not; one that is not 200 raises."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return None
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(data[:600].decode("utf-8", "replace"))
    lower = head.lower()
    at = lower.find(b"content-length:")
    length = int(lower[at + 15 :].split(b"\r\n", 1)[0])
    return body if len(body) >= length else None


def _round_and_round(requests: Sequence[bytes]) -> Iterator[bytes]:
    while True:
        yield from requests
