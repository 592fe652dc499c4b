"""`licence doctor`: tells what `app/doctor.py` finds, and what to do next."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from app import clock
from app.building import build
from app.cli.opening import Json, settings
from app.cli.output import FAILED, answer
from app.doctor import examine, next_step


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Check every invariant; reads the whole ledger.")] = False,
    json_output: Json = False,
) -> None:
    """Say whether the service can do its work, and what to do if not."""
    configured = settings()
    findings = examine(build(configured), deep=deep, now=clock.now())
    healthy = not any(wrong for _, wrong in findings)
    told: dict[str, Any] = {
        "healthy": healthy,
        "settings": json.loads(configured.model_dump_json()),
        "checks": [
            {"check": name, "ok": not wrong, "finding": wrong} | ({"next": next_step(name)} if wrong else {})
            for name, wrong in findings
        ],
    }
    answer(told, "\n".join(_told(findings)), as_json=json_output)
    if not healthy:
        raise typer.Exit(FAILED)


def _told(findings: list[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each finding, and after a check's last one what to do."""
    for (name, wrong), (following, _) in zip(findings, [*findings[1:], ("", "")], strict=True):
        yield f"{'ok  ' if not wrong else 'WRONG'} {name}{': ' + wrong if wrong else ''}"
        if wrong and following != name:
            said = next_step(name)
            yield f"      → {said['zh']} · {said['en']}"
