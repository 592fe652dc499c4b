"""Public keys and the trust list, for everybody."""

from collections.abc import Callable
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from keys.auth import Clock
from keys.oauth.api import NO_STORE, PUBLIC, RawBody, answered, one_header
from keys.oauth.client_credentials import ClientCredentials
from keys.oauth.forms import read_form
from keys.registry import TrustRegistry


def routes(registry: TrustRegistry, anchor: Callable[[datetime], Certificate], clock: Clock) -> APIRouter:
    """Return the custody room's public routes."""
    router = APIRouter(prefix="/keys", tags=["keys"])

    @router.get(
        "/trust-list",
        response_class=Response,
        responses={200: {"content": {"application/jwt": {"example": "eyJhbGciOiJFUzI1NiIsInR5cCI6…"}}}},
    )
    def trust_list() -> Response:
        """Return the operator's signed trust list: which agency may sign which types, with which keys."""
        token = registry.token(now=clock())
        return Response(token, media_type="application/jwt", headers={"Cache-Control": "public, max-age=60"})

    @router.get("/operator", responses={200: {"content": {"application/json": {"example": {"keys": []}}}}})
    def operator_keys() -> dict[str, list[dict[str, str]]]:
        """Return the operator's public keys (JWK Set); a counter pins them once, out of band."""
        keys = registry.operator_keys().items()
        return {"keys": [{**key.jwk, "kid": kid, "use": "sig", "alg": "ES256"} for kid, key in keys]}

    @router.get(
        "/authority",
        response_class=Response,
        responses={200: {"content": {"application/pem-certificate-chain": {"example": "-----BEGIN CERTIFICATE…"}}}},
    )
    def authority() -> Response:
        """Return the certificate of the operator's authority (PEM): other cities' wallets pin it, out of band."""
        pem = anchor(clock()).public_bytes(Encoding.PEM)
        return Response(pem, media_type="application/pem-certificate-chain", headers=PUBLIC)

    return router


def oauth_routes(credentials: ClientCredentials, clock: Clock) -> APIRouter:
    """Return where systems and devices get their own tokens."""
    router = APIRouter(tags=["keys"])

    @router.post("/oauth/token", include_in_schema=False)
    def token(request: Request, raw: RawBody) -> Response:
        """Give a system its token for ten minutes (RFC 6749 section 4.4)."""

        def act() -> Response:
            form = read_form(request.headers.get("content-type", ""), raw)
            told = credentials.token(form, one_header(request, "dpop", "invalid_dpop_proof"), now=clock())
            return JSONResponse(told, headers=NO_STORE)

        return answered(act)

    @router.get("/.well-known/oauth-authorization-server", include_in_schema=False)
    def metadata() -> Response:
        """Say how systems get tokens (RFC 8414)."""
        told = {
            "issuer": credentials.base_url,
            "token_endpoint": credentials.endpoint,
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "dpop_signing_alg_values_supported": ["ES256"],
            "scopes_supported": ["licences:issue", "licences:read", "licences:status", "verify"],
        }
        return JSONResponse(told, headers=PUBLIC)

    return router
