"""Batches over the API with the agency's token: send a file, watch it, read what was refused, get a template."""

import json
import secrets
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.agency import DEFAULT_URL, Json, Key, Token, Url
from app.cli.client import PATIENT, CallRefusedError, Client
from app.cli.output import REFUSED, answer, errors, in_words, lines
from issuers.batch import rows

KINDS = {".ndjson": rows.NDJSON, ".jsonl": rows.NDJSON, ".csv": rows.CSV, ".xlsx": rows.XLSX}
OVER = frozenset({"done", "stopped"})
EVERY_SECONDS, AGAIN_SECONDS, PATIENCE_SECONDS = 1.0, 5.0, 600.0
TOLD = 20  # refused rows on the screen; all are in the report
PIECE = 256 * 1024
ReportFile = Annotated[
    Path | None, typer.Option("--report", dir_okay=False, help="Every row's outcome: .csv, or NDJSON.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Issue many licences from one file.", no_args_is_help=True)
    group.command("send")(send)
    group.command("watch")(watch)
    group.command("list")(list_jobs)
    group.command("template")(template)
    app.add_typer(group, name="batch")


def send(  # noqa: PLR0917 - typer's options
    agency: str,
    licence_type: str,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=".ndjson, .csv or .xlsx")],
    token: Token,
    url: Url = DEFAULT_URL,
    whole: Annotated[bool, typer.Option("--whole", help="One refused row, and nothing is issued.")] = False,
    wait: Annotated[bool, typer.Option(help="Stay until it is done.")] = True,
    report: ReportFile = None,
    idempotency_key: Key = None,
    json_output: Json = False,
) -> None:
    """Send a file of orders; each row is issued once by its reference, however often it is sent."""
    kind = KINDS.get(file.suffix.lower())
    if kind is None:
        raise typer.BadParameter(f"a file of orders ends in {', '.join(KINDS)}")
    headers = {"Content-Type": kind, "Idempotency-Key": idempotency_key or secrets.token_urlsafe(16)}
    query = {"licence_type": licence_type, "whole": str(whole).lower()}
    with Client(url, token, patience=PATIENT) as client:
        made = _sent(client, f"/issuers/{agency}/batches", file, params=query, headers=headers)
        if wait:
            if not json_output:
                errors.print(f"已接收 · taken; to look again: licence batch watch {agency} {made['job_id']}")
            made = _followed(client, agency, made, as_json=json_output)
        _end(client, agency, made, report, as_json=json_output)


def _sent(client: Client, path: str, file: Path, **how: Any) -> dict[str, Any]:
    """Send a file; one that broke off is sent again under the same key, so that it is one job all the same."""

    def once() -> Any:
        with file.open("rb") as body:
            return client.call("POST", path, content=iter(partial(body.read, PIECE), b""), **how)

    return _patiently(once)


def _patiently(call: Callable[[], Any], *, begun: bool = False) -> dict[str, Any]:
    """Return what a call answers, made again while a worker restarts or the database fails over.

    Unless it has `begun`, a service that nobody reaches at all is none.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return dict(call())
        except CallRefusedError as error:
            reached = begun or error.problem.get("sent", True)
            if not (error.passes and reached) or time.monotonic() >= until:
                raise
            errors.print(f"没有应答，稍后再试 · no answer, trying again: {error}", markup=False, soft_wrap=True)
        begun = True
        time.sleep(AGAIN_SECONDS)


def watch(
    agency: str, job_id: str, token: Token, url: Url = DEFAULT_URL, report: ReportFile = None, json_output: Json = False
) -> None:
    """Watch a job until it is done."""
    with Client(url, token, patience=PATIENT) as client:
        made = _patiently(partial(client.get, f"/issuers/{agency}/batches/{job_id}"))
        made = _followed(client, agency, made, as_json=json_output)
        _end(client, agency, made, report, as_json=json_output)


def list_jobs(agency: str, token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """List the newest jobs and how far they are."""
    with Client(url, token) as client:
        found = client.get(f"/issuers/{agency}/batches")
    told = [f"{one['job_id']}  {one['licence_type']}  {_said(one)}" for one in found["items"]]
    answer(found, lines(told, "no batches yet"), as_json=json_output)


def template(
    agency: str,
    licence_type: str,
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to write it: .xlsx, or .csv.")],
    token: Token,
    url: Url = DEFAULT_URL,
) -> None:
    """Write a type's empty spreadsheet, or its columns as CSV."""
    suffix = file.suffix.lower()
    if suffix not in {".xlsx", ".csv"}:
        raise typer.BadParameter("a template ends in .xlsx or .csv")
    with Client(url, token) as client:
        file.write_bytes(client.fetch(f"/issuers/{agency}/batches/template{suffix}?licence_type={licence_type}"))
    print(f"written: {file}")


def _followed(client: Client, agency: str, made: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
    """Return a job when it is over; until then a bar for each thing that is done with its rows."""
    with Progress(console=Console(stderr=True), disable=as_json, transient=True) as bars:
        tasks = {name: bars.add_task(name, total=made["rows"]) for name in ("checked", "signed", "delivered")}
        while True:
            for name, task in tasks.items():
                right = made["rows"] if name == "checked" else made["rows"] - made["refused"]
                bars.update(task, completed=made[name], total=right)
            if made["state"] in OVER:
                return made
            time.sleep(EVERY_SECONDS)
            made = _patiently(partial(client.get, f"/issuers/{agency}/batches/{made['job_id']}"), begun=True)


def _end(client: Client, agency: str, made: dict[str, Any], report: Path | None, *, as_json: bool) -> None:
    path = f"/issuers/{agency}/batches/{made['job_id']}/report"
    if report is not None:
        client.save(f"{path}?form={'csv' if report.suffix.lower() == '.csv' else 'ndjson'}", report)
    answer(made, f"{made['job_id']}  {_said(made)}", as_json=as_json)
    if made["refused"]:
        if not as_json:
            for line in client.fetch(f"{path}?refused=true&limit={TOLD}").decode().splitlines():
                one = json.loads(line)
                why = "; ".join(f"{fault['pointer']} {fault['code']}: {in_words(fault)}" for fault in one["faults"])
                print(f"  row {one['row']} {one['reference'] or ''}: {why}")
        raise typer.Exit(REFUSED)


def _said(one: dict[str, Any]) -> str:
    waits = f", waits for {one['waits_for']}" if one["waits_for"] else ""
    if one["state"] == "stopped":
        waits = "; one row refused is enough for --whole: nothing was issued, mend the file and send it again"
    before = f" ({one['issued_before']} of them before this job)" if one.get("issued_before") else ""
    return (
        f"{one['state']}: {one['rows']} rows, {one['refused']} refused, {one['signed']} signed{before}, "
        f"{one['delivered']} delivered{waits}"
    )
