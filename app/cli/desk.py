"""`licence desk`: what a counter does over the API: ask and wait, rely on a receipt, verify a class."""

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from app.cli.agency import DEFAULT_URL, Json, Token, Url
from app.cli.client import Client
from app.cli.output import CANNOT_CONFIRM, EXIT_BY_VERDICT, answer, console, errors, lines
from app.cli.verify import told

LONGEST_SECONDS, A_CALL_SECONDS = 120, 20
Operator = Annotated[str | None, typer.Option(help="Who stands at the desk.")]
Item = Annotated[str, typer.Argument(help="What for, as school_transfer.")]
group = typer.Typer(help="A counter's desk.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="desk")


@group.command()
def items(token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """List the service items that this counter may ask for: what each needs and replaces."""
    made = Client(url, token).get("/verifier/service-items")
    rows = (
        f"{one['key']}  {one['name']['zh']}  {one['name']['en']}\n"
        f"  needs {', '.join(need['licence_type'] + ('' if need['required'] else '?') for need in one['needs'])}"
        f"; replaces {'、'.join(one['replaces'])}"
        for one in made["items"]
    )
    answer(made, lines(rows, "no item"), as_json=json_output)


@group.command()
def ask(
    scanned: Annotated[str, typer.Argument(help="What the scanner read: a code's address, or its typed form.")],
    service_item: Item,
    token: Token,
    operator: Operator = None,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Ask the holder of a scanned code, and wait two minutes at most for one answer."""
    desk = Client(url, token)
    body = {"scanned": scanned, "service_item": service_item} | ({"operator": operator} if operator else {})
    made = desk.post("/verifier/asks", body)
    if "verdict" not in made:
        said = "已询问，等持证人在钱包中作答，至 {0} · asked: waiting for the holder's wallet, until {0}"
        errors.print(said.format(made["expires_at"]), soft_wrap=True)
    for _ in range(LONGEST_SECONDS // A_CALL_SECONDS + 1):
        if "verdict" in made:
            break
        made = desk.get(f"/verifier/asks/{made['ask_id']}", params={"wait": A_CALL_SECONDS})
    _verdict(made, as_json=json_output)


@group.command()
def rely(
    receipt: Annotated[str, typer.Argument(help="The receipt; - reads it from standard input.")],
    service_item: Item,
    token: Token,
    operator: Operator = None,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Rely on a receipt in place of showing again: the original verdict, is each licence still good, what lacks."""
    text = sys.stdin.read().strip() if receipt == "-" else receipt
    body = {"receipt": text, "service_item": service_item} | ({"operator": operator} if operator else {})
    _verdict(Client(url, token).post("/verifier/receipts/check", body), as_json=json_output)


@group.command("class-list")
def class_list(
    token: Token,
    list_id: Annotated[str | None, typer.Argument(help="One of them, entry by entry.")] = None,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """List this counter's class lists, or see who is complete in one and who lacks what."""
    desk = Client(url, token)
    if list_id is None:
        made = desk.get("/verifier/class-lists")
        rows = (f"{one['list_id']}  {one['name']}  {one['service_item']}" for one in made["items"])
        answer(made, lines(rows, "no list"), as_json=json_output)
        return
    made = desk.get(_path(list_id))
    entries = (
        f"{one['number']:3}  {one['label']}  {one['state']}  "
        + ", ".join(" or ".join(each["licence_type"] for each in (lack, *lack["or"])) for lack in one["lacks"])
        for one in made["entries"]
    )
    answer(made, f"{made['name']}: {made['complete']} complete\n{lines(entries, '')}", as_json=json_output)


@group.command("make-class-list")
def make_class_list(
    service_item: Item,
    name: str,
    labels: Annotated[list[str], typer.Argument(help="One for each, as the pupils' numbers in class.")],
    token: Token,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Make a class list."""
    body = {"name": name, "service_item": service_item, "labels": labels}
    made = Client(url, token).post("/verifier/class-lists", body)
    answer(made, f"{made['list_id']} with {len(labels)} entries", as_json=json_output)


@group.command("class-entry")
def class_entry(  # noqa: PLR0917 - typer's options
    list_id: str,
    number: int,
    scanned: str,
    token: Token,
    operator: Operator = None,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Verify a code for one entry; what several show adds up."""
    body = {"scanned": scanned} | ({"operator": operator} if operator else {})
    _verdict(Client(url, token).post(f"{_path(list_id)}/entries/{number}/verifications", body), as_json=json_output)


@group.command("class-link")
def class_link(
    list_id: str,
    number: int,
    token: Token,
    days: Annotated[int, typer.Option(min=1, max=30)] = 14,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Make a link by which one entry's wallet answers by itself."""
    made = Client(url, token).post(f"{_path(list_id)}/entries/{number}/link", {"days": days})
    answer(made, f"{made['link']}\nuntil {made['expires_at']}", as_json=json_output)


@group.command("close-class-list")
def close_class_list(list_id: str, token: Token, url: Url = DEFAULT_URL) -> None:
    """Take no more codes for a list."""
    Client(url, token).post(f"{_path(list_id)}/close")
    console.print("closed")


@group.command("request")
def request(
    service_item: Item,
    token: Token,
    return_to: Annotated[str | None, typer.Option(help="The page that asked, for one device.")] = None,
    session: Annotated[str | None, typer.Option(help="The page's session; an online counter needs one.")] = None,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Ask any wallet by a link (OpenID4VP)."""
    body = {"service_item": service_item, "qr": "none", "return_to": return_to, "session": session}
    made = Client(url, token).post(
        "/verifier/presentation-requests", {name: one for name, one in body.items() if one is not None}
    )
    answer(made, f"{made['request_id']}\n{made['link']}\nuntil {made['expires_at']}", as_json=json_output)


@group.command("answer")
def request_answer(
    request_id: str,
    token: Token,
    session: str | None = None,
    response_code: str | None = None,
    url: Url = DEFAULT_URL,
    json_output: Json = False,
) -> None:
    """Read what a wallet answered to a request; its verdict is told once."""
    params = {"response_code": response_code} if response_code else {}
    headers = {"Page-Session": session} if session else {}
    path = f"/verifier/presentation-requests/{quote(request_id, safe='')}"
    made = Client(url, token).get(path, params=params, headers=headers)
    if made["verdict"] is None:
        answer(made, made["state"], as_json=json_output)
        return
    _verdict(made["verdict"], as_json=json_output)


@group.command("copy")
def file_copy(
    verification_id: str,
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to write the PDF.")],
    token: Token,
    url: Url = DEFAULT_URL,
) -> None:
    """Fetch the copy for the file of a verification."""
    data = Client(url, token).fetch(f"/verifier/verifications/{quote(verification_id, safe='')}/copy")
    file.write_bytes(data)
    console.print(f"wrote {len(data)} bytes")


def _verdict(made: dict[str, Any], *, as_json: bool) -> None:
    if "verdict" not in made:
        answer(made, "the holder has not answered", as_json=as_json)
        raise typer.Exit(CANNOT_CONFIRM)
    answer(made, told(made), as_json=as_json)
    raise typer.Exit(EXIT_BY_VERDICT[made["verdict"]])


def _path(list_id: str) -> str:
    return f"/verifier/class-lists/{quote(list_id, safe='')}"
