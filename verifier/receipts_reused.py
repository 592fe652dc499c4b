"""Relying on a receipt in place of a new presentation: when the item allows it and the holder permits, and only then.

(1) the receipt is this city's own · (2) it says accepted · (3) the item takes receipts, and this one is young enough ·
(4) the holder permits it, still · (5) each licence is good now. What the item still lacks is named.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from credentials import base64url
from credentials.errors import FormatError
from credentials.licence_type import LicenceType
from keys.trust_list import TrustList
from records.database import Database
from verifier import receipts, store
from verifier.checking import Checks
from verifier.errors import RefusalError
from verifier.reasons import Outcome
from verifier.recording import Question, Recorder
from verifier.service_items import ServiceItem
from verifier.verdict import Verdict, not_accepted

CHANNEL = "receipt"
ID_BYTES = 12
STATES = {
    "suspended": "suspended", "revoked": "revoked", "superseded": "licence_superseded", "expired": "licence_expired",
    "type_not_authorised": "type_not_authorised",
}  # fmt: skip
"""What the ledger says of a licence → the reason that refuses a receipt."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What the holders of a receipt's licences permit: until when; `withdrawn` if one of them took it back."""

    until: datetime | None
    withdrawn: bool
    licences: Sequence[tuple[str, str]]
    """Licence type and the ledger's state now, of each."""


class HolderSide(Protocol):
    """The wallets whose licences a receipt is about."""

    def permission(self, digests: Sequence[str], now: datetime, /) -> Permission:
        """Return what is permitted, by presentations' digests."""

    def relied(self, digests: Sequence[str], counter: str, name: Mapping[str, str], item: str, at: datetime, /) -> None:
        """Tell the holders that somebody relied on their receipt."""


class Reuse:
    """The verb of relying on receipts."""

    def __init__(
        self,
        *,
        database: Database,
        trust: Callable[[datetime], TrustList],
        types: Mapping[str, LicenceType],
        holder_side: HolderSide,
        recorder: Recorder,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._trust = trust
        self._types = types
        self._holder_side = holder_side
        self._recorder = recorder
        self._randomness = randomness

    def check(self, token: str, question: Question, *, now: datetime) -> Verdict:
        """Return the verdict on relying on a receipt for another matter, with the original one and what is lacking."""
        verification_id, checks = base64url.name(self._randomness(ID_BYTES)), Checks()
        digests: Sequence[str] = ()
        try:
            said = self._read(token, now)
            if said["verdict"] != Outcome.ACCEPTED:
                raise RefusalError("receipt_of_no_acceptance")
            issued_at = datetime.fromtimestamp(said["iat"], UTC)
            if not question.item.receipts_days:
                raise RefusalError("receipts_not_taken")
            if now >= issued_at + timedelta(days=question.item.receipts_days):
                raise RefusalError("receipt_too_old", at=issued_at.isoformat())
            with self._database.read() as session:
                digests = store.digests_of(session, said["jti"])
            self._check_permitted(self._holder_side.permission(digests, now), now)
            made = self._relied(verification_id, said, question.item, checks, now)
        except RefusalError as refusal:
            made = not_accepted(verification_id, refusal, checks, channel=CHANNEL, now=now)
        recorded = self._recorder.record(made, [], question, [], now=now)
        if made.outcome == Outcome.ACCEPTED:
            counter = question.counter
            self._holder_side.relied(digests, counter.key, counter.name, question.item.key, now)
        return recorded

    def _read(self, token: str, now: datetime) -> dict[str, Any]:
        try:
            return receipts.read(token, self._trust(now))
        except FormatError as error:
            raise RefusalError("receipt_refused") from error

    def _check_permitted(self, found: Permission, now: datetime) -> None:
        if found.withdrawn:
            raise RefusalError("receipt_withdrawn")
        if found.until is None or not found.licences:
            raise RefusalError("receipt_not_permitted")
        if now >= found.until:
            raise RefusalError("receipt_expired", at=found.until.isoformat())
        for _, state in found.licences:
            if state != "valid":
                raise RefusalError(STATES.get(state, "status_unknown_value"))

    def _relied(
        self, verification_id: str, said: Mapping[str, Any], item: ServiceItem, checks: Checks, now: datetime
    ) -> Verdict:
        """Return green: which of the listed licences were shown then, claims by name; no value is here to tell."""
        told = [one for one in said["licences"] if one["licence_type"] in item.listed]
        if not told:
            raise RefusalError("licence_not_requested")
        shown = {one["licence_type"]: frozenset(one["claims"]) for one in told}
        licences = [
            {
                "licence_type": one["licence_type"], "agency": one["iss"].rsplit("/", 1)[-1],
                "name": dict(self._types[one["vct"]].names) if one["vct"] in self._types else {},
                "claims_shown": one["claims"], "shown_at": datetime.fromtimestamp(said["iat"], UTC).isoformat(),
                "to": said["counter"], "for": said["service_item"], "receipt": said["jti"],
            }
            for one in told
        ]  # fmt: skip
        return Verdict(
            verification_id=verification_id,
            outcome=Outcome.ACCEPTED,
            reason="receipt_accepted",
            reason_at=None,
            channel=CHANNEL,
            offline=False,
            checks=checks.rows,
            licences=licences,
            missing=item.lacking(shown),
            at=now,
            status_as_of=int(now.timestamp()),
        )
