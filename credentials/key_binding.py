"""Key binding: the holder's proof that *this* presentation was made for *this* verifier, now (RFC 9901 4.3).

An offline pass has no verifier to name: its audience is a fixed public value, it carries its own short
`exp`, and it binds to no counter. The verdict says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from credentials import jws, sd_jwt
from credentials.errors import (
    AudienceMismatchError,
    ClaimInvalidError,
    ClockDiffersError,
    HolderBindingInvalidError,
    HolderBindingMissingError,
    NonceMismatchError,
    PresentationStaleError,
    SignatureInvalidError,
    TransactionDataError,
)
from credentials.jwk import PublicKey
from credentials.sd_jwt import SdJwt

OFFLINE_AUDIENCE = "urn:licence-wallet:offline"
MAX_AGE = timedelta(seconds=60)  # a presentation is made for one minute
FUTURE_LEEWAY = timedelta(seconds=10)  # how far ahead an honest holder's clock may run
CLOCK_OFF = (timedelta(minutes=2), timedelta(minutes=10))
"""A pass this far past its life is told as a difference of clocks; later ones are simply old. Neither is green."""
MAX_PASS_LIFE = timedelta(seconds=300)  # an offline pass lives minutes


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """A verified key binding; `expires_at` only in offline passes."""

    issued_at: int
    expires_at: int | None
    transaction_data_hashes: tuple[str, ...] = ()


def bind(
    sd_jwt_parts: SdJwt,
    signer: jws.Signer,
    *,
    audience: str,
    nonce: str,
    now: datetime,
    life: timedelta | None = None,
    transaction_data: Sequence[str] = (),
) -> str:
    """Return the presentation of `sd_jwt_parts` for `audience` and `nonce`; `life` adds an `exp` (passes)."""
    issued_at = int(now.timestamp())
    payload: dict[str, Any] = {"iat": issued_at, "aud": audience, "nonce": nonce}
    if life is not None:
        payload["exp"] = issued_at + int(life.total_seconds())
    if transaction_data:
        payload["transaction_data_hashes"] = [sd_jwt.digest(one) for one in transaction_data]
    payload["sd_hash"] = sd_jwt.digest(sd_jwt_parts.presented)
    return sd_jwt_parts.presented + jws.sign(jws.KEY_BINDING, payload, signer)


def check(
    parts: SdJwt,
    holder_key: PublicKey,
    *,
    audience: str,
    nonce: str,
    now: datetime,
    purpose: jws.Purpose = jws.KEY_BINDING,
) -> KeyBinding:
    """Verify the key binding of a presentation made for `audience` and `nonce` within the last minute.

    Follows RFC 9901 section 7.3; raises the reason. Whether a nonce was used before is the caller's to know.
    """
    payload = verified_payload(parts, holder_key, purpose)
    _check_audience(payload, audience)
    if payload.get("nonce") != nonce:
        raise NonceMismatchError
    issued_at, second = jws.required_date(payload, "iat"), int(now.timestamp())
    if issued_at > second + FUTURE_LEEWAY.total_seconds():
        raise ClockDiffersError("the presentation was made in this machine's future")
    expires_at, not_before = jws.numeric_date(payload, "exp"), jws.numeric_date(payload, "nbf")
    if second - issued_at > MAX_AGE.total_seconds() or (expires_at is not None and second >= expires_at):
        raise PresentationStaleError
    if not_before is not None and second < not_before:
        raise ClockDiffersError("the presentation is for later")
    hashes = payload.get("transaction_data_hashes", [])
    if not isinstance(hashes, list) or not all(isinstance(one, str) for one in hashes):
        raise ClaimInvalidError("transaction_data_hashes is not a list of digests")
    if payload.get("transaction_data_hashes_alg", "sha-256") != "sha-256":
        raise ClaimInvalidError("only sha-256 was asked for")
    return KeyBinding(issued_at, expires_at, tuple(hashes))


def check_transaction_data(bindings: Sequence[KeyBinding], sent: Sequence[str]) -> None:
    """Raise unless each transaction data, as sent, was signed with exactly one presentation (OpenID4VP section 8.4)."""
    signed = [one for binding in bindings for one in binding.transaction_data_hashes]
    if sorted(signed) != sorted(sd_jwt.digest(one) for one in sent):
        raise TransactionDataError


def check_offline(parts: SdJwt, holder_key: PublicKey, *, now: datetime) -> KeyBinding:
    """Verify the key binding of an offline pass: fixed audience, `exp` of minutes; any nonce.

    Not checked: that this very counter was meant, and that the pass was not shown before; the caller
    keeps a cache of seen passes.
    """
    payload = verified_payload(parts, holder_key)
    _check_audience(payload, OFFLINE_AUDIENCE)
    jws.required_text(payload, "nonce")
    issued_at, expires_at = jws.required_date(payload, "iat"), jws.required_date(payload, "exp")
    if not 0 < expires_at - issued_at <= MAX_PASS_LIFE.total_seconds():
        raise ClaimInvalidError("a pass lives five minutes at most")
    second = now.timestamp()
    if issued_at > second + MAX_AGE.total_seconds():
        raise ClockDiffersError("the pass was made in this machine's future")
    late = timedelta(seconds=second - expires_at)
    if CLOCK_OFF[0] < late <= CLOCK_OFF[1]:
        raise ClockDiffersError("the pass was over minutes ago: a slow hand, or a clock that is fast")
    if second >= expires_at:
        raise PresentationStaleError
    return KeyBinding(issued_at, expires_at)


def verified_payload(parts: SdJwt, holder_key: PublicKey, purpose: jws.Purpose = jws.KEY_BINDING) -> dict[str, Any]:
    """Return what the holder's key signed over this very set of disclosures; for whom and when is not checked."""
    if parts.key_binding is None:
        raise HolderBindingMissingError
    token = jws.parse(parts.key_binding, purpose)
    try:
        payload = jws.verify(token, holder_key).payload()
    except SignatureInvalidError as error:
        raise HolderBindingInvalidError("not signed by the holder's key") from error
    if payload.get("sd_hash") != sd_jwt.digest(parts.presented):
        raise HolderBindingInvalidError("made over another set of disclosures")
    return payload


def _check_audience(payload: dict[str, Any], audience: str) -> None:
    if payload.get("aud") != audience:
        raise AudienceMismatchError
