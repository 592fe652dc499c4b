"""Addresses and JSON bodies through the strict gate, before FastAPI sees them: what it trips over is refused as 400.

What a body says is kept with the request, for routes that read it by hand.
"""

import re
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from credentials import strict_json
from credentials.errors import MalformedError
from keys.auth import VALUE

MAX_BODY_BYTES = 8 * 1024 * 1024  # a photo of a QR code
MAX_JSON_BYTES = 256 * 1024
MAX_STREAM_BYTES = 1024 * 1024 * 1024  # a million rows
Refuse = Callable[[str, str], Response]
"""Makes the problem of a code and a detail."""


class StrictBody:
    """Plain ASGI: reads a JSON body whole, within its cap, and lets through only JSON that means one thing.

    Addresses of `except_for` read their own bodies, as strictly, because they refuse in another form.
    """

    def __init__(self, app: ASGIApp, *, refuse: Refuse, except_for: re.Pattern[str], streamed: re.Pattern[str]) -> None:
        """Serve `app`; bodies to addresses of `streamed` are taken as they come, and may be long."""
        self._app = app
        self._streamed = streamed
        self._except_for = except_for
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and _has_nul(scope):
            await self._refuse("malformed", "NUL character in the address")(scope, receive, send)
            return
        if scope["type"] == "http" and sum(name == b"idempotency-key" for name, _ in scope["headers"]) > 1:
            await self._refuse("malformed", "two Idempotency-Key headers: send one")(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = MAX_STREAM_BYTES if self._streamed.fullmatch(scope["path"]) else MAX_BODY_BYTES
        if _announced(scope) > most:
            await self._refuse("body_too_large", "")(scope, receive, send)
            return
        if not _is_json(scope) or self._except_for.fullmatch(scope["path"]):
            await self._app(scope, _counted(receive, most), send)
            return
        body = await _read(receive)
        if body is None:
            await self._refuse("body_too_large", "")(scope, receive, send)
            return
        try:
            scope.setdefault("state", {})[VALUE] = _value(body)
        except MalformedError as error:
            await self._refuse("malformed_json", error.detail)(scope, receive, send)
            return
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


def _value(body: bytes) -> Any:
    """Return what a body says, None if there is none; raises `MalformedError`."""
    if b"\\u0000" in body:
        raise MalformedError("NUL character")
    return strict_json.loads(body) if body else None


def _announced(scope: Scope) -> int:
    sent = dict(scope["headers"]).get(b"content-length", b"0")
    return int(sent) if sent.isdigit() else 0


def _counted(receive: Receive, most: int) -> Receive:
    """Return `receive` with a cap on a body that comes in chunks."""
    taken = 0

    async def capped() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise HTTPException(413)
        return message

    return capped


def _is_json(scope: Scope) -> bool:
    """Whether any content type says JSON: who sends two must not choose which reader sees which."""
    kinds = [value.split(b";")[0].strip().lower() for name, value in scope["headers"] if name == b"content-type"]
    return any(kind == b"application/json" or kind.endswith(b"+json") for kind in kinds)


def _has_nul(scope: Scope) -> bool:
    return "\0" in scope["path"] or b"%00" in scope["query_string"]


async def _read(receive: Receive) -> bytes | None:
    """Return the whole body, None past the cap or when the caller went away."""
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_JSON_BYTES:
            return None
        if not message.get("more_body", False):
            return body
