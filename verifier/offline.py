"""Verifying with no network: a pass against a trust bundle that was fetched when there was one.

How old a status may be here is the licence type's (`offline_status_max_age_seconds` in `app/data/licence_types.json`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from credentials import licence_type, offline_pass, sd_jwt
from credentials.errors import FormatError
from credentials.jwk import import_set
from credentials.licence_type import LicenceType
from credentials.status_list import StatusListToken
from keys import trust_list
from keys.errors import TrustListRefusedError
from keys.trust_list import TrustedIssuer, TrustList
from verifier import checking, service_items, verdict
from verifier.checking import Checks
from verifier.errors import RefusalError
from verifier.reasons import Outcome, outcome
from verifier.seen_passes import SeenFile
from verifier.service_items import Known, ServiceItem
from verifier.verdict import Verdict


@dataclass(frozen=True, slots=True)
class TrustBundle:
    """A trust bundle whose trust list is the pinned operator's; status lists are verified when used."""

    base_url: str
    trust: TrustList
    status_lists: Mapping[str, str]
    types: Mapping[str, LicenceType]
    items: Mapping[str, ServiceItem]

    def status_list(self, uri: str, issuer: TrustedIssuer, trust: TrustList, *, now: datetime) -> StatusListToken:
        """Return the bundled list of `uri`; one that is not there raises `status_unavailable`."""
        text = self.status_lists.get(uri)
        if text is None:
            raise RefusalError("status_unavailable")
        return checking.read_status_list(text, uri, issuer, trust, now=now)


def open_bundle(data: Mapping[str, Any]) -> TrustBundle:
    """Return a bundle as downloaded; the operator's key in it is the pin, so keep the file as you keep a key.

    Raises `TrustListRefusedError` if it is not a bundle or its trust list is not the operator's.
    """
    try:
        types = [licence_type.load(one) for one in data["licence_types"]]
        trust = trust_list.read(data["trust_list"], import_set(data["operator_keys"]))
        names = {one.agency: one.name for one in trust.issuers.values()}
        known = {
            one.key: Known(one.names, [names[key] for key in one.issuer_agencies if key in names], one.optional)
            for one in types
        }
        items = [service_items.load(one, types=known) for one in data["service_items"]]
        return TrustBundle(
            base_url=str(data["base_url"]),
            trust=trust,
            status_lists={str(uri): str(text) for uri, text in data["status_lists"].items()},
            types={f"{data['base_url']}/issuers/types/{one.key}": one for one in types},
            items={one.key: one for one in items},
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, re.error, FormatError) as error:
        raise TrustListRefusedError(f"not a trust bundle: {error}") from error


def verify_pass(
    scanned: str, bundle: TrustBundle, item: ServiceItem | None, *, now: datetime, seen: SeenFile | None = None
) -> Verdict:
    """Return the verdict on an offline pass. It binds to no counter, and its status is as old as the bundle.

    With `seen`, a pass counts once; without it, whether the pass was shown before is not checked.
    """
    checks, digest = Checks(), ""
    verification_id = "offline-" + sd_jwt.digest(scanned)[:16] if scanned.isascii() else "offline"
    try:
        with checks.step(0):
            text = offline_pass.unpack(scanned.strip())
            digest = sd_jwt.presentation_digest(text)
            if seen is not None:
                seen.claim(digest, now)
        with checks.step(1):
            pass
        checked = checking.check(
            text,
            trust=lambda: bundle.trust,
            types=bundle.types,
            binding=checking.offline_binding(now),
            statuses=bundle.status_list,
            status_max_age=lambda kind: kind.offline_status_max_age,
            checks=checks,
            now=now,
        )
        if item is not None and checked.kind.key not in item.listed:
            raise RefusalError("licence_not_requested")
        made = verdict.accepted(verification_id, [checked], item, checks, channel="offline_pass", now=now)
    except RefusalError as refusal:
        if seen is not None and digest and outcome(refusal.code) == Outcome.CANNOT_CONFIRM:
            seen.forget(digest)
        made = verdict.not_accepted(verification_id, refusal, checks, channel="offline_pass", now=now)
    return replace(made, offline=True)


def nothing_known(code: str, *, now: datetime) -> Verdict:
    """Return the verdict where not even a pass or a bundle could be read; `code` is the reason."""
    made = verdict.not_accepted("offline", RefusalError(code), Checks(), channel="offline_pass", now=now)
    return replace(made, offline=True)
