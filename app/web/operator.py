"""The operator's page, whose script calls the API with the token of whoever signed in; what citizens see of an item."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from app import catalogue
from app.house import House
from app.web import rendering, words
from issuers.web import views as console_views
from keys.auth import Clock
from verifier.service_items import Need, ServiceItem
from wallet.consents.consents import LIFE
from wallet.web import views

SECONDS = LIFE.total_seconds()


def routes(house: House, clock: Clock) -> APIRouter:
    """Return the pages' routes; what is on them is told by the API alone, or is nobody's."""
    router = APIRouter(include_in_schema=False)

    @router.get("/operator")
    def operator(request: Request) -> Response:
        """Sign in; look over figures, agencies, counters, keys, items, webhooks; agree; read the audit."""
        language = words.language_of(request)
        types = [{"key": key, "name": kind.names[language]} for key, kind in house.types.items()]
        known = console_views.types(house.types.values(), language, catalogue.agency_name)
        return rendering.page(request, "base/operator.html", types=types, known_types=known)

    @router.get("/operator/items/{key}")
    def preview(request: Request, key: str) -> Response:
        """Show what a citizen is asked for an item: the very page, with nobody's values."""
        item, language = house.items.get(key), words.language_of(request)
        if item is None:
            return rendering.page(request, "wallet/gone.html", 404)
        until = clock() + timedelta(seconds=SECONDS)
        question = _question(house, item, language) | {"until": until}
        return rendering.page(request, "wallet/asked.html", question=question, preview=True)

    return router


def _question(house: House, item: ServiceItem, language: str) -> dict[str, Any]:
    agency = catalogue.agency_name(item.agency).get(language, item.agency)
    return {
        "consent_id": "", "seen": "", "principal": None, "who": agency, "where": agency,
        "matter": item.names[language], "copy_days": item.copy_days, "replaces": list(item.replaces),
        "parts": [_part(house, one, language) for one in item.needs],
        "sensitive": bool({one.role for one in item.needs} & {"child"}), "missing": [],
    }  # fmt: skip


def _part(house: House, need: Need, language: str) -> dict[str, Any]:
    kind = house.types[need.licence_type]
    return {
        "licence_type": need.licence_type,
        "name": kind.names[language],
        "whose": "",
        "why": need.why.get(language, ""),
        "shown": [{"label": views.claim_label(kind, name, language), "value": "＊＊＊"} for name in need.claims],
        "kept": [
            views.claim_label(kind, name, language)
            for name, claim in kind.claims.items()
            if name not in need.claims and not claim.always
        ],
        "optional": not need.required,
    }
