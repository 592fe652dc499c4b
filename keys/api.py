"""Public keys and the trust list, for everybody."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from keys.auth import Clock
from keys.browser import Browser
from keys.oauth.api import NO_STORE, PUBLIC, RawBody, answered, one_header
from keys.oauth.client_credentials import ClientCredentials
from keys.oauth.forms import read_form
from keys.registry import TrustRegistry
from keys.schemas import Input


class EnrolIn(Input):
    """A device that becomes a counter's; its key is the one that the `DPoP` header proves."""

    code: str = Field(min_length=16, max_length=40)
    name: str = Field(min_length=1, max_length=120)

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "7K2M-9QX4-0HTR-5B3C", "name": "教务处平板 1"}]})


class EnrolOut(BaseModel):
    """What the device calls itself from now on, and where it gets its tokens."""

    client_id: str
    token_endpoint: str

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"client_id": "k3V0yq8Zt1Lm", "token_endpoint": "http://127.0.0.1:8080/oauth/token"}]
        }
    )


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


def oauth_routes(credentials: ClientCredentials, browser: Browser, clock: Clock) -> APIRouter:
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

    @router.post("/oauth/enrol", status_code=201)
    def enrol(body: EnrolIn, dpop: Annotated[str, Header(max_length=4096, description="RFC 9449.")]) -> EnrolOut:
        """Enrol a counter's device with the operator's one-time code; its key stays in it."""
        now = clock()
        proof = credentials.gate.key_of(dpop, "POST", f"{browser.base_url}/oauth/enrol", now=now)
        client_id = credentials.clients.enrol(body.code, body.name, proof.key, now=now)
        return EnrolOut(client_id=client_id, token_endpoint=credentials.endpoint)

    @router.get("/.well-known/oauth-authorization-server", include_in_schema=False)
    def metadata() -> Response:
        """Say how systems get tokens (RFC 8414)."""
        told = {
            "issuer": browser.base_url,
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
