"""Answers of OAuth's endpoints: what is refused is refused in OAuth's form, never as a problem document."""

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.responses import JSONResponse

from credentials.errors import FormatError
from keys.errors import CustodyError
from keys.oauth.errors import OAuthError

NO_STORE = {"Cache-Control": "no-store"}
PUBLIC = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}


async def _raw(request: Request) -> bytes:
    return await request.body()


RawBody = Annotated[bytes, Depends(_raw)]
"""A body as it came: the endpoint reads it strictly itself."""


def answered(act: Callable[[], Response], *, others: Mapping[type[Exception], int] | None = None) -> Response:
    """Return an answer, or a refusal; `others` are further errors with a `code`, and their HTTP statuses."""
    try:
        return act()
    except OAuthError as error:
        return JSONResponse(error.body(), error.status, NO_STORE | error.headers)
    except FormatError as error:
        return JSONResponse(OAuthError("invalid_request", error.detail).body(), 400, NO_STORE)
    except CustodyError as error:
        return JSONResponse(OAuthError("server_error", error.code).body(), 503, NO_STORE | {"Retry-After": "5"})
    except tuple(others or {}) as error:
        status = next(status for kind, status in (others or {}).items() if isinstance(error, kind))
        code = "invalid_request" if status < 500 else "server_error"
        return JSONResponse(OAuthError(code, getattr(error, "code", "")).body(), status, NO_STORE)


def headers_named(request: Request, name: str) -> list[str]:
    """Return every value of a header that was sent."""
    return request.headers.getlist(name)


def one_header(request: Request, name: str, error: str) -> str | None:
    """Return a header's value, None if it was not sent; one that came twice is refused with `error`."""
    sent = request.headers.getlist(name)
    if len(sent) > 1:
        raise OAuthError(error, f"more than one {name} header")
    return sent[0] if sent else None
