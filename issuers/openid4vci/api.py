"""HTTP of OpenID4VCI: no deciding here. Agencies make offers in our API's form; wallets talk OAuth's.

On the wallets' addresses a refusal is `{"error": …}` (RFC 6749 section 5.2), never a problem document, and bodies
are read here, strictly: the service's own body gate would answer in the other form.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse

from credentials import jws, strict_json
from credentials.claim_values import Fault
from credentials.errors import FormatError
from credentials.licence_type import ClaimsRefusedError
from issuers.auth import AgencyKey, agency_with
from issuers.errors import IssuerError
from issuers.issuer import Issuer
from issuers.openid4vci import metadata
from issuers.openid4vci.credential import CredentialEndpoint
from issuers.openid4vci.models import Offer
from issuers.openid4vci.nonces import C_NONCE, DPOP_NONCE, Nonces
from issuers.openid4vci.offers import Offers
from issuers.openid4vci.schemas import OfferIn, OfferOut, OfferState
from issuers.openid4vci.tokens import Tokens
from issuers.schemas import IssueIn
from keys.access import Caller
from keys.auth import Attempts, Clock
from keys.certificates import Certificates
from keys.errors import CustodyError
from keys.models import KeyPurpose
from keys.oauth import OAuthError, media_type, read_form
from keys.registry import TrustRegistry
from keys.trust_list import issuer_url

MAX_BODY_BYTES = 64 * 1024
WIRE = re.compile(r"/issuers/[^/]+/(token|nonce|credential|deferred-credential|notification)")
"""Addresses that talk OAuth."""
NO_STORE = {"Cache-Control": "no-store"}
PUBLIC = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}


@dataclass(frozen=True)
class Doors:
    """What the routes need of the room."""

    issuer: Issuer
    offers: Offers
    tokens: Tokens
    nonces: Nonces
    credentials: CredentialEndpoint
    certificates: Certificates
    registry: TrustRegistry
    base_url: str


def routes(
    doors: Doors,
    *,
    caller_of: Callable[..., Caller],
    attempts: Attempts,
    clock: Clock,
    picture: Callable[[str, str], str],
) -> APIRouter:
    """Return the routes; `picture` draws a text as a QR code of a kind (`svg`, `png`)."""
    router = APIRouter(tags=["issuers"])
    _add_offers(router, doors, caller_of=caller_of, attempts=attempts, clock=clock, picture=picture)
    _add_metadata(router, doors, clock)
    _add_wire(router, doors, clock)
    return router


def _add_offers(
    router: APIRouter,
    doors: Doors,
    *,
    caller_of: Callable[..., Caller],
    attempts: Attempts,
    clock: Clock,
    picture: Callable[[str, str], str],
) -> None:
    Issues = Annotated[Caller, Depends(agency_with("licences:issue", caller_of))]  # noqa: N806 - a type

    @router.post("/issuers/{agency}/offers", status_code=201)
    def make_offer(agency: AgencyKey, body: OfferIn, caller: Issues) -> OfferOut:
        """Offer a licence to a foreign wallet (OpenID4VCI): a link and a QR code, good for ten minutes, once."""
        waiting = None
        if body.order is not None:
            _check_order(doors.issuer, agency, body.order, clock())
            waiting = (body.order.licence_type, body.order.model_dump_json().encode())
        made = doors.offers.make(
            agency, licence_id=body.licence_id, waiting=waiting, tx_code=body.tx_code, actor=caller.name, now=clock()
        )
        drawn = None if body.qr == "none" else picture(made.link, body.qr)
        return OfferOut(
            offer_id=made.offer_id, credential_offer_uri=made.uri, link=made.link, tx_code=made.tx_code,
            expires_at=made.expires_at, qr=drawn,
        )  # fmt: skip

    @router.get("/issuers/{agency}/offers/{offer_id}")
    def read_offer(agency: AgencyKey, offer_id: str, _caller: Issues) -> OfferState:
        """Read what became of an offer."""
        return _state(doors.offers.read(agency, offer_id))

    @router.post("/issuers/{agency}/offers/{offer_id}/approve")
    def approve_offer(agency: AgencyKey, offer_id: str, caller: Issues) -> OfferState:
        """Approve an order that waits: the licence is issued, and the foreign wallet gets its copy."""
        row = doors.offers.read(agency, offer_id)
        order = IssueIn.model_validate_json(doors.offers.waiting_order(row))
        this = attempts(caller, f"offer {offer_id}", "issue", order.model_dump(mode="json"))
        licence = doors.issuer.issue(agency, order.order(), this, actor=caller.name, now=clock())
        doors.offers.approve(row, licence.licence_id, actor=caller.name, now=clock())
        return _state(doors.offers.read(agency, offer_id))

    @router.post("/issuers/{agency}/offers/{offer_id}/deny")
    def deny_offer(agency: AgencyKey, offer_id: str, caller: Issues) -> OfferState:
        """Deny an order that waits, for good."""
        doors.offers.deny(doors.offers.read(agency, offer_id), actor=caller.name, now=clock())
        return _state(doors.offers.read(agency, offer_id))


def _add_metadata(router: APIRouter, doors: Doors, clock: Clock) -> None:
    @router.get("/.well-known/openid-credential-issuer/issuers/{agency}", include_in_schema=False)
    def credential_issuer(agency: AgencyKey, request: Request) -> Response:
        """Return an agency's issuer metadata, signed if the wallet asks for `application/jwt` (VCI section 12.2.3)."""
        told, issuer, now = _metadata(doors, agency, clock()), issuer_url(doors.base_url, agency), clock()
        if "application/jwt" not in request.headers.get("accept", ""):
            return JSONResponse(told, headers=PUBLIC | {"Vary": "Accept"})
        name = doors.issuer.agency(agency).name
        key = doors.certificates.signer(agency, KeyPurpose.LICENCE, name=name, uri=issuer, now=now)
        claims = {"iss": issuer, "sub": issuer, "iat": int(now.timestamp()), **told}
        token = jws.sign(jws.ISSUER_METADATA, claims, key.signer, more={"x5c": key.x5c})
        return Response(token, media_type="application/jwt", headers=PUBLIC | {"Vary": "Accept"})

    @router.get("/.well-known/oauth-authorization-server/issuers/{agency}", include_in_schema=False)
    def authorization_server(agency: AgencyKey) -> Response:
        """Return the metadata of an agency's authorization server (RFC 8414)."""
        doors.issuer.agency(agency)
        return JSONResponse(metadata.authorization_server(issuer_url(doors.base_url, agency)), headers=PUBLIC)

    @router.get("/issuers/{agency}/credential-offers/{secret}", include_in_schema=False)
    def credential_offer(agency: AgencyKey, secret: str) -> Response:
        """Return a credential offer by reference (VCI section 4.1.3)."""
        told = doors.offers.document(agency, secret, now=clock())
        return JSONResponse(told, headers=NO_STORE | {"Access-Control-Allow-Origin": "*"})


def _add_wire(router: APIRouter, doors: Doors, clock: Clock) -> None:
    def protected(agency: str, endpoint: str, request: Request, raw: bytes, act: Callable[..., Any]) -> Response:
        now = clock()
        proof = _one_header(request, "dpop")
        grant, offer = doors.tokens.grant(agency, request.headers.get("authorization"), proof, endpoint, now=now)
        answer = act(grant, offer, _json(request, raw), now=now)
        return JSONResponse(answer.body, answer.status, NO_STORE) if answer is not None else Response(status_code=204)

    @router.post("/issuers/{agency}/token", include_in_schema=False)
    def token(agency: AgencyKey, request: Request, raw: Annotated[bytes, Depends(_raw)]) -> Response:
        """Exchange a pre-authorized code or a refresh token for an access token (VCI section 6)."""

        def act() -> Response:
            told = doors.tokens.token(
                agency,
                read_form(request.headers.get("content-type", ""), raw),
                _one_header(request, "dpop"),
                now=clock(),
            )
            return JSONResponse(told, headers=NO_STORE | {"Pragma": "no-cache"})

        return _answered(act)

    @router.post("/issuers/{agency}/nonce", include_in_schema=False)
    def nonce(agency: AgencyKey) -> Response:
        """Return a fresh `c_nonce`, and a DPoP nonce beside it (VCI section 7)."""
        doors.issuer.agency(agency)
        headers = NO_STORE | {"DPoP-Nonce": doors.nonces.make(DPOP_NONCE, agency, now=clock())}
        return JSONResponse({"c_nonce": doors.nonces.make(C_NONCE, agency, now=clock())}, headers=headers)

    @router.post("/issuers/{agency}/credential", include_in_schema=False)
    def credential(agency: AgencyKey, request: Request, raw: Annotated[bytes, Depends(_raw)]) -> Response:
        """Issue credentials to proved keys (VCI section 8)."""
        return _answered(lambda: protected(agency, "credential", request, raw, doors.credentials.credential))

    @router.post("/issuers/{agency}/deferred-credential", include_in_schema=False)
    def deferred(agency: AgencyKey, request: Request, raw: Annotated[bytes, Depends(_raw)]) -> Response:
        """Issue what waited for approval (VCI section 9)."""
        return _answered(lambda: protected(agency, "deferred-credential", request, raw, doors.credentials.deferred))

    @router.post("/issuers/{agency}/notification", include_in_schema=False)
    def notification(agency: AgencyKey, request: Request, raw: Annotated[bytes, Depends(_raw)]) -> Response:
        """Hear what became of credentials (VCI section 11)."""

        def act(grant: Any, _offer: Offer, body: Mapping[str, Any], *, now: datetime) -> None:
            doors.credentials.notify(grant, body, now=now)

        return _answered(lambda: protected(agency, "notification", request, raw, act))


def _answered(act: Callable[[], Response]) -> Response:
    """Answer, or refuse in OAuth's form."""
    try:
        return act()
    except OAuthError as error:
        return JSONResponse(error.body(), error.status, NO_STORE | error.headers)
    except FormatError as error:
        return JSONResponse(OAuthError("invalid_request", error.detail).body(), 400, NO_STORE)
    except (IssuerError, CustodyError) as error:
        return JSONResponse(OAuthError("server_error", error.code).body(), 503, NO_STORE | {"Retry-After": "5"})


async def _raw(request: Request) -> bytes:
    return await request.body()


def _json(request: Request, raw: bytes) -> dict[str, Any]:
    kind = media_type(request.headers.get("content-type", ""))
    if kind != "application/json" or len(raw) > MAX_BODY_BYTES:
        raise OAuthError("invalid_credential_request", "send application/json")
    try:
        return strict_json.loads_object(raw)
    except FormatError as error:
        raise OAuthError("invalid_credential_request", error.detail) from error


def _one_header(request: Request, name: str) -> str | None:
    sent = request.headers.getlist(name)
    if len(sent) > 1:
        raise OAuthError("invalid_dpop_proof", "more than one DPoP header")
    return sent[0] if sent else None


def _metadata(doors: Doors, agency: str, now: datetime) -> dict[str, Any]:
    row = doors.issuer.agency(agency)
    kinds = [
        (kind, doors.issuer.vct(kind.key))
        for kind in doors.issuer.types.values()
        if doors.registry.may_sign(agency, doors.issuer.vct(kind.key), now=now)
    ]
    return metadata.credential_issuer(issuer_url(doors.base_url, agency), row.name, kinds)


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
