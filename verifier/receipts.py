"""Receipts: what both sides keep in place of a photocopy; re-verifiable for years under the trust list's keys."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from credentials import jws
from credentials.errors import KeyRefusedError
from keys.trust_list import TrustList
from verifier.checking import Checked
from verifier.models import Counter
from verifier.service_items import ServiceItem
from verifier.verdict import Verdict


def read(token: str, trust: TrustList) -> dict[str, Any]:
    """Return the claims of a receipt that a receipt key of the trust list signed; raises `FormatError` otherwise.

    Nothing is fetched and no date is checked: a receipt stays what it was. A compromised key's is not believed.
    """
    unverified = jws.parse(token, jws.RECEIPT)
    key = trust.receipt_keys.get(unverified.kid or "")
    if key is None:
        raise KeyRefusedError("no receipt key of this trust list")
    return jws.verify(unverified, key).payload()


def claims(
    made: Verdict, checked: Collection[Checked], counter: Counter, item: ServiceItem, *, base_url: str, now: datetime
) -> dict[str, Any]:
    """Return a receipt's claims: what was shown by digest and claim name, never a claim's value."""
    return {
        "iss": f"{base_url}/verifier",
        "iat": int(now.timestamp()),
        "jti": made.verification_id,
        "counter": counter.key,
        "agency": counter.agency,
        "service_item": item.key,
        "channel": made.channel,
        "verdict": made.outcome,
        "reason": made.reason,
        "licences": [
            {
                "licence_type": one.kind.key,
                "iss": one.licence.issuer,
                "vct": one.licence.vct,
                "sha256": one.jwt_digest,
                "claims": sorted(shown["claims"]),
                "status_as_of": one.status_as_of,
            }
            for one, shown in zip(checked, made.licences, strict=False)
        ],
    }
