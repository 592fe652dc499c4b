"""Systems and devices that get their own tokens: the operator takes them in; a system asks for its token."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from app import clock
from app.cli.agency import DEFAULT_URL, Url
from app.cli.client import Client
from app.cli.opening import ACTOR, Json, house
from app.cli.output import answer, print_json
from app.local_counter import line
from credentials import strict_json
from credentials.errors import MalformedError
from credentials.jwk import export_public
from keys.access import SCOPES, Role
from keys.oauth.client_credentials import ASSERTION
from keys.oauth.clients import CODE_LIFE

SystemRole = Annotated[str, typer.Argument(help="agency or counter.")]


def add_client(  # noqa: PLR0917 - typer's options
    role: SystemRole,
    subject: Annotated[str, typer.Argument(help="Which agency or counter.")],
    jwk: Annotated[Path, typer.Option(exists=True, help="Its public key: the .jwk of `client new-key`.")],
    name: Annotated[str, typer.Option(help="What people call it.")],
    scope: Annotated[list[str] | None, typer.Option(help="A scope; repeat. All of the role's if left out.")] = None,
    dpop_bound: Annotated[bool, typer.Option("--dpop", help="Its tokens are bound to this key.")] = False,
    json_output: Json = False,
) -> None:
    """Take in a system that gets its own tokens with a key (private_key_jwt)."""
    kind = _role(role)
    must_be_scopes(kind, scope or ())
    public, made = _public(jwk), house()
    made.must_exist(kind, subject)
    registered = made.clients.register(
        kind, subject, name=name, scopes=scope or (), jwk=public, dpop=dpop_bound,
        actor=ACTOR, now=clock.now(),
    )  # fmt: skip
    said = f"客户端编号 · client identifier: {registered.client_id}"
    answer({"client_id": registered.client_id}, said, as_json=json_output)


def list_clients(role: SystemRole, subject: str, json_output: Json = False) -> None:
    """List the systems and devices of an agency or counter."""
    rows: list[dict[str, Any]] = [
        {"client_id": row.client_id, "name": row.name, "scopes": row.scopes, "suspended": row.suspended_at is not None}
        for row in house().clients.of(_role(role), subject)
    ]
    if json_output:
        print_json({"clients": rows})
    for row in [] if json_output else rows:
        typer.echo(f"{row['client_id']}  {row['name']}  {row['scopes']}{'  suspended' if row['suspended'] else ''}")


def suspend_client(client_id: str, json_output: Json = False) -> None:
    """Stop a system or a lost device; its next call is refused."""
    house().clients.suspend(client_id, suspended=True, actor=ACTOR, now=clock.now())
    answer({"client_id": client_id, "suspended": True}, f"{client_id} is suspended", as_json=json_output)


def resume_client(client_id: str, json_output: Json = False) -> None:
    """Let a suspended system or device in again, with those of its tokens that have not expired."""
    house().clients.suspend(client_id, suspended=False, actor=ACTOR, now=clock.now())
    answer({"client_id": client_id, "suspended": False}, f"{client_id} is let in again", as_json=json_output)


def enrolment_code(counter: str, json_output: Json = False) -> None:
    """Print a code with which one device becomes this counter's: once, within ten minutes; and where it goes."""
    made = house()
    made.counters.get(counter)
    code = made.clients.enrolment_code(counter, actor=ACTOR, now=clock.now())
    told = {"code": code, "expires_in_seconds": int(CODE_LIFE.total_seconds())}
    spelt, minutes = "-".join(code[at : at + 4] for at in range(0, len(code), 4)), int(CODE_LIFE.total_seconds() // 60)
    said = f"登记码，{minutes} 分钟内一次有效 · enrolment code, once, within {minutes} minutes: {spelt}"
    where = f"{made.settings.base_url}/verifier/enrol"
    home = made.settings.base_url
    said += f"\n  在此输入 · type it at {home}/c, or: licence counter --home {home} --code {code}"
    said += f"\n  设备附上其密钥的 DPoP 证明 · a device of your own, with a DPoP proof of its key: POST {where}"
    answer(told, said, as_json=json_output)


def new_key(
    file: Annotated[Path, typer.Argument(help="Where to put the private key; the public one goes beside it, .jwk.")],
    json_output: Json = False,
) -> None:
    """Make a system's key pair: the private key stays there, the .jwk is for the operator."""
    private = generate_private_key(SECP256R1())
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = file.with_suffix(".jwk")
    public.write_bytes(strict_json.dumps(export_public(private)))
    answer({"private": str(file), "public": str(public)}, f"{file} and {public} written", as_json=json_output)


def token(
    client_id: Annotated[str, typer.Argument(envvar="LICENCE_CLIENT_ID")],
    key: Annotated[Path, typer.Option(exists=True, help="The system's private key (PEM).")],
    url: Url = DEFAULT_URL,
    scope: Annotated[str, typer.Option(help="Scopes, parted by spaces; all of the client's if left out.")] = "",
    bound: Annotated[bool, typer.Option("--dpop", help="Bind it to the key.")] = False,
    json_output: Json = False,
) -> None:
    """Get a token for ten minutes as a system (RFC 7523); with --dpop it is bound to the key (RFC 9449)."""
    private = load_pem_private_key(key.read_bytes(), None)
    if not isinstance(private, EllipticCurvePrivateKey):
        raise typer.BadParameter("a P-256 key")
    now, endpoint = clock.now(), f"{url}/oauth/token"
    proof = line.proof(private, "POST", endpoint, now=now)
    claim = line.assertion(private, client_id, endpoint, now=now)
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": claim}
    form |= {"scope": scope} if scope else {}
    http = Client(url)
    got = http.call("POST", "/oauth/token", data=form, headers={"DPoP": proof} if bound else {})
    answer(got, str(got["access_token"]), as_json=json_output)


def must_be_scopes(role: Role, wanted: Collection[str]) -> None:
    """Say which scopes a role does not have, and which it has."""
    if unknown := sorted(set(wanted) - SCOPES[role]):
        theirs, there = ", ".join(unknown), ", ".join(sorted(SCOPES[role]))
        raise typer.BadParameter(
            f"{role} 没有权限 {theirs}，可用：{there} · {role} has no scope {theirs}; there are: {there}"
        )


def _public(file: Path) -> dict[str, Any]:
    try:
        return strict_json.loads_object(file.read_bytes())
    except MalformedError as error:
        raise typer.BadParameter(
            f"{file} 不是 JWK：请用 licence client new-key 写出的 .jwk 文件，不是私钥 .pem · "
            f"{file} is no JWK: give the .jwk file that `licence client new-key` wrote, not the private key's .pem"
        ) from error


def _role(text: str) -> Role:
    if text not in {Role.AGENCY, Role.COUNTER}:
        raise typer.BadParameter("agency or counter")
    return Role(text)


COMMANDS: dict[str, Callable[..., None]] = {
    "add": add_client,
    "list": list_clients,
    "suspend": suspend_client,
    "resume": resume_client,
    "new-key": new_key,
    "token": token,
}
