"""HTTP of what the operator and agencies look over: who is there, with which keys, how much happens."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from app import store
from app.figures import MOST_DAYS, Figures, figures
from app.house import House
from issuers.auth import AgencyKey
from keys import store as keys_store
from keys.access import Caller
from keys.auth import Clock
from keys.models import KeyPurpose, KeyState
from keys.schemas import example
from verifier.api import item_out
from verifier.schemas import ServiceItems

MOST_REPORTS = 200
Days = Annotated[int, Query(ge=1, le=MOST_DAYS, description="Today included, in the city's time.")]


class AgencyOut(BaseModel):
    """An agency that was taken in, and the types that it may sign now."""

    key: str
    name: dict[str, str]
    kind: str
    uscc: str
    domain: str
    may_sign: list[str]
    created_at: datetime


class AgenciesOut(BaseModel):
    """Agencies, by their short names."""

    items: list[AgencyOut]

    model_config = example(
                {
                    "items": [
                        {
                            "key": "police", "name": {"zh": "示例市公安局", "en": "Public Security Bureau"},
                            "kind": "public_security", "uscc": "1144019900DEM0023C", "domain": "公安",
                            "may_sign": ["residence_permit"], "created_at": "2026-11-23T08:00:00Z",
                        }
                    ]
                }
            )  # fmt: skip


class CounterOut(BaseModel):
    """A counter; `opened_types` are what one that is no agency's may ask for."""

    key: str
    agency: str
    name: dict[str, str]
    channel: str
    suspended: bool
    opened_types: list[str] | None
    created_at: datetime


class CountersOut(BaseModel):
    """Counters, by their short names."""

    items: list[CounterOut]

    model_config = example(
                {
                    "items": [
                        {
                            "key": "school2_office", "agency": "school2", "name": {"zh": "教务处", "en": "Office"},
                            "channel": "hall_counter", "suspended": False, "opened_types": None,
                            "created_at": "2026-11-23T08:00:00Z",
                        }
                    ]
                }
            )  # fmt: skip


class KeyOut(BaseModel):
    """A key, without its private part; `here` says whether that is kept in this service's vault."""

    kid: str
    owner: str
    purpose: KeyPurpose
    state: KeyState
    here: bool
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None
    compromised_from: datetime | None


class KeysOut(BaseModel):
    """Keys, by owner and purpose, the newest first."""

    items: list[KeyOut]

    model_config = example(
                {
                    "items": [
                        {
                            "kid": "NzbLsXh8uDCcd-6MNwXF4W", "owner": "police", "purpose": "licence", "state": "active",
                            "here": True, "created_at": "2026-11-23T08:00:00Z", "activated_at": "2026-11-23T08:00:00Z",
                            "retired_at": None, "compromised_from": None,
                        }
                    ]
                }
            )  # fmt: skip


class ReportOut(BaseModel):
    """A question that its holder found out of place, and why; not whose."""

    consent_id: str
    counter: str
    service_item: str
    asked_at: datetime
    reported: str


class ReportsOut(BaseModel):
    """Reported questions, newest first."""

    items: list[ReportOut]

    model_config = example(
                {
                    "items": [
                        {
                            "consent_id": "0n8Qd1Tz3m5PZK2v", "counter": "school2_office",
                            "service_item": "school_transfer", "asked_at": "2026-11-23T08:00:00Z",
                            "reported": "我没有办理此事",
                        }
                    ]
                }
            )  # fmt: skip


def routes(house: House, *, caller_of: Callable[..., Caller], clock: Clock) -> APIRouter:
    """Return the operator's routes."""
    router = APIRouter(prefix="/admin", tags=["operator"])
    Operator = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.get("/agencies")
    def list_agencies(_operator: Operator) -> AgenciesOut:
        """List the agencies that were taken in, and what each may sign."""
        now = clock()
        with house.database.read() as session:
            rows, rights = store.agencies(session), keys_store.authorisations(session)
        signs: dict[str, list[str]] = {}
        for one in rights:
            if one.valid_from <= now and (one.valid_until is None or now < one.valid_until):
                signs.setdefault(one.agency, []).append(one.vct.rsplit("/", 1)[-1])
        return AgenciesOut(items=[AgencyOut(**_told(AgencyOut, row), may_sign=signs.get(row.key, [])) for row in rows])

    @router.get("/counters")
    def list_counters(_operator: Operator) -> CountersOut:
        """List the counters."""
        with house.database.read() as session:
            return CountersOut(items=[CounterOut(**row.model_dump()) for row in store.counters(session)])

    @router.get("/keys")
    def list_keys(_operator: Operator) -> KeysOut:
        """List every key: whose, for what, since when."""
        rows = sorted(house.vault.key_rows(), key=lambda row: (row.owner, row.purpose, -row.created_at.timestamp()))
        return KeysOut(items=[KeyOut(**_told(KeyOut, row), here=row.sealed is not None) for row in rows])

    @router.get("/service-items")
    def list_items(_operator: Operator) -> ServiceItems:
        """List the service items: what each needs and why, which papers it saves."""
        return ServiceItems(items=[item_out(one) for one in house.items.values()])

    @router.get("/reports")
    def list_reports(_operator: Operator) -> ReportsOut:
        """List the questions that holders reported as out of place; nothing tells whose they are."""
        with house.database.read() as session:
            rows = store.reported_questions(session, MOST_REPORTS)
        return ReportsOut(items=[ReportOut(**_told(ReportOut, row)) for row in rows])

    @router.get("/figures")
    def service_figures(_operator: Operator, days: Days = 30) -> Figures:
        """Count what the whole service did in the last days."""
        return figures(house, days, None, now=clock())

    return router


def agency_routes(house: House, *, caller_of: Callable[..., Caller], clock: Clock) -> APIRouter:
    """Return the agencies' routes."""
    router = APIRouter(prefix="/issuers/{agency}", tags=["issuers"])
    Agency = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.get("/figures")
    def agency_figures(agency: AgencyKey, _caller: Agency, days: Days = 30) -> Figures:
        """Count what this agency issued, and what its counters verified, in the last days."""
        return figures(house, days, agency, now=clock())

    return router


def _told(model: type[BaseModel], row: Any) -> dict[str, Any]:
    told: dict[str, Any] = row.model_dump(include=set(model.model_fields))
    return told
