"""`licence`: the command line. The operator's commands work on the database; everybody else's call the API.

Exit codes: 0 done or accepted, 1 refused, 2 wrong usage, 3 cannot confirm, 4 the service or its settings failed.
"""

import asyncio
import gc
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from alembic.util import CommandError
from fastapi import FastAPI
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app import background, clock, logs, migrations
from app.building import build
from app.cli import (
    agency,
    audit,
    backups,
    batch,
    check,
    check_records,
    desk,
    holder,
    links,
    many,
    opening,
    operate,
    sandbox,
    verify,
    wallet,
    webhooks,
)
from app.cli.client import CallRefusedError
from app.cli.output import FAILED, REFUSED, WRONG_USAGE, answer, errors, in_words, print_json
from app.database import EngineDatabase
from app.house import House
from app.main import create_app
from app.problem_codes import PROBLEMS
from app.settings import SettingsError, is_loopback
from credentials import fault_words
from credentials.errors import FormatError
from issuers.errors import IssuerError
from keys.errors import CustodyError
from records.errors import RecordError
from verifier.errors import VerifierError
from verifier.reasons import REASONS
from wallet.errors import WalletError

app = typer.Typer(
    help="Licence Wallet (电子证照钱包): agencies sign, holders keep and show, counters verify.",
    epilog="Exit codes: 0 done or accepted, 1 refused, 2 wrong usage, 3 cannot confirm, 4 the service or its settings.",
    no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False,
)  # fmt: skip
check_records.add_to(check.app)
app.add_typer(check.app, name="check")
operate.add_to(app)
audit.add_to(app)
backups.add_to(app)
agency.add_to(app)
batch.add_to(app)
many.add_to(app)
holder.add_to(app)
links.add_to(app)
verify.add_to(app)
wallet.add_to(app)
desk.add_to(app)
webhooks.add_to(app)
app.command("sandbox")(sandbox.sandbox)
app.command("verify-jws", hidden=True)(check.check_jws)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8080,
    work: Annotated[bool, typer.Option(help="Publish, tell webhooks and work on batches, too.")] = True,
) -> None:
    """Serve HTTP. Refuses to start without settings, or on a database of an older version."""
    house = _house()
    settings = house.settings
    if settings.demo and not is_loopback(host):
        raise SettingsError("the demonstration listens on loopback only")
    now = clock.ahead(settings.demo_clock_ahead_seconds)
    errors.print(f"serving {settings.base_url} on {host}:{port}; API reference: {settings.base_url}/docs", markup=False)
    _run(create_app(house, now=now, by_itself=work), host, port)


def _run(served: FastAPI, host: str, port: int) -> None:
    config = uvicorn.Config(served, host=host, port=port, log_config=None, access_log=False, proxy_headers=False)
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
    if not migrations.is_served(house.database.engine):
        raise SettingsError("the database is of an older version: run `licence migrate` first")
    opening.must_open_a_key(house)
    return house


@app.command()
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
        _run(create_app(house, now=now, rooms=(), by_itself=True), host, port)
        return
    with suppress(KeyboardInterrupt):
        asyncio.run(background.until_stopped(house, now))


@app.command()
def migrate(json_output: opening.Json = False) -> None:
    """Bring the database to this version's schema."""
    database = EngineDatabase(opening.settings().database_url.get_secret_value())
    if migrations.is_held(database.engine):
        raise SettingsError("a restore has not come to its end: run `licence restore` again, with the same folder")
    migrations.upgrade(database.engine)
    answer({"migrated": True}, "the database fits this version", as_json=json_output)


@app.command()
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


def main() -> None:
    """Run a command; whatever is wrong is one sentence and an exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    as_json = "--json" in sys.argv
    try:
        app()
    except CallRefusedError as error:
        code, said = str(error.problem.get("code", "refused")), error.problem.get("message", {})
        detail = "" if str(error) == said.get("en") else f" ({error})"
        _fail(code, f"{said['zh']} {said['en']}{detail}" if said else str(error), error.problem, as_json=as_json)
        broken = error.problem.get("code") == "unreachable" or int(error.problem.get("status", 0)) >= 500
        sys.exit(FAILED if broken else REFUSED)
    except (FormatError, IssuerError, CustodyError, RecordError, VerifierError, WalletError) as error:
        faults = [
            {"pointer": one.pointer, "detail": one.detail, "message": fault_words.message(one.detail)}
            for one in getattr(error, "faults", ())
        ]
        detail = "" if faults else _detail(error, error.code)
        _fail(error.code, _advice(error.code) + detail, {"faults": faults} if faults else {}, as_json=as_json)
        sys.exit(REFUSED)
    except ValidationError as error:
        _fail("settings", "; ".join(_setting(row) for row in error.errors()), {}, as_json=as_json)
        sys.exit(FAILED)
    except SettingsError as error:
        _fail("settings", str(error), {}, as_json=as_json)
        sys.exit(FAILED)
    except SQLAlchemyError as error:
        logs.configure()
        _fail(
            "database_unavailable",
            f"the database refuses ({type(error).__name__}); see LICENCE_DATABASE_URL",
            {},
            as_json=as_json,
        )
        sys.exit(FAILED)
    except (OSError, UnicodeError) as error:
        _fail("file", _file(error), {}, as_json=as_json)
        sys.exit(WRONG_USAGE)
    except (CommandError, ImportError, ValueError) as error:
        _fail("failed", f"{type(error).__name__}: {error}", {}, as_json=as_json)
        sys.exit(FAILED)


def _advice(code: str) -> str:
    """Return what a person should do about a refusal, in Chinese and English."""
    known = PROBLEMS.get(code) or REASONS.get(code) or PROBLEMS["invalid_request"]
    return f"{known.zh} {known.en}"


def _detail(error: Exception, code: str) -> str:
    """Return what an error adds to its code's advice; of what was not found its class says of what kind it is."""
    said = str(error)
    if said in {"", code}:
        said = (type(error).__doc__ or "").partition("\n")[0].rstrip(".") if code == "not_found" else ""
    return f" ({said})" if said else ""


def _file(error: OSError | UnicodeError) -> str:
    if isinstance(error, FileExistsError):
        there = error.filename
        return (
            f"{there} 已存在，原样保留；请直接使用它，或另选文件名。 "
            f"{there} exists and is left as it is: use it, or choose another name."
        )
    return f"文件无法读写，请核对路径。 The file cannot be used: check its path. ({error})"


def _setting(row: Mapping[str, Any]) -> str:
    name = "LICENCE_" + "_".join(str(part) for part in row["loc"]).upper() + ": " if row["loc"] else ""
    return name + ("is missing: set it" if row["type"] == "missing" else row["msg"].removeprefix("Value error, "))


def _fail(code: str, sentence: str, problem: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json({"code": code, "detail": sentence} | problem)
        return
    errors.print(f"{code}: {sentence}", markup=False, soft_wrap=True)
    for fault in problem.get("faults") or []:  # type: ignore[attr-defined]
        errors.print(f"  {fault['pointer']}: {in_words(fault)}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
