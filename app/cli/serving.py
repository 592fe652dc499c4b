"""`licence serve`, `worker`, `migrate` and `demo`: what runs the service itself."""

import asyncio
import gc
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from app import background, clock, logs, migrations
from app.building import build
from app.cli import opening
from app.cli.output import FAILED, REFUSED, answer, errors
from app.database import EngineDatabase
from app.house import House
from app.main import create_app
from app.setting_values import SettingsError, is_loopback
from app.settings import Settings

OF_CALLERS = frozenset({"LICENCE_URL", "LICENCE_TOKEN", "LICENCE_SANDBOX"})
"""Variables of the same beginning that are for who calls the API."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for one in (serve, worker, migrate, demo):
        app.command()(one)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8080,
    work: Annotated[bool, typer.Option(help="Publish, tell webhooks and work on batches, too.")] = True,
) -> None:
    """Serve HTTP. Refuses to start without settings, or on a database of an older version."""
    house = _house()
    settings = house.settings
    if settings.demo and not is_loopback(host):
        raise SettingsError("演示只能监听本机地址 · the demonstration listens on loopback only")
    now = clock.ahead(settings.demo_clock_ahead_seconds)
    _must_be_free(host, port)
    errors.print(f"serving {settings.base_url} on {host}:{port}; API reference: {settings.base_url}/docs", markup=False)
    _run(create_app(house, now=now, by_itself=work), host, port)


def _tell_strangers() -> None:
    """Name variables that look like settings and are none: whoever mistyped one would wait for nothing."""
    known = {f"LICENCE_{name.upper()}" for name in Settings.model_fields} | OF_CALLERS
    for name in sorted(one for one in os.environ if one.startswith("LICENCE_") and one not in known):
        errors.print(f"{name} 不是设置项，未采用 · is no setting, and is passed over", markup=False, soft_wrap=True)


def _must_be_free(host: str, port: int) -> None:
    """Refuse before anything is announced where somebody listens already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"{host}:{port} 无法监听，请结束占用者或换 --host、--port · "
                f"cannot listen on {host}:{port}: end what does, or use another --host or --port ({error.strerror})"
            ) from error


def _run(served: FastAPI, host: str, port: int) -> None:
    config = uvicorn.Config(
        served, host=host, port=port, log_config=None, access_log=False, proxy_headers=False, lifespan="on"
    )
    server = uvicorn.Server(config)
    gc.collect()
    gc.freeze()  # what was loaded stays: looking through it for garbage again and again would hold requests up
    try:
        server.run()
    except SystemExit as error:  # uvicorn's own codes mean other things here
        raise typer.Exit(FAILED) from error
    if not server.started:
        raise typer.Exit(FAILED)


def _house() -> House:
    """Return a worker's house; refuses without settings, a key that opens, or a database that it can work on."""
    house = build(opening.settings())
    _tell_strangers()
    opening.must_fit(house)
    return house


def worker(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Where /metrics, /healthz and /readyz are.")
    ] = None,
) -> None:
    """Do what needs no caller, and serve nobody: publish lists, tell webhooks, work on batches. Any number may."""
    logs.configure()
    house = _house()
    now = clock.ahead(house.settings.demo_clock_ahead_seconds)
    logs.log.info("working", name=background.worker_name())
    if port is not None:
        _must_be_free(host, port)
        _run(create_app(house, now=now, rooms=(), by_itself=True), host, port)
        return
    with suppress(KeyboardInterrupt):
        asyncio.run(background.until_stopped(house, now))
    logs.log.info("stopped")


def migrate(json_output: opening.Json = False) -> None:
    """Bring the database to this version's schema."""
    database = EngineDatabase(opening.settings().database_url.get_secret_value())
    opening.must_not_be_held(database.engine)
    if not migrations.is_served(database.engine):
        migrations.upgrade(database.engine)
    answer({"migrated": True}, "the database fits this version", as_json=json_output)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the server up and print sign-in links.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON line a step.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where to put the database and pictures.")] = None,
    foreign_wallet: Annotated[
        Path | None, typer.Option(help="A folder with somebody else's wallet, `wallet.mjs`, that Node runs.")
    ] = None,
) -> None:
    """Tell the whole story over real HTTP: issue, show, verify, attack, suspend, revoke, offline."""
    from app.cli.demo import run  # noqa: PLC0415 - only this command needs it, and it is slow to import

    if not run(folder, keep=keep, as_json=json_output, foreign_wallet=foreign_wallet):
        raise typer.Exit(REFUSED)
