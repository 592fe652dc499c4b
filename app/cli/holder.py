"""A holder's commands over the API with the holder's token: show a code; open a link of another issuer or verifier."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.agency import DEFAULT_URL, Json, Token, Url
from app.cli.client import Client
from app.cli.output import answer, picture_kind, write_picture


def add_to(app: typer.Typer) -> None:
    """Add a holder's command."""
    app.command("show")(show)


def show(  # noqa: PLR0917 - typer's options
    token: Token,
    service_item: Annotated[str | None, typer.Argument(help="What for, as school_transfer.")] = None,
    url: Url = DEFAULT_URL,
    qr: Annotated[Path | None, typer.Option(help="Write the QR code here (.svg or .png).")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Choose nothing: whoever scans it asks.")] = False,
    sensitive: Annotated[bool, typer.Option("--sensitive", help="Yes, too, to a child's under fourteen.")] = False,
    json_output: Json = False,
) -> None:
    """Make a show code for a service item's set, or one to be asked on; it lives a minute and works once."""
    if ask == (service_item is not None):
        raise typer.BadParameter(
            "请写明服务事项，或用 --ask 让扫码的窗口来问 · name a service item, or let whoever scans it ask: --ask"
        )
    what = {"ask": True} if ask else {"service_item": service_item}
    made = Client(url, token).post("/wallet/shows", {**what, "qr": picture_kind(qr), "sensitive": sensitive})
    write_picture(qr, made.pop("qr"))
    answer(made, f"{made['url']}\ntyped: {made['typed_code']}   until {made['expires_at']}", as_json=json_output)
