"""The page on which a holder reads what another wallet wants of them, and agrees or declines (VCI section 5.1)."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from html import escape
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from credentials.licence_type import LicenceType
from issuers.auth import AgencyKey
from issuers.errors import AuthorizationOverError, IssuerError, SignInFailedError
from issuers.openid4vci.authorization.authorization import Authorizations, Wanted
from keys.auth import Clock
from keys.oauth.api import RawBody
from keys.oauth.errors import OAuthError
from keys.oauth.forms import read_form

STYLE = (
    "body{font:18px/1.6 sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}input{font:inherit;width:100%}"
    "button{font:inherit;padding:.5rem 1.5rem;margin:1rem 1rem 0 0}.no{color:#a00}"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; style-src "
    f"'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode('ascii')}'",
}
OVER = "请求已失效，请在钱包中重新发起。 · This request is over. Begin anew in your wallet."
NOBODY = "登录链接无效或已使用。 · The sign-in link is unknown or used."
CLOSED = "此处尚未开通登录，请使用本市钱包。 · Signing in is not open here yet. Use the city's own wallet."
Name = Callable[[str], Mapping[str, str]]
"""Returns an agency's name (zh, en); raises unless there is such an agency."""


def routes(authorizations: Authorizations, types: Mapping[str, LicenceType], *, name: Name, clock: Clock) -> APIRouter:
    """Return the page's routes."""
    router = APIRouter()

    @router.get("/issuers/{agency}/authorize", include_in_schema=False)
    def look(
        agency: AgencyKey,
        client_id: Annotated[str, Query(max_length=512)] = "",
        request_uri: Annotated[str, Query(max_length=512)] = "",
    ) -> Response:
        """Show who wants what."""
        try:
            wanted = authorizations.look(agency, client_id, request_uri, now=clock())
        except AuthorizationOverError:
            return _page(_said(OVER), 400)
        if not authorizations.signs_in:
            return _page(_said(CLOSED) + _form(client_id, request_uri, only_decline=True), 200)
        return _page(_question(wanted, name(agency), types) + _form(client_id, request_uri), 200)

    @router.post("/issuers/{agency}/authorize", include_in_schema=False)
    def decide(agency: AgencyKey, request: Request, raw: RawBody) -> Response:
        """Take the holder's decision, and send the browser back to the wallet."""
        try:
            form = read_form(request.headers.get("content-type", ""), raw)
            client_id, request_uri = form.get("client_id", ""), form.get("request_uri", "")
            secret = form.get("link", "-") if form.get("decision") == "agree" else None
            onward = authorizations.decide(agency, client_id, request_uri, secret, now=clock())
        except SignInFailedError:
            try:
                wanted = authorizations.look(agency, client_id, request_uri, now=clock())
            except AuthorizationOverError:
                return _page(_said(OVER), 400)
            again = _question(wanted, name(agency), types) + _said(NOBODY) + _form(client_id, request_uri)
            return _page(again, 401)
        except (OAuthError, IssuerError):
            return _page(_said(OVER), 400)
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


def _form(client_id: str, request_uri: str, *, only_decline: bool = False) -> str:
    agree = (
        ""
        if only_decline
        else "<p><label>一次性登录链接 · One-time sign-in link<input name=link autocomplete=off autofocus></label></p>"
        "<button name=decision value=agree>同意 · Agree</button>"
    )
    return (
        f"<form method=post><input type=hidden name=client_id value='{escape(client_id, quote=True)}'>"
        f"<input type=hidden name=request_uri value='{escape(request_uri, quote=True)}'>{agree}"
        "<button name=decision value=decline formnovalidate>拒绝 · Decline</button></form>"
    )


def _said(text: str) -> str:
    return f"<p class=no>{escape(text)}</p>"


def _page(body: str, status: int) -> HTMLResponse:
    head = (
        "<!doctype html><html lang=zh-CN><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>电子证照 · Electronic licences</title><style>{STYLE}</style>"
    )
    return HTMLResponse(f"{head}<main>{body}</main></html>", status, HEADERS)
