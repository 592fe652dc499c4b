"""HTTP of consents: no deciding here."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, Protocol

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime
from starlette.responses import StreamingResponse

from keys.access import Caller
from keys.auth import Clock
from keys.server_sent_events import LONGEST_SECONDS, MEDIA_TYPE, RESPONSES, Event, Telling
from wallet.auth import holder_with
from wallet.consents.consents import Consents
from wallet.consents.schemas import (
    ConfirmIn,
    ConsentOut,
    ConsentsOut,
    DeclineIn,
    QuestionOut,
    consent_out,
    question_out,
)


class Used(Protocol):
    """Which of a holder's codes were used a moment ago."""

    def __call__(self, holder_id: str, *, now: datetime) -> Sequence[str]:
        """Return their names (`show_id`)."""


EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def routes(
    consents: Consents,
    used: Used,
    *,
    caller_of: Callable[..., Caller],
    telling: Telling,
    clock: Clock,
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/wallet", tags=["wallet"])
    Me = Annotated[str, Depends(holder_with(caller_of))]  # noqa: N806 - a type

    @router.get("/consents")
    def list_consents(
        me: Me,
        state: Literal["any", "waiting"] = "any",
        before: Annotated[AwareDatetime | None, Query(ge=EARLIEST, le=LATEST)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ConsentsOut:
        """List who asked this wallet for what, newest first, and what was answered; or only those that wait."""
        now = clock()
        rows = consents.waiting(me, now=now) if state == "waiting" else consents.page(me, before=before, limit=limit)
        return ConsentsOut(items=[ConsentOut(**consent_out(row, now)) for row in rows])

    @router.get("/consents/{consent_id}")
    def look(me: Me, consent_id: str, principal: Annotated[str | None, Query(max_length=64)] = None) -> QuestionOut:
        """Look at a question: who asks, for what, why, what would leave and what would not."""
        now = clock()
        return question_out(consents.look(me, consent_id, principal, now=now), now)

    @router.post("/consents/{consent_id}/confirm", status_code=204, response_class=Response)
    def confirm(me: Me, consent_id: str, body: ConfirmIn) -> None:
        """Say yes, or yes without what is optional. It is said once, within two minutes."""
        consents.confirm(
            me,
            consent_id,
            seen=body.seen,
            without=body.without,
            principal=body.principal,
            sensitive=body.sensitive,
            now=clock(),
        )

    @router.post("/consents/{consent_id}/decline", status_code=204, response_class=Response)
    def decline(me: Me, consent_id: str, body: DeclineIn) -> None:
        """Say no, and report the question if it was out of place."""
        consents.decline(me, consent_id, report=body.report, now=clock())

    @router.get("/events", response_class=StreamingResponse, responses=RESPONSES)
    async def events(
        me: Me, seconds: Annotated[float, Query(ge=0, le=LONGEST_SECONDS)] = LONGEST_SECONDS
    ) -> StreamingResponse:
        """Be told, on every signed-in device (server-sent events), of new questions and of codes that were used.

        `consent` is a question, `shown` the `show_id` of a code that a counter has scanned.
        """

        def waiting() -> list[Event]:
            now = clock()
            rows = [ConsentOut(**consent_out(row, now)) for row in consents.waiting(me, now=now)]
            asked = [Event("consent", row.consent_id, row.model_dump(mode="json")) for row in rows]
            return asked + [Event("shown", one, {"show_id": one}) for one in used(me, now=now)]

        return StreamingResponse(telling.events(me, waiting, seconds), media_type=MEDIA_TYPE)

    return router
