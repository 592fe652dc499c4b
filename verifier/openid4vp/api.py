"""HTTP of OpenID4VP: no deciding here. Counters talk our API's form; wallets talk OAuth's."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.responses import JSONResponse

from keys.access import Caller
from keys.auth import Clock
from keys.oauth.api import NO_STORE, RawBody, answered
from keys.oauth.forms import read_form
from verifier.errors import UnknownCounterError, VerifierError
from verifier.openid4vp.exchange import Exchange
from verifier.openid4vp.schemas import (
    PresentationRequestIn,
    PresentationRequestOut,
    PresentationState,
    about,
)
from verifier.schemas import VerdictOut
from verifier.verifier import Verifier

WIRE = re.compile(r"/verifier/presentation-requests/[^/]+/(request-object|response)")
"""Addresses that speak OAuth: they read their own bodies, and refuse in its form."""
OTHERS: Mapping[type[Exception], int] = {UnknownCounterError: 404, VerifierError: 400}
REQUEST_TYPE = "application/oauth-authz-req+jwt"


def routes(
    exchange: Exchange,
    verifier: Verifier,
    *,
    caller_of: Callable[..., Caller],
    clock: Clock,
    picture: Callable[[str, str], str],
) -> APIRouter:
    """Return the routes; `picture` draws a text as a QR code of a kind (`svg`, `png`)."""
    router = APIRouter(prefix="/verifier/presentation-requests", tags=["verifier"])
    Here = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("", status_code=201)
    def open_request(here: Here, body: PresentationRequestIn) -> PresentationRequestOut:
        """Ask any conformant wallet (OpenID4VP): a link and a QR code, answered once within five minutes."""
        question = verifier.question(here.subject, body.service_item, body.operator, by_link=True)
        made = exchange.open(
            question,
            prefix=body.client_id_prefix,
            response_mode=body.response_mode,
            return_to=body.return_to,
            page_session=body.session,
            about=about(body.transaction_data),
            certified=body.certified,
            now=clock(),
        )
        drawn = None if body.qr == "none" else picture(made.link, body.qr)
        return PresentationRequestOut(
            request_id=made.request_id, client_id=made.client_id, link=made.link, qr=drawn, expires_at=made.expires_at
        )

    @router.get("/{request_id}")
    def read_request(
        here: Here,
        request_id: str,
        response_code: Annotated[str | None, Query(max_length=128)] = None,
        page_session: Annotated[str | None, Header(max_length=128, description="As the request named it.")] = None,
    ) -> PresentationState:
        """Read where a request stands, and once its verdict; with the session that it was opened in, if it named one.

        On one device also with the response code that the browser came back with.
        """
        state, verdict = exchange.result(
            request_id, here.subject, response_code, page_session=page_session, now=clock()
        )
        return PresentationState(state=state, verdict=VerdictOut(**verdict) if verdict else None)

    _add_wire(router, exchange, clock)
    return router


def _add_wire(router: APIRouter, exchange: Exchange, clock: Clock) -> None:
    def signed(request_id: str, wallet_nonce: str | None) -> Response:
        token = exchange.request_object(request_id, wallet_nonce=wallet_nonce, now=clock())
        return Response(token, media_type=REQUEST_TYPE, headers=NO_STORE)

    @router.get("/{request_id}/request-object", include_in_schema=False)
    def fetch(request_id: str) -> Response:
        """Return the signed request to a wallet (RFC 9101 section 5.2)."""
        return answered(lambda: signed(request_id, None), others=OTHERS)

    @router.post("/{request_id}/request-object", include_in_schema=False)
    def fetch_by_post(request_id: str, request: Request, raw: RawBody) -> Response:
        """Return the signed request with the wallet's nonce (OpenID4VP section 5.10)."""

        def act() -> Response:
            form = read_form(request.headers.get("content-type", ""), raw) if raw else {}
            return signed(request_id, form.get("wallet_nonce"))

        return answered(act, others=OTHERS)

    @router.post("/{request_id}/response", include_in_schema=False)
    def answer(request_id: str, request: Request, raw: RawBody) -> Response:
        """Take a wallet's answer (OpenID4VP section 8.2), once."""

        def act() -> Response:
            form = read_form(request.headers.get("content-type", ""), raw)
            return JSONResponse(exchange.answer(request_id, form, now=clock()), headers=NO_STORE)

        return answered(act, others=OTHERS)
