"""The trust list: the operator's signed word on which agency may sign which types, with which keys, and when.

`registry.py` signs it. `read` checks that signature and returns a `TrustList`; a verifier asks nothing else about
trust, on line or off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509

from credentials import jws
from credentials.errors import FormatError
from credentials.jwk import PublicKey, import_public
from credentials.x509 import header, parse_chain
from keys.errors import TrustListRefusedError
from keys.models import VERIFIED, Authorisation, KeyPurpose, KeyState, SigningKey, TrustedAgency

OPERATOR = "operator"
"""Who owns the keys of trust list and receipts."""
LIFE_SECONDS = 7 * 24 * 3600
REFRESH_SECONDS = 3600
"""A list is signed anew this often, so that its age says that the operator lives."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key as the trust list has it."""

    key: PublicKey
    purpose: str
    compromised: bool
    first: int | None = 0
    last: int | None = None
    compromised_from: int | None = None
    """From when on somebody else may have signed with it; nothing is known of when if None."""

    def signed_at(self, second: int) -> bool:
        """Whether this key was in use at `second`; a next key is not yet, a retired one no more."""
        return self.first is not None and self.first <= second and (self.last is None or second <= self.last)


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An agency as the trust list has it; `types` maps a `vct` to (from, until) in seconds."""

    issuer: str
    agency: str
    name: Mapping[str, str]
    keys: Mapping[str, TrustedKey]
    types: Mapping[str, tuple[int, int | None]]

    def may_sign(self, vct: str, *, at: int) -> bool:
        """Whether licences of `vct` signed at second `at` are within this agency's right."""
        first, last = self.types.get(vct, (at + 1, None))
        return first <= at and (last is None or at < last)


@dataclass(frozen=True, slots=True)
class TrustList:
    """A verified trust list."""

    version: int
    issued_at: int
    expires_at: int
    issuers: Mapping[str, TrustedIssuer]
    receipt_keys: Mapping[str, PublicKey]
    anchors: tuple[x509.Certificate, ...] = ()
    """Certificate authorities whose leaves carry keys in `x5c`."""
    log_keys: Mapping[str, PublicKey] = field(default_factory=dict)
    """Keys that sign the transparency log's checkpoints."""

    def check_current(self, *, now: datetime) -> None:
        """Raise `TrustListRefusedError` past the list's `exp`."""
        if now.timestamp() >= self.expires_at:
            raise TrustListRefusedError("the trust list is out of date")


def payload(
    *,
    base_url: str,
    version: int,
    issued_at: int,
    agencies: Sequence[TrustedAgency],
    keys: Sequence[SigningKey],
    authorisations: Sequence[Authorisation],
    anchors: Sequence[bytes] = (),
) -> dict[str, Any]:
    """Return the claims of a trust list."""
    return {
        "iss": base_url,
        "iat": issued_at,
        "exp": issued_at + LIFE_SECONDS,
        "version": version,
        "agencies": [
            {
                "iss": issuer_url(base_url, one.agency),
                "agency": one.agency,
                "name": one.name,
                "keys": [_key(row) for row in keys if row.owner == one.agency and row.purpose in VERIFIED],
                "types": [_right(row) for row in authorisations if row.agency == one.agency],
            }
            for one in agencies
        ],
        "anchors": header(anchors),
        "log_keys": [_key(row) for row in keys if row.purpose == KeyPurpose.LOG and row.owner == OPERATOR],
        "receipt_keys": [_key(row) for row in keys if row.purpose == KeyPurpose.RECEIPT and row.owner == OPERATOR],
    }


def issuer_url(base_url: str, agency: str) -> str:
    """Return an agency's issuer identifier, the `iss` of everything it signs."""
    return f"{base_url}/issuers/{agency}"


def read(token: str, operator_keys: Mapping[str, PublicKey]) -> TrustList:
    """Return the trust list of `token` if one of the operator's keys signed it, else raise `TrustListRefusedError`."""
    try:
        unverified = jws.parse(token, jws.TRUST_LIST)
        key = operator_keys.get(unverified.kid or "")
        if key is None:
            raise TrustListRefusedError("not signed by the operator's key")
        return _typed(jws.verify(unverified, key).payload())
    except (FormatError, KeyError, TypeError, AttributeError) as error:
        raise TrustListRefusedError(str(error)) from error


def _typed(claims: Mapping[str, Any]) -> TrustList:
    return TrustList(
        version=jws.required_date(claims, "version"),
        issued_at=jws.required_date(claims, "iat"),
        expires_at=jws.required_date(claims, "exp"),
        issuers={
            one["iss"]: TrustedIssuer(
                issuer=one["iss"],
                agency=one["agency"],
                name=one["name"],
                keys={key["kid"]: _trusted(key) for key in one["keys"]},
                types={
                    right["vct"]: (jws.required_date(right, "from"), jws.numeric_date(right, "until"))
                    for right in one["types"]
                },
            )
            for one in claims["agencies"]
        },
        anchors=tuple(parse_chain(claims["anchors"])) if claims.get("anchors") else (),
        log_keys={key["kid"]: _trusted(key).key for key in claims.get("log_keys", []) if not _trusted(key).compromised},
        receipt_keys={key["kid"]: _trusted(key).key for key in claims["receipt_keys"] if not _trusted(key).compromised},
    )


def _trusted(key: Mapping[str, Any]) -> TrustedKey:
    return TrustedKey(
        import_public(key["jwk"]),
        key["purpose"],
        key["state"] == KeyState.COMPROMISED,
        first=jws.numeric_date(key, "from"),
        last=jws.numeric_date(key, "until"),
        compromised_from=jws.numeric_date(key, "compromised_from"),
    )


def _key(row: SigningKey) -> dict[str, Any]:
    dates = {"from": row.activated_at, "until": row.retired_at, "compromised_from": row.compromised_from}
    seconds = {name: int(at.timestamp()) for name, at in dates.items() if at is not None}
    return {"kid": row.kid, "purpose": row.purpose, "state": row.state, "jwk": row.jwk} | seconds


def _right(row: Authorisation) -> dict[str, Any]:
    until = {"until": int(row.valid_until.timestamp())} if row.valid_until else {}
    return {"vct": row.vct, "from": int(row.valid_from.timestamp())} | until
