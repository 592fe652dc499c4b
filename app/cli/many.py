"""Many licences changed as one, over the API with a clerk's token: looked at, done or proposed, agreed on, undone."""

import re
import uuid
from typing import Annotated, Any
from urllib.parse import quote

import typer

from app.cli.agency import DEFAULT_URL, Json, Key, Token, Url
from app.cli.client import Client
from app.cli.output import REFUSED, answer, lines
from credentials.identifiers import LICENCE_ROOT

LICENCE = re.compile(re.escape(LICENCE_ROOT).encode() + rb"(?:\.[0-9A-Z]+)+")
CHANGES = ("suspend", "reinstate", "revoke")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Suspend, reinstate or revoke many licences as one.", no_args_is_help=True)
    group.command("change")(change)
    group.command("list")(list_changes)
    group.command("show")(show)
    group.command("approve")(approve)
    group.command("decline")(decline)
    group.command("undo")(undo)
    app.add_typer(group, name="many")


def change(  # noqa: PLR0917 - typer's options
    agency: str,
    what: Annotated[str, typer.Argument(metavar="CHANGE", help=", ".join(CHANGES))],
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="Any text that names them; - is what is piped in.")],
    token: Token,
    url: Url = DEFAULT_URL,
    cause: Annotated[str | None, typer.Option(help="Of the type's list; none to reinstate.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Say what would change, and do nothing.")] = False,
    idempotency_key: Key = None,
    json_output: Json = False,
) -> None:
    """Change every licence that a file names: a list, a table, a batch's report. Where two must agree, propose it."""
    if what not in CHANGES:
        raise typer.BadParameter(f"one of {', '.join(CHANGES)}", param_hint="CHANGE")
    licences = [one.decode() for one in dict.fromkeys(LICENCE.findall(file.read()))]
    if not licences:
        raise typer.BadParameter("no licence's identifier stands in it", param_hint="FILE")
    body = {"change": what, "cause": cause, "licences": licences, "preview": preview}
    headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
    made = Client(url, token).post(_path(agency), body, headers=headers)
    if "proposal_id" in made:
        said = f"proposed: {made['proposal_id']}  {len(licences)} licences; another clerk of the agency approves it"
        answer(made, said, as_json=json_output)
        return
    answer(made, _became(made, agency), as_json=json_output)
    if made["left"]:
        raise typer.Exit(REFUSED)


def list_changes(agency: str, token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """List what was proposed and what was done, the newest first."""
    found = Client(url, token).get(_path(agency))
    told = [
        f"proposal {one['proposal_id']}  {one['state']}  to {one['content']['to']}  "
        f"{one['content']['licences']} licences  by {one['proposed_by']}"
        for one in found["items"]
    ]
    told += [
        f"done {one['change_id']}  {one['at']}  {one['change']}  {one['licences']} licences{_undo(one)}"
        for one in found["changes"]
    ]
    answer(found, lines(told, "nothing yet"), as_json=json_output)


def show(agency: str, proposal_id: str, token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """Read a proposal whole: each licence, and the hash of what is agreed to."""
    made = Client(url, token).get(_path(agency, proposal_id))
    content = made["content"]
    told = [f"to {content['to']}, cause {content['cause']}, by {made['proposed_by']}, {made['state']}"]
    told += [*content["licences"], f"hash: {made['content_hash']}"]
    answer(made, "\n".join(told), as_json=json_output)


def approve(
    agency: str,
    proposal_id: str,
    content_hash: Annotated[str, typer.Argument(help="As `show` told it: of what was looked at.")],
    token: Token,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Approve what another clerk proposed, and do it."""
    made = Client(url, token).post(_path(agency, proposal_id, "approve"), {"content_hash": content_hash})
    answer(made, _became(made, agency), as_json=json_output)


def decline(agency: str, proposal_id: str, token: Token, url: Url = DEFAULT_URL) -> None:
    """Decline a proposal, or take one's own back."""
    Client(url, token).post(_path(agency, proposal_id, "decline"))
    typer.echo("declined")


def undo(agency: str, change_id: str, token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """Undo a suspension as a whole, within an hour of it."""
    made = Client(url, token).post(_path(agency, change_id, "undo"))
    answer(made, _became(made, agency), as_json=json_output)


def _path(agency: str, *more: str) -> str:
    return "/".join([f"/issuers/{quote(agency, safe='')}/status-changes", *(quote(one, safe="") for one in more)])


def _became(made: dict[str, Any], agency: str) -> str:
    told = [f"{made['state']}: {made['changed']} licences"]
    if made["undo_until"]:
        told.append(f"undone until {made['undo_until']} by: licence many undo {agency} {made['change_id']}")
    told += [f"  not changed: {one['licence_id']} {one['code']}" for one in made["left"]]
    return "\n".join(told)


def _undo(one: dict[str, Any]) -> str:
    if one["undone_at"]:
        return f"  undone at {one['undone_at']}"
    return f"  can be undone until {one['undo_until']}" if one["undo_until"] else ""
