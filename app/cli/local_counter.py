"""`licence counter`: the counter's page on its own machine, which goes on verifying passes when the line is down."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from app import clock
from app.cli.output import FAILED, WRONG_USAGE, errors
from app.local_counter import line
from app.local_counter.desk import Desk
from app.local_counter.line import Line
from app.local_counter.server import create_app

FOLDER = Path.home() / ".local" / "share" / "licence-counter"


def run(  # noqa: PLR0917 - typer's options
    context: typer.Context,
    home: Annotated[str | None, typer.Option(envvar="LICENCE_URL", help="The service's address, to enrol.")] = None,
    code: Annotated[str | None, typer.Option(help="The operator's one-time code, to enrol this machine.")] = None,
    name: Annotated[str, typer.Option(help="What people call this machine.")] = "窗口电脑 · counter's machine",
    folder: Annotated[Path, typer.Option(help="Where key, trust bundle and log are kept.")] = FOLDER,
    repin: Annotated[
        bool, typer.Option("--repin", help="Believe the operator's keys of today: when the operator says they changed.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="On this machine alone.")] = 8090,
) -> None:
    """Run a counter's page on this machine (or, with a command, manage counters)."""
    if context.invoked_subcommand is not None:
        return
    device = line.read(folder)
    if device is None:
        if not (home and code):
            errors.print(
                "本机尚未登记：请加 --home 地址 和 --code 登记码 · this machine is no counter yet: "
                "add --home and --code (from `licence counter code`)",
                markup=False,
            )
            raise typer.Exit(WRONG_USAGE)
        device = line.enrol(folder, home.rstrip("/"), code, name, now=clock.now())
    if repin:
        device = line.pin_again(folder, device)
    desk = Desk(folder, Line(device, now=clock.now), now=clock.now)
    errors.print(f"窗口页面 · the counter's page: http://127.0.0.1:{port}/c", markup=False)
    server = uvicorn.Server(uvicorn.Config(create_app(desk, port=port), port=port, log_level="warning"))
    server.run()
    desk.line.close()
    if not server.started:
        raise typer.Exit(FAILED)
