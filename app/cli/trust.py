"""The operator's commands on trust: who may sign what, the bundle for offline counters, the authority's certificate."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.serialization import Encoding

from app import clock
from app.cli.opening import ACTOR, Json, house
from app.cli.output import answer, print_json
from credentials.licence_type import CITY_TIME


def export_trust(
    output: Annotated[Path | None, typer.Argument(help="File to write; standard output if left out.")] = None,
    json_output: Json = False,
) -> None:
    """Write the trust bundle that counters verify with when the network is down."""
    bundle = house().trust_bundle(clock.now())
    if output is None:
        print_json(bundle)
    else:
        output.write_text(json.dumps(bundle, ensure_ascii=False), encoding="utf-8")
        answer({"file": str(output)}, f"已写入 · written: {output}", as_json=json_output)


def grant_right(
    agency: str,
    licence_type_key: str,
    since: Annotated[
        datetime | None, typer.Option("--from", help="First moment, the city's time; now if left out.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", help="Its end, the city's time: a day ends it as the day begins; open if left out."),
    ] = None,
    json_output: Json = False,
) -> None:
    """Let an agency sign a licence type, from when to when."""
    made, now = house(), clock.now()
    first = since.replace(tzinfo=CITY_TIME) if since else now
    last = until.replace(tzinfo=CITY_TIME) if until else None
    if licence_type_key not in made.types:
        there = ", ".join(sorted(made.types))
        raise typer.BadParameter(f"没有这一证照类型，可用：{there} · there is no such licence type; there are: {there}")
    if last is not None and last <= first:
        raise typer.BadParameter("终止须晚于起始 · the end comes after the beginning")
    if not made.registry.grant(
        agency, made.issuer.vct(licence_type_key), since=first, until=last, actor=ACTOR, now=now
    ):
        raise typer.BadParameter("没有这个机关，请先 licence agency add · there is no such agency: licence agency add")
    begins, ends = first.astimezone(CITY_TIME), last.astimezone(CITY_TIME) if last else None
    when = f"{begins:%Y-%m-%d %H:%M} – {ends:%Y-%m-%d %H:%M}" if ends else f"{begins:%Y-%m-%d %H:%M} –"
    answer(
        {
            "agency": agency,
            "licence_type": licence_type_key,
            "from": begins.isoformat(),
            "until": ends.isoformat() if ends else None,
        },
        f"已授权 · {agency} may sign {licence_type_key}, {when}",
        as_json=json_output,
    )


def withdraw_right(agency: str, licence_type_key: str, json_output: Json = False) -> None:
    """End an agency's right to sign a licence type, as of now; what it signed stays good."""
    made = house()
    if not made.registry.withdraw(agency, made.issuer.vct(licence_type_key), actor=ACTOR, now=clock.now()):
        raise typer.BadParameter("该机关没有这项权限 · it had no such right")
    answer(
        {"agency": agency, "licence_type": licence_type_key},
        f"已收回 · {agency} signs {licence_type_key} no more",
        as_json=json_output,
    )


def trust_anchor(json_output: Json = False) -> None:
    """Print the certificate of the operator's authority, for other cities' wallets and verifiers to pin (PEM)."""
    pem = house().certificates.anchor(now=clock.now()).public_bytes(Encoding.PEM).decode("ascii")
    answer({"anchor": pem}, pem.rstrip(), as_json=json_output)


COMMANDS: dict[str, Callable[..., None]] = {
    "grant": grant_right,
    "withdraw": withdraw_right,
    "export": export_trust,
    "anchor": trust_anchor,
}
