"""The guarded way out: allowed hosts only, no private addresses, no redirects, caps and a deadline."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from app import fetcher
from app.fetcher import Fetcher
from wallet.errors import ForeignServiceError

OWN = "https://wallet.example"
PUBLIC, PRIVATE = "93.184.216.34", "10.1.2.3"


class _Peer(BaseHTTPRequestHandler):
    """Answers what its path says, and remembers what it was sent."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, dict[str, str], bytes]] = []  # noqa: RUF012 - shared by the handler's instances
    opened: list[int] = []  # noqa: RUF012 - so too

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.seen.append((self.command, self.path, dict(self.headers), body))
        extra = {
            "/cookie": {"Set-Cookie": "who=you"},
            "/redirect": {"Location": "http://127.0.0.1/"},
            "/gzip": {"Content-Encoding": "gzip"},
        }
        self.send_response({"/redirect": 302, "/refuse": 400}.get(self.path, 200))
        self.send_header("Content-Type", "application/json; charset=utf-8")
        for name, value in extra.get(self.path, {}).items():
            self.send_header(name, value)
        told = b"x" * (fetcher.MAX_BYTES + 1) if self.path == "/large" else b'{"error": "refused"}'
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        if self.path == "/slow":
            for byte in told:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                threading.Event().wait(0.05)
            return
        self.wfile.write(told)

    do_GET = do_POST = _serve  # noqa: N815 - the names that the base class calls

    def setup(self) -> None:
        """Count connections."""
        super().setup()
        self.opened.append(self.client_address[1])

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def peer() -> Iterator[str]:
    """A peer on loopback; its `name:port`."""
    _Peer.seen, _Peer.opened = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Peer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


_MADE: list[Fetcher] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close what a test left open."""
    yield
    for kept in (kept for one in _MADE for kept in one._kept.values()):
        kept.client.close()
    _MADE.clear()


def _fetch(*hosts: str, **how: Any) -> Fetcher:
    _MADE.append(Fetcher(**{"hosts": hosts, "own_url": OWN, **how}))
    return _MADE[-1]


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/", "http://issuer.example/", "https://issuer.example:8443/", "https://issuer.example./",
        "https://issuer.example@other.example/", "https://user@issuer.example/", "https://issuer.example/#fragment",
        "ftp://issuer.example/", "file:///etc/passwd", "https:///x", "https://issuer.example:99999/", "", "x",
        "https://[::1", "//issuer.example/", "http://wallet.example/",
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_not_called(url: str) -> None:
    """Another host, port, scheme, user or fragment: refused before any name is looked up."""

    def resolve(*_: Any) -> list[str]:
        raise AssertionError("a name was looked up")

    with pytest.raises(ForeignServiceError):
        _fetch("issuer.example", resolve=resolve)("GET", url)


@pytest.mark.parametrize(
    "addresses",
    [[], [PRIVATE], [PUBLIC, PRIVATE], ["127.0.0.1"], ["::1"], ["169.254.169.254"], ["fd00::1"], ["0.0.0.0"],
     ["100.64.0.1"], ["::ffff:10.0.0.1"]],
)  # fmt: skip
def test_private_addresses_are_refused_after_resolution(addresses: list[str]) -> None:
    """A name that leads inside leads nowhere."""
    with pytest.raises(ForeignServiceError, match="no public address"):
        _fetch("issuer.example", resolve=lambda *_: addresses)("GET", "https://issuer.example/")


def test_a_name_is_resolved_once_and_that_address_is_called(peer: str) -> None:
    """The connection goes to the address that was looked at, with the name in Host."""
    port = int(peer.split(":")[1])
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    own = _fetch(own_url=f"http://own.test:{port}", resolve=resolve)
    assert own("GET", f"http://own.test:{port}/x?y=1").status == 200
    assert asked == ["own.test"]
    ((method, path, headers, _),) = _Peer.seen
    assert (method, path, headers["Host"]) == ("GET", "/x?y=1", f"own.test:{port}")
    assert headers["Accept-Encoding"] == "identity"


def test_loopback_is_for_the_demonstration_alone(peer: str) -> None:
    """A listed host on this machine is called over http in the demonstration, and not otherwise."""
    assert _fetch(peer, loopback=True)("GET", f"http://{peer}/").status == 200
    with pytest.raises(ForeignServiceError):
        _fetch(peer)("GET", f"http://{peer}/")
    with pytest.raises(ForeignServiceError):
        _fetch(loopback=True)("GET", f"http://{peer}/")


def test_forms_json_and_tokens(peer: str) -> None:
    """What is sent has its content type; what comes back its media type and error code."""
    fetch = _fetch(peer, loopback=True)
    fetch("POST", f"http://{peer}/", form={"a": "ü&="})
    fetch("POST", f"http://{peer}/", json={"a": "中"})
    fetch("POST", f"http://{peer}/", jwt="a.b.c", headers={"DPoP": "x"})
    kinds = [(headers["Content-Type"], body) for _, _, headers, body in _Peer.seen]
    assert kinds == [
        ("application/x-www-form-urlencoded", b"a=%C3%BC%26%3D"),
        ("application/json", '{"a":"中"}'.encode()),
        ("application/jwt", b"a.b.c"),
    ]
    assert _Peer.seen[-1][2]["DPoP"] == "x"
    refused = fetch("GET", f"http://{peer}/refuse")
    assert (refused.status, refused.media_type, refused.error()) == (400, "application/json", "refused")


def test_whoever_has_a_public_address_and_nobody_else() -> None:
    """Where the operator named the address: no host need be listed, and what leads inside leads nowhere all the same."""
    asked: list[str] = []
    anybody = _fetch(hosts=None, own_url="", resolve=lambda host, _: asked.append(host) or [PRIVATE])  # type: ignore[func-returns-value]
    for url in ("http://hooks.example/", "ftp://hooks.example/", "//hooks.example/", "", "https://u@hooks.example/"):
        with pytest.raises(ForeignServiceError):
            anybody("POST", url)
    assert asked == []
    with pytest.raises(ForeignServiceError, match="no public address"):
        anybody("POST", "https://hooks.example/")
    inner = _fetch(hosts=None, own_url="", inner=["127.0.0.1:1"])
    with pytest.raises(ForeignServiceError, match="does not answer"):
        inner("POST", "https://127.0.0.1:1/")


def test_a_connection_is_kept_for_its_host_alone(peer: str) -> None:
    """Calls to one host share a connection; another name at the same address gets its own."""
    port = int(peer.split(":")[1])
    hosts = [f"{name}:{port}" for name in ("localhost", "127.0.0.1")]
    fetch = _fetch(*hosts, loopback=True, resolve=lambda *_: ["127.0.0.1"])
    for host in (hosts[0], hosts[0], hosts[1], hosts[0]):
        assert fetch("GET", f"http://{host}/").status == 200
    assert len(_Peer.opened) == 2


def test_what_nobody_calls_is_closed(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that was not called for a moment costs no socket, once any other is called."""
    monkeypatch.setattr(fetcher, "KEPT_SECONDS", 0.0)
    port = peer.split(":")[1]
    fetch = _fetch(f"localhost:{port}", peer, loopback=True, resolve=lambda *_: ["127.0.0.1"])
    assert fetch("GET", f"http://localhost:{port}/").status == 200
    (first,) = [one.client for one in fetch._kept.values()]
    assert fetch("GET", f"http://{peer}/").status == 200
    assert first.is_closed
    assert list(fetch._kept) == [peer]


def test_no_cookie_is_kept(peer: str) -> None:
    """What one call was told to remember, the next does not say."""
    fetch = _fetch(peer, loopback=True)
    for _ in range(2):
        fetch("GET", f"http://{peer}/cookie")
    assert len(_Peer.opened) == 1
    assert "cookie" not in {name.lower() for _, _, headers, _ in _Peer.seen for name in headers}


def test_redirects_are_not_followed(peer: str) -> None:
    """A redirect is an answer like any other."""
    assert _fetch(peer, loopback=True)("GET", f"http://{peer}/redirect").status == 302
    assert len(_Peer.seen) == 1


@pytest.mark.parametrize(("path", "why"), [("large", "too much"), ("gzip", "compressed")])
def test_answers_that_are_too_much(peer: str, path: str, why: str) -> None:
    """A megabyte and a byte, and compression that was not asked for, are refused."""
    with pytest.raises(ForeignServiceError, match=why):
        _fetch(peer, loopback=True)("GET", f"http://{peer}/{path}")


def test_a_trickle_ends_at_the_deadline(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte now and then keeps nobody waiting for ever."""
    monkeypatch.setattr(fetcher, "DEADLINE_SECONDS", 0.3)
    with pytest.raises(ForeignServiceError, match="slowly"):
        _fetch(peer, loopback=True)("GET", f"http://{peer}/slow")


def test_silence_is_said_to_be_so() -> None:
    """Nobody there, and a name that nobody has."""
    with pytest.raises(ForeignServiceError, match="does not answer"):
        _fetch("127.0.0.1:1", loopback=True)("GET", "http://127.0.0.1:1/")
    with pytest.raises(ForeignServiceError, match="no address"):
        _fetch("nobody.invalid")("GET", "https://nobody.invalid/")


def test_environment_proxies_are_ignored(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment names as a proxy is not asked."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert _fetch(peer, loopback=True)("GET", f"http://{peer}/").status == 200
