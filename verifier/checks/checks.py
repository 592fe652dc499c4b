"""Checking without a record: steps 2 to 7 for what a counter asked for and got by itself, and nothing written down."""

from collections.abc import Callable, Sequence
from datetime import datetime

from credentials import base64url
from verifier import checking, verdict
from verifier.checking import Checks
from verifier.errors import RefusalError
from verifier.recording import Question
from verifier.verdict import Verdict
from verifier.verifier import MAX_PRESENTATIONS, Verifier

CHANNEL = "check"


def check(
    verifier: Verifier,
    presentations: Sequence[str],
    nonce: str,
    question: Question,
    *,
    randomness: Callable[[int], bytes],
    now: datetime,
) -> Verdict:
    """Return the verdict on presentations made for this counter and `nonce`; without record, receipt or holder told.

    Not checked: that the counter never used the nonce before.
    """
    verification_id, checks = base64url.name(randomness(12)), Checks()
    binding = checking.online_binding(verifier.audience(question.counter.key), nonce, now)
    try:
        if not 0 < len(presentations) <= MAX_PRESENTATIONS:
            raise RefusalError("nothing_presented")
        checked = [
            verifier.take(text, "", question.item, CHANNEL, binding, checks=checks, now=now) for text in presentations
        ]
        return verdict.accepted(verification_id, checked, question.item, checks, channel=CHANNEL, now=now)
    except RefusalError as refusal:
        return verdict.not_accepted(verification_id, refusal, checks, channel=CHANNEL, now=now)
