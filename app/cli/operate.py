"""The operator's commands: agencies, counters, holders, tokens, keys, trust. They act on the database."""

import json
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from app import catalogue, clock, contracts, custody
from app.cli import clients, local_counter, trust
from app.cli.files import read_json
from app.cli.opening import ACTOR, Json, house
from app.cli.output import answer
from app.house import House
from credentials import base64url, licence_type
from credentials.licence_type import ClaimsRefusedError, Holder
from issuers.agencies import NewAgency
from keys.access import NAMED, PEOPLE, Role
from keys.encryption import KEK_BYTES
from keys.errors import KeySealBrokenError
from keys.models import KeyPurpose
from keys.schemas import SHORT_NAME


def add_to(app: typer.Typer) -> None:
    """Add the operator's commands."""
    groups: list[tuple[str, dict[str, Callable[..., None]], str]] = [
        ("agency", {"add": add_agency}, "Agencies."),
        (
            "counter",
            {"add": add_counter, "code": clients.enrolment_code},
            "Run a counter on this machine; add counters, and codes for their devices.",
        ),
        ("client", clients.COMMANDS, "Systems and devices that get their own tokens."),
        ("holder", {"add": add_holder}, "Holders."),
        ("token", {"grant": grant_token, "revoke": revoke_token}, "Access tokens."),
        (
            "keys",
            {"list": list_keys, "register": register_key, "rotate": rotate_key, "new-kek": new_kek, "rewrap": rewrap},
            "Signing keys.",
        ),
        ("trust", trust.COMMANDS, "Who may sign what; the bundle; the authority's certificate."),
    ]
    for name, commands, about in groups:
        group = typer.Typer(help=about, no_args_is_help=name != "counter")
        if name == "counter":  # by itself it runs one
            group.callback(invoke_without_command=True)(local_counter.run)
        for command, function in commands.items():
            group.command(command)(function)
        app.add_typer(group, name=name)
    app.command("openapi")(openapi)


def add_agency(  # noqa: PLR0917 - typer's options
    key: Annotated[str, typer.Argument(help="Short name, as police; one of the catalogue's needs no more options.")],
    name_zh: str | None = None,
    name_en: str | None = None,
    kind: str = "public_body",
    uscc: Annotated[str | None, typer.Option(help="Unified social credit code, 18 characters.")] = None,
    region: str = "440100",
    domain: str = "政务",
    may_sign: Annotated[list[str] | None, typer.Option(help="Licence type it may sign; repeat.")] = None,
    licence_jwk: Annotated[
        Path | None, typer.Option(exists=True, help="Public JWK of a key that the agency keeps.")
    ] = None,
    json_output: Json = False,
) -> None:
    """Take an agency in, with keys and rights, and print an access token for it."""
    known = catalogue.agencies().get(key, {})
    if not known and not (name_zh and name_en and uscc):
        raise typer.BadParameter(
            f"目录中没有 {key}：请核对拼写，或给出 --name-zh、--name-en 和 --uscc。 {key} is not in the catalogue "
            f"({', '.join(catalogue.agencies())}): mend the name, or give --name-zh, --name-en and --uscc"
        )
    rights = [one.key for one in catalogue.licence_types().values() if key in one.issuer_agencies]
    new = NewAgency(
        key=key,
        name={"zh": name_zh or known["name"]["zh"], "en": name_en or known["name"]["en"]},
        kind=known.get("kind", kind),
        uscc=uscc or known["uscc"],
        region=known.get("region", region),
        domain=known.get("domain", domain),
        may_sign=may_sign if may_sign is not None else rights,
        licence_key=read_json(licence_jwk) if licence_jwk else None,
    )
    made, now = house(), clock.now()
    made.agencies.add(new, actor=ACTOR, now=now)
    _tell_token(made, Role.AGENCY, key, now, json_output)


def add_counter(
    key: str,
    agency: Annotated[str, typer.Option(help="Whose counter it is.")],
    name_zh: str = "综合窗口",
    name_en: str = "Counter",
    channel: Annotated[str, typer.Option(help="hall_counter, kiosk or online.")] = "hall_counter",
    json_output: Json = False,
) -> None:
    """Enrol a counter and print an access token for it."""
    if channel not in {"hall_counter", "kiosk", "online"}:
        raise typer.BadParameter("--channel is hall_counter, kiosk or online")
    made, now = house(), clock.now()
    name = {"zh": name_zh, "en": name_en}
    made.must_be_an_agency(agency)
    made.counters.add(key, agency=agency, name=name, channel=channel, actor=ACTOR, now=now)
    _tell_token(made, Role.COUNTER, key, now, json_output)


def add_holder(
    code: Annotated[str, typer.Argument(help="Citizen number or social credit code.")],
    name: Annotated[str, typer.Argument(help="Name as registered.")],
    code_type: Annotated[str, typer.Option(help="GB/T 36903 Annex A: 111, 001, …")] = "111",
    json_output: Json = False,
) -> None:
    """Make a wallet; in the demonstration, print a one-time sign-in link."""
    holder = Holder(code_type, code, name)
    if faults := licence_type.check_identity(holder, ""):
        raise ClaimsRefusedError(faults)
    made, now = house(), clock.now()
    holder_id = made.accounts.must_be(holder, actor=ACTOR, now=now)
    link = made.accounts.sign_in_link(holder_id, actor=ACTOR, now=now) if made.settings.demo else None
    said = f"持证人 · holder: {holder_id}"
    if link:
        said += f"\n登录链接，三十分钟内一次有效 · sign-in link, once, within 30 minutes: {link}"
        said += f"\n  POST {made.settings.base_url}/wallet/sign-in {json.dumps({'link': link})}"
    else:
        said += "\n由城市身份平台登录（LICENCE_OIDC_…） · signs in at the city's identity platform"
    answer({"holder_id": holder_id, "sign_in_link": link}, said, as_json=json_output)


def grant_token(
    role: Annotated[str, typer.Argument(help="agency, clerk, counter, operator, auditor or support.")],
    subject: Annotated[str, typer.Argument(help="Which agency or counter; of the operator's people any short name.")],
    person: Annotated[str | None, typer.Option(help="Who it is for, of people: the audit names them.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="Scope; repeat. All of the role's if left out.")] = None,
    days: Annotated[int, typer.Option(min=1, max=90)] = 30,
    json_output: Json = False,
) -> None:
    """Give an access token; it is shown this once."""
    if role not in set(Role) - {Role.HOLDER} or (person is not None and role not in PEOPLE):
        there = "agency, clerk, counter, operator, auditor, support"
        raise typer.BadParameter(f"角色可用：{there}，人员须加 --person · roles are {there}; people have a --person")
    if person is None and role in NAMED:
        raise typer.BadParameter("请写明本人，如 --person wang · say whose it is, as --person wang")
    for name in [subject, *([person] if person is not None else [])]:
        if not re.fullmatch(SHORT_NAME, name):
            said = (
                "须为 2 至 32 个小写字母、数字或 _，字母开头 · 2 to 32 lower-case letters, digits and _, a letter first"
            )
            raise typer.BadParameter(f"{name}: {said}")
    clients.must_be_scopes(Role(role), scope or ())
    made, now = house(), clock.now()
    made.must_exist(Role(role), subject)
    _tell_token(
        made, Role(role), subject, now, json_output, life=timedelta(days=days), scopes=scope or [], person=person
    )


def revoke_token(token_id: str, json_output: Json = False) -> None:
    """Take an access token back; its next call is refused."""
    done = house().access.revoke(token_id, actor=ACTOR, now=clock.now())
    answer(
        {"revoked": done}, "已撤销 · revoked" if done else "没有这个令牌 · there is no such token", as_json=json_output
    )
    if not done:
        raise typer.Exit(1)


def list_keys(json_output: Json = False) -> None:
    """List signing keys; private parts never leave the vault."""
    rows = house().vault.key_rows()
    told = [
        {
            "kid": row.kid,
            "owner": row.owner,
            "purpose": row.purpose,
            "state": row.state,
            "in_vault": row.sealed is not None,
        }
        for row in rows
    ]
    lines = "\n".join(f"{one['kid']}  {one['owner']:<16} {one['purpose']:<12} {one['state']}" for one in told)
    answer({"keys": told}, lines, as_json=json_output)


def rotate_key(
    owner: str,
    purpose: KeyPurpose,
    retires: Annotated[str | None, typer.Option(help="The key that signs now: sent twice, it is done once.")] = None,
    json_output: Json = False,
) -> None:
    """Retire an owner's active key; the next one signs from now on, the old one still verifies."""
    kid = house().vault.rotate(owner, purpose, actor=ACTOR, now=clock.now(), retires=retires)
    answer({"kid": kid}, f"今起用此密钥签名 · {owner} signs {purpose} with {kid} from now on", as_json=json_output)


def rewrap(
    to: Annotated[
        str, typer.Argument(help="The new key: a file made with `licence keys new-kek`, of Vault or of an HSM.")
    ],
    vault_token_file: Annotated[
        Path | None, typer.Option(help="Vault's token; then TO is https://HOST/MOUNT/KEY.")
    ] = None,
    json_output: Json = False,
) -> None:
    """Put everything at rest under a new key-encryption key: one row, whole or not at all. Then set it and restart."""
    made, kek = house(), custody.another(to, vault_token_file, secrets.token_bytes)
    itself = False
    with suppress(
        KeySealBrokenError
    ):  # if the key that is set opens nothing, it may have been done before: rewrap tells
        itself = made.root.is_the_key_itself()
    changed = made.root.rewrap(kek, actor=ACTOR, now=clock.now())
    new = {"LICENCE_KEK_FILE": to}
    if vault_token_file is not None:
        new = {"LICENCE_KEK_VAULT": to, "LICENCE_KEK_VAULT_TOKEN_FILE": str(vault_token_file)}
    elif to.startswith("pkcs11:"):
        new = {"LICENCE_KEK_PKCS11": to}
    after = (
        "旧密钥仍须保密：静态数据仍由它封存 · keep the old key secret: what is at rest stays sealed under it"
        if itself
        else "请立即另做备份；更早的备份只有旧密钥能打开，留着它们就须另存旧密钥 · take a backup now; those from "
        "before open with the old key alone: keep it, apart, for as long as you keep them, then destroy it"
    )
    answer(
        {"changed": changed, "custodian": kek.name, "settings": new, "old_key_still_opens": itself},
        f"已{'由' if changed else '早由'}新密钥封装，请将各进程的 LICENCE_KEK_… 换成下列设置并重启 · wrapped under it "
        f"{'now' if changed else 'already'}: for every process unset what LICENCE_KEK_… is set, set "
        f"{' '.join(f'{name}={value}' for name, value in new.items())}, restart them\n{after}",
        as_json=json_output,
    )


def new_kek(file: Path, json_output: Json = False) -> None:
    """Write a new key-encryption key to a file that only its owner can read; never overwrites one."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(base64url.encode(secrets.token_bytes(KEK_BYTES)) + "\n")
    answer(
        {"file": str(file)},
        f"已写入 {file}，请另存，遗失即失去一切 · written; losing it loses every key and wallet: keep a copy apart",
        as_json=json_output,
    )


def register_key(
    owner: Annotated[str, typer.Argument(help="The agency that keeps the key.")],
    jwk: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Its public JWK.")],
    json_output: Json = False,
) -> None:
    """Take in the next public licence key of an agency that keeps its own; `keys rotate` puts it to use."""
    made = house()
    made.issuer.agency(owner)
    public = read_json(jwk)
    kid = made.vault.register(owner, KeyPurpose.LICENCE, public, actor=ACTOR, now=clock.now())
    answer(
        {"kid": kid}, f"{kid} 待启用 · waits: `licence keys rotate {owner} licence` puts it to use", as_json=json_output
    )


def openapi(
    folder: Annotated[Path, typer.Argument(help="Where to write the contracts.")] = Path("openapi"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file differs.")] = False,
    json_output: Json = False,
) -> None:
    """Write the OpenAPI contracts, one a reader."""
    stale = contracts.differing(folder) if check else contracts.write(folder)
    said = f"out of date: {', '.join(stale)}; run `make openapi`" if check and stale else "the contracts are true"
    answer({"stale" if check else "written": stale}, said, as_json=json_output)
    if check and stale:
        raise typer.Exit(1)


def _tell_token(
    made: House, role: Role, subject: str, now: datetime, as_json: bool, *,
    life: timedelta = timedelta(days=30), scopes: list[str] | None = None, person: str | None = None,
) -> None:  # fmt: skip
    secret = made.access.grant(role, subject, life=life, scopes=scopes or [], person=person, actor=ACTOR, now=now)
    token_id = made.access.caller(secret, now=now).token_id
    answer(
        {
            "subject": subject,
            "role": role,
            "token_id": token_id,
            "token": secret,
            "expires_at": (now + life).isoformat(),
        },
        f"{role} {subject}: token {token_id}, shown this once:\n{secret}",
        as_json=as_json,
    )
