"""The guarded way out: calls to other issuers and verifiers, to hosts that the operator allows, and nowhere else.

No redirects, no environment proxies, no cookies, caps on what comes back, one deadline for the whole call. A name is
resolved here, at each call, and the connection goes to the very address that was looked at: private addresses are
refused, but for this service's own. Connections are kept for a moment, each for the one host that it was opened to.
"""

import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from ssl import SSLContext
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2

from app.setting_values import is_loopback
from credentials import strict_json
from wallet.errors import ForeignHostError, ForeignServiceError
from wallet.openid4vc.fetching import Fetched

DEADLINE_SECONDS = 10.0
MAX_BYTES = 1024 * 1024  # of one answer
KEPT_SECONDS = 2.0  # of a connection that nobody uses: less than any server keeps it
FORM, JSON, JWT = "application/x-www-form-urlencoded", "application/json", "application/jwt"
Resolve = Callable[[str, int], list[str]]
"""Returns the addresses of a host."""


class Fetcher:
    """Calls foreign services (`wallet.openid4vc.fetching.Fetch`)."""

    def __init__(
        self,
        *,
        hosts: Collection[str] | None,
        own_url: str = "",
        loopback: bool = False,
        inner: Collection[str] = (),
        resolve: Resolve | None = None,
    ) -> None:
        """Allow `hosts` over https (`name` or `name:port`; None: any with a public address), and itself at `own_url`.

        With `loopback` (demonstration only) a listed host on this machine may be called over http too; `inner` ones
        may have private addresses: the city's own network.
        """
        self._inner = frozenset(inner)
        self._hosts = None if hosts is None else frozenset(hosts)
        self._loopback = loopback
        self._own = urlsplit(own_url)
        self._resolve = resolve or _addresses
        self._kept: dict[str, _Kept] = {}
        """By the host that is called, not by its address: hosts that share one must not share a connection."""
        self._lock = Lock()

    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
        jwt: str | None = None,
    ) -> Fetched:
        """Return what `url` answered; what is not allowed, too slow or too large raises `ForeignServiceError`."""
        target, extensions, host = self._target(url)
        content, kind = _content(form, json, jwt)
        sent = {**(headers or {}), "Host": host, "Accept-Encoding": "identity"} | (
            {"Content-Type": kind} if kind else {}
        )
        deadline = monotonic() + DEADLINE_SECONDS
        try:
            with (
                self._client(host) as client,
                client.stream(method, target, headers=sent, content=content, extensions=extensions) as answer,
            ):
                return _read(answer, deadline)
        except httpx2.HTTPError as error:
            raise ForeignServiceError("it does not answer") from error

    def must_allow(self, url: str) -> None:
        """Raise `ForeignHostError` unless `url` may be called; its name is looked up, and nothing is sent."""
        self._target(url)

    @contextmanager
    def _client(self, host: str) -> Iterator[httpx2.Client]:
        """Lend a host's client, and close those that nobody has called for a moment: theirs may have hung up."""
        with self._lock:
            over = [name for name, one in self._kept.items() if one.is_over(monotonic())]
            idle = [self._kept.pop(name) for name in over]
            if host not in self._kept:
                self._kept[host] = _Kept()
            kept = self._kept[host]
            kept.calls += 1
        for one in idle:
            one.client.close()
        try:
            yield kept.client
        finally:
            with self._lock:
                kept.calls -= 1
                kept.used = monotonic()

    def _target(self, url: str) -> tuple[str, dict[str, Any], str]:
        """Return the address to connect to (by number), what TLS must check, and the Host to say."""
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise ForeignHostError("that is no address") from error
        ours = (parts.scheme, parts.netloc) == (self._own.scheme, self._own.netloc)
        near = self._loopback and is_loopback(parts.hostname or "")
        listed = self._hosts is None or parts.netloc in self._hosts
        if not ours and (parts.scheme not in ({"https", "http"} if near else {"https"}) or not listed):
            raise ForeignHostError(f"this service may not call {parts.hostname or 'that'}")
        if parts.username or parts.fragment or not parts.hostname:
            raise ForeignHostError("that is no address to call")
        addresses = self._resolve(parts.hostname, port)
        inside = parts.netloc in self._inner
        if not addresses or not (ours or near or inside or all(ip_address(one).is_global for one in addresses)):
            raise ForeignHostError("it has no public address")
        number = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        return f"{parts.scheme}://{number}:{port}{path}", {"sni_hostname": parts.hostname}, parts.netloc


class _Kept:
    """A client, how many calls it is at, and when the last one ended."""

    def __init__(self) -> None:
        self.client = httpx2.Client(
            trust_env=False,
            follow_redirects=False,
            timeout=DEADLINE_SECONDS,
            verify=_trusted(),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none is kept
            limits=httpx2.Limits(keepalive_expiry=KEPT_SECONDS),
        )
        self.calls = 0
        self.used = monotonic()

    def is_over(self, now: float) -> bool:
        """Whether nobody has called for a moment."""
        return not self.calls and now - self.used > KEPT_SECONDS


@cache
def _trusted() -> SSLContext:
    """Return what TLS trusts: read once, it takes longer than a call."""
    return httpx2.create_ssl_context(trust_env=False)


def _read(answer: httpx2.Response, deadline: float) -> Fetched:
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise ForeignServiceError("it answered compressed, unasked")
    body = bytearray()
    for chunk in answer.iter_raw():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ForeignServiceError("it answered too much")
        if monotonic() > deadline:
            raise ForeignServiceError("it answers too slowly")
    kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    return Fetched(answer.status_code, kind, bytes(body), dict(answer.headers))


def _content(form: Mapping[str, str] | None, json: object, jwt: str | None) -> tuple[bytes | None, str | None]:
    if form is not None:
        return urlencode(form).encode("ascii"), FORM
    if jwt is not None:
        return jwt.encode("ascii"), JWT
    return (strict_json.dumps(json), JSON) if json is not None else (None, None)


def _addresses(host: str, port: int) -> list[str]:
    try:
        return [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise ForeignServiceError("it has no address") from error
