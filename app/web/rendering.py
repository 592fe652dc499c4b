"""Rendering pages: the one door to Jinja2. Every page gets the same strict headers; nothing on it is inline.

Templates and static files lie in the rooms that they belong to; the base that all share lies here.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, Response

from app.web import words
from keys.pages import POLICY

ROOMS: Mapping[str, str] = {
    "base": "app.web",
    "wallet": "wallet.web",
    "counter": "verifier.web",
    "console": "issuers.web",
}
KINDS: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}
YEAR_SECONDS = 31536000
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file: its bytes, plain and compressed, and its version."""

    kind: str
    plain: bytes
    zipped: bytes
    version: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return every static file by its name."""
    found: dict[str, Asset] = {}
    for package in ROOMS.values():
        for file in files(package).joinpath("static").iterdir():
            kind = KINDS.get(file.name.rpartition(".")[2])
            if kind is not None:
                data = file.read_bytes()
                found[file.name] = Asset(kind, data, gzip.compress(data, 9, mtime=0), sha256(data).hexdigest()[:12])
    return found


@cache
def _environment() -> Environment:
    loader = PrefixLoader({
        room: PackageLoader(package, "templates" if room == "base" else f"templates/{room}")
        for room, package in ROOMS.items()
    })  # fmt: skip
    made = Environment(
        loader=loader, autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals["asset"] = lambda name: f"/static/{name}?{assets()[name].version}"
    return made


def page(request: Request, template: str, status: int = 200, **told: Any) -> HTMLResponse:
    """Return a page (`keys.pages.Render`): `template` is `room/name.html`, `told` what it tells."""
    language = words.language_of(request)
    text = (
        _environment()
        .get_template(template)
        .render(
            language=language,
            other=next(one for one in words.LANGUAGES if one != language),
            path=request.url.path,
            _=partial(words.translate, language=language),
            moment=partial(words.moment, language=language),
            day=partial(words.day, language=language),
            until=partial(words.until, language=language),
            listed=partial(words.listed, language=language),
            **told,
        )
    )
    response = HTMLResponse(text, status, HEADERS)
    if request.query_params.get("language") == language:
        response.set_cookie(words.COOKIE, language, max_age=YEAR_SECONDS, path="/", samesite="lax")
    return response


def routes() -> APIRouter:
    """Return where static files are; named with their version they may be kept for good."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{name}")
    def static(request: Request, name: str) -> Response:
        """Return a file that pages load."""
        found = assets().get(name)
        if found is None:
            return Response(status_code=404)
        versioned = request.url.query == found.version
        headers = {"Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable" if versioned else "no-cache"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            return Response(found.zipped, media_type=found.kind, headers=headers)
        return Response(found.plain, media_type=found.kind, headers=headers)

    return router
