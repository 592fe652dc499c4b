"""How much anybody may ask: in all, by address, by caller; and which host and proxies are believed.

Counts are kept in this process, or for many of them where `LICENCE_LIMITS_STORAGE` says. What guards a secret (codes,
transaction codes, enrolment) does not rest on these: it is counted in the database, in the act's own transaction. How
much each may: `LICENCE_LIMIT_…` (`settings.py`); acts of an agency in an hour: `issuers/velocity.py`.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from math import floor
from threading import Lock
from time import monotonic
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from limits import parse
from limits.storage import MemoryStorage, SlidingWindowCounterSupport, Storage, storage_from_string
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app import logs
from app.setting_values import SettingsError
from app.settings import Settings
from keys.auth import Browser

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Called by the machines that run this one, under its address: `/metrics` says itself who may read it."""
DOORS = re.compile(
    r"/wallet/sign-in(/.*)?|/passkeys/sign-in(-options)?|/verifier/enrol|/oauth/token|/issuers/[^/]+/(token|par|authorize)"
)
"""Where callers come in: few calls of one address are honest there."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine: whoever serves under one is called by each."""
HERE = "memory://"
MOST_COUNTED = 100_000  # callers and addresses of which this process keeps counts, about 20 MB
AWAY_SECONDS = 5.0  # for which nobody asks a storage that did not answer
SILENT_SECONDS = 0.5  # after which a shared storage that says nothing counts as away
REDIS_TIMES = ("socket_timeout", "socket_connect_timeout")
Away = type[Exception] | tuple[type[Exception], ...]
Told = TypeVar("Told")
MAX_HOPS = 16  # proxies in one X-Forwarded-For
Refuse = Callable[[str, str, int], Response]
"""Makes the answer for a path, a problem's code, and after how many seconds to try again (0: never)."""
Address = IPv4Address | IPv6Address


class Counting(Protocol):
    """Where calls are counted, in windows that slide."""

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` more; False if it is too much."""

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return the last window's count and how many of its seconds still count, and the same of this one."""


class Counts(MemoryStorage):
    """Counts of this process, by the same rule as the library's own, at half its cost, a third where there are many.

    The library's starts a thread that looks through all of them, every ten milliseconds; here that is done when there
    are too many.
    """

    STORAGE_SCHEME = ["counts"]  # noqa: RUF012 - the library wants a name, and it so

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self._lock = Lock()
        self._windows: dict[str, tuple[int, int, int, int]] = {}
        """By key: seconds of a window, which window it is, how many came in the one before, how many in this one."""

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` more unless this window's and what still counts of the one before are past the limit."""
        with self._lock:
            before, left, here, _ = self.get_sliding_window(key, expiry)
            if floor(before * left / expiry + here) + amount > limit:
                return False
            if len(self._windows) >= MOST_COUNTED and key not in self._windows:
                self._forget()
            self._windows.pop(key, None)  # the last that was counted comes last, and is forgotten last
            self._windows[key] = (expiry, int(self._now() // expiry), before, here + amount)
        return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return the last window's count and how many of its seconds still count, and the same of this one."""
        number, gone = divmod(self._now(), expiry)
        _, which, before, here = self._windows.get(key, (expiry, number, 0, 0))
        if which != number:
            before, here = (here if which == number - 1 else 0), 0
        left = expiry - gone
        return before, left if before else 0.0, here, left + expiry

    def _forget(self) -> None:
        """Forget what is over; if too little is, the half that was not counted for the longest time."""
        now = self._now()
        kept = {key: one for key, one in self._windows.items() if now // one[0] - one[1] <= 1}
        self._windows = dict(list(kept.items())[-MOST_COUNTED // 2 :])


class Shared:
    """Counts where all workers count; while that is away, here, as a worker alone would: nobody is refused for it."""

    def __init__(self, storage: Counting, here: Counting, away: Away) -> None:
        """Count in `storage`, or `here` where that raises what is `away` (its own errors)."""
        self._storage, self._here, self._away = storage, here, away
        self._again_at = 0.0

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a call more; False if it is too much."""
        return self._asked(lambda where: where.acquire_sliding_window_entry(key, limit, expiry, amount))

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return what was counted, where it is counted by now."""
        return self._asked(lambda where: where.get_sliding_window(key, expiry))

    def _asked(self, ask: Callable[[Counting], Told]) -> Told:
        if monotonic() >= self._again_at:
            try:
                return ask(self._storage)
            except self._away as error:
                self._again_at = monotonic() + AWAY_SECONDS
                logs.log.error("limits.away", kind=type(error).__name__)
        return ask(self._here)


class Limit:
    """One limit: so many calls within so many seconds, of one and the same origin."""

    def __init__(self, storage: Counting, kind: str, said: str) -> None:
        """Count in `storage` what is `said` of a `kind`, as `100/minute`."""
        item = parse(said)
        self._storage, self._most, self._seconds = storage, item.amount, item.get_expiry()
        self._prefix = f"{kind}/{self._most}/{self._seconds}/"

    def hit(self, whose: str) -> bool:
        """Count one call more; False if it is too much."""
        return self._storage.acquire_sliding_window_entry(self._prefix + whose, self._most, self._seconds)

    def wait(self, whose: str) -> int:
        """Return after how many seconds the next call that counts is over, as the library reckons it."""
        before, left, here, ends = self._storage.get_sliding_window(self._prefix + whose, self._seconds)
        next_of_before = left % (self._seconds / before) if before else self._seconds
        return int(min(next_of_before, ends % self._seconds if here else self._seconds)) + 1


def storage(settings: Settings, now: Callable[[], float]) -> Counting:
    """Return where calls are counted; raises `SettingsError` before anything is served where they cannot be."""
    where = settings.limits_storage.get_secret_value()
    if where == HERE:
        return Counts(now)
    said = f"LICENCE_LIMITS_STORAGE: {HERE} 或 redis://…（须另装 redis 包）· {HERE} or redis://… and its package"
    times = dict.fromkeys(REDIS_TIMES, SILENT_SECONDS) if where.startswith("redis") else {}
    try:
        made: Any = storage_from_string(where, **times)
    except Exception as error:  # noqa: BLE001 - of whatever library counts there; what it says may hold a password
        raise SettingsError(f"{said} ({type(error).__name__})") from None
    if not (isinstance(made, SlidingWindowCounterSupport) and isinstance(made, Storage)):
        raise SettingsError(said)
    return Shared(made, Counts(now), made.base_exceptions)


class Limits:
    """Plain ASGI: refuses what is too much, or for another host, before anything else is done with it."""

    def __init__(self, app: ASGIApp, *, settings: Settings, storage: Counting, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse
        self._all = Limit(storage, "all", settings.limit_all)
        self._address = Limit(storage, "address", settings.limit_address)
        self._caller = Limit(storage, "caller", settings.limit_caller)
        self._doors = Limit(storage, "doors", settings.limit_doors)
        self._proxies = [ip_network(one) for one in settings.proxies]
        self._browser = Browser(settings.base_url)
        own = urlsplit(settings.base_url).hostname or ""
        self._hosts = {own, *settings.other_hosts} | (LOOPBACK if own in LOOPBACK else frozenset())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        if _hostname(_one(scope["headers"], b"host")) not in self._hosts:
            await self._refuse(scope["path"], "wrong_host", 0)(scope, receive, send)
            return
        for limit, whose in self._applying(scope):
            if not limit.hit(whose):
                await self._refuse(scope["path"], "too_many_requests", limit.wait(whose))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _applying(self, scope: Scope) -> Sequence[tuple[Limit, str]]:
        """Return the limits of a request, each with what it is counted under."""
        from_where = prefix(client(scope, self._proxies))
        found = [(self._address, from_where)]
        if DOORS.fullmatch(scope["path"]):
            found.append((self._doors, from_where))
        bearer = _one(scope["headers"], b"authorization").partition(" ")[2].strip()
        cookie = self._browser.secret(Request(scope)) if _one(scope["headers"], b"cookie") else None
        for secret in filter(None, [bearer, cookie]):
            found.append((self._caller, sha256(secret.encode()).hexdigest()[:16]))
        return [*found, (self._all, "")]  # last: what one address is refused costs the others nothing


def client(scope: Scope, proxies: Sequence[object]) -> str:
    """Return whose request it is: the last address before the proxies that we believe (RFC 7239 section 7.4)."""
    peer = (scope.get("client") or ("", 0))[0]
    hops = [one.strip() for one in _one(scope["headers"], b"x-forwarded-for").split(",") if one.strip()]
    for hop in reversed(hops[-MAX_HOPS:]):
        if not among(peer, proxies):
            break
        peer = hop
    return peer


@lru_cache(maxsize=4096)
def prefix(address: str) -> str:
    """Return the network that an address is counted under: itself, or an IPv6 customer's whole /56."""
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    plain = _plain(found)
    return str(plain) if isinstance(plain, IPv4Address) else str(IPv6Network((plain, 56), strict=False))


def among(address: str, networks: Sequence[object]) -> bool:
    """Whether an address is in one of these networks; what is no address is in none."""
    try:
        found: Address = _plain(ip_address(address))
    except ValueError:
        return False
    return any(found in network for network in networks)  # type: ignore[operator]


def _plain(address: Address) -> Address:
    """Return an IPv4 address that was written as an IPv6 one as what it is."""
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=64)
def _hostname(host: str) -> str | None:
    """Return the name in a Host header (RFC 9110 section 7.2), None if it is none."""
    try:
        parts = urlsplit(f"//{host}")
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and not parts.username else None


def _one(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> str:
    """Return a header's value; one that came more than once is joined (RFC 9110 section 5.3)."""
    return ",".join(value.decode("latin-1") for key, value in headers if key == name)
