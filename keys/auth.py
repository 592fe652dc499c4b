"""Reading who calls, and under which idempotency key; each room's `auth.py` says which callers it lets in."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Header
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from keys.access import Access, Caller
from keys.errors import TokenRefusedError
from records import idempotency

Clock = Callable[[], datetime]
"""Returns the aware present; read in `app/` alone."""

IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=idempotency.MAX_KEY_LENGTH)
]
Attempts = Callable[[Caller, str | None, str, dict[str, Any]], idempotency.Attempt]
"""Makes an attempt of a caller's key (a random one if it sent none), operation and body."""

_bearer = HTTPBearer(auto_error=False, description="Opaque access token (RFC 6750)")


def caller_of(access: Access, clock: Clock) -> Callable[..., Caller]:
    """Return a dependency that names the caller of a request; no or bad token raises `TokenRefusedError`."""

    def caller(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
        if credentials is None:
            raise TokenRefusedError("no access token")
        return access.caller(credentials.credentials, now=clock())

    return caller
