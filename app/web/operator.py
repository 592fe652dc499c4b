"""The operator's page, whose script calls the API with the token of whoever signed in; what citizens see of an item."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from app import between_rooms, catalogue
from app.house import House
from app.web import rendering, words
from app.web import views as views_of_front
from credentials.licence_type import NUMBERS, LicenceType
from issuers.web import views as console_views
from keys.auth import Clock
from verifier.service_items import ServiceItem
from wallet.consents.consents import LIFE
from wallet.matters import Matter, Wanted
from wallet.views import claim_label

SECONDS = LIFE.total_seconds()


def routes(house: House, clock: Clock) -> APIRouter:
    """Return the pages' routes; what is on them is told by the API alone, or is nobody's."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def front(request: Request) -> Response:
        """Say where everybody goes."""
        return rendering.page(request, "base/front.html", places=views_of_front.PLACES)

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
    """Return the question that whoever has everything is asked: of alternatives the first."""
    agency, matter = catalogue.agency_name(item.agency).get(language, item.agency), between_rooms.matter_of(item)
    groups = {one.group: one for one in reversed(matter.wanted)}
    required = {one.group for one in matter.wanted if one.required}
    parts = [_part(house.types[one.licence_type], one, matter, language) for one in reversed(groups.values())]
    for one, part in zip(reversed(groups.values()), parts, strict=True):
        part["optional"] = one.group not in required
    return {
        "consent_id": "", "seen": "", "principal": None, "who": agency, "where": agency,
        "matter": item.names[language], "copy_days": item.copy_days, "replaces": list(item.replaces), "parts": parts,
        "sensitive": any(house.types[one.licence_type].minor_holder for one in matter.wanted), "missing": [],
    }  # fmt: skip


def _part(kind: LicenceType, wanted: Wanted, matter: Matter, language: str) -> dict[str, Any]:
    """Return what of a licence would leave and what not: what is always in it leaves, too."""
    names = [name for name in kind.claims if name in matter.listed[kind.key] or not {name} & kind.selective]
    numbers = [name for name in NUMBERS if name not in kind.selective]
    return {
        "licence_type": kind.key,
        "name": kind.names[language],
        "whose": "",
        "why": wanted.why.get(language, ""),
        "shown": [{"label": claim_label(kind, name, language), "value": "＊＊＊"} for name in (*names, *numbers)],
        "kept": [claim_label(kind, name, language) for name in kind.claims if name not in names],
    }
