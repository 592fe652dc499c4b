"""DPoP proofs (RFC 9449): made and checked. Whether a `jti` or nonce was seen before is the caller's to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from credentials import base64url, jws
from credentials.errors import ProofRefusedError
from credentials.jwk import PublicKey, import_public

MAX_AGE = timedelta(seconds=60)  # FAPI 2.0 section 5.3.2.1
FUTURE_LEEWAY = timedelta(seconds=10)
MAX_JTI_LENGTH = 128  # characters


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified proof: whose key, its unique name, the nonce it answers."""

    key: PublicKey
    jti: str
    nonce: str | None


def prove(
    signer: jws.Signer,
    jwk: Mapping[str, str],
    *,
    method: str,
    url: str,
    jti: str,
    now: datetime,
    nonce: str | None = None,
    access_token: str | None = None,
) -> str:
    """Return a proof for one request (section 4.2); `access_token` adds its hash."""
    payload: dict[str, Any] = {"jti": jti, "htm": method, "htu": url, "iat": int(now.timestamp())}
    if nonce is not None:
        payload["nonce"] = nonce
    if access_token is not None:
        payload["ath"] = token_hash(access_token)
    return jws.sign(jws.DPOP, payload, signer, more={"jwk": dict(jwk)})


def check(text: str, *, method: str, url: str, now: datetime, access_token: str | None = None) -> Proof:
    """Verify a proof for this method and address (section 4.3); raises `ProofRefusedError` and its kin."""
    token = jws.parse(text, jws.DPOP)
    key = import_public(token.header.get("jwk"))
    payload = jws.verify(token, key).payload()
    if payload.get("htm") != method or payload.get("htu") != url:
        raise ProofRefusedError("made for another request")
    check_time(jws.required_date(payload, "iat"), now=now)
    if access_token is not None and payload.get("ath") != token_hash(access_token):
        raise ProofRefusedError("made for another access token")
    jti, nonce = jws.required_text(payload, "jti"), payload.get("nonce")
    if len(jti) > MAX_JTI_LENGTH or not (nonce is None or isinstance(nonce, str)):
        raise ProofRefusedError("jti or nonce is not what it must be")
    return Proof(key, jti, nonce)


def check_time(issued_at: int, *, now: datetime) -> None:
    """Raise `ProofRefusedError` unless something was made within the last minute."""
    age = now.timestamp() - issued_at
    if not -FUTURE_LEEWAY.total_seconds() <= age <= MAX_AGE.total_seconds():
        raise ProofRefusedError("made too long ago, or in this machine's future")


def token_hash(access_token: str) -> str:
    """Return the `ath` of an access token (section 4.2)."""
    return base64url.encode(sha256(access_token.encode("ascii")).digest())
