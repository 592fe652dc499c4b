"""An agency's commands over the API with the agency's token: issue, suspend, reinstate, revoke, answer cases."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from app.cli.client import Client
from app.cli.files import read_json
from app.cli.output import answer, lines

Url = Annotated[str, typer.Option(envvar=["LICENCE_URL", "LICENCE_BASE_URL"], help="The service's address.")]
Token = Annotated[str, typer.Option(envvar="LICENCE_TOKEN", help="Access token; better from the environment.")]
Json = Annotated[bool, typer.Option("--json", help="Answer with JSON.")]
Key = Annotated[str | None, typer.Option("--idempotency-key", help="The same key again gives the same result.")]
DEFAULT_URL = "http://127.0.0.1:8080"


def add_to(app: typer.Typer) -> None:
    """Add an agency's commands."""
    app.command("issue")(issue)
    app.command("suspend")(suspend)
    app.command("reinstate")(reinstate)
    app.command("revoke")(revoke)
    group = typer.Typer(help="What holders ask an agency to put right.", no_args_is_help=True)
    group.command("list")(list_cases)
    group.command("show")(show_case)
    group.command("answer")(answer_case)
    app.add_typer(group, name="case")


def issue(
    agency: str,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON as POST /issuers/{agency}/licences takes it.")
    ],
    token: Token,
    url: Url = DEFAULT_URL,
    idempotency_key: Key = None,
    json_output: Json = False,
) -> None:
    """Issue a licence."""
    path = f"/issuers/{quote(agency, safe='')}/licences"
    made = Client(url, token).post(path, read_json(file), headers=_headers(idempotency_key))
    answer(made, f"已签发 · issued {made['licence_id']}", as_json=json_output)


def revoke(  # noqa: PLR0917 - typer's options
    agency: str,
    licence_id: str,
    cause: str,
    token: Token,
    url: Url = DEFAULT_URL,
    idempotency_key: Key = None,
    json_output: Json = False,
) -> None:
    """Revoke a licence for good, with a cause of its type's list."""
    _change(Client(url, token), (agency, licence_id, "revoke"), {"cause": cause}, idempotency_key, json_output)


def suspend(  # noqa: PLR0917 - typer's options
    agency: str,
    licence_id: str,
    cause: str,
    token: Token,
    url: Url = DEFAULT_URL,
    idempotency_key: Key = None,
    json_output: Json = False,
) -> None:
    """Suspend a licence, with a cause of its type's list; it can be reinstated."""
    _change(Client(url, token), (agency, licence_id, "suspend"), {"cause": cause}, idempotency_key, json_output)


def reinstate(
    agency: str,
    licence_id: str,
    token: Token,
    url: Url = DEFAULT_URL,
    idempotency_key: Key = None,
    json_output: Json = False,
) -> None:
    """Make a suspended licence good again."""
    _change(Client(url, token), (agency, licence_id, "reinstate"), None, idempotency_key, json_output)


def list_cases(agency: str, token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """List what holders ask this agency to put right, oldest first."""
    made = Client(url, token).get(f"/issuers/{quote(agency, safe='')}/cases")
    told = (f"{one['case_id']}  {one['kind']}  {one['state']}  {one['about']}" for one in made["items"])
    answer(made, lines(told, "no case"), as_json=json_output)


def show_case(agency: str, case_id: str, token: Token, url: Url = DEFAULT_URL, json_output: Json = False) -> None:
    """Read a case and its timeline."""
    made = Client(url, token).get(f"/issuers/{quote(agency, safe='')}/cases/{quote(case_id, safe='')}")
    answer(made, timeline(made), as_json=json_output)


def answer_case(
    agency: str,
    case_id: str,
    state: Annotated[str, typer.Argument(help="in_hand, upheld or rejected.")],
    text: Annotated[str, typer.Argument(help="In words that the holder reads.")],
    token: Token,
    url: Url = DEFAULT_URL,
) -> None:
    """Take a case in hand, uphold or reject it."""
    path = f"/issuers/{quote(agency, safe='')}/cases/{quote(case_id, safe='')}/answer"
    Client(url, token).post(path, {"state": state, "text": text})
    typer.echo(f"{case_id} is {state}")


def timeline(case: dict[str, Any]) -> str:
    """Return a case as people read it."""
    about = f"{case['kind']} of {case['about']}\n"
    return about + lines(
        (f"{one['at']}  {one['actor']}  {one['state']}  {one['text']}" for one in case["timeline"]), ""
    )


def _change(
    client: Client, what: tuple[str, str, str], body: dict[str, str] | None, key: str | None, as_json: bool
) -> None:
    agency, licence_id, verb = what
    path = f"/issuers/{quote(agency, safe='')}/licences/{quote(licence_id, safe='')}/{verb}"
    made = client.post(path, body, headers=_headers(key))
    cause = f" ({made['cause']})" if made.get("cause") else ""
    answer(made, f"{licence_id} is {made['state']}{cause}", as_json=as_json)


def _headers(idempotency_key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": idempotency_key} if idempotency_key else {}
