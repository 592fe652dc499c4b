"""The page on which a holder reads what another wallet wants of them, and agrees or declines (VCI section 5.1).

Who the holder is, their signed-in browser says; one that is not signed in is sent to sign in, and back here.
"""

from collections.abc import Callable, Mapping
from html import escape
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from credentials.licence_type import LicenceType
from issuers.auth import AgencyKey
from issuers.errors import AuthorizationOverError, IssuerError
from issuers.openid4vci.authorization.authorization import Authorizations, Wanted
from keys.auth import Browser, Clock, Visitor
from keys.errors import CrossSiteError
from keys.oauth.api import RawBody
from keys.oauth.errors import OAuthError
from keys.oauth.forms import read_form
from keys.pages import HEADERS, hidden, page, said

OVER = "请求已失效，请在钱包中重新发起。 · This request is over. Begin anew in your wallet."
CLOSED = "此处尚未开通登录，请使用本市钱包。 · Signing in is not open here yet. Use the city's own wallet."
STRANGE = "请从本页面操作，并先登录。 · Sign in, and decide on this very page."
Name = Callable[[str], Mapping[str, str]]
"""Returns an agency's name (zh, en); raises unless there is such an agency."""
VisitorOf = Callable[[Request], Visitor | None]
"""Returns the holder whose signed-in browser looks at a page."""


def routes(
    authorizations: Authorizations,
    types: Mapping[str, LicenceType],
    *,
    name: Name,
    visitor_of: VisitorOf,
    browser: Browser,
    sign_in_page: str | None,
    clock: Clock,
) -> APIRouter:
    """Return the page's routes; `sign_in_page` is None where nobody can sign in."""
    router = APIRouter()

    @router.get("/issuers/{agency}/authorize", include_in_schema=False)
    def look(
        agency: AgencyKey,
        request: Request,
        client_id: Annotated[str, Query(max_length=512)] = "",
        request_uri: Annotated[str, Query(max_length=512)] = "",
    ) -> Response:
        """Show who wants what."""
        try:
            wanted = authorizations.look(agency, client_id, request_uri, now=clock())
        except AuthorizationOverError:
            return page(said(OVER), 400)
        visitor = visitor_of(request)
        question = _question(wanted, name(agency), types)
        told = hidden(client_id=client_id, request_uri=request_uri)
        if visitor is not None:
            return page(question + _form(told + hidden(form_token=visitor.form_token), agree=True))
        if sign_in_page is None:
            return page(said(CLOSED) + _form(told, agree=False))
        here = f"{request.url.path}?client_id={quote(client_id, safe='')}&request_uri={quote(request_uri, safe='')}"
        way = f"<p><a class=button href='{sign_in_page}?return_to={quote(here, safe='')}'>登录 · Sign in</a></p>"
        return page(question + way + _form(told, agree=False))

    @router.post("/issuers/{agency}/authorize", include_in_schema=False)
    def decide(agency: AgencyKey, request: Request, raw: RawBody) -> Response:
        """Take the holder's decision, and send the browser back to the wallet."""
        try:
            browser.must_be_ours(request)
            form = read_form(request.headers.get("content-type", ""), raw)
            holder = None
            if form.get("decision") == "agree":
                visitor = visitor_of(request)
                if visitor is None:
                    raise CrossSiteError
                visitor.must_have_sent(form.get("form_token"))
                holder = visitor.holder
            onward = authorizations.decide(
                agency, form.get("client_id", ""), form.get("request_uri", ""), holder, now=clock()
            )
        except CrossSiteError:
            return page(said(STRANGE), 403)
        except (OAuthError, IssuerError):
            return page(said(OVER), 400)
        return RedirectResponse(onward, 303, HEADERS)

    return router


def _question(wanted: Wanted, agency: Mapping[str, str], types: Mapping[str, LicenceType]) -> str:
    kinds = "".join(
        f"<li>{escape(types[key].names['zh'])} · {escape(types[key].names['en'])}</li>" for key in wanted.type_keys
    )
    return (
        f"<h1>{escape(agency['zh'])} · {escape(agency['en'])}</h1>"
        f"<p>钱包“{escape(wanted.wallet)}”（{escape(wanted.host)}）想领取您的以下证照： · The wallet “"
        f"{escape(wanted.wallet)}” ({escape(wanted.host)}) wants a copy of your:</p><ul>{kinds}</ul>"
        "<p>副本与原证照同时失效。请只同意您自己发起的领取。 · "
        "A copy ends with the licence. Agree only to what you began yourself.</p>"
    )


def _form(fields: str, *, agree: bool) -> str:
    yes = "<button class=primary name=decision value=agree>同意 · Agree</button>" if agree else ""
    no = "<button name=decision value=decline>拒绝 · Decline</button>"
    return f"<form method=post>{fields}<div class=row>{yes}{no}</div></form>"
