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
from credentials.errors import MalformedError
from credentials.jws import LAST_SECOND
from keys.errors import TrustListRefusedError
from verifier import offline, picture
from verifier.errors import PictureUnreadableError
from verifier.seen_passes import SeenFile
from wallet import codes

SHOW_CODE = {
    "zh": "这像是亮证码：亮证码须联网核验（不带 --trust）；离线只能核验离线码（EL1:…）。",
    "en": "This looks like a show code, which needs the network: verify without --trust. Off line only an offline pass "
    "(EL1:…) can be verified.",
}
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
    now: Annotated[
        int | None, typer.Option(min=0, max=LAST_SECOND, help="With --trust: the present, in seconds since 1970.")
    ] = None,
    seen: Annotated[
        Path | None, typer.Option(dir_okay=False, help="With --trust: a file that remembers passes; each counts once.")
    ] = None,
    url: Url = DEFAULT_URL,
    token: Annotated[str | None, typer.Option(envvar="LICENCE_TOKEN", help="The counter's access token.")] = None,
    json_output: Json = False,
) -> None:
    """Verify what a QR code holds and print the verdict; exit 0 accepted, 1 refused, 3 cannot confirm."""
    made = (
        _online(source, service_item, operator, url, token)
        if trust is None
        else _offline(source, trust, service_item, now, seen)
    )
    said = told(made)
    if trust is not None and seen is None:
        said += "\n  whether it was shown before was not checked: --seen FILE remembers"
    answer(made, said, as_json=json_output)
    raise typer.Exit(EXIT_BY_VERDICT[made["verdict"]])


def _online(source: str, service_item: str | None, operator: str | None, url: str, token: str | None) -> dict[str, Any]:
    if service_item is None:
        raise typer.BadParameter("on line, say what for: --service-item")
    if token is None:
        raise typer.BadParameter("on line, give the counter's token: LICENCE_TOKEN or --token")
    body: dict[str, Any] = {"scanned": _scanned(source), "service_item": service_item}
    made: dict[str, Any] = Client(url, token).post(
        "/verifier/verifications", body | ({"operator": operator} if operator else {})
    )
    return made


def _offline(source: str, trust: Path, service_item: str | None, now: int | None, seen: Path | None) -> dict[str, Any]:
    present = clock.now() if now is None else datetime.fromtimestamp(now, UTC)
    try:
        bundle = offline.open_bundle(strict_json.loads(trust.read_bytes()))
    except (TrustListRefusedError, MalformedError):
        return offline.nothing_known("trust_list_refused", now=present).as_json()
    item = bundle.items.get(service_item) if service_item else None
    if service_item and item is None:
        raise typer.BadParameter("the bundle has no such service item")
    try:
        scanned = _scanned(source)
    except PictureUnreadableError:
        return offline.nothing_known("not_a_licence_code", now=present).as_json()
    try:
        made = offline.verify_pass(scanned, bundle, item, now=present, seen=SeenFile(seen) if seen else None).as_json()
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"--seen: {error}") from error
    return made | {"message": SHOW_CODE} if codes.read(scanned, base_url=bundle.base_url) else made


def told(made: dict[str, Any]) -> str:
    """Return a verdict as a person at a counter reads it."""
    lines = [f"{made['verdict'].upper()} ({made['reason']})  {made['message']['zh']}  {made['message']['en']}"]
    for one in made["licences"]:
        lines.append(
            f"  {one['name']['zh']} {one['name']['en']} · {one.get('agency_name', {}).get('zh', one['agency'])}"
        )
        lines += [
            f"    {one['labels'].get(name, {}).get('zh', name)}: {value}"
            for name, value in one.get("claims", {}).items()
        ]
        if "claims_shown" in one:  # of a receipt: which were shown then, no value is here to tell
            lines.append(f"    shown to {one['to']} at {one['shown_at']}: {', '.join(one['claims_shown'])}")
    lines += [
        f"  still needed: {' or '.join(each['licence_type'] for each in (one, *one['or']))} "
        f"({one['why']['zh']} {one['why']['en']})"
        for one in made["missing"]
    ]
    if made["offline"]:
        lines.append("  made off line: not bound to this counter")
    if made["verification_id"]:
        lines.append(f"  verification {made['verification_id']}{'; receipt: --json' if made['receipt'] else ''}")
    if made["status_age_seconds"] is not None:
        lines.append(f"  status as of {made['status_as_of']}, {made['status_age_seconds']} s old")
    return "\n".join(lines)


def _scanned(source: str) -> str:
    data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    if data.lstrip()[:5].lower() in {b"<?xml", b"<svg "}:
        raise typer.BadParameter("an SVG is a drawing: give the .png, or the code's text")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return picture.read(data)
    return text.strip("\r\n")
