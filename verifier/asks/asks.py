"""The verbs on asks: open one by a scan, wait for the holder's word, verify what came of it, once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import sleep
from typing import Protocol

from credentials import base64url
from records import audit, idempotency
from records.database import Database
from records.idempotency import Attempt
from verifier import checking
from verifier.asks import store
from verifier.asks.models import Ask
from verifier.checking import Checks
from verifier.errors import AskAnsweredError, AskOverError, AskWithdrawnError, RefusalError, UnknownAskError
from verifier.obtaining import Obtain, Obtained
from verifier.recording import Question
from verifier.verdict import Verdict
from verifier.verifier import NONCE_BYTES, Verifier

ID_BYTES = 12
BEING_TOLD = timedelta(seconds=30)
"""How long an answer may be on its way; one that never came of it is given again."""
LONGEST_WAIT = timedelta(seconds=120)
PATIENCE, PAUSE_SECONDS = 4, 0.1


@dataclass(frozen=True, slots=True)
class Word:
    """What came of a question so far: `said` is None while it waits, or `withdrawn`; `over` when it waits no more."""

    said: str | None
    over: bool


class HolderSide(Protocol):
    """The wallet that is asked."""

    def asks_first(self, scanned: str) -> bool:
        """Whether a code discloses nothing before its holder is asked."""

    def open(
        self, scanned: str, question: Question, *, audience: str, nonce: str, now: datetime
    ) -> tuple[str, datetime]:
        """Use a code up to ask its holder; returns the question's name and end. Raises `RefusalError`."""

    def word(self, consent_id: str, *, now: datetime) -> Word:
        """Return what the holder said so far."""

    def withdraw(self, consent_id: str, *, now: datetime) -> bool:
        """Take a question back; False if it waits no more."""

    def take(self, consent_id: str, *, now: datetime) -> Mapping[str, Sequence[str]] | None:
        """Return the presentations of a yes, once."""


class Asks:
    """A counter's questions."""

    def __init__(
        self, *, database: Database, verifier: Verifier, holder_side: HolderSide, randomness: Callable[[int], bytes]
    ) -> None:
        self._database = database
        self._verifier = verifier
        self._holder_side = holder_side
        self._randomness = randomness

    def scan(self, scanned: str, question: Question, this: Attempt, *, now: datetime) -> Ask | Verdict:
        """Do what a scanned code is for: verify what its holder chose, or ask; whoever is no agency always asks."""
        if question.counter.opened_types is not None or self._holder_side.asks_first(scanned):
            return self.ask(scanned, question, this, now=now)
        return self._verifier.verify_scan(scanned, question, now=now)

    def ask(self, scanned: str, question: Question, this: Attempt, *, now: datetime) -> Ask | Verdict:
        """Ask the holder of a scanned code; a code that opens nothing gives its verdict at once.

        The same attempt again finds its own question.
        """
        found = self._earlier(this)
        if found is not None:
            return found
        audience, nonce = self._verifier.audience(question.counter.key), self._token(NONCE_BYTES)
        try:
            consent_id, until = self._holder_side.open(scanned, question, audience=audience, nonce=nonce, now=now)
        except RefusalError as refusal:
            found = self._earlier(this, patiently=refusal.code == "already_used")
            if found is not None:  # this very request, sent twice at once
                return found
            return self._verifier.verify_response(question, _anything, _refusing(refusal), now=now, channel="ask")
        row = Ask(
            ask_id=self._token(ID_BYTES),
            counter=question.counter.key,
            operator=question.operator,
            service_item=question.item.key,
            nonce=nonce,
            consent_id=consent_id,
            asked_at=now,
            expires_at=until,
        )
        with self._database.write() as session:
            idempotency.claim(session, this, result=row.ask_id, now=now)
            session.add(row)
            session.flush()
            audit.record(
                session, stream=f"verifier/{row.counter}", actor=f"counter:{row.counter}", act="ask.opened",
                subject=row.ask_id, now=now, detail={"service_item": row.service_item, "operator": row.operator},
            )  # fmt: skip
        return row

    def _earlier(self, this: Attempt, *, patiently: bool = False) -> Ask | None:
        """Return the question that the same attempt opened; `patiently`, if it is being opened at this moment."""
        for _ in range(PATIENCE if patiently else 1):
            with self._database.read() as session:
                earlier = idempotency.earlier_result(session, this)
                found = session.get(Ask, earlier) if earlier is not None else None
            if found is not None or not patiently:
                return found
            sleep(PAUSE_SECONDS)
        return None

    def withdraw(self, ask_id: str, counter: str, *, now: datetime) -> None:
        """Take a question back, so that nobody answers what nobody waits for; answered, `AskAnsweredError`.

        A second time changes nothing.
        """
        row = self._of(ask_id, counter)
        if not self._holder_side.withdraw(row.consent_id, now=now):
            if self._holder_side.word(row.consent_id, now=now).said == "withdrawn":
                return
            raise AskAnsweredError
        with self._database.write() as session:
            audit.record(
                session, stream=f"verifier/{counter}", actor=f"counter:{counter}", act="ask.withdrawn",
                subject=ask_id, now=now,
            )  # fmt: skip

    def _of(self, ask_id: str, counter: str) -> Ask:
        with self._database.read() as session:
            row = session.get(Ask, ask_id)
        if row is None or row.counter != counter:
            raise UnknownAskError
        return row

    def answer(self, ask_id: str, counter: str, *, now: datetime) -> Verdict | None:
        """Return the verdict on the holder's word, None while it waits; told once, then `AskOverError`.

        Of a question that was taken back there is none (`AskWithdrawnError`).
        """
        row = self._of(ask_id, counter)
        if row.answered_at is not None and (row.verification_id is not None or now < row.answered_at + BEING_TOLD):
            raise AskOverError(row.verification_id)
        word = self._holder_side.word(row.consent_id, now=now)
        if word.said is None and not word.over:
            return None
        if word.said == "withdrawn":
            raise AskWithdrawnError
        question = self._verifier.question(row.counter, row.service_item, row.operator)
        with self._database.write() as session:
            if not store.claim(session, ask_id, now=now, lost_before=now - BEING_TOLD):
                raise AskOverError(None)
        obtain = self._obtaining(row, word, now)
        made = self._verifier.verify_response(question, _anything, obtain, now=now, channel="ask")
        with self._database.write() as session:
            store.note_verification(session, ask_id, made.verification_id)
        return made

    def _obtaining(self, row: Ask, word: Word, now: datetime) -> Obtain:
        def obtain(checks: Checks) -> Obtained:
            # 0. The holder said yes, and nobody has taken it.
            with checks.step(0):
                if word.said != "confirmed":
                    raise RefusalError("declined" if word.said == "declined" else "consent_expired")
                presented = self._holder_side.take(row.consent_id, now=now)
            # 1. There is something in it.
            with checks.step(1):
                if not presented:
                    raise RefusalError("consent_spent")
            return Obtained(presented, checking.online_binding(self._verifier.audience(row.counter), row.nonce, now))

        return obtain

    def _token(self, size: int) -> str:
        return base64url.encode(self._randomness(size))


def _refusing(refusal: RefusalError) -> Obtain:
    def obtain(checks: Checks) -> Obtained:
        with checks.step(0):
            raise refusal
        raise AssertionError("a refusal ends the step")

    return obtain


def _anything(_checked: object) -> None:
    """Demand nothing more than that each licence is one that the item lists, which every verification checks."""
