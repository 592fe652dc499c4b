"""HTTP of OpenID4VCI: no deciding here. Agencies make offers in our API's form; wallets talk OAuth's.

On the wallets' addresses a refusal is `{"error": …}` (RFC 6749 section 5.2), never a problem document, and bodies
are read here, strictly: the service's own body gate would answer in the other form.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse

from credentials import jws, strict_json
from credentials.claim_values import Fault
from credentials.errors import FormatError
from credentials.licence_type import ClaimsRefusedError
from issuers.api import prefers
from issuers.auth import AgencyKey
from issuers.errors import IssuerError, UnknownAgencyError, UnknownLicenceError, WrongStateError
from issuers.issuer import Issuer
from issuers.openid4vci import metadata
from issuers.openid4vci.access_tokens import AccessTokens
from issuers.openid4vci.authorization import api as authorization_api
from issuers.openid4vci.authorization import pages as authorization_pages
from issuers.openid4vci.authorization.authorization import Authorizations
from issuers.openid4vci.clients import Clients
from issuers.openid4vci.credential import CredentialEndpoint
from issuers.openid4vci.encrypting import Encrypting
from issuers.openid4vci.models import Offer
from issuers.openid4vci.offers import Offers
from issuers.openid4vci.schemas import OfferIn, OfferOut, OfferState
from issuers.openid4vci.tokens import Tokens
from issuers.schemas import IssueIn
from keys.access import Caller
from keys.auth import Browser, Clock
from keys.certificates import Certificates, CertifiedSigner
from keys.errors import CustodyError
from keys.models import KeyPurpose
from keys.oauth.api import NO_STORE, PUBLIC, RawBody, answered, one_header
from keys.oauth.dpop_gate import DpopGate
from keys.oauth.errors import OAuthError
from keys.oauth.forms import media_type
from keys.oauth.nonces import C_NONCE, DPOP_NONCE, Nonces
from keys.remembered import Remembered
from keys.trust_list import issuer_url
from records.errors import IdempotencyKeyReusedError

Act = Callable[..., Any]
"""What a protected endpoint does: `(entitled, body, now=…)` → an answer, or nothing to say."""
MAX_BODY_BYTES = 64 * 1024
WIRE = re.compile(r"/issuers/[^/]+/(par|challenge|token|nonce|credential|deferred-credential|notification|authorize)")
"""Addresses that talk OAuth, and the page beside them."""
OTHERS: Mapping[type[Exception], int] = {UnknownAgencyError: 404, IssuerError: 503}


@dataclass(frozen=True)
class Doors:
    """What the routes need of the room."""

    issuer: Issuer
    offers: Offers
    authorizations: Authorizations
    clients: Clients
    gate: DpopGate
    tokens: Tokens
    access_tokens: AccessTokens
    nonces: Nonces
    credentials: CredentialEndpoint
    encrypting: Encrypting
    certificates: Certificates
    base_url: str
    refresh: timedelta
    """How long an agency's metadata is remembered."""


def routes(
    doors: Doors,
    *,
    caller_of: Callable[..., Caller],
    clock: Clock,
    picture: Callable[[str, str], str],
    visitor_of: authorization_pages.VisitorOf,
    browser: Browser,
    sign_in_page: str | None,
) -> APIRouter:
    """Return the routes; `picture` draws a text as a QR code of a kind (`svg`, `png`)."""
    router = APIRouter(tags=["issuers"])
    _add_offers(router, doors, caller_of=caller_of, clock=clock, picture=picture)
    _add_metadata(router, doors, clock)
    _add_wire(router, doors, clock)
    router.include_router(
        authorization_api.routes(
            doors.authorizations, doors.clients, doors.tokens, doors.gate, known=doors.issuer.agency,
            base_url=doors.base_url, clock=clock,
        )
    )  # fmt: skip
    router.include_router(
        authorization_pages.routes(
            doors.authorizations,
            doors.issuer.types,
            name=lambda agency: doors.issuer.agency(agency).name,
            visitor_of=visitor_of,
            browser=browser,
            sign_in_page=sign_in_page,
            clock=clock,
        )
    )
    return router


def _add_offers(
    router: APIRouter,
    doors: Doors,
    *,
    caller_of: Callable[..., Caller],
    clock: Clock,
    picture: Callable[[str, str], str],
) -> None:
    Agency = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("/issuers/{agency}/offers", status_code=201)
    def make_offer(agency: AgencyKey, body: OfferIn, caller: Agency) -> OfferOut:
        """Offer a licence to a foreign wallet (OpenID4VCI): a link and a QR code, good for ten minutes, once."""
        waiting = None
        if body.order is not None:
            _check_order(doors.issuer, agency, body.order, clock())
            waiting = (body.order.licence_type, body.order.model_dump_json().encode())
        made = doors.offers.make(
            agency, licence_id=body.licence_id, waiting=waiting, grants=body.ways, tx_code=body.tx_code,
            actor=caller.name, now=clock(),
        )  # fmt: skip
        drawn = None if body.qr == "none" else picture(made.link, body.qr)
        return OfferOut(
            offer_id=made.offer_id, credential_offer_uri=made.uri, link=made.link, tx_code=made.tx_code,
            expires_at=made.expires_at, qr=drawn,
        )  # fmt: skip

    @router.get("/issuers/{agency}/offers/{offer_id}")
    def read_offer(agency: AgencyKey, offer_id: str, _caller: Agency) -> OfferState:
        """Read what became of an offer."""
        return _state(doors.offers.read(agency, offer_id))

    @router.post("/issuers/{agency}/offers/{offer_id}/approve")
    def approve_offer(agency: AgencyKey, offer_id: str, caller: Agency) -> OfferState:
        """Approve an order that waits: the licence is issued, and the foreign wallet gets its copy."""
        row = doors.offers.read(agency, offer_id)
        order = IssueIn.model_validate_json(doors.offers.waiting_order(row))
        this = doors.offers.decision(row, "issue", order.model_dump(mode="json"), clock())
        try:
            licence = doors.issuer.issue(agency, order.order(), this, actor=caller.name, now=clock())
        except IdempotencyKeyReusedError as error:
            raise WrongStateError("it was denied meanwhile") from error
        doors.offers.approve(row, licence.licence_id, actor=caller.name, now=clock())
        return _state(doors.offers.read(agency, offer_id))

    @router.post("/issuers/{agency}/offers/{offer_id}/deny")
    def deny_offer(agency: AgencyKey, offer_id: str, caller: Agency) -> OfferState:
        """Deny an order that waits, for good."""
        doors.offers.deny(doors.offers.read(agency, offer_id), actor=caller.name, now=clock())
        return _state(doors.offers.read(agency, offer_id))


def _add_metadata(router: APIRouter, doors: Doors, clock: Clock) -> None:
    remembered = Remembered[dict[str, Any]](doors.refresh)

    @router.get("/.well-known/openid-credential-issuer/issuers/{agency}", include_in_schema=False)
    def credential_issuer(agency: AgencyKey, request: Request) -> Response:
        """Return an agency's issuer metadata, signed if the wallet asks for `application/jwt` (VCI section 12.2.3)."""
        issuer, now = issuer_url(doors.base_url, agency), clock()
        told = remembered.get(("issuer", agency), lambda: _metadata(doors, agency, now), now=now)
        if not prefers(request.headers.get("accept", ""), "application/jwt", over="application/json"):
            return JSONResponse(told, headers=PUBLIC | {"Vary": "Accept"})
        claims = {"iss": issuer, "sub": issuer, "iat": int(now.timestamp()), **told}
        key = _signer(doors, agency, now)
        token = jws.sign(jws.ISSUER_METADATA, claims, key.signer, more={"x5c": key.x5c})
        return Response(token, media_type="application/jwt", headers=PUBLIC | {"Vary": "Accept"})

    @router.get("/.well-known/oauth-authorization-server/issuers/{agency}", include_in_schema=False)
    def authorization_server(agency: AgencyKey) -> Response:
        """Return the metadata of an agency's authorization server, with a signed copy inside (RFC 8414 section 2.1)."""
        now = clock()
        told = remembered.get(("server", agency), lambda: _server_metadata(doors, agency, now), now=now)
        return JSONResponse(told, headers=PUBLIC)

    @router.get("/issuers/{agency}/credential-offers/{secret}", include_in_schema=False)
    def credential_offer(agency: AgencyKey, secret: str) -> Response:
        """Return a credential offer by reference (VCI section 4.1.3)."""

        def act() -> Response:
            told = doors.offers.document(agency, secret, now=clock())
            return JSONResponse(told, headers=NO_STORE | {"Access-Control-Allow-Origin": "*"})

        return answered(act, others={UnknownLicenceError: 404, **OTHERS})


def _add_wire(router: APIRouter, doors: Doors, clock: Clock) -> None:
    def protected(agency: str, endpoint: str, request: Request, raw: bytes, act: Act) -> Response:
        """Answer at a protected endpoint: the access token first, then the body, then the act (VCI section 8)."""
        now = clock()
        if "access_token" in request.query_params:
            raise OAuthError("invalid_request", "an access token does not belong in an address (RFC 9700)")
        proof = one_header(request, "dpop", "invalid_dpop_proof")
        entitled = doors.access_tokens.entitled(agency, request.headers.get("authorization"), proof, endpoint, now=now)
        encrypted = media_type(request.headers.get("content-type", "")) == "application/jwt"
        body = doors.encrypting.opened(agency, raw) if encrypted else _json(request, raw)
        recipient = doors.encrypting.recipient(body, encrypted=encrypted)
        answer = act(entitled, body, now=now)
        if answer is None:
            return Response(status_code=204)
        if recipient is None:
            return JSONResponse(answer.body, answer.status, NO_STORE)
        sealed = doors.encrypting.sealed(answer.body, recipient)
        return Response(sealed, answer.status, NO_STORE, "application/jwt")

    @router.post("/issuers/{agency}/nonce", include_in_schema=False)
    def nonce(agency: AgencyKey) -> Response:
        """Return a fresh `c_nonce`, and a DPoP nonce beside it (VCI section 7)."""

        def act() -> Response:
            doors.issuer.agency(agency)
            headers = NO_STORE | {"DPoP-Nonce": doors.nonces.make(DPOP_NONCE, agency, now=clock())}
            return JSONResponse({"c_nonce": doors.nonces.make(C_NONCE, agency, now=clock())}, headers=headers)

        return answered(act, others=OTHERS)

    def add(endpoint: str, act: Act, meaning: str) -> None:
        def answer(agency: AgencyKey, request: Request, raw: RawBody) -> Response:
            return answered(lambda: protected(agency, endpoint, request, raw, act), others=OTHERS)

        router.add_api_route(
            f"/issuers/{{agency}}/{endpoint}", answer, methods=["POST"], include_in_schema=False, description=meaning
        )

    add("credential", doors.credentials.credential, "Issue credentials to proved keys (VCI section 8).")
    add("deferred-credential", doors.credentials.deferred, "Issue what waited for approval (VCI section 9).")
    add("notification", doors.credentials.notify, "Hear what became of credentials (VCI section 11).")


def _json(request: Request, raw: bytes) -> dict[str, Any]:
    kind = media_type(request.headers.get("content-type", ""))
    if kind != "application/json" or len(raw) > MAX_BODY_BYTES:
        raise OAuthError("invalid_credential_request", "send application/json")
    try:
        return strict_json.loads_object(raw)
    except FormatError as error:
        raise OAuthError("invalid_credential_request", error.detail) from error


def _metadata(doors: Doors, agency: str, now: datetime) -> dict[str, Any]:
    row, kinds = doors.issuer.agency(agency), doors.issuer.offered_types(agency, now=now)
    return metadata.credential_issuer(
        issuer_url(doors.base_url, agency),
        row.name,
        [(kind, doors.issuer.vct(key)) for key, kind in kinds.items()],
        encryption_keys=doors.encrypting.keys(agency, now=now),
    )


def _server_metadata(doors: Doors, agency: str, now: datetime) -> dict[str, Any]:
    doors.issuer.agency(agency)
    offered = sorted(doors.issuer.offered_types(agency, now=now))
    issuer = issuer_url(doors.base_url, agency)
    told = metadata.authorization_server(issuer, offered, signs_in=doors.authorizations.signs_in)
    return told | _signed_metadata(doors, agency, told, now)


def _signer(doors: Doors, agency: str, now: datetime) -> CertifiedSigner:
    name, uri = doors.issuer.agency(agency).name, issuer_url(doors.base_url, agency)
    return doors.certificates.signer(agency, KeyPurpose.LICENCE, name=name, uri=uri, now=now)


def _signed_metadata(doors: Doors, agency: str, told: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """Return the `signed_metadata` member; an agency that keeps its key has none."""
    try:
        key = _signer(doors, agency, now)
    except CustodyError:
        return {}
    claims = {"iat": int(now.timestamp()), **told, "iss": told["issuer"]}
    return {"signed_metadata": jws.sign(jws.SERVER_METADATA, claims, key.signer, more={"x5c": key.x5c})}


def _check_order(issuer: Issuer, agency: str, order: IssueIn, now: datetime) -> None:
    try:
        issuer.check(agency, order.order(), now=now)
    except ClaimsRefusedError as error:
        faults = [Fault(f"/order{one.pointer}", one.code, one.detail) for one in error.faults]
        raise ClaimsRefusedError(faults) from error


def _state(row: Offer) -> OfferState:
    state = "denied" if row.denied else "waiting" if row.licence_id is None else "ready"
    return OfferState(
        offer_id=row.offer_id, licence_type=row.type_key, licence_id=row.licence_id, state=state,
        redeemed_at=row.redeemed_at, expires_at=row.expires_at,
    )  # fmt: skip
