"""Structured logs: one JSON line an event, a request number on each, and no secret in any."""

import json
import logging
import re
import secrets
import sys
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import clock

SECRET_NAMES = frozenset({"authorization", "token", "secret", "code", "link", "scanned", "claims", "vp_token", "kek"})
SECRET_SHAPES = re.compile(
    r"lw_[a-z]+_[A-Za-z0-9_-]+|ey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.~-]+|(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])|EL1:\S+|#[0-9A-Z]{26}"
)
BLOTTED = "[redacted]"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Any other word in a method's place is a caller's own, and is neither logged nor counted by name."""
SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(), microphone=(), payment=()"),
)
"""On every answer that does not say otherwise itself."""
DOCS = ("/docs", "/static-offline-docs/")
DOCS_POLICY = (
    b"content-security-policy",
    b"default-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
)
"""The API reference is somebody else's page, with scripts of its own in it; it is served from here."""
HSTS = ((b"strict-transport-security", b"max-age=31536000; includeSubDomains"),)
_request_id: ContextVar[str] = ContextVar("request_id", default="-")
log: structlog.stdlib.BoundLogger = structlog.get_logger()


def request_id() -> str:
    """Return the number of the request being served."""
    return _request_id.get()


def number_request() -> str:
    """Give the request being served a number, and return it."""
    number = secrets.token_hex(8)
    _request_id.set(number)
    return number


def blot(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blot out what must never be logged, by its name and by its shape."""
    for name, value in event.items():
        event[name] = BLOTTED if name.lower() in SECRET_NAMES else _blotted(value)
    return event


def _blotted(value: Any) -> Any:
    if isinstance(value, str):
        return SECRET_SHAPES.sub(BLOTTED, value)
    if isinstance(value, dict):
        return {key: BLOTTED if str(key).lower() in SECRET_NAMES else _blotted(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_blotted(one) for one in value]
    return value


class _Forward(logging.Handler):
    """Hands what libraries log to our own lines, so that it is one JSON line and blotted too."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a library's record; a traceback comes with it."""
        log.log(record.levelno, "library", logger=record.name, message=record.getMessage(), exc_info=record.exc_info)


def configure(level: int = logging.INFO) -> None:
    """Write JSON lines to standard error, the libraries' warnings among them."""
    logging.basicConfig(handlers=[_Forward(logging.WARNING)], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            blot,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


@dataclass(frozen=True, slots=True)
class Refused:
    """A request of a known caller that was refused."""

    number: str
    operation: str
    status: int
    code: str
    caller: Any


class Counted(Protocol):
    """What counts requests (`metrics.py`)."""

    def begun(self) -> None:
        """Note that a request came."""

    def ended(self, method: str, route: str, status: int, problem: str, seconds: float) -> None:
        """Note how a request was answered."""


class RequestLog:
    """Plain ASGI: numbers requests, logs and counts them by route (no path values), sets safe headers, answers crashes.

    What is refused to somebody we know is told to `refused`, after it was answered.
    """

    def __init__(
        self, app: ASGIApp, *, crashed: Callable[[], Response], refused: Callable[[Refused], None], counted: Counted,
        https: bool,
    ) -> None:  # fmt: skip
        self._app = app
        self._crashed = crashed
        self._refused = refused
        self._counted = counted
        self._always = SAFE_HEADERS + (HSTS if https else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = number_request()
        started, status, begun, code = perf_counter(), 500, False, "-"
        self._counted.begun()

        async def numbered(message: Message) -> None:
            nonlocal status, begun, code
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                sent = dict(message["headers"])
                code = sent.get(b"x-problem-code", b"-").decode("ascii")
                always = (DOCS_POLICY, *self._always) if scope["path"].startswith(DOCS) else self._always
                said = dict(reversed(always)) | sent
                more = [(b"x-request-id", number.encode()), *(one for one in said.items() if one[0] not in sent)]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        try:
            await self._app(scope, receive, numbered)
        except Exception as error:
            log.exception("crashed", request_id=number, kind=type(error).__name__)
            if begun:
                raise
            await self._crashed()(scope, receive, numbered)
        finally:
            route, seconds = getattr(scope.get("route"), "path", "-"), perf_counter() - started
            self._counted.ended(scope["method"], route, status, code, seconds)
            _log_request(number, scope["method"], route, status, code, seconds)
            caller = scope.get("state", {}).get("caller")
            if status >= 400 and caller is not None:
                told = Refused(number, f"{scope['method']} {route}", status, code, caller)
                await run_in_threadpool(self._refused, told)


def _log_request(number: str, method: str, route: str, status: int, code: str, seconds: float) -> None:
    """Log a request as `log.info` would, at a tenth of its cost: nothing in it can be a secret, but an odd method."""
    said = {
        "request_id": number, "method": method if method in METHODS else BLOTTED, "route": route, "status": status,
        "problem": code, "milliseconds": round(seconds * 1000, 1), "event": "http", "level": "info",
        "timestamp": clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z"),
    }  # fmt: skip
    sys.stderr.write(json.dumps(said) + "\n")
