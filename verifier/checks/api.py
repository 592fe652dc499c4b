"""HTTP of checking without a record, for who verifies much: read and answered by hand.

What FastAPI makes of a route with models takes as long as both signatures; here is one dictionary in and one out,
answered on the spot where memory has all that it takes. The body came through the strict gate
(`app/strict_body.py`) like every other.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from credentials import strict_json
from credentials.claim_values import Fault, FaultsError
from keys.access import Caller
from keys.auth import VALUE, Clock
from records.database import WouldWaitError, at_once
from verifier.checks import checks
from verifier.schemas import VerdictOut
from verifier.verdict import Verdict
from verifier.verifier import MAX_PRESENTATIONS, Verifier

MAX_NONCE = 256  # characters
AT_ONCE_BYTES = 16 * 1024  # of a body: what takes longer to verify does not hold others up
_EXAMPLE = {"service_item": "school_enrolment", "nonce": "n-0S6_WzA2Mj", "presentations": ["eyJ…~WyJ…~eyJ…"]}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["service_item", "nonce", "presentations"],
                    "properties": {
                        "service_item": {"type": "string", "minLength": 1, "maxLength": 64},
                        "nonce": {"type": "string", "minLength": 1, "maxLength": MAX_NONCE},
                        "presentations": {
                            "type": "array",
                            "items": {"type": "string"},
                            "minItems": 1,
                            "maxItems": MAX_PRESENTATIONS,
                        },
                    },
                },
                "example": _EXAMPLE,
            }
        },
    }
}


class ByHand(APIRoute):
    """A route whose endpoint takes the request and returns the answer, with nothing of FastAPI's but the contract."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a method that is not taken is FastAPI's to refuse."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        response: Response = await self.endpoint(Request(scope, receive))
        await response(scope, receive, send)


def routes(
    verifier: Verifier, *, caller_of: Callable[..., Caller], clock: Clock, randomness: Callable[[int], bytes]
) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/verifier", tags=["verifier"], route_class=ByHand)

    def checked(request: Request) -> Verdict:
        here, now = caller_of(request, None), clock()
        if not hasattr(request.state, VALUE):  # the strict gate reads what says that it is JSON
            raise HTTPException(415)
        service_item, nonce, presentations = _read(getattr(request.state, VALUE))
        question = verifier.question(here.subject, service_item, None, by_link=True, now=now)
        return checks.check(verifier, presentations, nonce, question, randomness=randomness, now=now)

    @router.post("/checks", openapi_extra=_BODY, responses={200: {"model": VerdictOut}})
    async def check(request: Request) -> Response:
        """Verify presentations that this counter asked for by itself, made for it and its nonce; nothing is recorded.

        The audience is the counter's own `client_id`. There is no receipt: what is to be kept is verified by scan or
        request. Whether a nonce was used before is the caller's to know.
        """
        made = None
        if _is_short(request):
            with suppress(WouldWaitError):
                made = at_once(lambda: checked(request))
        if made is None:
            made = await run_in_threadpool(checked, request)
        return Response(strict_json.dumps_read(made.as_json()), media_type="application/json")

    return router


def _is_short(request: Request) -> bool:
    """Whether a request may be answered on the spot: a few presentations, and no proof that the database must claim."""
    length = request.headers.get("content-length", "")
    return length.isdigit() and int(length) <= AT_ONCE_BYTES and "dpop" not in request.headers


def _read(said: object) -> tuple[str, str, list[str]]:
    """Return service item, nonce and presentations of what a body says, or raise `FaultsError` naming every fault."""
    if not isinstance(said, Mapping):
        raise FaultsError([Fault("", "wrong_type", "a JSON object")])
    service_item, nonce, presentations = said.get("service_item"), said.get("nonce"), said.get("presentations")
    faults = [Fault(f"/{name}", "unknown_member", "not a member of this") for name in said.keys() - _EXAMPLE.keys()]
    if not isinstance(service_item, str) or not 0 < len(service_item) <= 64:
        faults.append(Fault("/service_item", "wrong_value", "a text of 1 to 64 characters"))
    if not isinstance(nonce, str) or not 0 < len(nonce) <= MAX_NONCE:
        faults.append(Fault("/nonce", "wrong_value", f"a text of 1 to {MAX_NONCE} characters"))
    listed = presentations if isinstance(presentations, list) else []
    if not 0 < len(listed) <= MAX_PRESENTATIONS or not all(isinstance(one, str) for one in listed):
        faults.append(Fault("/presentations", "wrong_value", f"a list of 1 to {MAX_PRESENTATIONS} texts"))
    if faults:
        raise FaultsError(faults)
    return str(service_item), str(nonce), listed
