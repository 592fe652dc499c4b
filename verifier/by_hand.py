"""Routes that are read and answered by hand: what FastAPI makes of models around a verification costs as much as it.

A body came through the strict gate (`app/strict_body.py`) like every other, and is checked by the same models; refusals
are those of every other route, but that no body at all is told as one that is no object.
"""

import re
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from credentials import strict_json
from keys.auth import VALUE
from keys.schemas import Input


class ByHand(APIRoute):
    """A route whose endpoint takes the request and returns the answer, with nothing of FastAPI's but the contract."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a method that is not taken is FastAPI's to refuse."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        response: Response = await self.endpoint(Request(scope, receive))
        await response(scope, receive, send)


_JSON = re.compile(r"application/(?:json|[^/]+\+json)")
Said = TypeVar("Said", bound=Input)


def read(request: Request, kind: type[Said]) -> Said:
    """Return what a body says; raises `RequestValidationError` with every fault, HTTP 415 unless it is called JSON."""
    said_kind = request.headers.get("content-type", "").split(";")[0].strip().lower()  # the first, if there are two
    if not _JSON.fullmatch(said_kind):
        raise HTTPException(415)
    said = getattr(request.state, VALUE)  # the strict gate reads whatever is called JSON
    try:
        return kind.model_validate(said, from_attributes=True)  # as FastAPI does, whose faults read accordingly
    except ValidationError as error:
        rows: list[Any] = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        raise RequestValidationError(rows, body=said) from error


def json(value: object) -> Response:
    """Return an answer: JSON whose numbers are whole or were read from JSON."""
    return Response(strict_json.dumps_read(value), media_type="application/json")


def takes(kind: type[Input]) -> dict[str, Any]:
    """Return what the contract says of body and caller (`openapi_extra`)."""
    body = {"required": True, "content": {"application/json": {"schema": kind.model_json_schema()}}}
    return {"requestBody": body, "security": [{"HTTPBearer": []}]}
