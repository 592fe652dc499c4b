"""An agency's commands: issue and revoke, over the API with the agency's token."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.client import Client
from app.cli.output import answer
from credentials import strict_json

Url = Annotated[str, typer.Option(envvar="LICENCE_URL", help="The service's address.")]
Token = Annotated[str, typer.Option(envvar="LICENCE_TOKEN", help="Access token; better from the environment.")]
Json = Annotated[bool, typer.Option("--json", help="Answer with JSON.")]
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
    idempotency_key: Annotated[str | None, typer.Option(help="The same key again gives the same licence.")] = None,
    json_output: Json = False,
) -> None:
    """Issue a licence."""
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    body = strict_json.loads(file.read_bytes())
    made = Client(url, token).post(f"/issuers/{agency}/licences", body, headers=headers)
    answer(made, f"issued {made['licence_id']}", as_json=json_output)


def revoke(
    agency: str, licence_id: str, cause: str, token: Token, url: Url = DEFAULT_URL, json_output: Json = False
) -> None:
    """Revoke a licence for good, with a cause of its type's list."""
    made = Client(url, token).post(f"/issuers/{agency}/licences/{licence_id}/revoke", {"cause": cause})
    answer(made, f"{licence_id} is {made['state']} ({made['cause']})", as_json=json_output)
