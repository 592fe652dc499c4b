"""How commands answer: JSON for machines, a few plain lines for people, one meaning for each exit code."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.console import Console

from credentials import base64url

Answered = TypeVar("Answered")
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


def reply(question: Callable[[], Answered], otherwise: str) -> Answered:
    """Return what a person answers; where nobody does, say what to give instead and end the command."""
    try:
        return question()
    except typer.Abort:
        errors.print(f"无人应答 · nobody is here to answer: {otherwise}", markup=False, soft_wrap=True)
        raise typer.Exit(WRONG_USAGE) from None


def picture_kind(file: Path | None) -> str:
    """Return the kind of picture that a file is to hold, by its name: svg, png, or none without a file."""
    kind = file.suffix.removeprefix(".").lower() if file else "none"
    if kind not in {"none", "svg", "png"}:
        raise typer.BadParameter("二维码图片须为 .svg 或 .png · a QR code's picture ends in .svg or .png")
    return kind


def write_picture(file: Path | None, drawn: str | None) -> None:
    """Write a QR code as the service sent it: SVG, or PNG in base64url."""
    if file and drawn:
        file.write_bytes(base64url.decode(drawn) if picture_kind(file) == "png" else drawn.encode())


def answer(value: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    """Answer with JSON, or with a sentence for a person."""
    if as_json:
        print_json(value)
    else:
        console.print(sentence, markup=False, soft_wrap=True)
