"""The authorization request (OpenID4VP 1.0 section 5): built here, without IO."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode

from credentials import base64url, strict_json

SCHEME = "openid4vp://"
SELF_ISSUED = "https://self-issued.me/v2"  # `aud` of a request to any wallet (section 5.8)
CONTENT_ENCRYPTION = ["A128GCM", "A256GCM"]  # HAIP section 5 wants both
FORMATS = {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]}}


class Prefix(StrEnum):
    """How a counter names itself (section 5.9.3); all but `redirect_uri` sign their requests."""

    X509_HASH = "x509_hash"
    X509_SAN_DNS = "x509_san_dns"
    REDIRECT_URI = "redirect_uri"
    PRE_REGISTERED = "pre_registered"


class ResponseMode(StrEnum):
    """How the wallet answers (section 8.2); HAIP takes the encrypted one only."""

    DIRECT_POST = "direct_post"
    DIRECT_POST_JWT = "direct_post.jwt"


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a request says."""

    client_id: str
    response_uri: str
    response_mode: ResponseMode
    nonce: str
    state: str
    dcql_query: Mapping[str, Any]
    transaction_data: Sequence[str]
    encryption_key: Mapping[str, str] | None


def parameters(asked: Asked) -> dict[str, Any]:
    """Return the parameters of the request (section 5.1)."""
    metadata: dict[str, Any] = {"vp_formats_supported": FORMATS}
    if asked.encryption_key is not None:
        metadata["jwks"] = {"keys": [dict(asked.encryption_key)]}
        metadata["encrypted_response_enc_values_supported"] = CONTENT_ENCRYPTION
    told: dict[str, Any] = {
        "response_type": "vp_token",
        "response_mode": str(asked.response_mode),
        "client_id": asked.client_id,
        "response_uri": asked.response_uri,
        "nonce": asked.nonce,
        "state": asked.state,
        "dcql_query": dict(asked.dcql_query),
        "client_metadata": metadata,
    }
    return told | ({"transaction_data": list(asked.transaction_data)} if asked.transaction_data else {})


def claims(asked: Asked, *, issued_at: int, expires_at: int, wallet_nonce: str | None) -> dict[str, Any]:
    """Return the claims of the signed request object (RFC 9101; sections 5.8 and 5.10)."""
    told = {"aud": SELF_ISSUED, "iat": issued_at, "exp": expires_at, **parameters(asked)}
    return told | ({"wallet_nonce": wallet_nonce} if wallet_nonce is not None else {})


def link_by_reference(client_id: str, request_uri: str) -> str:
    """Return the link that a QR code holds: the wallet fetches the signed request (section 5.7)."""
    query = {"client_id": client_id, "request_uri": request_uri, "request_uri_method": "post"}
    return f"{SCHEME}?{urlencode(query, quote_via=quote)}"


def link_by_value(asked: Asked) -> str:
    """Return the link of an unsigned request (`redirect_uri` prefix): everything in it."""
    told = {
        name: value if isinstance(value, str) else strict_json.dumps(value).decode("utf-8")
        for name, value in parameters(asked).items()
    }
    return f"{SCHEME}?{urlencode(told, quote_via=quote)}"


def transaction_data(entries: Sequence[Mapping[str, Any]], credential_ids: Sequence[str]) -> list[str]:
    """Return what holders sign beside the presentation, each as the text they hash (section 8.4)."""
    return [base64url.encode(strict_json.dumps({**entry, "credential_ids": list(credential_ids)})) for entry in entries]
