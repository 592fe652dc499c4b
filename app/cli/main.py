"""`licence`: the command line. The operator's commands work on the database; everybody else's call the API.

Exit codes: 0 done or accepted, 1 refused, 2 wrong usage, 3 cannot confirm, 4 the service or its settings failed.
"""

import sys
from importlib import import_module
from typing import Any

import typer
from typer.exceptions import TyperException

from app.cli.client import CallRefusedError
from app.cli.output import FAILED, REFUSED, WRONG_USAGE, errors, in_words, print_json

ALONE = {
    "issue": "agency", "suspend": "agency", "reinstate": "agency", "revoke": "agency", "case": "agency",
    "batch": "batch", "many": "many", "show": "holder", "open": "links", "register-links": "links",
    "verify": "verify", "wallet": "wallet", "desk": "desk", "webhook": "webhooks",
}  # fmt: skip
"""Commands that call the API, and where each is: they start without the service's own code, which takes seconds."""
PARTS = ("check_records", "operate", "doctor", "audit", "backups", *dict.fromkeys(ALONE.values()), "sandbox", "serving")


def commands(first: str = "") -> typer.Typer:
    """Return all commands, or as many as it takes to run one that begins with a word."""
    app = typer.Typer(
        help="Licence Wallet (电子证照钱包): agencies sign, holders keep and show, counters verify.",
        epilog="Exit codes: 0 done or accepted, 1 refused, 2 wrong usage, 3 cannot confirm, "
        "4 the service or its settings.",
        no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False,
    )  # fmt: skip
    app.callback()(lambda: None)  # one command alone is still called by its name
    for part in (ALONE[first],) if first in ALONE else PARTS:
        import_module(f"app.cli.{part}").add_to(app)
    return app


def main() -> None:
    """Run a command; whatever is wrong is one sentence and an exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    as_json = "--json" in sys.argv
    try:
        sys.exit(commands(*sys.argv[1:2])(standalone_mode=False))
    except typer.Abort:
        errors.print("已取消 · stopped")
        sys.exit(REFUSED)
    except TyperException as error:
        _misused(error, as_json=as_json)
        sys.exit(WRONG_USAGE)
    except CallRefusedError as error:
        code, said = str(error.problem.get("code", "refused")), error.problem.get("message", {})
        detail = "" if str(error) == said.get("en") else f" ({error})"
        _fail(code, f"{said['zh']} {said['en']}{detail}" if said else str(error), error.problem, as_json=as_json)
        broken = error.problem.get("code") == "unreachable" or int(error.problem.get("status", 0)) >= 500
        sys.exit(FAILED if broken else REFUSED)
    except Exception as error:
        from app.cli.failing import failure  # noqa: PLC0415 - it knows the errors of the whole service

        told = failure(error)
        if told is None:
            raise
        _fail(told.code, told.sentence, told.more, as_json=as_json)
        sys.exit(told.exit_code)


def _misused(error: Any, *, as_json: bool) -> None:
    """Say how a command was misused and where its usage is; one that was called with nothing at all has told that."""
    said, where = error.format_message(), f"{error.ctx.command_path} --help" if error.ctx else "licence --help"
    if type(error).__name__ != "NoArgsIsHelpError":
        _fail("wrong_usage", f"命令用法有误，见 {where} · see {where}: {said}", {}, as_json=as_json)


def _fail(code: str, sentence: str, problem: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json({"code": code, "detail": sentence} | problem)
        return
    errors.print(f"{code}: {sentence}", markup=False, soft_wrap=True)
    for fault in problem.get("faults") or []:  # type: ignore[attr-defined]
        errors.print(f"  {fault['pointer']}: {in_words(fault)}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
