"""`licence wallet`: what a holder does over the API: what is kept, who asks, who saw what, who acts for whom."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from app.cli.agency import DEFAULT_URL, Json, Token, Url, timeline
from app.cli.client import Client
from app.cli.files import read_json
from app.cli.output import REFUSED, answer, lines, picture_kind, reply, write_picture

Until = Annotated[str, typer.Argument(help="RFC 3339 with zone, as 2026-12-31T23:59:59+08:00; within a year.")]
ForWhom = Annotated[str | None, typer.Option("--for", help="For whom, where you act for several: a `principal`.")]
Sensitive = Annotated[bool, typer.Option("--sensitive", help="Yes, too, to a child's under fourteen.")]
group = typer.Typer(help="A holder's wallet.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="wallet")


@group.command()
def licences(token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """List what this wallet may show."""
    made = Client(url, token).get("/wallet/licences")
    told = (
        f"{one['licence_id']}  {one['name']}  {one['state']}{of(one['principal'] and one['principal']['name'])}"
        for one in made["items"]
    )
    answer(made, lines(told, "no licence yet"), as_json=json_output)


@group.command("sign-in")
def sign_in(
    code: Annotated[str, typer.Argument(help="What `licence holder add` printed, in the demonstration.")],
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Get a holder's access token for a one-time sign-in link; it is good for an hour."""
    made = Client(url).post("/wallet/sign-in", {"link": code})
    answer(made, made["access_token"], as_json=json_output)


@group.command("pass")
def offline_pass(  # noqa: PLR0917 - typer's options
    licence_id: str,
    claims: Annotated[list[str], typer.Argument(help="What it discloses, as residence_district.")],
    token: Token,
    qr: Annotated[Path | None, typer.Option(help="Write the QR code here (.svg or .png).")] = None,
    sensitive: Sensitive = False,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Make an offline pass of one licence, which is verified without a network; it lives five minutes."""
    body = {"licence_id": licence_id, "claims": claims, "sensitive": sensitive, "qr": picture_kind(qr)}
    made = Client(url, token).post("/wallet/passes", body)
    write_picture(qr, made.pop("qr"))
    answer(made, f"{made['text']}\nuntil {made['expires_at']}", as_json=json_output)


@group.command()
def asked(
    token: Token,
    consent_id: Annotated[str | None, typer.Argument(help="One of them, with all that it means.")] = None,
    principal: ForWhom = None,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """See who asks: questions that wait, or one of them with what would leave and what would not."""
    wallet = Client(url, token)
    if consent_id is None:
        made = wallet.get("/wallet/consents", params={"state": "waiting"})
        told = (
            f"{one['consent_id']}  {one['counter_name']['zh']}  {one['service_item']}  until {one['expires_at']}"
            for one in made["items"]
        )
        answer(made, lines(told, "nobody asks"), as_json=json_output)
        return
    made = _look(wallet, consent_id, principal)
    answer(made, _meaning(made), as_json=json_output)


@group.command()
def agree(  # noqa: PLR0917 - typer's options
    consent_id: str,
    token: Token,
    without: Annotated[list[str] | None, typer.Option(help="An optional licence type to keep back.")] = None,
    principal: ForWhom = None,
    sensitive: Sensitive = False,
    yes: Annotated[bool, typer.Option("--yes", help="Agree without being asked.")] = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Look at a question, and let what it names leave."""
    wallet = Client(url, token)
    seen = _look(wallet, consent_id, principal)
    if not yes:
        typer.echo(_meaning(seen), err=True)
        if not reply(lambda: typer.confirm("Show it?", err=True), "同意请加 --yes · add --yes to agree"):
            raise typer.Exit(REFUSED)
    body = {"seen": seen["seen"], "without": without or [], "sensitive": sensitive}
    path = f"/wallet/consents/{quote(consent_id, safe='')}/confirm"
    wallet.post(path, body | ({"principal": principal} if principal else {}))
    typer.echo("shown")


@group.command()
def decline(
    consent_id: str,
    token: Token,
    report: Annotated[str | None, typer.Option(help="Tell the operator what was out of place.")] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Let nothing leave; with --report the operator is told."""
    body = {"report": report} if report else {}
    Client(url, token).post(f"/wallet/consents/{quote(consent_id, safe='')}/decline", body)
    typer.echo("declined and reported" if report else "declined")


@group.command()
def uses(token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """List who saw which claims of which licences, when, for what."""
    made = Client(url, token).get("/wallet/uses")
    told = (
        f"{one['use_id']}  {one['at']}  {one['verifier_name'].get('zh') or one['verifier']}  {one['verdict']}  "
        f"{one['service_item'] or ''}  {one['holder_name']} ← {one['actor_name']}  "
        + "; ".join(f"{kind['licence_type']}: {', '.join(kind['claims'])}" for kind in one["licences"])
        for one in made["items"]
    )
    answer(made, lines(told, "nobody saw anything yet"), as_json=json_output)


@group.command("permit-reuse")
def permit_reuse(use_id: str, until: Until, token: Token, url: Url = DEFAULT_URL) -> None:
    """Let other counters rely on a use's receipt until an instant."""
    Client(url, token).call("PUT", _use(use_id, "reuse"), json={"until": until})
    typer.echo(f"permitted until {until}")


@group.command("withdraw-reuse")
def withdraw_reuse(use_id: str, token: Token, url: Url = DEFAULT_URL) -> None:
    """Take that back."""
    Client(url, token).call("DELETE", _use(use_id, "reuse"))
    typer.echo("taken back")


@group.command("permit-notice")
def permit_notice(use_id: str, until: Until, token: Token, url: Url = DEFAULT_URL) -> None:
    """Let the counter of a use be told of changes of what it relied on, until an instant."""
    Client(url, token).call("PUT", _use(use_id, "notice"), json={"until": until})
    typer.echo(f"permitted until {until}")


@group.command("withdraw-notice")
def withdraw_notice(use_id: str, token: Token, url: Url = DEFAULT_URL) -> None:
    """Take that back."""
    Client(url, token).call("DELETE", _use(use_id, "notice"))
    typer.echo("taken back")


@group.command()
def mandates(token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """List who may show whose licences, given and had; ended ones too."""
    made = Client(url, token).get("/wallet/mandates")
    told = (
        f"{one['mandate_id']}  {one['kind']}  {one['agent_name']} → {one['principal_name']}  {one['state']}  "
        f"{', '.join(one['types'] or ['all'])}  until {one['ends_at'] or 'it is withdrawn'}"
        for one in made["items"]
    )
    answer(made, lines(told, "no mandate"), as_json=json_output)


@group.command()
def entrust(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON as POST /wallet/mandates takes it.")],
    token: Token,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Let somebody show licences for you, or for your company, until a stated time."""
    made = Client(url, token).post("/wallet/mandates", read_json(file))
    answer(made, f"{made['mandate_id']}: {made['agent_name']} → {made['principal_name']}", as_json=json_output)


@group.command("end-mandate")
def end_mandate(mandate_id: str, token: Token, url: Url = DEFAULT_URL) -> None:
    """End a mandate, and what was given under it."""
    Client(url, token).call("DELETE", f"/wallet/mandates/{quote(mandate_id, safe='')}")
    typer.echo("ended")


@group.command()
def cases(
    token: Token,
    case_id: Annotated[str | None, typer.Argument(help="One of them, with its timeline.")] = None,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """List what you asked agencies to put right, or read one of them."""
    wallet = Client(url, token)
    if case_id is not None:
        made = wallet.get(f"/wallet/cases/{quote(case_id, safe='')}")
        answer(made, timeline(made), as_json=json_output)
        return
    made = wallet.get("/wallet/cases")
    told = (f"{one['case_id']}  {one['agency']}  {one['kind']}  {one['state']}" for one in made["items"])
    answer(made, lines(told, "no case"), as_json=json_output)


@group.command("open-case")
def open_case(
    kind: Annotated[str, typer.Argument(help="correction (of a licence) or objection (to a use).")],
    about: Annotated[str, typer.Argument(help="The licence's or the use's identifier.")],
    text: str,
    token: Token,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Ask an agency to put a licence right, or to look into a use."""
    made = Client(url, token).post("/wallet/cases", {"kind": kind, "about": about, "text": text})
    answer(made, f"{made['case_id']} is open at {made['agency']}", as_json=json_output)


def _look(wallet: Client, consent_id: str, principal: str | None) -> dict[str, Any]:
    params = {"principal": principal} if principal else {}
    seen: dict[str, Any] = wallet.get(f"/wallet/consents/{quote(consent_id, safe='')}", params=params)
    return seen


def _meaning(seen: dict[str, Any]) -> str:
    who = f"{seen['counter_name']['zh']} ({seen['agency_name'].get('zh', '')})"
    told = [f"{who} asks for {seen['item_name']['zh']} {seen['item_name']['en']}, until {seen['expires_at']}"]
    if seen["copy_days"]:
        told.append(f"  a copy is kept for {seen['copy_days']} days")
    for one in seen["parts"]:
        told.append(f"  {one['licence_type']}{' (optional)' if one['optional'] else ''}: {one['why']['en']}")
        told.append(f"    shows {', '.join(one['shown'])}")
        told.append(f"    keeps back {', '.join(one['kept']) or 'nothing'}")
    told += [f"  missing: {one['licence_type']} ({one['why']['en']})" for one in seen["missing"]]
    return "\n".join(told)


def of(name: str | None) -> str:
    """Return whose something is, where it is not one's own."""
    return f"  (of {name})" if name else ""


def _use(use_id: str, what: str) -> str:
    return f"/wallet/uses/{quote(use_id, safe='')}/{what}"
