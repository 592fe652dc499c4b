"""Verifies presentations with `sd-jwt` for as long as it is told to; JSON lines, see README.md."""
# mypy: disable-error-code="import-not-found"

from itertools import cycle
from typing import Any

from lines import Command, answer_lines, for_seconds
from sdjwt_check import verifier


def set_up(told: dict[str, Any]) -> Command:
    """Take the presentations and what verifies them."""
    verify, presentations = verifier(told), cycle(told["presentations"])
    audience, nonce = told["audience"], told["nonce"]
    return lambda said: for_seconds(said["seconds"], lambda _at: verify(next(presentations), audience, nonce))


if __name__ == "__main__":
    answer_lines(set_up)
