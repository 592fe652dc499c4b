"""HTTP of cases, for holders and for agencies: no deciding here."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from keys.access import Caller
from keys.auth import Attempts, Clock, IdempotencyKey
from keys.schemas import SHORT_NAME, Input, example
from keys.server_sent_events import LONGEST_SECONDS, MEDIA_TYPE, RESPONSES, Event, Telling
from wallet.auth import holder_with
from wallet.cases.cases import Cases, Step
from wallet.cases.models import Case, Kind, State
from wallet.schemas import LICENCE_ID

AgencyKey = Annotated[str, Path(pattern=f"^{SHORT_NAME}$", examples=["police"])]
Seconds = Annotated[float, Query(ge=0, le=LONGEST_SECONDS)]
After = Annotated[str, Header(alias="Last-Event-ID", max_length=64)]
Words = Annotated[str, Field(min_length=1, max_length=2000)]
SHOWN = {"case_id", "agency", "kind", "about", "state", "opened_at", "changed_at"}
EXAMPLE: dict[str, Any] = {
    "case_id": "1795507200000-hB9c2mK1xQ0d", "agency": "police", "kind": "correction", "about": LICENCE_ID,
    "state": "open", "opened_at": "2026-11-23T08:00:00Z", "changed_at": "2026-11-23T08:00:00Z",
}  # fmt: skip


class CaseIn(Input):
    """What a holder wants: a licence put right (`about` its identifier), or a use looked into (`about` the use)."""

    kind: Literal["correction", "objection"]
    about: str = Field(max_length=128)
    text: Words

    model_config = example({"kind": "correction", "about": LICENCE_ID, "text": "现居住地址有误"})


class WordIn(Input):
    """A further word."""

    text: Words

    model_config = example({"text": "补充：门牌号应为 12 号"})


class AnswerIn(Input):
    """What the agency makes of a case, in words for the holder."""

    state: Literal["in_hand", "upheld", "rejected"]
    text: Words

    model_config = example({"state": "upheld", "text": "已更正，请查收新证照"})


class CaseOut(BaseModel):
    """A case, without what was written."""

    case_id: str
    agency: str
    kind: Kind
    about: str
    state: State
    opened_at: datetime
    changed_at: datetime

    model_config = example(EXAMPLE)


class CasesOut(BaseModel):
    """Cases."""

    items: list[CaseOut]
    next_cursor: str | None = None

    model_config = example({"items": [EXAMPLE], "next_cursor": None})


class CaseView(CaseOut):
    """A case with its timeline: when, who, which state, what was written."""

    timeline: list[dict[str, Any]]

    model_config = example(
        EXAMPLE | {"timeline": [{"at": "2026-11-23T08:00:00Z", "actor": "holder", "state": "open", "text": "有误"}]}
    )


def routes(
    cases: Cases, *, caller_of: Callable[..., Caller], attempts: Attempts, telling: Telling, clock: Clock
) -> APIRouter:
    """Return the holders' routes."""
    router = APIRouter(prefix="/wallet/cases", tags=["wallet"])
    Me = Annotated[str, Depends(holder_with(caller_of))]  # noqa: N806 - a type
    MyCall = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("", status_code=201)
    def open_case(me: Me, caller: MyCall, body: CaseIn, key: IdempotencyKey = None) -> CaseOut:
        """Ask an agency to put a licence right, or to look into a use of one."""
        this = attempts(caller, key, "open case", body.model_dump())
        return _out(cases.open(me, Kind(body.kind), body.about, body.text, this, now=clock()))

    @router.get("")
    def list_cases(me: Me) -> CasesOut:
        """List one's cases, newest first."""
        return CasesOut(items=[_out(row) for row in cases.mine(me)])

    @router.get("/{case_id}")
    def read_case(me: Me, case_id: str) -> CaseView:
        """Read a case and its timeline."""
        return _view(*cases.of_holder(me, case_id))

    @router.get("/{case_id}/events", response_class=StreamingResponse, responses=RESPONSES)
    def case_events(me: Me, case_id: str, seconds: Seconds = LONGEST_SECONDS, after: After = "") -> StreamingResponse:
        """Be told of the steps of a case as they come (server-sent events)."""
        cases.of_holder(me, case_id)
        return _told(telling, me, lambda: cases.of_holder(me, case_id), seconds, after)

    @router.post("/{case_id}/words", status_code=204, response_class=Response)
    def add_word(me: Me, case_id: str, body: WordIn) -> None:
        """Add a word to one's own case, while it is open."""
        cases.add(me, case_id, body.text, now=clock())

    return router


def agency_routes(cases: Cases, *, caller_of: Callable[..., Caller], telling: Telling, clock: Clock) -> APIRouter:
    """Return the agencies' routes."""
    router = APIRouter(prefix="/issuers/{agency}/cases", tags=["issuers"])
    Agency = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.get("")
    def agency_cases(
        agency: AgencyKey,
        _caller: Agency,
        state: State | None = None,
        cursor: Annotated[str, Query(max_length=64)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> CasesOut:
        """List what holders want of this agency, oldest first."""
        rows = cases.page(agency, state, after=cursor, limit=limit + 1)
        more = rows[limit - 1].case_id if len(rows) > limit else None
        return CasesOut(items=[_out(row) for row in rows[:limit]], next_cursor=more)

    @router.get("/{case_id}")
    def agency_case(agency: AgencyKey, case_id: str, _caller: Agency) -> CaseView:
        """Read a case and its timeline."""
        return _view(*cases.of_agency(agency, case_id))

    @router.get("/{case_id}/events", response_class=StreamingResponse, responses=RESPONSES)
    def agency_case_events(
        agency: AgencyKey, case_id: str, caller: Agency, seconds: Seconds = LONGEST_SECONDS, after: After = ""
    ) -> StreamingResponse:
        """Be told of the steps of a case as they come (server-sent events)."""
        cases.of_agency(agency, case_id)
        return _told(telling, caller.name, lambda: cases.of_agency(agency, case_id), seconds, after)

    @router.post("/{case_id}/answer", status_code=204, response_class=Response)
    def answer_case(agency: AgencyKey, case_id: str, body: AnswerIn, caller: Agency) -> None:
        """Take a case in hand, uphold or reject it, in words that the holder reads."""
        cases.answer(agency, case_id, State(body.state), body.text, actor=caller.name, now=clock())

    return router


def _out(row: Case) -> CaseOut:
    return CaseOut(**row.model_dump(include=SHOWN))


def _view(row: Case, steps: list[Step]) -> CaseView:
    return CaseView(**row.model_dump(include=SHOWN), timeline=[_step(one) for one in steps])


def _step(one: Step) -> dict[str, Any]:
    return {"at": one.at, "actor": one.actor.partition(":")[0], "state": one.state, "text": one.text}


def _told(
    telling: Telling, who: str, read: Callable[[], tuple[Case, list[Step]]], seconds: float, after: str
) -> StreamingResponse:
    def steps() -> list[Event]:
        _, found = read()
        return [
            Event("step", str(number), _step(one) | {"at": one.at.isoformat()}) for number, one in enumerate(found, 1)
        ]

    return StreamingResponse(telling.events(who, steps, seconds, after=after), media_type=MEDIA_TYPE)
