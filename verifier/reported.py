"""Verdicts that a counter's own machine made while its line was down, taken home: each counts once, however often sent.

Home did not see what was shown: it takes the counter's word for the verdict, as it takes its word that somebody stood
there. No receipt is signed for what was not verified here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from credentials.claim_values import Fault, FaultsError
from records import audit
from records import store as records_store
from records.database import Database
from verifier.counters import Counters
from verifier.models import Verification, VerifiedPresentation
from verifier.reasons import REASONS, Outcome
from verifier.recording import TellHolder

CHANNEL = "offline_pass"
LONGEST_DOWN, CLOCKS = timedelta(days=30), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class OfflineVerdict:
    """What a machine made of a pass: which (by its presentation's digest), when, for what."""

    verification_id: str
    verdict: Outcome
    reason: str
    checks: Sequence[Mapping[str, Any]]
    at: datetime
    service_item: str
    operator: str | None
    digests: Sequence[str]


class Reported:
    """The verb of taking them home."""

    def __init__(
        self, *, database: Database, counters: Counters, items: Collection[str], tell_holder: TellHolder
    ) -> None:
        self._database = database
        self._counters = counters
        self._items = items
        self._tell_holder = tell_holder

    def take(self, counter: str, verdicts: Sequence[OfflineVerdict], *, now: datetime) -> int:
        """Record verdicts and tell the holders; returns how many were new. One that cannot be refuses all of them."""
        here = self._counters.get(counter)
        faults = [fault for place, one in enumerate(verdicts) for fault in self._faults(one, f"/items/{place}", now)]
        if faults:
            raise FaultsError(faults)
        new = 0
        for one in verdicts:
            row = Verification(
                verification_id=one.verification_id,
                counter=counter,
                operator=one.operator,
                at=one.at,
                channel=CHANNEL,
                service_item=one.service_item,
                verdict=one.verdict,
                reason=one.reason,
                checks=[dict(check) for check in one.checks],
                receipt="",
            )
            with self._database.write() as session:
                if not records_store.insert_unless_taken(session, row):
                    continue
                session.add_all(
                    [VerifiedPresentation(digest=digest, verification_id=one.verification_id) for digest in one.digests]
                )
                audit.record(
                    session, stream=f"verifier/{counter}", actor=f"counter:{counter}",
                    act=f"verification.{one.verdict}", subject=one.verification_id, now=now,
                    detail={"reason": one.reason, "operator": one.operator, "service_item": one.service_item,
                            "offline_at": one.at.isoformat()},
                )  # fmt: skip
            self._tell_holder(one.digests, row, here)
            new += 1
        return new

    def _faults(self, one: OfflineVerdict, at: str, now: datetime) -> list[Fault]:
        known = REASONS.get(one.reason)
        faults = []
        if known is None or known.outcome != one.verdict:
            faults.append(Fault(f"{at}/reason", "wrong_value", "no reason for this verdict"))
        if one.service_item not in self._items:
            faults.append(Fault(f"{at}/service_item", "wrong_value", "there is no such service item"))
        if not now - LONGEST_DOWN <= one.at <= now + CLOCKS:
            faults.append(Fault(f"{at}/at", "wrong_date", "within the last thirty days"))
        return faults
