"""The pages of signing in: to the identity platform and back, or the demonstration's form for a one-time link."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from keys.access import Access, Role
from keys.auth import SIGNING_IN, Browser, Clock, Visitor
from keys.errors import CrossSiteError
from keys.oauth.api import RawBody
from keys.oauth.errors import OAuthError
from keys.oauth.forms import read_form
from keys.pages import HEADERS, hidden, page, said
from wallet.accounts import Accounts
from wallet.errors import SignInRefusedError, WalletError
from wallet.sign_in.signing_in import ATTEMPT_LIFE, HOME, SigningIn, own_page

CALLBACK = "/wallet/sign-in/callback"
SESSION_LIFE = timedelta(hours=12)
IDLE = timedelta(hours=1)
MAX_LABEL = 120  # characters of what a browser calls itself
CLOSED = "此处尚未开通登录。 · Signing in is not open here yet."
USED = "登录链接无效或已使用，请重新获取。 · The sign-in link is unknown or used. Get a new one."
STRANGE = "请从本页面登录。 · Sign in on this very page."
Words = Callable[[str], str]
"""Returns what an error's code tells a person, in Chinese and English."""


BROWSERS = (
    ("MicroMessenger/", "微信 WeChat"), ("Edg/", "Edge"), ("EdgA/", "Edge"), ("EdgiOS/", "Edge"),
    ("CriOS/", "Chrome"), ("FxiOS/", "Firefox"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Windows", "Windows"), ("Mac OS", "Mac"), ("Linux", "Linux"),
)  # fmt: skip
"""What a browser says, and what people call it: the first that fits, since most also claim to be others."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens sessions in browsers."""

    access: Access
    browser: Browser
    visitor_of: Callable[[Request], Visitor | None]

    def open(self, request: Request, holder_id: str, return_to: str, *, actor: str, now: datetime) -> Response:
        """Open a session in this browser and go on; the session that it had is over."""
        before = self.visitor_of(request)
        if before is not None:
            self.access.revoke(before.token_id, actor=actor, now=now, signed_out=True)
        label = device(request.headers.get("user-agent", ""))
        secret = self.access.grant(
            Role.HOLDER, holder_id, life=SESSION_LIFE, idle=IDLE, label=label, actor=actor, now=now
        )
        response = RedirectResponse(return_to, 303, HEADERS)
        self.browser.keep(response, secret, life=SESSION_LIFE)
        self.browser.forget(response, SIGNING_IN)
        return response


def device(said: str) -> str:
    """Return what people call a browser and its system, by what it says of itself; else that, made printable."""
    found = [next((name for sign, name in kinds if sign in said), "") for kinds in (BROWSERS, SYSTEMS)]
    return " · ".join(filter(None, found)) or "".join(one for one in said if one.isprintable())[:MAX_LABEL]


def routes(
    sessions: Sessions, accounts: Accounts, signing_in: SigningIn | None, *, words: Words, by_link: bool, clock: Clock
) -> APIRouter:
    """Return the pages' routes; `by_link` only in the demonstration."""
    router = APIRouter(prefix="/wallet/sign-in", include_in_schema=False)
    browser = sessions.browser

    @router.get("")
    def sign_in(request: Request, return_to: Annotated[str, Query(max_length=2048)] = HOME) -> Response:
        """Send a browser to sign in; one that is signed in goes on."""
        to = own_page(return_to)
        if sessions.visitor_of(request) is not None:
            return RedirectResponse(to, 303, HEADERS)
        if signing_in is None:
            return page(_link_form(to)) if by_link else page(said(CLOSED), 503)
        try:
            started = signing_in.start(to, now=clock())
        except WalletError as error:
            return page(said(words(error.code)), 502)
        response = RedirectResponse(started.url, 303, HEADERS)
        browser.keep(response, started.browser, life=ATTEMPT_LIFE, name=SIGNING_IN)
        return response

    @router.get("/callback")
    def callback(request: Request) -> Response:
        """Take the identity platform's answer."""
        if signing_in is None:
            return page(said(CLOSED), 503)
        sent, now = request.query_params.multi_items(), clock()
        answer = dict(sent) if len(dict(sent)) == len(sent) else {}  # a member that comes twice means nothing
        try:
            done = signing_in.finish(answer, browser.secret(request, SIGNING_IN), now=now)
        except WalletError as error:
            again = "<p><a class=button href='/wallet/sign-in'>重新登录 · Sign in again</a></p>"
            return page(said(words(error.code)) + again, 403)
        return sessions.open(request, done.holder_id, done.return_to, actor="identity platform", now=now)

    if by_link:
        _add_link(router, sessions, accounts, clock)
    return router


def _add_link(router: APIRouter, sessions: Sessions, accounts: Accounts, clock: Clock) -> None:
    @router.post("/link")
    def use_link(request: Request, raw: RawBody) -> Response:
        """Sign in by a one-time link's secret (demonstration only)."""
        now, to = clock(), HOME
        try:
            sessions.browser.must_be_ours(request)
            form = read_form(request.headers.get("content-type", ""), raw)
            to = own_page(form.get("return_to", HOME))
            holder_id = accounts.sign_in(form.get("link", ""), now=now)
        except (CrossSiteError, OAuthError):
            return page(said(STRANGE) + _link_form(to), 403)
        except SignInRefusedError:
            return page(said(USED) + _link_form(to), 401)
        return sessions.open(request, holder_id, to, actor="sign-in link", now=now)


def _link_form(return_to: str) -> str:
    return (
        "<h1>登录 · Sign in</h1>"
        f"<form class=box method=post action='/wallet/sign-in/link'>{hidden(return_to=return_to)}"
        "<p><label>一次性登录链接或登录码 · One-time sign-in link or code"
        "<input name=link autocomplete=off autofocus></label></p>"
        "<div class=row><button class=primary>登录 · Sign in</button></div></form>"
    )
