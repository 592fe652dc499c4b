"""Reading who calls, and under which idempotency key. What each caller may do is one table, `app/permissions.py`.

A caller sends an access token, or is a browser with a session's cookie. A cookie is sent whoever made the browser call,
so a call that changes something must come from our own origin: browsers say so in `Sec-Fetch-Site` or `Origin` (Fetch
Metadata; RFC 6454), and who says neither is refused. Forms carry a token of the session besides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from credentials import base64url
from keys.access import Access, Caller, Role
from keys.errors import CrossSiteError, DpopRefusedError, TokenRefusedError
from keys.oauth.dpop_gate import DpopGate
from records import idempotency

Clock = Callable[[], datetime]
"""Returns the aware present; read in `app/` alone."""

IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=idempotency.MAX_KEY_LENGTH)
]
Attempts = Callable[[Caller, str | None, str, dict[str, Any]], idempotency.Attempt]
"""Makes an attempt of a caller's key (a random one if it sent none), operation and body."""
Permit = Callable[[Request, Caller], None]
"""Raises `ScopeRefusedError` unless a caller may make a request."""

_bearer = HTTPBearer(auto_error=False, description="Opaque access token (RFC 6750), or bound to a key (RFC 9449)")


VALUE = "value"
"""In a request's state: what its JSON body says, read by the strict gate; None where there is none."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION, SIGNING_IN = "session", "signing-in"


@dataclass(frozen=True, slots=True)
class Browser:
    """What is common to all of this service's cookies; `base_url` is its public address."""

    base_url: str

    def secret(self, request: Request, name: str = SESSION) -> str | None:
        """Return the value of one of our cookies."""
        return request.cookies.get(self.cookie(name))

    def cookie(self, name: str) -> str:
        """Return a cookie's full name: `__Host-` wherever there is TLS (RFC 6265bis section 4.1.3.2)."""
        return f"__Host-{name}" if self.base_url.startswith("https:") else name

    def keep(self, response: Response, value: str, *, life: timedelta, name: str = SESSION) -> None:
        """Put a cookie into an answer: not readable by scripts, and never sent on another site's behalf but to look."""
        response.set_cookie(
            self.cookie(name), value, max_age=int(life.total_seconds()), path="/", httponly=True, samesite="lax",
            secure=self.base_url.startswith("https:"),
        )  # fmt: skip

    def forget(self, response: Response, name: str = SESSION) -> None:
        """Take a cookie back."""
        secure = self.base_url.startswith("https:")
        response.delete_cookie(self.cookie(name), path="/", httponly=True, samesite="lax", secure=secure)

    def must_be_ours(self, request: Request) -> None:
        """Raise `CrossSiteError` unless a call that changes something comes from one of our own pages."""
        if request.method in SAFE_METHODS:
            return
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        parts = urlsplit(self.base_url)
        if site is not None and site != "same-origin":
            raise CrossSiteError
        if origin not in {None, f"{parts.scheme}://{parts.netloc}"} or (site is None and origin is None):
            raise CrossSiteError


def form_token(secret: str) -> str:
    """Return what a session's forms carry: it tells nothing of the session's secret."""
    return base64url.encode(sha256(f"form of {secret}".encode()).digest())


def caller_of(
    access: Access, gate: DpopGate, browser: Browser, clock: Clock, *, permit: Permit
) -> Callable[..., Caller]:
    """Return a dependency that names the caller of a request, by token or by session cookie.

    No or a bad token raises `TokenRefusedError`, a call from another site's page `CrossSiteError`, one that is not
    this caller's to make `ScopeRefusedError`.
    """

    def caller(
        request: Request, _documented: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Caller:
        sent, now = request.headers.getlist("authorization"), clock()
        scheme, secret = _authorization(sent) if sent else ("cookie", browser.secret(request))
        if not secret:
            raise TokenRefusedError("no access token")
        if scheme == "cookie":
            browser.must_be_ours(request)
        found = access.caller(secret, now=now)
        if (found.jkt is not None) != (scheme == "dpop"):
            raise TokenRefusedError("the access token is for the other scheme")
        if found.jkt is not None:
            url = browser.base_url + request.scope["raw_path"].decode("ascii")
            method = request.scope.get("sent_method", request.method)
            proof = gate.key_of(request.headers.get("dpop"), method, url, access_token=secret, now=now)
            if proof.key.thumbprint != found.jkt:
                raise DpopRefusedError("the DPoP proof is by another key")
        request.state.caller = found
        permit(request, found)
        return found

    return caller


@dataclass(frozen=True, slots=True)
class Visitor:
    """A holder whose browser is signed in: whose, and what the forms of their pages carry."""

    holder: str
    form_token: str
    token_id: str

    def must_have_sent(self, token: str | None) -> None:
        """Raise `CrossSiteError` unless a form is one of this visitor's pages."""
        if token is None or not compare_digest(token.encode(), self.form_token.encode()):
            raise CrossSiteError


def visitor_of(access: Access, browser: Browser, clock: Clock) -> Callable[[Request], Visitor | None]:
    """Return what names the holder whose signed-in browser looks at a page, None for anybody else's."""

    def visitor(request: Request) -> Visitor | None:
        secret = browser.secret(request)
        if not secret:
            return None
        try:
            found = access.caller(secret, now=clock())
        except TokenRefusedError:
            return None
        return Visitor(found.subject, form_token(secret), found.token_id) if found.role == Role.HOLDER else None

    return visitor


def _authorization(sent: list[str]) -> tuple[str, str]:
    """Return scheme and secret of the one Authorization header (RFC 9110 section 11.6.2)."""
    scheme, _, secret = sent[0].partition(" ")
    if len(sent) > 1 or scheme.lower() not in {"bearer", "dpop"} or not secret.isascii():
        raise TokenRefusedError("send one access token, as Bearer or DPoP")
    return scheme.lower(), secret.strip()
