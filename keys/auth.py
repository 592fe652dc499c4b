"""Reading who calls, and under which idempotency key. What each caller may do is one table, `app/permissions.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from keys.access import Access, Caller, Role
from keys.browser import Browser, form_token
from keys.errors import CrossSiteError, TokenRefusedError
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
            proof = gate.key_of(request.headers.get("dpop"), request.method, url, access_token=secret, now=now)
            if proof.key.thumbprint != found.jkt:
                raise TokenRefusedError("the DPoP proof is by another key")
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
