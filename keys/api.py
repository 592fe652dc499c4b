"""Public keys and the trust list, for everybody."""

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel
from starlette.responses import JSONResponse

from keys.access import Caller
from keys.auth import Clock
from keys.oauth.api import NO_STORE, PUBLIC, RawBody, answered, one_header
from keys.oauth.client_credentials import ClientCredentials
from keys.oauth.forms import read_form
from keys.registry import TrustRegistry
from keys.schemas import example
from keys.transparency import TransparencyLog


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


class LeavesOut(BaseModel):
    """Leaves of the log from `first` on, base64."""

    first: int
    hashes: list[str]

    model_config = example({"first": 0, "hashes": ["CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="]})


class ConsistencyOut(BaseModel):
    """The proof that the log of one size begins that of another (RFC 9162 section 2.1.4), base64."""

    before: int
    after: int
    proof: list[str]

    model_config = example({"before": 5, "after": 7, "proof": ["CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="]})


class CallerOut(BaseModel):
    """Who an access token says is calling."""

    role: str
    subject: str
    person: str | None
    scopes: list[str]

    model_config = example({"role": "clerk", "subject": "police", "person": "wang.wu", "scopes": ["licences:issue"]})


def caller_routes(caller_of: Callable[..., Caller]) -> APIRouter:
    """Return where whoever has a token learns whose it is."""
    router = APIRouter(tags=["keys"])

    @router.get("/caller")
    def who_is_calling(caller: Annotated[Caller, Depends(caller_of)]) -> CallerOut:
        """Read whose token this is, and what it may do."""
        return CallerOut(role=caller.role, subject=caller.subject, person=caller.person, scopes=sorted(caller.scopes))

    return router


def log_routes(log: TransparencyLog, clock: Clock) -> APIRouter:
    """Return the transparency log's public routes: hashes, and nothing to read in them."""
    router = APIRouter(prefix="/log", tags=["keys"])

    @router.get("/checkpoint", response_class=Response, responses=_CHECKPOINT)
    def log_checkpoint() -> Response:
        """Return the log's signed checkpoint (C2SP): keep it, and nothing in it can be changed or cut off unseen."""
        note = log.checkpoint(now=clock())
        return Response(note, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "public, max-age=10"})

    @router.get("/leaves")
    def log_leaves(
        first: Annotated[int, Query(ge=0, le=2**62)] = 0, count: Annotated[int, Query(ge=1, le=1000)] = 1000
    ) -> LeavesOut:
        """Return leaves of the log."""
        return LeavesOut(first=first, hashes=[b64encode(one).decode("ascii") for one in log.leaves(first, count)])

    @router.get("/consistency")
    def log_consistency(
        before: Annotated[int, Query(ge=1, le=2**62)], after: Annotated[int, Query(ge=1, le=2**62)]
    ) -> ConsistencyOut:
        """Prove that the log only grew from one size to another."""
        proof = [b64encode(one).decode("ascii") for one in log.consistency(before, after)]
        return ConsistencyOut(before=before, after=after, proof=proof)

    return router


_CHECKPOINT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/plain": {
                "schema": {"type": "string"},
                "example": "wallet.city.example/log\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— …\n",
            }
        }
    }
}
