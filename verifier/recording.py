"""Step 8: the verdict, its receipt, the holder's list of uses and the audit entry in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from sqlmodel import Session

from credentials import jws
from keys.errors import CustodyError
from keys.models import KeyPurpose
from keys.trust_list import OPERATOR
from keys.vault import Vault
from records import audit
from records import store as records_store
from records.audit import Act
from records.database import Database
from records.rows import store as rows_store
from records.together import Together
from verifier import checking, receipts
from verifier.checking import Checked
from verifier.file_copies import document
from verifier.file_copies.file_copies import FileCopies
from verifier.models import Counter, Verification, VerifiedPresentation
from verifier.service_items import ServiceItem
from verifier.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks for what: the counter, its clerk if it names one, the service item."""

    counter: Counter
    item: ServiceItem
    operator: str | None


class TellHolder(Protocol):
    """The wallet's list of uses."""

    def __call__(self, session: Session, said: Mapping[str, Mapping[str, object]], /) -> None:
        """Note counters' verdicts (`told_of`) with the uses that presentations (by SHA-256, base64url) belong to.

        In the transaction that records them: a verdict that is known is known to whom it is about.
        """


def told_of(
    counter: Counter, *, service_item: str, verdict: str, reason: str, receipt: str = ""
) -> Mapping[str, object]:
    """Return what a holder is told of a verdict: whose it is, for what, what it was and why, and its receipt."""
    return {
        "verifier": counter.key, "verifier_name": dict(counter.name), "service_item": service_item, "verdict": verdict,
        "reason": reason, "receipt": receipt,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Record:
    """All that is written down of one verdict."""

    row: Mapping[str, Any]
    digests: Sequence[str]
    told: Mapping[str, object]
    act: Act
    copied: Mapping[str, Any] | None


class Recorder:
    """Writes verdicts down and tells holders."""

    def __init__(
        self, *, database: Database, vault: Vault, base_url: str, tell_holder: TellHolder, file_copies: FileCopies
    ) -> None:
        self._database = database
        self._vault = vault
        self._base_url = base_url
        self._tell_holder = tell_holder
        self._file_copies = file_copies
        self._together = Together(self._record_all)

    def record(
        self, made: Verdict, checked: Sequence[Checked], question: Question, digests: Sequence[str], *, now: datetime
    ) -> Verdict:
        """Record a verdict on the presentations of `digests`; returns it with its receipt."""
        counter = question.counter
        copied = self._file_copies.of(made, question.item, counter, question.operator)
        receipt = self._receipt(made, checked, question, now, document.digest(copied) if copied else None)
        made = replace(made, checks=[*made.checks, {"number": 8, "step": "record", "outcome": checking.PASSED}])
        said = {"service_item": question.item.key, "verdict": made.outcome, "reason": made.reason, "receipt": receipt}
        row = {
            "verification_id": made.verification_id, "counter": counter.key, "operator": question.operator, "at": now,
            "channel": made.channel, "checks": [dict(one) for one in made.checks], **said,
        }  # fmt: skip
        act = Act(
            f"verifier/{counter.key}", f"counter:{counter.key}", f"verification.{made.outcome}", made.verification_id,
            now, {"reason": made.reason, "operator": question.operator, "service_item": question.item.key,
                  "receipt": sha256(receipt.encode()).hexdigest()},
        )  # fmt: skip
        self._together(_Record(row, digests, told_of(counter, **said), act, copied if receipt else None))
        until = datetime.fromisoformat(copied["until"]) if receipt and copied else None
        return replace(made, receipt=receipt or None, copy_until=until)

    def _record_all(self, records: Sequence[_Record]) -> Sequence[None]:
        told: dict[str, Mapping[str, object]] = {}
        for one in records:
            for digest in one.digests:
                told.setdefault(digest, one.told)  # the first word stands
        with self._database.write() as session:
            if len(records) > 1:
                records_store.wait_briefly(session)
            of = [
                (VerifiedPresentation, {"digest": digest, "verification_id": one.row["verification_id"]})
                for one in records
                for digest in one.digests
            ]
            rows_store.insert_each(session, [*((Verification, one.row) for one in records), *of])
            self._tell_holder(session, told)
            for one in records:
                if one.copied is not None:
                    self._file_copies.keep(session, one.copied)
            audit.record_many(session, [one.act for one in records])
        return [None] * len(records)

    def _receipt(
        self, made: Verdict, checked: Sequence[Checked], question: Question, now: datetime, copy_sha256: str | None
    ) -> str:
        """Return the signed receipt; none when no key opens: verifying goes on, signing waits for the operator."""
        claims = receipts.claims(
            made, checked, question.counter, question.item, base_url=self._base_url, now=now, copy_sha256=copy_sha256
        )
        try:
            key = self._vault.remembered(OPERATOR, KeyPurpose.RECEIPT, now=now)
        except CustodyError:
            return ""
        return jws.sign(jws.RECEIPT, claims, key.signer, kid=key.kid) if key.signer else ""
