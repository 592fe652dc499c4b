"""The local counter's server, for this machine's browser alone: the counter's page, and the API as far as there is one.

With the line up everything goes home; with it down, scans are verified here and the rest says that it cannot be had.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Body, FastAPI, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app import finder, logs, problems
from app.local_counter.desk import PATIENCE_SECONDS, Desk
from app.local_counter.line import LineDownError, NoAnswerError, RefusedAtHomeError
from app.strict_body import MAX_BODY_BYTES, StrictBody
from app.web import rendering
from verifier import picture
from verifier.class_lists.api import EntryScanIn
from verifier.errors import ItemNotOfferedError, OnlineByLinkError, PictureUnreadableError, UnknownServiceItemError
from verifier.reasons import Outcome
from verifier.schemas import ScanIn

EVERY_SECONDS = 10
LONG_SECONDS = 40.0  # a call may wait for the holder
PASSED_ON = re.compile(r"asks/[\w-]+|class-lists(/[\w-]+(/close|/entries/\d+/link)?)?|verifications/[\w-]+/copy")
"""What the page asks home for besides scanning."""
NOTHING = re.compile(r"(?!)")  # matches no address


def create_app(  # noqa: C901 - a list of routes, one after another
    desk: Desk, *, port: int, by_itself: bool = True
) -> FastAPI:
    """Return the server; `by_itself` it keeps what it knows fresh."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_keep_fresh(desk)) if by_itself else None
        yield
        if task is not None:
            task.cancel()

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    home = desk.line.device.home
    _guard(app, home, port)
    app.include_router(rendering.routes())

    @app.get("/c")
    def page(request: Request) -> Response:
        """Show the counter's page, which here has no device of its own to enrol."""
        return rendering.page(request, "counter/counter.html", local=True)

    @app.get("/")
    def front() -> Response:
        """Lead to the page."""
        return RedirectResponse("/c")

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @app.get("/line")
    def line() -> dict[str, Any]:
        """Say whether the line is up, how old what is known is, what home does not know or refused, what is wrong."""
        fresh = desk.fresh_at.isoformat() if desk.fresh_at else None
        waiting, refused = desk.store.counts()
        told = {"up": desk.line.up, "fresh_at": fresh, "waiting": waiting, "refused": refused}
        return told | {"trouble": desk.trouble}

    @app.get("/verifier/counter")
    def counter() -> Response:
        """Return which counter this is, as home said last."""
        return JSONResponse(desk.counter) if desk.counter else problems.response(home, "no_line")

    @app.get("/verifier/service-items")
    def items() -> dict[str, Any]:
        """Return what may be asked for, as home said last."""
        return {"items": desk.items}

    @app.post("/verifier/scans")
    def scan(body: ScanIn) -> Response:
        """Have home verify, or verify a pass here; a pass counts once at this machine, whoever verified it."""
        sent = body.model_dump_json(exclude_none=True).encode()
        return _verified(desk, "/verifier/scans", body.scanned, sent, here=(body.service_item, body.operator))

    @app.post("/verifier/class-lists/{list_id}/entries/{number}/verifications")
    def scan_for_entry(list_id: str, number: int, body: EntryScanIn) -> Response:
        """Have home verify for a class list's entry, which is at home."""
        way = f"/verifier/class-lists/{quote(list_id, safe='')}/entries/{number}/verifications"
        return _verified(desk, way, body.scanned, body.model_dump_json(exclude_none=True).encode(), here=None)

    @app.post("/verifier/pictures")
    def read(data: Annotated[bytes, Body(media_type="image/png", max_length=MAX_BODY_BYTES)]) -> Response:
        """Read the QR code in a photo."""
        try:
            return JSONResponse({"scanned": picture.read(data)})
        except PictureUnreadableError as error:
            return problems.response(home, error.code)

    @app.api_route("/verifier/{path:path}", methods=["GET", "POST", "DELETE"])
    async def others(request: Request, path: str) -> Response:
        """Pass on what the page needs and only home can do."""
        if not PASSED_ON.fullmatch(path):
            return problems.response(home, "not_found")
        body, query = await request.body(), f"?{request.url.query}" if request.url.query else ""
        return await asyncio.to_thread(_passed_on, desk, request.method, f"/verifier/{quote(path)}{query}", body)

    return app


def _guard(app: FastAPI, home: str, port: int) -> None:
    """Refuse as home does: bodies that mean two things, other names for this machine, other sites' pages."""
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    origins = {f"http://{one}" for one in hosts}
    problems.install(app, home, {}, methods_of=lambda path: finder.methods(app.routes, path), hotline="")
    app.add_exception_handler(Exception, lambda _request, _error: problems.crashed(home))
    app.add_middleware(
        StrictBody,
        refuse=lambda code, detail: problems.response(home, code, detail=detail),
        except_for=NOTHING,
        streamed=NOTHING,
    )

    @app.middleware("http")
    async def ours_alone(request: Request, call_next: Any) -> Response:
        """Answer this machine's own page only: not other names for it, nor other sites' pages."""
        logs.number_request()
        host, site = request.headers.get("host", ""), request.headers.get("sec-fetch-site")
        ours = site == "same-origin" or (site is None and request.headers.get("origin") in origins)
        looked_at = request.method in {"GET", "HEAD"} and not request.url.path.startswith("/verifier/")
        if host not in hosts:
            return problems.response(home, "wrong_host")
        if not (ours or looked_at):
            return problems.response(home, "cross_site_refused")
        return await call_next(request)  # type: ignore[no-any-return]


async def _keep_fresh(desk: Desk) -> None:
    while True:
        try:
            await asyncio.to_thread(desk.keep_fresh)
        except Exception as error:  # noqa: BLE001 - whatever it was, the next round tries again, and the page says it
            desk.trouble = f"{type(error).__name__}: {error}"[:200]
        await asyncio.sleep(EVERY_SECONDS)


def _verified(desk: Desk, path: str, scanned: str, sent: bytes, *, here: tuple[str, str | None] | None) -> Response:
    """Return home's answer to a scan; with the line down this machine's own, where there is one (`here`)."""
    before = desk.claim(scanned)
    if before is not None:
        return JSONResponse(before)
    keep = False
    try:
        answer, keep = _answered(desk, path, scanned, sent, here)
    finally:
        if not keep:
            desk.release(scanned)
    return answer


def _answered(
    desk: Desk, path: str, scanned: str, sent: bytes, here: tuple[str, str | None] | None
) -> tuple[Response, bool]:
    """Return the answer to a scan, and whether it used a pass up."""
    try:
        got = desk.line.call("POST", path, sent, "application/json", seconds=PATIENCE_SECONDS)
    except NoAnswerError:
        return JSONResponse(desk.no_answer()), True  # home may have taken it
    except RefusedAtHomeError as error:
        desk.refused_at_home(str(error))
        return problems.response(desk.line.device.home, "device_refused"), False
    except LineDownError:
        return (_no_line(desk), False) if here is None else _by_itself(desk, scanned, *here)
    if got.status == 403 and b'"counter_suspended"' in got.body:
        desk.refused_at_home("counter_suspended")
    used = got.status == 200 and b'"cannot_confirm"' not in got.body
    return Response(got.body, got.status, media_type=got.kind or None), used


def _by_itself(desk: Desk, scanned: str, service_item: str, operator: str | None) -> tuple[Response, bool]:
    try:
        made = desk.verify(scanned, service_item, operator)
    except (ItemNotOfferedError, OnlineByLinkError, UnknownServiceItemError) as error:
        return problems.response(desk.line.device.home, error.code), False
    return JSONResponse(made), made["verdict"] != Outcome.CANNOT_CONFIRM


def _passed_on(desk: Desk, method: str, path: str, body: bytes) -> Response:
    try:
        got = desk.line.call(method, path, body, "application/json" if body else "", seconds=LONG_SECONDS)
    except RefusedAtHomeError as error:
        desk.refused_at_home(str(error))
        return problems.response(desk.line.device.home, "device_refused")
    except (LineDownError, NoAnswerError):
        return _no_line(desk)
    return Response(got.body, got.status, media_type=got.kind or None)


def _no_line(desk: Desk) -> Response:
    return problems.response(desk.line.device.home, "no_line")
