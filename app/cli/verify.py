"""A counter's command: verify on line over the API, or with no network against a trust bundle."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app import clock
from app.cli.agency import DEFAULT_URL, Json, Url
from app.cli.client import Client
from app.cli.output import EXIT_BY_VERDICT, answer
from credentials import strict_json
from verifier import offline, picture

MAX_BUNDLE_HINT = "a trust bundle, as GET /verifier/trust-bundle or `licence trust export` gives it"


def add_to(app: typer.Typer) -> None:
    """Add a counter's command."""
    app.command("verify")(verify)


def verify(  # noqa: PLR0917 - typer's options
    source: Annotated[str, typer.Argument(help="A picture or text file, - for standard input.")],
    trust: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help=f"Verify with no network: {MAX_BUNDLE_HINT}.")
    ] = None,
    service_item: Annotated[str | None, typer.Option(help="What it is for; needed on line.")] = None,
    operator: str | None = None,
    now: Annotated[int | None, typer.Option(help="With --trust: the present, in seconds since 1970.")] = None,
    url: Url = DEFAULT_URL,
    token: Annotated[str | None, typer.Option(envvar="LICENCE_TOKEN", help="The counter's access token.")] = None,
    json_output: Json = False,
) -> None:
    """Verify what a QR code holds and print the verdict; exit 0 accepted, 1 refused, 3 cannot confirm."""
    scanned = _scanned(source)
    if trust is not None:
        present = clock.now() if now is None else datetime.fromtimestamp(now, UTC)
        bundle = offline.open_bundle(strict_json.loads(trust.read_bytes()))
        item = bundle.items.get(service_item) if service_item else None
        if service_item and item is None:
            raise typer.BadParameter("the bundle has no such service item")
        made = offline.verify_pass(scanned, bundle, item, now=present).as_json()
    else:
        if service_item is None:
            raise typer.BadParameter("on line, say what for: --service-item")
        body: dict[str, Any] = {"scanned": scanned, "service_item": service_item}
        made = Client(url, token).post("/verifier/verifications", body | ({"operator": operator} if operator else {}))
    answer(made, told(made), as_json=json_output or trust is not None)
    raise typer.Exit(EXIT_BY_VERDICT[made["verdict"]])


def told(made: dict[str, Any]) -> str:
    """Return a verdict as a person at a counter reads it."""
    lines = [f"{made['verdict'].upper()} ({made['reason']})  {made['message']['zh']}  {made['message']['en']}"]
    for one in made["licences"]:
        lines.append(f"  {one['name']['zh']} {one['name']['en']} · {one['agency_name']['zh']}")
        lines += [
            f"    {one['labels'].get(name, {}).get('zh', name)}: {value}" for name, value in one["claims"].items()
        ]
    if made["status_age_seconds"] is not None:
        lines.append(f"  status as of {made['status_as_of']}, {made['status_age_seconds']} s old")
    return "\n".join(lines)


def _scanned(source: str) -> str:
    data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return picture.read(data)
    return text.strip("\r\n")
