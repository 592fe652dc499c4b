"""HTTP of the operator's people who change nothing: auditors read what was done, support why something was refused."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from app.house import House
from keys.access import Caller
from keys.schemas import example
from records import audit, store, traces
from verifier.models import Verification


class Streams(BaseModel):
    """Every stream of the audit, and how many acts it has."""

    items: dict[str, int]

    model_config = example({"items": {"issuers/police": 7, "keys": 12}})


class Entries(BaseModel):
    """Acts of one stream, as they are chained."""

    items: list[dict[str, Any]]
    next_after: int | None

    model_config = example({"items": [], "next_after": None})


class RequestOfSupport(BaseModel):
    """What support sees of a request or verification: reasons, never a claim."""

    number: str
    at: datetime
    operation: str
    status: int
    code: str
    caller: str

    model_config = example(
                {
                    "number": "8f14e45fceea167a", "at": "2026-11-23T08:00:00Z", "status": 422, "code": "claims_refused",
                    "operation": "POST /issuers/{agency}/licences", "caller": "agency:police",
                }
            )  # fmt: skip


def routes(house: House, *, caller_of: Callable[..., Caller]) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/admin", tags=["operator"])
    Staff = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.get("/audit")
    def streams(_staff: Staff) -> Streams:
        """List the streams of the audit."""
        with house.database.read() as session:
            return Streams(items=dict(store.streams(session)))

    @router.get("/audit/entries")
    def entries(
        _staff: Staff,
        stream: Annotated[str, Query(max_length=128, examples=["keys"])],
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Entries:
        """Read a stream's acts in order."""
        with house.database.read() as session:
            rows = store.stream_page(session, stream, after, limit)
        more = rows[-1].sequence if len(rows) == limit else None
        return Entries(items=[audit.told(row) for row in rows], next_after=more)

    @router.get("/requests/{number}")
    def request(_staff: Staff, number: str) -> RequestOfSupport:
        """Find a refused request by the number its caller was told, or a verification by its identifier."""
        number = number.removeprefix("urn:request:")  # as a problem's `instance` has it
        with house.database.read() as session:
            found, verified = traces.find(session, number), session.get(Verification, number)
        if found is not None:
            return RequestOfSupport(**found.model_dump())
        if verified is None:
            raise HTTPException(404)
        return RequestOfSupport(
            number=number, at=verified.at, operation=f"verification of {verified.service_item}", status=200,
            code=verified.reason, caller=f"counter:{verified.counter}",
        )  # fmt: skip

    return router
