"""The SD-JWT VC profile that every licence keeps (draft-ietf-oauth-sd-jwt-vc): typed, bound, with a status.

A licence goes `UnverifiedLicence` → `verify_licence` → `Licence`: only the last has claims to believe.
Dates are checked apart (`check_dates`), because the verdict names them as a step of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from credentials import jws, sd_jwt, status_list
from credentials.errors import (
    ClaimInvalidError,
    ClockDiffersError,
    DisclosureInvalidError,
    ExpiredError,
    HolderBindingMissingError,
    KeyRefusedError,
    MalformedError,
    NotYetValidError,
)
from credentials.jwk import PublicKey, import_public
from credentials.sd_jwt import SdJwt
from credentials.status_list import StatusReference
from credentials.type_metadata import ClaimRule, check_claims

CLOCK_LEEWAY = timedelta(seconds=60)  # how far ahead an honest issuer's clock may run
NEVER_SELECTIVE = frozenset(
    {"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"}
)  # SD-JWT VC section 2.2.2.2
ENVELOPE = NEVER_SELECTIVE | {"iat"}
"""Registered members: about the licence as a token, not about the person."""


@dataclass(frozen=True, slots=True)
class UnverifiedLicence:
    """What a licence says of itself before anyone vouched for it: enough to look up a key, no more."""

    parts: SdJwt
    token: jws.Unverified
    issuer: str
    vct: str
    claimed: Mapping[str, Any]
    """The payload, read once: the very bytes that `verify_licence` holds the signature against."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Any issuer's SD-JWT VC, disclosures put in: what a wallet holds. Who made it says what was verified."""

    vct: str
    issuer: str | None
    issued_at: int | None
    not_before: int | None
    expires_at: int | None
    holder_key: PublicKey
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence whose issuer's signature and disclosures verified; dates, binding and status are not."""

    issuer: str
    vct: str
    issued_at: int
    not_before: int | None
    expires_at: int | None
    holder_key: PublicKey
    status: StatusReference
    claims: Mapping[str, Any]
    """Always-shown and disclosed claims, without the envelope."""


def parse_licence(text: str) -> UnverifiedLicence:
    """Take a presented licence apart, believing nothing; raises `MalformedError` and its kin."""
    parts = sd_jwt.parse(text)
    token = jws.parse(parts.jwt, jws.LICENCE)
    payload = token.unverified_payload()
    issuer, vct = jws.required_text(payload, "iss"), jws.required_text(payload, "vct")
    return UnverifiedLicence(parts, token, issuer, vct, payload)


def parse_again(licence: UnverifiedLicence, text: str) -> UnverifiedLicence:
    """Take a presentation apart whose licence and disclosures, to the letter, are those of `licence`."""
    if not text.isascii() or len(text) > jws.MAX_TOKEN_BYTES:
        raise MalformedError("not ASCII, or too long")
    parts = sd_jwt.with_binding(licence.parts, text)
    return UnverifiedLicence(parts, licence.token, licence.issuer, licence.vct, licence.claimed)


def verify_licence(
    licence: UnverifiedLicence,
    key: PublicKey,
    memory: jws.SignatureMemory | None = None,
    rules: Sequence[ClaimRule] = (),
) -> Licence:
    """Verify signature and disclosures under the trusted `key` and return the claims (RFC 9901 section 7.1).

    What the type's metadata demands of claims (`rules`) is held too. Not checked here: whether `key` may sign this
    type, dates, holder binding, status.
    """
    jws.verify(licence.token, key, memory)
    payload = licence.claimed
    claims = processed(payload, licence.parts)
    verified = typed(claims)
    check_claims(rules, payload, claims)
    return verified


def processed(payload: Mapping[str, Any], parts: SdJwt) -> dict[str, Any]:
    """Return a payload's claims with disclosures put in; registered claims must not come by disclosure."""
    claims = sd_jwt.process(payload, parts.disclosures)
    if smuggled := (NEVER_SELECTIVE & claims.keys()) - payload.keys():
        raise DisclosureInvalidError(f"{sorted(smuggled)[0]} must not be selectively disclosable")
    return claims


def held(parts: SdJwt) -> Credential:
    """Return what a wallet holds of any issuer's SD-JWT VC; its signature is not verified here.

    A credential without `vct` or without a P-256 holder key raises its reason; `iss`, `iat` and `status` are optional
    (SD-JWT VC section 2.2.2.1), the envelope is not among the claims.
    """
    payload = jws.parse(parts.jwt, jws.FOREIGN_LICENCE).unverified_payload()
    claims = processed(payload, parts)
    issuer = claims.get("iss")
    if not (issuer is None or isinstance(issuer, str)):
        raise ClaimInvalidError("iss is not a text")
    return Credential(
        vct=jws.required_text(claims, "vct"),
        issuer=issuer,
        issued_at=jws.numeric_date(claims, "iat"),
        not_before=jws.numeric_date(claims, "nbf"),
        expires_at=jws.numeric_date(claims, "exp"),
        holder_key=_holder_key(claims.get("cnf")),
        claims={name: value for name, value in claims.items() if name not in ENVELOPE},
    )


def check_profile(claims: Mapping[str, Any]) -> None:
    """Raise unless processed claims are an SD-JWT VC's (section 2.2.2): `vct`, and what is optional as it must be."""
    jws.required_text(claims, "vct")
    for name in ("iss", "sub"):
        if name in claims:
            jws.required_text(claims, name)
    cnf = claims.get("cnf")
    if isinstance(cnf, dict) and "jwk" in cnf:
        import_public(cnf["jwk"])
    elif "cnf" in claims and not isinstance(cnf, dict):
        raise ClaimInvalidError("cnf is not an object")
    status = claims.get("status")
    if isinstance(status, dict) and "status_list" in status:
        status_list.reference(status)
    elif "status" in claims and not isinstance(status, dict):
        raise ClaimInvalidError("status is not an object")


def typed(claims: Mapping[str, Any]) -> Licence:
    """Return processed claims as a `Licence`; a missing or odd registered claim raises `ClaimInvalidError`."""
    issued_at, expires_at = jws.required_date(claims, "iat"), jws.numeric_date(claims, "exp")
    if expires_at is not None and expires_at < issued_at:
        raise ClaimInvalidError("exp is before iat")
    return Licence(
        issuer=jws.required_text(claims, "iss"),
        vct=jws.required_text(claims, "vct"),
        issued_at=issued_at,
        not_before=jws.numeric_date(claims, "nbf"),
        expires_at=expires_at,
        holder_key=_holder_key(claims.get("cnf")),
        status=status_list.reference(claims.get("status")),
        claims={name: value for name, value in claims.items() if name not in ENVELOPE},
    )


def check_dates(licence: Licence, *, now: datetime) -> None:
    """Raise unless `now` lies within the licence's own dates; at `exp` it is over (RFC 7519 section 4.1.4)."""
    second = now.timestamp()
    if licence.issued_at > second + CLOCK_LEEWAY.total_seconds():
        raise ClockDiffersError("the licence was issued in this machine's future")
    if licence.not_before is not None and second < licence.not_before:
        raise NotYetValidError
    if licence.expires_at is not None and second >= licence.expires_at:
        raise ExpiredError


def _holder_key(cnf: object) -> PublicKey:
    if not isinstance(cnf, dict) or not isinstance(cnf.get("jwk"), dict):
        raise HolderBindingMissingError("the licence is bound to no key (cnf.jwk)")
    key = import_public(cnf["jwk"])
    if "ES256" not in key.algorithms:
        raise KeyRefusedError("holder keys are P-256")
    return key
