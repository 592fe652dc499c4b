"""HTTP of checking without a record, for who verifies much: answered on the spot where memory has all it takes."""

from collections.abc import Callable
from contextlib import suppress

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from keys.access import Caller
from keys.auth import Clock
from records.database import WouldWaitError, at_once
from verifier import by_hand
from verifier.checks import checks
from verifier.checks.schemas import CheckIn
from verifier.schemas import VerdictOut
from verifier.verdict import Verdict
from verifier.verifier import Verifier

AT_ONCE_BYTES = 16 * 1024  # of a body: what takes longer to verify does not hold others up


def routes(
    verifier: Verifier, *, caller_of: Callable[..., Caller], clock: Clock, randomness: Callable[[int], bytes]
) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/verifier", tags=["verifier"], route_class=by_hand.ByHand)

    def checked(request: Request) -> Verdict:
        here, now = caller_of(request, None), clock()
        said = by_hand.read(request, CheckIn)
        question = verifier.question(here.subject, said.service_item, None, by_link=True, now=now)
        return checks.check(verifier, said.presentations, said.nonce, question, randomness=randomness, now=now)

    @router.post("/checks", openapi_extra=by_hand.takes(CheckIn), responses={200: {"model": VerdictOut}})
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
        return by_hand.json(made.as_json())

    return router


def _is_short(request: Request) -> bool:
    """Whether a request may be answered on the spot: a few presentations, and no proof that the database must claim."""
    length = request.headers.get("content-length", "")
    return length.isdigit() and int(length) <= AT_ONCE_BYTES and "dpop" not in request.headers
