"""Verdicts that a counter's own machine made while its line was down, taken home: each counts once, however often sent.

Home did not see what was shown: it takes the counter's word for the verdict, as it takes its word that somebody stood
there. No receipt is signed for what was not verified here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from credentials.claim_values import FaultsError
from records import audit
from records.database import Database
from records.rows import store as rows_store
from verifier.errors import VerifierError
from verifier.models import Counter, SeenPass, Verification, VerifiedPresentation
from verifier.reasons import REASONS, Outcome
from verifier.recording import TellHolder, told_of
from verifier.verifier import Verifier

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

    def __init__(self, *, database: Database, verifier: Verifier, tell_holder: TellHolder) -> None:
        self._database = database
        self._verifier = verifier
        self._tell_holder = tell_holder

    def take(self, counter: str, verdicts: Sequence[OfflineVerdict], *, now: datetime) -> tuple[int, dict[str, str]]:
        """Record verdicts and tell the holders; returns how many were new, and of those that cannot be, which and why.

        The same rules as here: an item that the counter's channel offers, no clerk at a kiosk, and nothing of whoever
        is no agency. A pass that was taken there is taken here, too.
        """
        here = self._verifier.counters.get(counter)
        new, refused = 0, dict[str, str]()
        for one in verdicts:
            why = self._why_not(counter, one, now)
            if why is not None:
                refused[one.verification_id] = why
            elif self._recorded(here, one, now):
                new += 1
        return new, refused

    def _recorded(self, here: Counter, one: OfflineVerdict, now: datetime) -> bool:
        row = Verification(
            verification_id=one.verification_id,
            counter=here.key,
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
            if not rows_store.insert_unless_taken(session, row):
                return False
            for digest in one.digests:
                session.add(VerifiedPresentation(digest=digest, verification_id=one.verification_id))
                session.flush()
                if one.verdict != Outcome.CANNOT_CONFIRM:
                    seen = SeenPass(digest=digest, counter=here.key, seen_at=one.at)
                    rows_store.insert_unless_taken(session, seen)
            told = told_of(here, service_item=one.service_item, verdict=one.verdict, reason=one.reason)
            self._tell_holder(session, dict.fromkeys(one.digests, told))
            audit.record(
                session, stream=f"verifier/{here.key}", actor=f"counter:{here.key}",
                act=f"verification.{one.verdict}", subject=one.verification_id, now=now,
                detail={"reason": one.reason, "operator": one.operator, "service_item": one.service_item,
                        "offline_at": one.at.isoformat()},
            )  # fmt: skip
        return True

    def _why_not(self, counter: str, one: OfflineVerdict, now: datetime) -> str | None:
        known = REASONS.get(one.reason)
        if known is None or known.outcome != one.verdict:
            return "reason_refused"
        if one.verdict == Outcome.ACCEPTED and not one.digests:
            return "nothing_presented"
        if not now - LONGEST_DOWN <= one.at <= now + CLOCKS:
            return "wrong_date"
        try:
            question = self._verifier.question(counter, one.service_item, one.operator)
        except (VerifierError, FaultsError) as error:
            return error.code
        return "consent_needed" if question.counter.opened_types is not None else None
