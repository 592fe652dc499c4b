"""HTTP of asks: no deciding here."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel
from starlette.responses import JSONResponse

from keys.access import Caller
from keys.auth import Attempts, Clock, IdempotencyKey
from keys.schemas import example
from verifier import by_hand
from verifier.asks.asks import LONGEST_WAIT, Asks
from verifier.asks.models import Ask
from verifier.schemas import ScanIn, VerdictOut
from verifier.verdict import Verdict
from verifier.verifier import Verifier

EVERY_SECONDS = 0.5


class AskOut(BaseModel):
    """A question that the holder has on every signed-in device; `GET` it to wait for the verdict."""

    ask_id: str
    state: str = "waiting"
    expires_at: datetime

    model_config = example({"ask_id": "u1C8mB0dQ2yWkz5e", "state": "waiting", "expires_at": "2026-11-23T08:02:00Z"})


WAITING: dict[int | str, dict[str, Any]] = {202: {"model": AskOut, "description": "The holder is being asked."}}


def routes(
    asks: Asks, verifier: Verifier, *, caller_of: Callable[..., Caller], attempts: Attempts, clock: Clock
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/verifier", tags=["verifier"])
    Here = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("/scans", response_model=VerdictOut, responses=WAITING)
    def scan(here: Here, body: ScanIn, key: IdempotencyKey = None) -> Response:
        """Scan whatever somebody shows: what they chose is verified at once, else they are asked (202).

        `Idempotency-Key` is for what is asked: sent again, the question is found again. A code whose holder has chosen
        is used up once, whatever the key: after an answer that was lost, ask for a fresh code.
        """
        now = clock()
        question = verifier.question(here.subject, body.service_item, body.operator, now=now)
        made = asks.scan(body.scanned, question, attempts(here, key, "scan", body.model_dump()), now=now)
        return _waiting(made) if isinstance(made, Ask) else by_hand.json(made.as_json())

    @router.post("/asks", response_model=VerdictOut, responses=WAITING)
    def open_ask(here: Here, body: ScanIn, key: IdempotencyKey = None) -> Response:
        """Scan a show code and ask its holder for what an item lists (202); a code that is none gets its verdict."""
        now = clock()
        question = verifier.question(here.subject, body.service_item, body.operator, now=now)
        made = asks.ask(body.scanned, question, attempts(here, key, "open ask", body.model_dump()), now=now)
        return _waiting(made) if isinstance(made, Ask) else by_hand.json(made.as_json())

    @router.get("/asks/{ask_id}", response_model=VerdictOut, responses=WAITING)
    async def ask_answer(
        request: Request,
        here: Here,
        ask_id: str,
        wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT.total_seconds(), description="Seconds.")] = 0,
    ) -> Response:
        """Wait for the holder's word, `wait` seconds at most (202 if there is none yet); the verdict is told once."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        while True:
            made: Verdict | None = await asyncio.to_thread(asks.answer, ask_id, here.subject, now=clock())
            if made is not None:
                return by_hand.json(made.as_json())
            if loop.time() >= end or await request.is_disconnected():  # nobody takes an answer that nobody hears
                return JSONResponse({"ask_id": ask_id, "state": "waiting"}, 202)
            await asyncio.sleep(EVERY_SECONDS)

    @router.delete("/asks/{ask_id}", status_code=204, response_class=Response)
    def withdraw(here: Here, ask_id: str) -> None:
        """Take a question back that the holder has not answered: nobody is left to agree to what nobody waits for."""
        asks.withdraw(ask_id, here.subject, now=clock())

    return router


def _waiting(row: Ask) -> Response:
    return JSONResponse(AskOut(ask_id=row.ask_id, expires_at=row.expires_at).model_dump(mode="json"), 202)
