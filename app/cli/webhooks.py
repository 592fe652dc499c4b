"""`licence webhook`: who is told of what, over the API with the operator's token."""

from typing import Annotated
from urllib.parse import quote

import typer

from app.cli.agency import DEFAULT_URL, Json, Token, Url
from app.cli.client import Client
from app.cli.output import answer, lines

PATH = "/admin/webhooks"
group = typer.Typer(help="Webhooks (Standard Webhooks) and their deliveries.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="webhook")


@group.command()
def add(
    owner: Annotated[str, typer.Argument(help="agency:police, counter:school2_office, or gateway.")],
    address: Annotated[str, typer.Argument(help="An https address.")],
    types: Annotated[list[str], typer.Argument(help="Events, as licence.revoked.")],
    token: Token,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Tell somebody of events; prints the secret that signs them, this once."""
    made = Client(url, token).post(PATH, {"owner": owner, "url": address, "types": types})
    answer(made, f"{made['webhook_id']}  secret: {made['secret']}", as_json=json_output)


@group.command("list")
def list_webhooks(token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """List who is told of what."""
    made = Client(url, token).get(PATH)
    told = (
        f"{one['webhook_id']}  {one['owner']}  {one['url']}  {', '.join(one['types'])}{_silence(one)}"
        for one in made["items"]
    )
    answer(made, lines(told, "no webhook"), as_json=json_output)


@group.command()
def deliveries(webhook_id: str, token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """List what was delivered, what is owed, what is dead."""
    made = Client(url, token).get(f"{PATH}/{quote(webhook_id, safe='')}/deliveries")
    told = (
        f"{one['event_id']}  {one['at']}  {_state(one)}  {one['tries']} tries  {one['said'] or ''}"
        for one in made["items"]
    )
    answer(made, lines(told, "nothing yet"), as_json=json_output)


@group.command()
def replay(
    webhook_id: str,
    since: Annotated[str, typer.Argument(help="RFC 3339 with zone.")],
    token: Token,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Send everything since an instant again."""
    made = Client(url, token).post(f"{PATH}/{quote(webhook_id, safe='')}/replay", {"since": since})
    answer(made, f"{made['events']} events are owed anew", as_json=json_output)


@group.command()
def end(webhook_id: str, token: Token, url: Url = DEFAULT_URL) -> None:
    """Tell it nothing more."""
    Client(url, token).call("DELETE", f"{PATH}/{quote(webhook_id, safe='')}")
    typer.echo("ended")


def _silence(one: dict[str, str | None]) -> str:
    if not one["silent_since"]:
        return ""
    return f"  silent since {one['silent_since']}, asked again at {one['rests_until']}"


def _state(one: dict[str, str | None]) -> str:
    return "delivered" if one["delivered_at"] else "dead" if one["dead_at"] else f"next at {one['next_at']}"
