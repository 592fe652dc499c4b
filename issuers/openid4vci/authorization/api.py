"""HTTP of an agency's authorization server: push, challenge, token. OAuth's forms and refusals."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from issuers.auth import AgencyKey
from issuers.errors import IssuerError, UnknownAgencyError
from issuers.openid4vci.authorization.authorization import Authorizations
from issuers.openid4vci.clients import Client, Clients
from issuers.openid4vci.tokens import Tokens
from keys.auth import Clock
from keys.oauth.api import NO_STORE, RawBody, answered, headers_named, one_header
from keys.oauth.dpop_gate import DpopGate
from keys.oauth.forms import read_form
from keys.trust_list import issuer_url

OTHERS: Mapping[type[Exception], int] = {UnknownAgencyError: 404, IssuerError: 503}


def routes(
    authorizations: Authorizations,
    clients: Clients,
    tokens: Tokens,
    gate: DpopGate,
    *,
    known: Callable[[str], object],
    base_url: str,
    clock: Clock,
) -> APIRouter:
    """Return the routes; `known` raises unless there is such an agency."""
    router = APIRouter(tags=["issuers"])

    def client_of(agency: str, request: Request, form: Mapping[str, str]) -> Client | None:
        known(agency)
        attestation = headers_named(request, "oauth-client-attestation")
        proof = headers_named(request, "oauth-client-attestation-pop")
        return clients.authenticate(agency, attestation, proof, form.get("client_id"), now=clock())

    def dpop_of(request: Request) -> str | None:
        return one_header(request, "dpop", "invalid_dpop_proof")

    @router.post("/issuers/{agency}/par", include_in_schema=False)
    def push(agency: AgencyKey, request: Request, raw: RawBody) -> Response:
        """Take a pushed authorization request (RFC 9126) of a wallet that says who it is."""

        def act() -> Response:
            form, proof, now = read_form(request.headers.get("content-type", ""), raw), dpop_of(request), clock()
            client = clients.must(client_of(agency, request, form))
            url = f"{issuer_url(base_url, agency)}/par"
            jkt = gate.proven(agency, proof, url, now=now) if proof is not None else None
            return JSONResponse(authorizations.push(agency, form, client, jkt, now=now), 201, NO_STORE)

        return answered(act, others=OTHERS)

    @router.post("/issuers/{agency}/challenge", include_in_schema=False)
    def challenge(agency: AgencyKey) -> Response:
        """Return a fresh challenge for a wallet's proof of possession."""

        def act() -> Response:
            known(agency)
            return JSONResponse({"attestation_challenge": clients.challenge(agency, now=clock())}, headers=NO_STORE)

        return answered(act, others=OTHERS)

    @router.post("/issuers/{agency}/token", include_in_schema=False)
    def token(agency: AgencyKey, request: Request, raw: RawBody) -> Response:
        """Exchange a code or a refresh token for an access token (VCI section 6)."""

        def act() -> Response:
            form = read_form(request.headers.get("content-type", ""), raw)
            client = client_of(agency, request, form)
            told = tokens.token(agency, form, client, dpop_of(request), now=clock())
            return JSONResponse(told, headers=NO_STORE | {"Pragma": "no-cache"})

        return answered(act, others=OTHERS)

    return router
