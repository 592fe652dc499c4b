"""How commands answer: JSON for machines, a few plain lines for people, one meaning for each exit code."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console

ACCEPTED, REFUSED, WRONG_USAGE, CANNOT_CONFIRM, FAILED = 0, 1, 2, 3, 4
"""Exit codes: done or accepted; refused; wrong usage; cannot confirm; the service or its configuration failed."""
EXIT_BY_VERDICT = {"accepted": ACCEPTED, "refused": REFUSED, "cannot_confirm": CANNOT_CONFIRM}
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def print_json(value: object, *, compact: bool = False) -> None:
    """Print `value` as JSON on standard output; never fails on odd characters in it."""
    text = json.dumps(value, ensure_ascii=compact, indent=None if compact else 2)
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")
    sys.stdout.flush()


def lines(told: Iterable[str], nothing: str) -> str:
    """Return one line for each, or what is said when there is none."""
    return "\n".join(told) or nothing


def in_words(fault: Mapping[str, Any]) -> str:
    """Return what is wrong, in Chinese and English; in English alone if the service that said it is an older one."""
    said = fault.get("message")
    return f"{said['zh']} ({said['en']})" if said else str(fault["detail"])


def answer(value: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    """Answer with JSON, or with a sentence for a person."""
    if as_json:
        print_json(value)
    else:
        console.print(sentence, markup=False, soft_wrap=True)
