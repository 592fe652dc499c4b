"""An agency's commands: issue and revoke, over the API with the agency's token."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from app.cli.client import Client
from app.cli.output import answer
from credentials import strict_json

Url = Annotated[str, typer.Option(envvar="LICENCE_URL", help="The service's address.")]
Token = Annotated[str, typer.Option(envvar="LICENCE_TOKEN", help="Access token; better from the environment.")]
Json = Annotated[bool, typer.Option("--json", help="Answer with JSON.")]
Key = Annotated[str | None, typer.Option("--idempotency-key", help="The same key again gives the same result.")]
DEFAULT_URL = "http://127.0.0.1:8080"


def add_to(app: typer.Typer) -> None:
    """Add an agency's commands."""
    app.command("issue")(issue)
    app.command("revoke")(revoke)


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
    body = strict_json.loads(file.read_bytes())
    path = f"/issuers/{quote(agency, safe='')}/licences"
    made = Client(url, token).post(path, body, headers=_headers(idempotency_key))
    answer(made, f"issued {made['licence_id']}", as_json=json_output)


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
    path = f"/issuers/{quote(agency, safe='')}/licences/{quote(licence_id, safe='')}/revoke"
    made = Client(url, token).post(path, {"cause": cause}, headers=_headers(idempotency_key))
    answer(made, f"{licence_id} is {made['state']} ({made['cause']})", as_json=json_output)


def _headers(idempotency_key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": idempotency_key} if idempotency_key else {}
