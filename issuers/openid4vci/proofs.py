"""Key proofs of a credential request (VCI section 8.2 and appendix F): which keys, all proved for this nonce."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from credentials import dpop, jws
from credentials.errors import FormatError, ProofRefusedError
from credentials.jwk import PublicKey, import_public
from keys.oauth.errors import OAuthError

BATCH_SIZE = 10  # keys in one request
Attested = Callable[[str], tuple[list[PublicKey], Mapping[str, Any]]]
"""Verifies a key attestation against trusted attesters: the attested keys, and the payload."""


def keys(body: Mapping[str, Any], *, issuer: str, attested: Attested, now: datetime) -> tuple[list[PublicKey], str]:
    """Return the keys that a request proves, in order, and the one nonce of all its proofs.

    Raises `OAuthError` with `invalid_proof` or `invalid_nonce`; whether the nonce is ours and new the caller checks.
    """
    proofs = body.get("proofs")
    if not isinstance(proofs, dict) or len(proofs) != 1:
        raise OAuthError("invalid_proof", "proofs holds exactly one kind of proof")
    (kind, texts), *_ = proofs.items()
    if kind not in {"jwt", "attestation"}:
        raise OAuthError("invalid_proof", "only jwt and attestation proofs are known here")
    if (
        not isinstance(texts, list)
        or not 0 < len(texts) <= BATCH_SIZE
        or not all(isinstance(one, str) for one in texts)
    ):
        raise OAuthError("invalid_proof", f"1 to {BATCH_SIZE} proofs")
    try:
        proved = _attestation(texts, attested) if kind == "attestation" else _jwts(texts, issuer, attested, now)
    except FormatError as error:
        raise OAuthError("invalid_proof", error.detail) from error
    found = [key for key, _ in proved]
    nonces = [nonce for _, nonce in proved]
    if len({key.thumbprint for key in found}) != len(found):
        raise OAuthError("invalid_proof", "a key came twice")
    if len(found) > BATCH_SIZE:
        raise OAuthError("invalid_proof", f"1 to {BATCH_SIZE} keys")
    if None in nonces:
        raise OAuthError("invalid_proof", "every proof names a c_nonce")
    if not isinstance(nonce := nonces[0], str) or any(one != nonce for one in nonces):
        raise OAuthError("invalid_nonce", "every proof names the one c_nonce")
    return found, nonce


def _jwts(texts: list[str], issuer: str, attested: Attested, now: datetime) -> list[tuple[PublicKey, object]]:
    """Verify `jwt` proofs; a single one whose attestation names further keys stands for all of them (appendix F.1)."""
    proved = [_jwt(text, issuer, attested, now) for text in texts]
    if len(proved) > 1:
        return [(key, nonce) for key, nonce, _ in proved]
    key, nonce, known = proved[0]
    return [(key, nonce), *((one, nonce) for one in known if one.thumbprint != key.thumbprint)]


def _jwt(text: str, issuer: str, attested: Attested, now: datetime) -> tuple[PublicKey, object, Collection[PublicKey]]:
    """Verify one `jwt` proof (appendix F.1 and F.4): the key of its header, its nonce, the keys attested with it."""
    known: Collection[PublicKey] = ()
    token = jws.parse(text, jws.KEY_PROOF)
    if "jwk" not in token.header or "kid" in token.header:
        raise ProofRefusedError("the proof's header holds a jwk")
    key = import_public(token.header["jwk"])
    payload = jws.verify(token, key).payload()
    if payload.get("aud") != issuer:
        raise ProofRefusedError("made for another issuer")
    dpop.check_time(jws.required_date(payload, "iat"), now=now)
    if "key_attestation" in token.header:
        known, attestation = attested(token.header["key_attestation"])
        jws.required_date(attestation, "exp")
        if attestation.get("nonce", payload.get("nonce")) != payload.get("nonce"):
            raise ProofRefusedError("the attestation was made for another nonce")
        if key.thumbprint not in {one.thumbprint for one in known}:
            raise ProofRefusedError("the key is not among the attested")
    return key, payload.get("nonce"), known


def _attestation(texts: list[str], attested: Attested) -> list[tuple[PublicKey, object]]:
    """Verify the one `attestation` proof (appendix F.3): one credential for each attested key."""
    if len(texts) != 1:
        raise ProofRefusedError("exactly one attestation")
    found, payload = attested(texts[0])
    return [(key, payload.get("nonce")) for key in found]
