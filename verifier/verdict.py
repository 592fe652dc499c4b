"""The verdict: one object for every channel. Made from `Checked` licences or from a refusal, nothing else."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from verifier.checking import Checked, Checks
from verifier.errors import RefusalError
from verifier.reasons import REASONS, Outcome
from verifier.service_items import ServiceItem


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a counter is told; `receipt` is filled when the verdict is recorded."""

    verification_id: str
    outcome: Outcome
    reason: str
    reason_at: str | None
    channel: str
    offline: bool
    checks: Sequence[Mapping[str, Any]]
    licences: Sequence[Mapping[str, Any]]
    missing: Sequence[Mapping[str, Any]]
    at: datetime
    status_as_of: int | None
    receipt: str | None = None
    copy_until: datetime | None = None
    """Until when a copy for the file can be had; None: none is kept."""

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as every channel answers it."""
        said = REASONS[self.reason]
        age = None if self.status_as_of is None else max(int(self.at.timestamp()) - self.status_as_of, 0)
        return {
            "verification_id": self.verification_id,
            "verdict": self.outcome,
            "reason": self.reason,
            "reason_at": self.reason_at,
            "message": {"zh": said.zh, "en": said.en},
            "channel": self.channel,
            "offline": self.offline,
            "checks": list(self.checks),
            "licences": list(self.licences),
            "missing": list(self.missing),
            "verified_at": self.at.astimezone(UTC).isoformat(),
            "status_as_of": rfc3339(self.status_as_of),
            "status_age_seconds": age,
            "receipt": self.receipt,
            "copy_until": self.copy_until.astimezone(UTC).isoformat() if self.copy_until else None,
        }


def accepted(
    verification_id: str,
    checked: Sequence[Checked],
    item: ServiceItem | None,
    checks: Checks,
    *,
    channel: str,
    by_mandate: Sequence[bool | None] = (),
    now: datetime,
) -> Verdict:
    """Return green, for licences that passed every step; shows the claims that the item lists and no others.

    `by_mandate` says of each in turn whether somebody showed it for another; None where only a foreign wallet knows.
    """
    if not checked:
        raise RefusalError("nothing_presented")
    listed = item.listed if item else None
    licences = [
        _shown(one, listed.get(one.kind.key, ()) if listed is not None else None, by_mandate=acted)
        for one, acted in zip_longest(checked, by_mandate[: len(checked)])
    ]
    shown: dict[str, set[str]] = {}
    for one in licences:
        shown.setdefault(one["licence_type"], set()).update(one["claims"])
    return Verdict(
        verification_id=verification_id,
        outcome=Outcome.ACCEPTED,
        reason="accepted",
        reason_at=None,
        channel=channel,
        offline=False,
        checks=checks.rows,
        licences=licences,
        missing=item.lacking(shown) if item else [],
        at=now,
        status_as_of=min(one.status_as_of for one in checked),
    )


def not_accepted(
    verification_id: str, refusal: RefusalError, checks: Checks, *, channel: str, now: datetime
) -> Verdict:
    """Return red or amber, with the reason; nothing of the licences is told."""
    checks.skip_rest(refusal.code)
    return Verdict(
        verification_id=verification_id,
        outcome=REASONS[refusal.code].outcome,
        reason=refusal.code,
        reason_at=refusal.at,
        channel=channel,
        offline=False,
        checks=checks.rows,
        licences=[],
        missing=[],
        at=now,
        status_as_of=None,
    )


@lru_cache(maxsize=4096)
def rfc3339(second: int | None) -> str | None:
    """Return a token's second as RFC 3339 text in UTC."""
    return None if second is None else datetime.fromtimestamp(second, UTC).isoformat()


def _shown(one: Checked, listed: Collection[str] | None, *, by_mandate: bool | None) -> dict[str, Any]:
    """Return a licence as a counter sees it; `listed` None (no item named) shows all that was disclosed."""
    claims = {name: value for name, value in one.licence.claims.items() if listed is None or name in listed}
    return {
        "licence_type": one.kind.key,
        "name": dict(one.kind.names),
        "agency": one.issuer.agency,
        "agency_name": dict(one.issuer.name),
        "claims": claims,
        "labels": {name: dict(one.kind.claims[name].labels) for name in claims if name in one.kind.claims},
        "issued_at": rfc3339(one.licence.issued_at),
        "not_before": rfc3339(one.licence.not_before),
        "expires_at": rfc3339(one.licence.expires_at),
        "status_as_of": rfc3339(one.status_as_of),
        "by_mandate": by_mandate,
    }
