"""A holder's commands over the API with the holder's token: show a code; open a link of another issuer or verifier."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.agency import DEFAULT_URL, Json, Token, Url
from app.cli.client import Client
from app.cli.output import WRONG_USAGE, answer, errors
from credentials import base64url


def add_to(app: typer.Typer) -> None:
    """Add a holder's command."""
    app.command("show")(show)


def show(
    service_item: Annotated[str, typer.Argument(help="What for, as school_transfer.")],
    token: Token,
    url: Url = DEFAULT_URL,
    qr: Annotated[Path | None, typer.Option(help="Write the QR code here (.svg or .png).")] = None,
    sensitive: Annotated[bool, typer.Option("--sensitive", help="Yes, too, to a child's under fourteen.")] = False,
    json_output: Json = False,
) -> None:
    """Make a show code for a service item's set; it lives a minute and works once."""
    kind = qr.suffix.removeprefix(".") if qr else "none"
    if kind not in {"none", "svg", "png"}:
        errors.print("--qr ends in .svg or .png")
        sys.exit(WRONG_USAGE)
    made = Client(url, token).post("/wallet/shows", {"service_item": service_item, "qr": kind, "sensitive": sensitive})
    drawn = made.pop("qr")
    if qr and drawn:
        qr.write_bytes(base64url.decode(drawn) if kind == "png" else drawn.encode())
    answer(made, f"{made['url']}\ntyped: {made['typed_code']}   until {made['expires_at']}", as_json=json_output)
