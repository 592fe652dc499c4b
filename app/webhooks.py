"""Webhooks: who is told of what, over HTTP for the operator; the way out, and the work of telling and reminding.

How often a delivery is tried, and when it is given up: `records/outbox/outbox.py`.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from app.house import REMINDERS, House
from app.logs import log
from app.settings import Settings
from credentials.claim_values import Fault, FaultsError
from credentials.licence_type import CITY_TIME
from issuers import store as issuers_store
from issuers.errors import UnknownAgencyError
from keys.access import Caller, Role
from keys.auth import Clock
from keys.schemas import SHORT_NAME, Input, example
from records import audit, idempotency
from records.outbox.events import BY_OWNER
from records.outbox.outbox import GATEWAY, Send
from verifier.errors import UnknownCounterError
from wallet.accounts import stream
from wallet.errors import ForeignServiceError
from wallet.openid4vc.fetching import Fetch

REMIND_BEFORE = timedelta(days=30)
AT_ONCE = 1000  # reminders in one round
URL = "https://hooks.police.example/licences"


class WebhookIn(Input):
    """Where somebody is told of which events: an agency, a counter, or the city's message gateway."""

    owner: str = Field(pattern=f"^(agency:{SHORT_NAME}|counter:{SHORT_NAME}|{GATEWAY})$")
    url: str = Field(max_length=512)
    types: list[str] = Field(min_length=1, max_length=32)

    model_config = example({"owner": "agency:police", "url": URL, "types": ["licence.revoked"]})


class WebhookOut(BaseModel):
    """A webhook; its secret is told once, when it is made. One that has not answered since rests until it is tried."""

    webhook_id: str
    owner: str
    url: str
    types: list[str]
    created_at: datetime
    silent_since: datetime | None
    rests_until: datetime | None
    secret: str | None = None

    model_config = example(
                {
                    "webhook_id": "k3V0yq8Zt1Lm", "owner": "agency:police", "url": URL, "types": ["licence.revoked"],
                    "created_at": "2026-11-23T08:00:00Z", "silent_since": None, "rests_until": None,
                    "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                }
            )  # fmt: skip


SHOWN = set(WebhookOut.model_fields) - {"secret"}


class WebhooksOut(BaseModel):
    """Webhooks, oldest first."""

    items: list[WebhookOut]

    model_config = example({"items": []})


class DeliveryOut(BaseModel):
    """One event for one webhook, and what came of it."""

    event_id: str
    at: datetime
    tries: int
    next_at: datetime | None
    delivered_at: datetime | None
    dead_at: datetime | None
    said: str | None

    model_config = example(
                {
                    "event_id": "60303ae22b99…", "at": "2026-11-23T08:00:00Z", "tries": 2, "said": "HTTP 503",
                    "next_at": "2026-11-23T08:00:35Z", "delivered_at": None, "dead_at": None,
                }
            )  # fmt: skip


class DeliveriesOut(BaseModel):
    """Deliveries, newest first."""

    items: list[DeliveryOut]

    model_config = example({"items": []})


class ReplayIn(Input):
    """Since when everything is sent again."""

    since: AwareDatetime = Field(strict=False, ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2100, 1, 1, tzinfo=UTC))

    model_config = example({"since": "2026-11-22T00:00:00+08:00"})


class Replayed(BaseModel):
    """How many events are owed anew."""

    events: int

    model_config = example({"events": 12})


def routes(house: House, *, caller_of: Callable[..., Caller], clock: Clock) -> APIRouter:
    """Return the operator's routes."""
    router = APIRouter(prefix="/admin/webhooks", tags=["operator"])
    Operator = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("", status_code=201)
    def add_webhook(_operator: Operator, body: WebhookIn) -> WebhookOut:
        """Register a webhook (Standard Webhooks); the secret that signs its messages is told this once."""
        kind, _, name = body.owner.partition(":")
        if kind != GATEWAY:
            try:
                house.must_exist(Role(kind), name)
            except (UnknownAgencyError, UnknownCounterError):
                raise FaultsError([Fault("/owner", "unknown_owner", f"take the {kind} {name} in first")]) from None
        _check(house.settings, kind, body.url, body.types)
        row, secret = house.outbox.add(body.owner, body.url, body.types, now=clock())
        return WebhookOut(**row.model_dump(include=SHOWN), secret=secret)

    @router.get("")
    def list_webhooks(_operator: Operator) -> WebhooksOut:
        """List the webhooks."""
        return WebhooksOut(items=[WebhookOut(**row.model_dump(include=SHOWN)) for row in house.outbox.webhooks()])

    @router.delete("/{webhook_id}", status_code=204, response_class=Response)
    def end_webhook(_operator: Operator, webhook_id: str) -> None:
        """Tell a webhook nothing any more."""
        house.outbox.end(webhook_id, now=clock())

    @router.get("/{webhook_id}/deliveries")
    def deliveries(
        _operator: Operator,
        webhook_id: str,
        dead: Annotated[bool, Query(description="Only those that were given up.")] = False,  # noqa: FBT002 - a query
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> DeliveriesOut:
        """List a webhook's deliveries, newest first: delivered, waiting for another try, or given up after 72 hours."""
        found = house.outbox.deliveries(webhook_id, dead=dead, limit=limit)
        hidden = {"webhook_id", "owed_since", "next_at"}
        return DeliveriesOut(items=[DeliveryOut(**row.model_dump(exclude=hidden), next_at=at) for row, at in found])

    @router.post("/{webhook_id}/replay")
    def replay(_operator: Operator, webhook_id: str, body: ReplayIn) -> Replayed:
        """Send everything since an instant again, under the same identifiers."""
        return Replayed(events=house.outbox.replay(webhook_id, body.since, now=clock()))

    return router


def _check(settings: Settings, kind: str, url: str, types: Collection[str]) -> None:
    said = f"of an {kind}: {', '.join(sorted(BY_OWNER[kind]))}"
    faults = [Fault("/types", "unknown_type", f"{one} is none {said}") for one in sorted(set(types) - BY_OWNER[kind])]
    try:
        parts = urlsplit(url)
        sound = url.isascii() and url.isprintable() and " " not in url and (parts.port or 1) > 0
    except ValueError:
        raise FaultsError([*faults, Fault("/url", "wrong_url", "this is no address")]) from None
    plain = settings.demo and parts.scheme == "http"
    if not sound or not (parts.scheme == "https" or plain) or not parts.hostname or parts.username or parts.fragment:
        faults.append(Fault("/url", "wrong_url", "an https address in ASCII without user and fragment"))
    if parts.netloc == urlsplit(settings.base_url).netloc:
        faults.append(Fault("/url", "wrong_url", "this service tells itself nothing"))
    if faults:
        raise FaultsError(faults)


def sender(fetch: Fetch) -> Send:
    """Return the way out: to the very host that a webhook names, guarded as every call outward is."""

    def send(url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> int:
        try:
            return fetch("POST", url, headers=headers, json=dict(body)).status
        except ForeignServiceError:
            return 0
        except Exception as error:  # noqa: BLE001 - whatever an address makes of a client, it is that address's failure
            log.error("webhook.failed", kind=type(error).__name__)
            return 0

    return send


def remind(house: House, *, now: datetime) -> int:
    """Tell holders of licences that end within a month: once each. Returns how many were told."""
    last_day, told = (now + REMIND_BEFORE).astimezone(CITY_TIME).date(), 0
    with house.database.read() as session:
        rows = issuers_store.ending(session, now.astimezone(CITY_TIME).date(), last_day, AT_ONCE)
    for row in rows:
        this = idempotency.attempt(REMINDERS, row.licence_id, "near expiry", {})
        with house.database.write() as session:
            if idempotency.claim(session, this, result=row.licence_id, now=now) is None:
                audit.record(
                    session, stream=stream(row.holder_ref), actor="reminders", act="licence.near_expiry",
                    subject=row.licence_id, now=now, detail={"last_day": str(row.valid_until)},
                )  # fmt: skip
                told += 1
    return told
