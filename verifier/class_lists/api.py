"""HTTP of class lists: no deciding here."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from keys.access import Caller
from keys.auth import Attempts, Clock, IdempotencyKey
from keys.schemas import Input, example
from verifier import by_hand
from verifier.class_lists.class_lists import MOST, ClassLists
from verifier.class_lists.models import ClassEntry, ClassList
from verifier.reasons import Outcome
from verifier.schemas import MAX_SCAN, Operator, VerdictOut
from verifier.verifier import Verifier

MOST_DAYS = 30  # that a link leads anywhere
EntryNumber = Annotated[int, Path(ge=1, le=MOST)]
Label = Annotated[str, Field(min_length=1, max_length=60)]
MADE: dict[str, Any] = {
    "list_id": "k3V0yq8Zt1Lm", "name": "六（2）班转学", "service_item": "school_transfer",
    "created_at": "2026-11-23T08:00:00Z", "closed_at": None,
}  # fmt: skip
ENTRY: dict[str, Any] = {
    "number": 1, "label": "07 号", "state": "lacking", "verdict": "accepted", "reason": "accepted", "receipt": "eyJ…",
    "lacks": [{"licence_type": "birth_certificate", "role": "child", "why": {"zh": "监护关系", "en": "Guardianship"}}],
    "verification_id": "x0T4bV9sLr2pNq7a", "link_until": None, "updated_at": "2026-11-23T08:00:30Z",
}  # fmt: skip


class ClassListIn(Input):
    """Many people for one item, by labels (a pupil's number in class) that mean something to the school alone."""

    name: Label
    service_item: str = Field(min_length=1, max_length=64)
    labels: list[Label] = Field(min_length=1, max_length=MOST)

    model_config = example({"name": "六（2）班转学", "service_item": "school_transfer", "labels": ["07 号", "12 号"]})


class EntryScanIn(Input):
    """A code that came for an entry."""

    scanned: str = Field(min_length=1, max_length=MAX_SCAN)
    operator: Operator | None = None

    model_config = example({"scanned": "7K2M9QX4", "operator": "clerk-07"})


class LinkIn(Input):
    """For how many days a link leads anywhere."""

    days: int = Field(default=14, ge=1, le=MOST_DAYS)

    model_config = example({"days": 14})


class LinkOut(BaseModel):
    """A link for one entry, told this once: whoever has it may answer for that entry."""

    link: str
    expires_at: datetime

    model_config = example(
        {
            "link": "http://127.0.0.1:8080/verifier/class-lists/links/hB9c2mK1xQ0d",
            "expires_at": "2026-12-07T08:00:00Z",
        }
    )


class EntryOut(BaseModel):
    """One entry: complete, lacking something, refused, or not come yet."""

    number: int
    label: str
    state: Literal["waiting", "refused", "lacking", "complete"]
    lacks: list[dict[str, Any]]
    verdict: Outcome | None
    reason: str | None
    verification_id: str | None
    receipt: str | None
    link_until: datetime | None
    updated_at: datetime | None

    model_config = example(ENTRY)


class ClassListOut(BaseModel):
    """A list."""

    list_id: str
    name: str
    service_item: str
    created_at: datetime
    closed_at: datetime | None

    model_config = example(MADE)


class ClassListsOut(BaseModel):
    """Lists, newest first."""

    items: list[ClassListOut]

    model_config = example({"items": [MADE]})


class ClassListView(ClassListOut):
    """A list with its entries, and how many are complete."""

    complete: int
    entries: list[EntryOut]

    model_config = example(MADE | {"complete": 0, "entries": [ENTRY]})


def routes(
    lists: ClassLists, verifier: Verifier, *, caller_of: Callable[..., Caller], attempts: Attempts, clock: Clock
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/verifier/class-lists", tags=["verifier"])
    Here = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("", status_code=201)
    def make_list(here: Here, body: ClassListIn, key: IdempotencyKey = None) -> ClassListView:
        """Make a list of people to verify for one item."""
        question = verifier.question(here.subject, body.service_item, None, by_link=True)
        this = attempts(here, key, "make class list", body.model_dump())
        row = lists.make(question, body.name, body.labels, this, now=clock())
        return _view(*lists.read(row.list_id, here.subject))

    @router.get("")
    def list_lists(here: Here) -> ClassListsOut:
        """List this counter's lists."""
        shown = set(ClassListOut.model_fields)
        return ClassListsOut(items=[ClassListOut(**row.model_dump(include=shown)) for row in lists.lists(here.subject)])

    @router.get("/{list_id}")
    def read_list(here: Here, list_id: str) -> ClassListView:
        """See who is complete, and who lacks what."""
        return _view(*lists.read(list_id, here.subject))

    @router.post("/{list_id}/entries/{number}/verifications", response_model=VerdictOut)
    def verify_entry(here: Here, list_id: str, number: EntryNumber, body: EntryScanIn) -> Response:
        """Verify a code for one entry; what several codes show adds up."""
        made = lists.verify(list_id, number, here.subject, body.scanned, body.operator, now=clock())
        return by_hand.json(made.as_json())

    @router.post("/{list_id}/entries/{number}/link", status_code=201)
    def link_entry(here: Here, list_id: str, number: EntryNumber, body: LinkIn) -> LinkOut:
        """Make a link by which an entry's wallet answers by itself, within days; an earlier one is over then."""
        link, until = lists.link(list_id, number, here.subject, timedelta(days=body.days), now=clock())
        return LinkOut(link=link, expires_at=until)

    @router.post("/{list_id}/close", status_code=204, response_class=Response)
    def close_list(here: Here, list_id: str) -> None:
        """Take no more codes for a list."""
        lists.close(list_id, here.subject, now=clock())

    return router


def _view(row: ClassList, entries: Sequence[ClassEntry]) -> ClassListView:
    told = [
        EntryOut(**one.model_dump(include=set(EntryOut.model_fields) - {"state"}), state=_state(one)) for one in entries
    ]
    return ClassListView(
        **row.model_dump(include=set(ClassListOut.model_fields)),
        complete=sum(one.state == "complete" for one in told),
        entries=told,
    )


def _state(one: ClassEntry) -> Literal["waiting", "refused", "lacking", "complete"]:
    if one.verdict is None:
        return "waiting"
    if one.shown and not one.lacks:
        return "complete"
    return "lacking" if one.shown else "refused"
