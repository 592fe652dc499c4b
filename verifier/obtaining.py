"""Steps 0 and 1 of verifying: how presentations are obtained, whatever door they come by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from verifier import checking
from verifier.checking import Checked, Checks
from verifier.recording import Question


class HolderSide(Protocol):
    """The wallet behind a show code."""

    def __call__(
        self, scanned: str, question: Question, *, audience: str, nonce: str, now: datetime
    ) -> tuple[Mapping[str, Sequence[str]], Mapping[str, bool]]:
        """Return presentations by licence type, and of each by digest whether somebody shows it for another.

        Uses the code up; raises `RefusalError` with the reason.
        """


@dataclass(frozen=True, slots=True)
class Obtained:
    """Presentations by query, how they must be bound, and who shows them."""

    presented: Mapping[str, Sequence[str]]
    binding: checking.HolderBinding
    by_mandate: Mapping[str, bool] | None = None
    """Of each by digest, whether somebody shows it for another; None: whose it is is looked up."""


Obtain = Callable[[Checks], Obtained]
"""Steps 0 and 1: claims the request once and returns presentations by query, with how they must be bound."""
Demand = Callable[[Mapping[str, Sequence[Checked]]], None]
"""Raises `RefusalError` unless verified presentations, by query, are what was asked for."""
