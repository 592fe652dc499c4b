"""HTTP of batch issue: rows in as they come, progress, report and template out. No deciding here."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from hashlib import sha256
from itertools import islice
from threading import BoundedSemaphore
from typing import Annotated, Any, Literal

from anyio import from_thread
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from credentials import fault_words
from credentials.errors import MalformedError
from credentials.licence_type import LicenceType
from issuers.auth import AgencyKey
from issuers.batch import rows, tables
from issuers.batch.batches import OPERATION, Batches, Progress
from issuers.errors import BatchBusyError, TableUnreadableError
from keys import server_sent_events
from keys.access import Caller
from keys.auth import Attempts, Clock, IdempotencyKey
from keys.schemas import example
from keys.server_sent_events import Event, Telling

MOST_AT_ONCE = 8  # uploads that one worker takes side by side: a slow one holds a thread for as long as it lasts
WAIT_SECONDS = 30.0  # for another spreadsheet: they are read whole, one at a time
MOVES = ("state", "checked", "refused", "issued_before", "signed", "delivered", "waits_for")
"""What of a job is told again when it has changed."""
STREAMED = re.compile(r"/issuers/[^/]+/batches")
"""Where bodies are taken as they come."""
ROWS = {
    rows.NDJSON: '{"reference": "JZZ-2026-000123", "holder": {"code_type": "111", "code": "…", "name": "…"}, …}\n',
    rows.CSV: "reference,holder.code,holder.name,sex\r\nJZZ-2026-000123,440199198708220021,李样本,女\r\n",
    rows.XLSX: "(the file's bytes)",
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}, "example": example}
            for kind, example in ROWS.items()
        },
    }
}
_REPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            rows.NDJSON: {"example": '{"row": 1, "reference": "JZZ-2026-000123", "licence_id": "1.2.156.3005.2.…"}\n'},
            rows.CSV: {
                "example": "row,reference,licence_id,faults,issued_before\r\n1,JZZ-2026-000123,1.2.156.3005.2.…,,\r\n"
            },
        },
        "description": "One line for each row that was checked: its licence, or its faults.",
    }
}
_TEMPLATE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            rows.XLSX: {"example": "(the file's bytes)"},
            rows.CSV: {"example": "reference,holder.code_type,holder.code,holder.name,claims.sex\r\n"},
        },
        "description": "An empty table: its columns.",
    }
}


class BatchOut(BaseModel):
    """How far a job is, in rows. `waits_for` is the code of what keeps it from going on, if something does.

    `issued_before` are those of the signed whose reference had been taken up before: they are the licences of then.
    """

    job_id: str
    licence_type: str
    state: Literal["receiving", "checking", "issuing", "done", "stopped"]
    rows: int
    checked: int
    refused: int
    issued_before: int
    signed: int
    delivered: int
    waits_for: str | None
    created_at: datetime
    finished_at: datetime | None

    model_config = example(
                {
                    "job_id": "0n8Qd1Tz3m5PZK2v", "licence_type": "residence_permit", "state": "issuing",
                    "rows": 100000,
                    "checked": 100000, "refused": 12, "issued_before": 0, "signed": 40500, "delivered": 40000,
                    "waits_for": None,
                    "created_at": "2026-11-26T08:00:00Z", "finished_at": None,
                }
            )  # fmt: skip


class BatchesOut(BaseModel):
    """An agency's newest jobs."""

    items: list[BatchOut]

    model_config = example({"items": []})


def routes(
    batches: Batches, *, caller_of: Callable[..., Caller], attempts: Attempts, clock: Clock, telling: Telling
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/issuers/{agency}/batches", tags=["issuers"])
    receiving, sheets = BoundedSemaphore(MOST_AT_ONCE), BoundedSemaphore(1)
    Agency = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("", status_code=202, openapi_extra=_BODY)
    def receive(
        request: Request,
        agency: AgencyKey,
        caller: Agency,
        licence_type: Annotated[str, Query(min_length=1, max_length=64)],
        *,
        whole: Annotated[bool, Query(description="One refused row, and nothing is issued.")] = False,
        content_type: Annotated[str, Header(include_in_schema=False)] = "",
        key: IdempotencyKey = None,
    ) -> BatchOut:
        """Send up to a million rows as NDJSON or CSV, or some 300,000 as a spreadsheet: checked whole, then signed.

        Each row is issued once by its `reference`, however often it is sent, in this job or another.
        """
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type not in ROWS:
            raise TableUnreadableError(f"send one of {', '.join(ROWS)}")
        kind = batches.kind(agency, licence_type, now=clock())
        this = attempts(caller, key, f"{OPERATION}{licence_type} {whole} {media_type}", {})
        hashed = sha256()
        try:
            with _one_of(receiving), _one_of(sheets, WAIT_SECONDS) if media_type == rows.XLSX else nullcontext():
                job = batches.open(agency, licence_type, this, whole=whole, actor=caller.name, now=clock())
                sent = rows.read(_pieces(request, hashed.update), media_type, kind)
                batches.receive(job, sent, hashed.hexdigest, now=clock())
        except (rows.HeadError, MalformedError, ClientDisconnect) as error:
            raise TableUnreadableError(str(error) or "the stream broke off: send it again") from error
        return _out(batches.progress(agency, job.job_id))

    @router.get("")
    def jobs(agency: AgencyKey, _caller: Agency) -> BatchesOut:
        """List the newest jobs."""
        return BatchesOut(items=[_out(one) for one in batches.jobs(agency)])

    @router.get("/template.{form}", responses=_TEMPLATE, response_class=Response)
    def template(
        agency: AgencyKey,
        _caller: Agency,
        form: Literal["xlsx", "csv"],
        licence_type: Annotated[str, Query(min_length=1, max_length=64)],
    ) -> Response:
        """Return a type's columns: a spreadsheet with choices and a sheet that explains them, or a line of CSV."""
        return _template(batches.kind(agency, licence_type, now=clock()), form)

    @router.get("/{job_id}")
    def progress(agency: AgencyKey, job_id: str, _caller: Agency) -> BatchOut:
        """Read how far a job is."""
        return _out(batches.progress(agency, job_id))

    @router.get("/{job_id}/events", responses=server_sent_events.RESPONSES, response_class=StreamingResponse)
    async def events(
        agency: AgencyKey, job_id: str, caller: Agency, seconds: Annotated[float, Query(ge=0, le=60)] = 60.0
    ) -> StreamingResponse:
        """Hear how far a job is, as it goes on (server-sent events), for a minute."""

        def look() -> list[Event]:
            said = _out(batches.progress(agency, job_id)).model_dump(mode="json")
            return [Event("batch", "-".join(str(said[name]) for name in MOVES), said)]

        await run_in_threadpool(batches.job, agency, job_id)

        return StreamingResponse(telling.events(caller.name, look, seconds), media_type=server_sent_events.MEDIA_TYPE)

    @router.get("/{job_id}/report", responses=_REPORT, response_class=StreamingResponse)
    def report(
        agency: AgencyKey,
        job_id: str,
        _caller: Agency,
        *,
        refused: Annotated[bool, Query(description="Of refused rows alone.")] = False,
        form: Annotated[Literal["ndjson", "csv"], Query(description="csv: for a spreadsheet.")] = "ndjson",
        limit: Annotated[int, Query(ge=1, le=rows.MOST_ROWS, description="Rows at most.")] = rows.MOST_ROWS,
    ) -> StreamingResponse:
        """Read what came of every row, or of those alone that were refused, as NDJSON or CSV."""
        batches.job(agency, job_id)
        return _report(islice(batches.report(agency, job_id, refused=refused), limit), form, job_id)

    return router


def _template(kind: LicenceType, form: str) -> Response:
    named = {"Content-Disposition": f'attachment; filename="{kind.key}.{form}"'}
    if form == "csv":
        return Response(rows.csv_template(kind), media_type=rows.CSV, headers=named)
    from issuers.batch import template  # noqa: PLC0415 - most workers never write one

    data = template.write(rows.columns(kind), f"{kind.names['zh']} {kind.names['en']}")
    return Response(data, media_type=rows.XLSX, headers=named)


def _report(outcomes: Iterator[Mapping[str, Any]], form: str, job_id: str) -> StreamingResponse:
    told = map(_in_words, outcomes)
    if form == "csv":
        named = {"Content-Disposition": f'attachment; filename="{job_id}.csv"'}
        return StreamingResponse(tables.report_lines(told), media_type=rows.CSV, headers=named)
    return StreamingResponse((json.dumps(one, ensure_ascii=False) + "\n" for one in told), media_type=rows.NDJSON)


def _in_words(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what came of a row, its faults in both languages."""
    if "faults" not in one:
        return one
    return {**one, "faults": [{**fault, "message": fault_words.message(fault["detail"])} for fault in one["faults"]]}


@contextmanager
def _one_of(places: BoundedSemaphore, wait: float = 0) -> Iterator[None]:
    if not places.acquire(timeout=wait):
        raise BatchBusyError
    try:
        yield
    finally:
        places.release()


def _pieces(request: Request, hashed: Callable[[bytes], object]) -> Iterator[bytes]:
    """Yield a body as it comes, to a thread: nothing of it is kept but what the rows take."""
    stream: AsyncIterator[bytes] = request.stream().__aiter__()

    async def following() -> bytes | None:
        return await anext(stream, None)

    while (piece := from_thread.run(following)) is not None:
        hashed(piece)
        if piece:
            yield piece


def _out(one: Progress) -> BatchOut:
    return BatchOut(
        job_id=one.job.job_id, licence_type=one.job.type_key, state=one.job.state, rows=one.rows, checked=one.checked,
        refused=one.refused, issued_before=one.issued_before, signed=one.signed, delivered=one.delivered,
        waits_for=one.waits_for or None, created_at=one.job.created_at, finished_at=one.job.finished_at,
    )  # fmt: skip
