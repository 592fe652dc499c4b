"""The wallet's pages. They show what the API tells; what they do, they do by calling it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from credentials.licence_type import LicenceType
from keys.access import Access, Role
from keys.auth import Clock, Visitor
from keys.pages import Render
from wallet.cases.cases import Cases
from wallet.cases.models import Case
from wallet.cases.models import Kind as CaseKind
from wallet.consents.consents import Consents
from wallet.consents.models import Consent, State
from wallet.consents.schemas import consent_out
from wallet.errors import ForWhomError, WalletError
from wallet.mandates.mandates import Mandates
from wallet.mandates.models import Kind, Mandate
from wallet.uses import Uses
from wallet.views import licence_name
from wallet.wallet import Wallet
from wallet.web import views
from wallet.web.views import Names

HOME, SIGN_IN = "/w", "/wallet/sign-in"
PAGE = 20
OVER_COMPANIES = frozenset({Kind.REPRESENTATIVE, Kind.MANAGER})
LanguageOf = Callable[[Request], str]


@dataclass(frozen=True, slots=True)
class Pages:
    """What the pages need of the wallet, and of what things are called."""

    render: Render
    language_of: LanguageOf
    visitor_of: Callable[[Request], Visitor | None]
    wallet: Wallet
    uses: Uses
    consents: Consents
    mandates: Mandates
    cases: Cases
    access: Access
    types: dict[str, LicenceType]
    agency: Names
    item: Names
    worker: bytes

    def type_name(self, key: str) -> dict[str, str]:
        """Return what a licence type is called."""
        kind = self.types.get(key)
        return dict(kind.names) if kind else {}


def routes(pages: Pages, clock: Clock) -> APIRouter:
    """Return the pages' routes."""
    router = APIRouter(include_in_schema=False)

    def signed_in(request: Request) -> Visitor | Response:
        found = pages.visitor_of(request)
        return found or RedirectResponse(f"{SIGN_IN}?return_to={request.url.path}", 303, {"Cache-Control": "no-store"})

    @router.get(HOME)
    def home(request: Request) -> Response:
        """Show the licences that one may show, person by person."""
        me = signed_in(request)
        return me if isinstance(me, Response) else _home(pages, request, me.holder, clock)

    @router.get("/w/cards/{licence_id}")
    def card(request: Request, licence_id: str) -> Response:
        """Show one licence, and let claims of it be chosen."""
        me = signed_in(request)
        if isinstance(me, Response):
            return me
        now, language = clock(), pages.language_of(request)
        try:
            opened, state = pages.wallet.licence(me.holder, licence_id, now=now)
        except WalletError:
            return _not_there(pages, request)
        told = views.card(opened, state, language, me.holder, pages.uses.name_of, pages.agency)
        told["sensitive"] = pages.mandates.sensitive(opened.row.holder_id, opened.licence.claims, now=now)
        acting_as = set(pages.mandates.kinds(me.holder, now=now).get(opened.row.holder_id, ()))
        told["whole"] = acting_as != {Kind.HELPER}  # whoever only helps shows it, and need not read it
        return pages.render(request, "wallet/card.html", card=told)

    @router.get("/w/asked/{consent_id}")
    def asked(
        request: Request, consent_id: str, principal: Annotated[str | None, Query(max_length=64)] = None
    ) -> Response:
        """Show a counter's question, with all that it means."""
        me = signed_in(request)
        return me if isinstance(me, Response) else _asked(pages, request, me.holder, consent_id, principal, clock)

    @router.get("/w/uses")
    def uses(request: Request, cursor: Annotated[str | None, Query(max_length=64)] = None) -> Response:
        """Show every use, and every question."""
        me = signed_in(request)
        return me if isinstance(me, Response) else _uses(pages, request, me.holder, cursor, clock)

    @router.get("/w/more")
    def more(request: Request) -> Response:
        """Show mandates, cases and sessions."""
        me = signed_in(request)
        return me if isinstance(me, Response) else _more(pages, request, me, clock)

    @router.get("/w/open")
    def open_link(request: Request) -> Response:
        """Take offers and answer requests of other services."""
        me = signed_in(request)
        return me if isinstance(me, Response) else _open(pages, request, me.holder, clock)

    _add_open_to_all(router, pages)
    return router


def _add_open_to_all(router: APIRouter, pages: Pages) -> None:
    @router.get("/w/offline")
    def offline(request: Request) -> Response:
        """Show what there is without a network; nothing of anybody's."""
        return pages.render(request, "wallet/offline.html")

    @router.get("/w/worker.js")
    def worker() -> Response:
        """Return the service worker, whose reach is its own folder."""
        headers = {
            "Cache-Control": "no-cache",
            "Service-Worker-Allowed": HOME,
            "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
        }
        return Response(pages.worker, media_type="text/javascript", headers=headers)

    @router.get("/s")
    def about(request: Request) -> Response:
        """Tell whoever scanned a code with a phone's camera what it is; the code stays in their address bar."""
        return pages.render(request, "wallet/about.html")


def _home(pages: Pages, request: Request, me: str, clock: Clock) -> Response:
    now, language = clock(), pages.language_of(request)
    people: dict[str, list[dict[str, Any]]] = {me: []}
    for opened, state in pages.wallet.licences(me, now=now):
        told = views.card(opened, state, language, me, pages.uses.name_of, pages.agency)
        people.setdefault(opened.row.holder_id, []).append(told)
    sections = [
        {"name": "" if holder == me else pages.uses.name_of(holder), "cards": cards} for holder, cards in people.items()
    ]
    waiting = pages.consents.waiting(me, now=now)
    return pages.render(request, "wallet/home.html", people=sections, waiting=waiting)


def _asked(pages: Pages, request: Request, me: str, consent_id: str, principal: str | None, clock: Clock) -> Response:
    now, language = clock(), pages.language_of(request)
    try:
        found = pages.consents.look(me, consent_id, principal, now=now)
    except ForWhomError:
        return _whom(pages, request, me, pages.consents.state(consent_id), clock)
    except WalletError:
        return _not_there(pages, request)
    state = consent_out(found.row, now)["state"]
    if state != State.WAITING:
        return pages.render(
            request, "wallet/asked.html", question=None, preview=False, state_name=views.CONSENTS[state]
        )
    told = views.asked(found, language, me, pages.uses.name_of, pages.type_name)
    return pages.render(request, "wallet/asked.html", question=told | {"principal": principal}, preview=False)


def _whom(pages: Pages, request: Request, me: str, row: Consent, clock: Clock) -> Response:
    language = pages.language_of(request)
    return pages.render(
        request, "wallet/whom.html", consent_id=row.consent_id, people=_principals(pages, me, clock),
        who=row.agency_name.get(language, row.counter), where=row.counter_name.get(language, row.counter),
        matter=pages.item(row.service_item).get(language, row.service_item),
    )  # fmt: skip


def _uses(pages: Pages, request: Request, me: str, cursor: str | None, clock: Clock) -> Response:
    now, language = clock(), pages.language_of(request)
    rows = pages.uses.page(me, before=cursor, limit=PAGE + 1, now=now)
    told = [views.use(row, language, me, pages.uses.name_of, pages.types, pages.item) for row in rows[:PAGE]]
    asked = [
        {
            "consent_id": row.consent_id,
            "who": row.counter_name.get(language, row.counter),
            "matter": pages.item(row.service_item).get(language, row.service_item),
            "at": row.asked_at,
            "waiting": state == State.WAITING,
            "state_name": views.CONSENTS[state],
        }
        for row in pages.consents.page(me, before=None, limit=PAGE)
        for state in [consent_out(row, now)["state"]]
    ]
    more = rows[PAGE - 1].use_id if len(rows) > PAGE else None
    return pages.render(request, "wallet/uses.html", uses=told, consents=asked, next=more)


def _more(pages: Pages, request: Request, me: Visitor, clock: Clock) -> Response:
    now, language = clock(), pages.language_of(request)
    held = pages.mandates.told(me.holder, now=now)
    companies = {row.principal for row in held if row.agent == me.holder and row.kind in OVER_COMPANIES}
    return pages.render(
        request,
        "wallet/more.html",
        mandates=[_mandate(pages, row, me.holder, language, clock) for row in held],
        companies=[{"id": one, "name": pages.mandates.name_of(one)} for one in sorted(companies)],
        types=[{"key": key, "name": kind.names[language]} for key, kind in pages.types.items()],
        cases=[_case(pages, row, me.holder, language, now) for row in pages.cases.mine(me.holder)],
        sessions=[
            {
                "session_id": row.token_id,
                "label": row.label,
                "at": row.created_at,
                "this": row.token_id == me.token_id,
            }
            for row in pages.access.sessions(Role.HOLDER, me.holder, now=now)
        ],
    )


def _case(pages: Pages, row: Case, me: str, language: str, now: datetime) -> dict[str, Any]:
    _, steps = pages.cases.of_holder(me, row.case_id)
    about = ""
    if row.kind == CaseKind.CORRECTION:
        with suppress(WalletError):  # gone with the mandate that it was held by
            about = licence_name(pages.wallet.licence(me, row.about, now=now)[0], language)
    return {
        "agency_name": pages.agency(row.agency).get(language, row.agency),
        "kind_name": views.CASE_KINDS[row.kind],
        "state_name": views.CASES[row.state],
        "about": about,
        "steps": [{"at": one.at, "text": one.text, "mine": one.actor == f"holder:{me}"} for one in steps],
    }


def _mandate(pages: Pages, row: Mandate, me: str, language: str, clock: Clock) -> dict[str, Any]:
    over = pages.mandates.is_over(row, now=clock())
    state = "withdrawn" if row.withdrawn_at else "ended" if over else "in_force"
    return {
        "mandate_id": row.mandate_id,
        "mine": row.agent == me,
        "agent_name": pages.mandates.name_of(row.agent),
        "principal_name": pages.mandates.name_of(row.principal),
        "kind_name": views.KINDS[Kind(row.kind)],
        "state": state,
        "state_name": views.MANDATES[state],
        "ends_at": row.ends_at,
        "types": [pages.type_name(one).get(language, one) for one in row.types or ()],
    }


def _open(pages: Pages, request: Request, me: str, clock: Clock) -> Response:
    return pages.render(request, "wallet/open.html", people=_principals(pages, me, clock))


def _principals(pages: Pages, me: str, clock: Clock) -> Sequence[dict[str, str]]:
    found = dict.fromkeys(one.principal for one in pages.mandates.in_force(me, now=clock()))
    return [{"id": one, "name": pages.mandates.name_of(one)} for one in found]


def _not_there(pages: Pages, request: Request) -> Response:
    return pages.render(request, "wallet/gone.html", 404)
