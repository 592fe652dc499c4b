"""The service: `create_app` mounts one room or all of them."""

import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi_offline import FastAPIOffline
from starlette.responses import JSONResponse

from app import (
    background,
    clock,
    finder,
    health,
    logs,
    metrics,
    permissions,
    problems,
    proposed,
    refusals,
    routing,
    tracing,
)
from app.house import House
from app.limits import Limits, storage
from app.strict_body import StrictBody
from issuers import orders
from issuers.batch import api as batch_api
from issuers.openid4vci import api as openid4vci_api
from keys.access import Caller, Role
from keys.auth import Clock, caller_of
from keys.oauth.errors import OAuthError
from verifier.openid4vp import api as openid4vp_api

VERSION = "0.1.0"
ROOMS = ("issuers", "wallet", "verifier", "operator")
OAUTH = re.compile("|".join([openid4vci_api.WIRE.pattern, openid4vp_api.WIRE.pattern, "/oauth/token"]))
"""Addresses that speak OAuth, not in problem documents."""
TITLES = {
    "issuers": "Licence Wallet for agencies",
    "wallet": "Licence Wallet for holders",
    "verifier": "Licence Wallet for counters",
    "operator": "Licence Wallet for the operator",
}


def create_app(
    house: House, *, now: Clock = clock.now, rooms: Collection[str] = ROOMS, by_itself: bool = False
) -> FastAPI:
    """Return the service over a built house, with the named rooms; public keys and health are always there.

    What it does `by_itself`, as the one that serves: sign the log, tell webhooks, remind holders.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        logs.configure()
        house.found_city(now=now())
        finished = house.finish_what_a_crash_left(now=now()) | {"approved": proposed.finish(house, now=now())}
        logs.log.info("started", rooms=sorted(rooms), **finished)
        tasks = background.start(house, now, counted.duty_failed) if by_itself else []
        yield
        for one in tasks:
            one.cancel()
        house.database.engine.dispose()
        logs.log.info("stopped")

    counts = storage(house.settings, lambda: clock.now().timestamp())
    title = TITLES[next(iter(rooms))] if len(rooms) == 1 else "Licence Wallet"
    app: FastAPI = FastAPIOffline(
        title=title, version=VERSION, lifespan=lifespan, redoc_url=None, redirect_slashes=False,
        generate_unique_id_function=lambda route: "_".join([*map(str, route.tags), route.name]),
        swagger_ui_parameters={"validatorUrl": None}, telemetry=tracing.telemetry(house.settings, VERSION),
    )  # fmt: skip
    base_url = house.settings.base_url

    def permit(request: Request, who: Caller) -> None:
        permissions.permit(request, who, lambda one: house.passkeys.must_be_fresh(one, now=now()))
        if who.role == Role.COUNTER:
            house.counters.get(who.subject, now=now())  # suspended, it neither acts nor reads

    caller = caller_of(house.access, house.gate, house.browser, now, permit=permit)
    licences = "/issuers/{agency}/licences"
    issuing = (
        licences,
        f"{licences}/prepare",
        f"{licences}/{{licence_id}}/renew",
        f"{licences}/{{licence_id}}/renew/prepare",
    )
    more: dict[str, problems.MoreFaults] = {
        path: lambda body: orders.faults(house.types, body, now=now()) for path in issuing
    }
    more |= {"/admin/agencies": house.agencies.faults}
    problems.install(
        app,
        base_url,
        more,
        methods_of=lambda path: finder.methods(app.routes, path),
        hotline=house.settings.hotline,
    )
    for router in routing.routers(house, caller, now, rooms):
        app.include_router(router)
    health.add(app, house, now)
    counted = metrics.add(
        app, house.database, now=now, version=VERSION, readers=house.settings.metrics_readers,
        duties=[one.name for one in background.DUTIES] if by_itself else [],
    )  # fmt: skip
    permissions.must_be_whole(app.routes)
    app.router.middleware_stack = finder.Finder(finder.plain(app.routes), app.router.middleware_stack)
    app.add_middleware(
        StrictBody,
        except_for=OAUTH,
        streamed=batch_api.STREAMED,
        refuse=lambda code, detail: problems.response(base_url, code, detail=detail),
    )
    app.add_middleware(
        Limits,
        settings=house.settings,
        storage=counts,
        refuse=lambda path, code, wait: _too_much(base_url, path, code, wait),
    )
    app.add_middleware(
        logs.RequestLog, crashed=lambda: problems.crashed(base_url), refused=refusals.keeper(house.database, now),
        counted=counted, https=base_url.startswith("https:"),
    )  # fmt: skip
    return app


def _too_much(base_url: str, path: str, code: str, wait: int) -> Response:
    """Return the refusal of a call that came too often or to a wrong name, in the form of the address's protocol."""
    headers = {"Retry-After": str(wait)} if wait else {}
    if OAUTH.fullmatch(path):
        return JSONResponse(OAuthError("temporarily_unavailable", code).body(), 429 if wait else 421, headers)
    return problems.response(base_url, code, headers=headers)
