"""Reading a bearer token off a request; each room's `auth.py` says which callers it lets in."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from keys.access import Access, Caller
from keys.errors import TokenRefusedError

Clock = Callable[[], datetime]
"""Returns the aware present; read in `app/` alone."""

_bearer = HTTPBearer(auto_error=False, description="Opaque access token (RFC 6750)")


def caller_of(access: Access, clock: Clock) -> Callable[..., Caller]:
    """Return a dependency that names the caller of a request; no or bad token raises `TokenRefusedError`."""

    def caller(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
        if credentials is None:
            raise TokenRefusedError("no access token")
        return access.caller(credentials.credentials, now=clock())

    return caller
