"""The service: `create_app` mounts one room or all of them."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi_offline import FastAPIOffline
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from app import (
    admin,
    between_rooms,
    clock,
    logs,
    migrations,
    permissions,
    problems,
    proposed,
    refusals,
    staff,
    webhooks,
)
from app.house import House
from app.limits import Limits
from app.strict_body import StrictBody
from issuers import api as issuers_api
from issuers import orders, type_metadata
from issuers.mass import api as mass_api
from issuers.openid4vci import api as openid4vci_api
from keys import api as keys_api
from keys.access import Caller
from keys.auth import Clock, caller_of, visitor_of
from keys.errors import CustodyError
from keys.oauth.errors import OAuthError
from keys.passkeys import api as passkeys_api
from keys.passkeys import pages as passkeys_pages
from records import idempotency
from verifier import api as verifier_api
from verifier.asks import api as asks_api
from verifier.class_lists import api as class_lists_api
from verifier.class_lists import pages as class_lists_pages
from verifier.file_copies import api as file_copies_api
from verifier.file_copies import pages as file_copies_pages
from verifier.openid4vp import api as openid4vp_api
from wallet import api as wallet_api
from wallet import qr
from wallet.cases import api as cases_api
from wallet.consents import api as consents_api
from wallet.mandates import api as mandates_api
from wallet.openid4vc import api as wallet_openid4vc_api
from wallet.openid4vc import pages as wallet_openid4vc_pages
from wallet.sign_in import api as sign_in_api
from wallet.sign_in import pages as sign_in_pages
from wallet.sign_in import signing_in

CHECKPOINT_SECONDS, TELLING_SECONDS, ROUNDS_OF_AN_HOUR = 60.0, 2.0, 1800
VERSION = "0.1.0"
ROOMS = ("issuers", "wallet", "verifier", "operator")
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
        tasks = [asyncio.create_task(one(house, now)) for one in (_checkpoints, _telling) if by_itself]
        yield
        for one in tasks:
            one.cancel()
        house.database.engine.dispose()

    title = TITLES[next(iter(rooms))] if len(rooms) == 1 else "Licence Wallet"
    app: FastAPI = FastAPIOffline(
        title=title, version=VERSION, lifespan=lifespan, redoc_url=None, redirect_slashes=False,
        generate_unique_id_function=lambda route: "_".join([*map(str, route.tags), route.name]),
        swagger_ui_parameters={"validatorUrl": None},
    )  # fmt: skip
    base_url = house.settings.base_url

    def permit(request: Request, who: Caller) -> None:
        permissions.permit(request, who, lambda one: house.passkeys.must_be_fresh(one, now=now()))

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
        methods_of=lambda path: permissions.methods(app.routes, path),
        hotline=house.settings.hotline,
    )
    for router in _routers(house, caller, now, rooms):
        app.include_router(router)
    _health(app, house)
    permissions.must_be_whole(app.routes)
    app.add_middleware(
        StrictBody,
        except_for=openid4vci_api.WIRE,
        refuse=lambda code, detail: problems.response(base_url, code, detail=detail),
    )
    app.add_middleware(
        Limits,
        settings=house.settings,
        refuse=lambda path, code, wait: _too_much(base_url, path, code, wait),
        now=lambda: clock.now().timestamp(),
    )
    app.add_middleware(
        logs.RequestLog, crashed=lambda: problems.crashed(base_url), refused=refusals.keeper(house.database, now),
        https=base_url.startswith("https:"),
    )  # fmt: skip
    return app


async def _checkpoints(house: House, now: Clock) -> None:
    """Sign the log's checkpoint every minute: what it holds no thief of a key can have made later."""
    while True:
        await asyncio.sleep(CHECKPOINT_SECONDS)
        try:
            await asyncio.to_thread(house.log.checkpoint, now=now())
        except (CustodyError, SQLAlchemyError) as error:
            logs.log.error("checkpoint.failed", kind=type(error).__name__)


async def _telling(house: House, now: Clock) -> None:
    """Bring events to webhooks every two seconds, and every hour remind holders of licences that end."""
    rounds = 0
    while True:
        await asyncio.sleep(TELLING_SECONDS)
        try:
            if rounds % ROUNDS_OF_AN_HOUR == 0:
                await asyncio.to_thread(webhooks.remind, house, now=now())
                await asyncio.to_thread(house.forget_what_is_over, now=now())
            await asyncio.to_thread(house.outbox.work, now)
        except Exception as error:  # noqa: BLE001 - whatever it was, the next round tries again
            logs.log.error("outbox.failed", kind=type(error).__name__)
        rounds += 1


def _too_much(base_url: str, path: str, code: str, wait: int) -> Response:
    """Return the refusal of a call that came too often or to a wrong name, in the form of the address's protocol."""
    headers = {"Retry-After": str(wait)} if wait else {}
    if openid4vci_api.WIRE.fullmatch(path) or path == "/oauth/token":
        return JSONResponse(OAuthError("temporarily_unavailable", code).body(), 429 if wait else 421, headers)
    return problems.response(base_url, code, headers=headers)


def attempt(caller: Caller, key: str | None, operation: str, body: dict[str, Any]) -> idempotency.Attempt:
    """Return a caller's attempt; without a key of its own it gets one that nobody will send again."""
    return idempotency.attempt(caller.name, key or f"none-{secrets.token_urlsafe(16)}", operation, body)


def _routers(house: House, caller: Callable[..., Caller], now: Clock, rooms: Collection[str]) -> list[Any]:
    base_url = house.settings.base_url
    visitor, by_link = visitor_of(house.access, house.browser, now), house.settings.demo
    routers = [
        keys_api.routes(house.registry, lambda at: house.certificates.anchor(now=at), now),
        keys_api.log_routes(house.log, now),
        keys_api.oauth_routes(house.client_credentials, now),
    ]
    if set(rooms) - {"verifier"}:
        routers += [
            passkeys_api.routes(house.passkeys, house.access, caller_of=caller, clock=now),
            passkeys_pages.routes(),
        ]
    if "issuers" in rooms:
        routers.append(
            issuers_api.routes(
                house.issuer, house.changes, house.publisher, house.vault,
                caller_of=caller, attempts=attempt, clock=now, base_url=base_url,
            )
        )  # fmt: skip
        routers.append(cases_api.agency_routes(house.cases, caller_of=caller, clock=now))
        routers.append(mass_api.routes(house.mass_changes, caller_of=caller, attempts=attempt, clock=now))
        routers.append(
            openid4vci_api.routes(
                house.openid4vci,
                caller_of=caller,
                attempts=attempt,
                clock=now,
                picture=qr.picture,
                visitor_of=visitor,
                browser=house.browser,
                sign_in_page=signing_in.HOME if house.settings.signs_in else None,
            )
        )
    if "wallet" in rooms:
        routers.append(
            wallet_api.routes(
                house.wallet,
                house.uses,
                caller_of=caller,
                clock=now,
                card_template=type_metadata.card,
                file_copy=between_rooms.copy_of(house.file_copies),
            )
        )
        routers.append(cases_api.routes(house.cases, caller_of=caller, attempts=attempt, clock=now))
        routers.append(consents_api.routes(house.consents, caller_of=caller, clock=now))
        routers.append(mandates_api.routes(house.mandates, caller_of=caller, attempts=attempt, clock=now))
        routers.append(
            sign_in_api.routes(
                house.access, house.accounts, house.browser, caller_of=caller, clock=now, by_link=by_link
            )
        )
        routers.append(
            sign_in_pages.routes(
                sign_in_pages.Sessions(house.access, house.browser, visitor),
                house.accounts,
                house.signing_in,
                words=problems.words,
                by_link=by_link,
                clock=now,
            )
        )
        routers.append(wallet_openid4vc_api.routes(house.taking, house.answering, caller_of=caller, clock=now))
        routers.append(wallet_openid4vc_pages.routes())
    if "verifier" in rooms:
        routers.append(
            verifier_api.routes(
                house.verifier,
                house.reuse,
                caller_of=caller,
                clock=now,
                attempts=attempt,
                vct=house.issuer.vct,
                trust_bundle=house.trust_bundle,
                log=house.log,
            )
        )
        routers.append(
            file_copies_api.routes(
                house.file_copies, house.verifier, caller_of=caller, trust=house.verifier.trust, clock=now
            )
        )
        routers.append(
            file_copies_pages.routes(house.file_copies, trust=house.verifier.trust, words=problems.words, clock=now)
        )
        routers.append(class_lists_pages.routes(house.class_lists, words=problems.words, clock=now))
        routers.append(
            class_lists_api.routes(house.class_lists, house.verifier, caller_of=caller, attempts=attempt, clock=now)
        )
        routers.append(asks_api.routes(house.asks, house.verifier, caller_of=caller, attempts=attempt, clock=now))
        routers.append(verifier_api.enrolment_routes(house.clients, house.gate, base_url=base_url, clock=now))
        routers.append(
            openid4vp_api.routes(house.exchange, house.verifier, caller_of=caller, clock=now, picture=qr.picture)
        )
    if "operator" in rooms:
        routers.append(admin.routes(house, caller_of=caller, clock=now))
        routers.append(staff.routes(house, caller_of=caller))
        routers.append(webhooks.routes(house, caller_of=caller, clock=now))
    return routers


def _health(app: FastAPI, house: House) -> None:
    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    def readyz() -> Response:
        """Say whether the service can do its work: database there, and of this version."""
        try:
            ready = migrations.is_current(house.database.engine)
        except SQLAlchemyError:
            ready = False
        return JSONResponse({"status": "ready" if ready else "not ready"}, 200 if ready else 503)
