"""Public keys and the trust list, for everybody."""

from collections.abc import Callable
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from fastapi import APIRouter, Response

from keys.auth import Clock
from keys.oauth.api import PUBLIC
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
