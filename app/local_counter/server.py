"""The local counter's server, for this machine's browser alone: the counter's page, and the API as far as there is one.

With the line up everything goes home; with it down, scans are verified here and the rest says that it cannot be had.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Body, FastAPI, Request
from starlette.responses import JSONResponse, Response

from app.local_counter.desk import PATIENCE_SECONDS, Desk
from app.local_counter.line import LineDownError
from app.problem_codes import PROBLEMS
from app.web import rendering
from credentials import offline_pass
from verifier import picture
from verifier.errors import PictureUnreadableError
from verifier.schemas import ScanIn

EVERY_SECONDS = 10
LONG_SECONDS = 40.0  # a call may wait for the holder
MOST_BYTES = 12 * 1024 * 1024


def create_app(  # noqa: C901 - a list of routes, one after another
    desk: Desk,
    *,
    port: int,
    by_itself: bool = True,
) -> FastAPI:
    """Return the server; `by_itself` it keeps what it knows fresh."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_keep_fresh(desk)) if by_itself else None
        yield
        if task is not None:
            task.cancel()

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    @app.middleware("http")
    async def ours_alone(request: Request, call_next: Any) -> Response:
        """Answer this machine's own pages only: not other names for it, nor other sites' pages."""
        host, site = request.headers.get("host", ""), request.headers.get("sec-fetch-site", "same-origin")
        stranger = request.method not in {"GET", "HEAD"} and site not in {"same-origin", "none"}
        if host not in hosts or stranger:
            return _problem("wrong_host", 421)
        return await call_next(request)  # type: ignore[no-any-return]

    app.include_router(rendering.routes())

    @app.get("/c")
    def page(request: Request) -> Response:
        """The counter's page, which here has no device of its own to enrol."""
        return rendering.page(request, "counter/counter.html", local=True)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @app.get("/line")
    def line() -> dict[str, Any]:
        """Say whether the line is up, how old what is known is, and how many verdicts home does not know."""
        fresh = desk.fresh_at.isoformat() if desk.fresh_at else None
        return {"up": desk.line.up, "fresh_at": fresh, "waiting": desk.waiting()}

    @app.get("/verifier/counter")
    def counter() -> Response:
        """Return which counter this is, as home said last."""
        return JSONResponse(desk.counter) if desk.counter else _problem("no_line", 503)

    @app.get("/verifier/service-items")
    def items() -> dict[str, Any]:
        """Return what may be asked for, as home said last."""
        return {"items": desk.items}

    @app.post("/verifier/scans")
    def scan(body: ScanIn) -> Response:
        """Have home verify, or verify a pass here; what was accepted here is not accepted again by home."""
        answered = _by_home(desk, body)
        if answered is not None:
            return answered
        if not any(one["key"] == body.service_item for one in desk.items):
            return _problem("unknown_service_item", 404)
        return JSONResponse(desk.verify(body.scanned, body.service_item, body.operator))

    @app.post("/verifier/pictures")
    def read(data: Annotated[bytes, Body(media_type="image/png", max_length=MOST_BYTES)]) -> Response:
        """Read the QR code in a photo."""
        try:
            return JSONResponse({"scanned": picture.read(data)})
        except PictureUnreadableError as error:
            return _problem(error.code, 422)

    @app.api_route("/verifier/{path:path}", methods=["GET", "POST"])
    async def others(request: Request, path: str) -> Response:
        """Pass on what only home can do."""
        body, query = await request.body(), f"?{request.url.query}" if request.url.query else ""
        way = f"/verifier/{path}{query}"
        try:
            return await asyncio.to_thread(_passed_on, desk, request.method, way, body, LONG_SECONDS)
        except LineDownError:
            return _problem("no_line", 503)

    return app


def _by_home(desk: Desk, body: ScanIn) -> Response | None:
    """Return what home makes of a scan; None with the line down, or of a pass that was accepted here meanwhile."""
    is_pass = body.scanned.strip().startswith(offline_pass.PREFIX)
    if is_pass and desk.seen_before(body.scanned):
        return None
    try:
        got = _passed_on(desk, "POST", "/verifier/scans", body.model_dump_json(exclude_none=True).encode())
    except LineDownError:
        return None
    if is_pass:
        desk.note(body.scanned)
    return got


async def _keep_fresh(desk: Desk) -> None:
    while True:
        await asyncio.to_thread(desk.keep_fresh)
        await asyncio.sleep(EVERY_SECONDS)


def _passed_on(desk: Desk, method: str, path: str, body: bytes, seconds: float = PATIENCE_SECONDS) -> Response:
    kind = "application/json" if body else ""
    got = desk.line.call(method, path, body, kind, seconds=seconds)
    return Response(got.body, got.status, media_type=got.kind or None)


def _problem(code: str, status: int) -> Response:
    known = PROBLEMS[code]
    told = {"code": code, "status": status, "title": known.en, "message": {"zh": known.zh, "en": known.en}}
    return JSONResponse(told, status, media_type="application/problem+json")
