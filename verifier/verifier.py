"""The verifier: asks, and verifies as a numbered story. Nothing named by an unverified token is ever fetched.

(0) claim the request once · (1) obtain the presentation · (2) parse, believing nothing · (3) trust · (4) signature
and disclosures · (5) holder binding · (6) dates · (7) status · (8) record the verdict and the receipt. Steps 2 to 7
are in `checking.py`. No transaction of ours is open while anything is obtained or checked.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from credentials import base64url, offline_pass, sd_jwt
from credentials.claim_values import Fault, FaultsError
from credentials.licence_type import LicenceType
from keys.trust_list import TrustList
from records import audit, idempotency
from records.database import Database
from records.idempotency import Attempt
from verifier import checking, store, verdict
from verifier.checking import Checked, Checks, StatusLists
from verifier.counters import Counters
from verifier.errors import (
    ItemNotOfferedError,
    OnlineByLinkError,
    RefusalError,
    UnknownCounterError,
    UnknownServiceItemError,
)
from verifier.models import Verification, VerificationRequest
from verifier.obtaining import Demand, HolderSide, Obtain, Obtained
from verifier.reasons import Outcome, outcome
from verifier.recording import Question, Recorder
from verifier.seen_passes import SeenPasses
from verifier.service_items import ServiceItem
from verifier.trust_cache import SignaturesSeen
from verifier.verdict import Verdict

REQUEST_LIFE = timedelta(seconds=120)
NONCE_BYTES = 24
MAX_PRESENTATIONS = 16  # in one verification


class Verifier:
    """The verbs of a counter. Everything it needs comes in here; it knows neither HTTP nor settings."""

    def __init__(
        self,
        *,
        database: Database,
        counters: Counters,
        trust: Callable[[datetime], TrustList],
        statuses: StatusLists,
        types: Mapping[str, LicenceType],
        items: Mapping[str, ServiceItem],
        base_url: str,
        holder_side: HolderSide,
        by_mandate: Callable[[Sequence[str]], Mapping[str, bool]],
        recorder: Recorder,
        logged: checking.Logged,
        randomness: Callable[[int], bytes],
    ) -> None:
        self.items = items
        self._database = database
        self.counters = counters
        self._seen = SeenPasses(database=database)
        self.trust = trust
        self._statuses = statuses
        self._types = types
        self._base_url = base_url
        self._holder_side = holder_side
        self._by_mandate = by_mandate
        self._recorder = recorder
        self._logged = logged
        self._randomness = randomness
        self._memory = SignaturesSeen()

    def audience(self, counter: str) -> str:
        """Return a counter's `client_id`: the audience of presentations made for it."""
        return f"{self._base_url}/verifier/counters/{counter}"

    def question(
        self, counter: str, service_item: str, operator: str | None, *, by_link: bool = False,
        now: datetime | None = None,
    ) -> Question:  # fmt: skip
        """Return who asks for what; the item must be one that the counter's channel offers.

        Online nobody stands there with a code: it is asked `by_link`, for the session of a page.
        """
        row, item = self.counters.get(counter, now=now), self.items.get(service_item)
        if item is None:
            raise UnknownServiceItemError
        if row.channel not in item.channels:
            raise ItemNotOfferedError
        if row.channel == "online" and not by_link:
            raise OnlineByLinkError
        if row.opened_types is not None and not item.listed.keys() <= set(row.opened_types):
            raise ItemNotOfferedError
        if row.channel == "kiosk" and operator is not None:
            raise FaultsError([Fault("/operator", "no_operator", "a kiosk has none: it is nobody's desk")])
        return Question(row, item, operator)

    # Asking

    def ask(self, question: Question, this: Attempt, *, now: datetime) -> VerificationRequest:
        """Open a request that a wallet answers once, within two minutes; the same attempt gives the same one."""
        row = VerificationRequest(
            request_id=base64url.name(self._randomness(12)),
            counter=question.counter.key,
            service_item=question.item.key,
            nonce=self._token(NONCE_BYTES),
            expires_at=now + REQUEST_LIFE,
        )
        with self._database.write() as session:
            earlier = idempotency.claim(session, this, result=row.request_id, now=now)
            if earlier is not None:
                return store.request(session, earlier, question.counter.key) or row
            session.add(row)
            audit.record(
                session, stream=f"verifier/{question.counter.key}", actor=f"counter:{question.counter.key}",
                act="request.opened", subject=row.request_id, now=now, detail={"service_item": question.item.key},
            )  # fmt: skip
        return row

    # Verifying

    def verify_scan(self, scanned: str, question: Question, *, demand: Demand | None = None, now: datetime) -> Verdict:
        """Verify what a scanner read: a show code or an offline pass."""
        scanned = scanned.strip(" \t\r\n")  # a scanner gun sends Enter
        if scanned.startswith(offline_pass.PREFIX):
            return self._verify("offline_pass", question, self._unpack(scanned, question, now), now, demand)
        audience, nonce = self.audience(question.counter.key), self._token(NONCE_BYTES)

        def obtain(checks: Checks) -> Obtained:
            # 0 and 1. The wallet uses the code up and makes the presentation in one act.
            with checks.step(0):
                _must_not_need_a_word(question)
                presented, acted = self._holder_side(scanned, question, audience=audience, nonce=nonce, now=now)
            with checks.step(1):
                if not presented:
                    raise RefusalError("nothing_presented")
            return Obtained(presented, checking.online_binding(audience, nonce, now), acted)

        return self._verify("show_code", question, obtain, now, demand)

    def verify_answer(
        self,
        request_id: str,
        vp_token: Mapping[str, Sequence[str]],
        counter: str,
        operator: str | None,
        *,
        now: datetime,
    ) -> Verdict:
        """Verify a `vp_token` (OpenID4VP section 8.1) as the one answer to a request of this counter."""
        with self._database.read() as session:
            row = store.request(session, request_id, counter)
        if row is None:
            raise UnknownCounterError("no such request")
        question = self.question(counter, row.service_item, operator)
        audience = self.audience(counter)

        def obtain(checks: Checks) -> Obtained:
            # 0. The request is claimed before any work: a wrong answer spends it too.
            with checks.step(0), self._database.write() as session:
                if store.claim_request(session, request_id, counter, now) is None:
                    fresh = store.request(session, request_id, counter)
                    answered = fresh is not None and fresh.answered_at is not None
                    raise RefusalError("request_already_answered" if answered else "request_expired")
            # 1. The presentation came with the call.
            with checks.step(1):
                self._check_asked(vp_token, question.item)
            return Obtained(vp_token, checking.online_binding(audience, row.nonce, now))

        return self._verify("vp_token", question, obtain, now)

    def verify_response(
        self, question: Question, demand: Demand, obtain: Obtain, *, now: datetime, channel: str = "openid4vp"
    ) -> Verdict:
        """Verify what a wallet posted (OpenID4VP section 8.6); `demand` holds it against what was asked, as a whole."""
        return self._verify(channel, question, obtain, now, demand)

    def verification(self, verification_id: str, counter: str) -> Verification:
        """Return what was recorded of a verification: steps and reason codes, no claim."""
        with self._database.read() as session:
            row = store.verification(session, verification_id, counter)
        if row is None:
            raise UnknownCounterError("no such verification")
        return row

    def _unpack(self, scanned: str, question: Question, now: datetime) -> Obtain:
        def obtain(checks: Checks) -> Obtained:
            # 0. A pass counts once at this service while it lives.
            with checks.step(0):
                _must_not_need_a_word(question)
                text = offline_pass.unpack(scanned)
                self._seen.claim(sd_jwt.presentation_digest(text), question.counter.key, now)
            with checks.step(1):
                pass
            return Obtained({"": [text]}, checking.offline_binding(now))

        return obtain

    def _check_asked(self, vp_token: Mapping[str, Sequence[str]], item: ServiceItem) -> None:
        if not 0 < sum(len(texts) for texts in vp_token.values()) <= MAX_PRESENTATIONS:
            raise RefusalError("nothing_presented")
        if not vp_token.keys() <= item.listed.keys():
            raise RefusalError("licence_not_requested")

    def _verify(
        self, channel: str, question: Question, obtain: Obtain, now: datetime, demand: Demand | None = None
    ) -> Verdict:
        verification_id, checks = base64url.name(self._randomness(12)), Checks()
        presented: Mapping[str, Sequence[str]] = {}
        try:
            obtained = obtain(checks)
            presented = obtained.presented
            checked_by_id = {
                name: [
                    self.take(text, name, question.item, channel, obtained.binding, checks=checks, now=now)
                    for text in texts
                ]
                for name, texts in presented.items()
            }
            if demand is not None:
                demand(checked_by_id)
            checked = [one for several in checked_by_id.values() for one in several]
            names = [one.presentation_digest for one in checked]
            known = self._by_mandate(names) if obtained.by_mandate is None else obtained.by_mandate
            acted = [known.get(one) for one in names]  # None of a foreign wallet's
            made = verdict.accepted(
                verification_id, checked, question.item, checks, channel=channel, by_mandate=acted, now=now
            )
        except RefusalError as refusal:
            checked = []
            if channel == "offline_pass" and outcome(refusal.code) == Outcome.CANNOT_CONFIRM:
                self._seen.forget(presented, question.counter.key)
            made = verdict.not_accepted(verification_id, refusal, checks, channel=channel, now=now)
        # 8. Record the verdict and the receipt, tell the holder.
        texts = [text for several in presented.values() for text in several if text.isascii()]
        digests = sorted({sd_jwt.presentation_digest(text) for text in texts})
        return self._recorder.record(made, checked, question, digests, now=now)

    def take(
        self,
        text: str,
        query: str,
        item: ServiceItem,
        channel: str,
        binding: checking.HolderBinding,
        *,
        checks: Checks,
        now: datetime,
    ) -> Checked:
        """Take one presentation through steps 2 to 7 and hold it against the item; raises `RefusalError`."""

        def max_age(kind: LicenceType) -> timedelta:
            return kind.offline_status_max_age if channel == "offline_pass" else checking.ONLINE_STATUS_MAX_AGE

        checked = checking.check(
            text,
            trust=lambda: self.trust(now),
            types=self._types,
            binding=binding,
            statuses=self._statuses,
            status_max_age=max_age,
            checks=checks,
            now=now,
            memory=self._memory,
            logged=self._logged,
        )
        if checked.kind.key not in item.listed or (query and query != checked.kind.key):
            raise RefusalError("licence_not_requested")
        return checked

    def _token(self, size: int) -> str:
        return base64url.encode(self._randomness(size))


def _must_not_need_a_word(question: Question) -> None:
    """Raise for a counter that is no agency's: it never gets anything without the holder's word."""
    if question.counter.opened_types is not None:
        raise RefusalError("consent_needed")
