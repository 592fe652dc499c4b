"""Browsers that are signed in: the session's cookie, and whether a request comes from our own pages.

A cookie is sent whoever made the browser call, so a call that changes something must come from our own origin:
browsers say so in `Sec-Fetch-Site` or `Origin` (Fetch Metadata; RFC 6454), and who says neither is refused. Forms carry
a token of the session besides.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from credentials import base64url
from keys.errors import CrossSiteError

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
