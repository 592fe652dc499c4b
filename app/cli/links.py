"""A holder's commands for links of other services: take an offer, answer a request, and register for their schemes."""

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.agency import DEFAULT_URL, Json, Url
from app.cli.client import Client
from app.cli.output import REFUSED, WRONG_USAGE, answer, console, errors, reply
from app.cli.wallet import ForWhom, of
from verifier import picture

SCHEMES = ("openid-credential-offer", "haip-vci", "openid4vp", "haip-vp")
DESKTOP = "licence-wallet.desktop"
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", exists=True, dir_okay=False, help="A file with the holder's access token."),
]


class DeclinedError(typer.Exit):
    """The holder said no."""


def add_to(app: typer.Typer) -> None:
    """Add a holder's commands for links."""
    app.command("open")(open_link)
    app.command("register-links")(register_links)


def open_link(  # noqa: PLR0917 - typer's options
    link: Annotated[str, typer.Argument(help="A link, or a picture of its QR code.")],
    token: Annotated[str | None, typer.Option(envvar="LICENCE_TOKEN", help="Better from the environment.")] = None,
    token_file: TokenFile = None,
    url: Url = DEFAULT_URL,
    tx_code: Annotated[str | None, typer.Option(help="The transaction code that the issuer told.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="An optional part to keep back.")] = None,
    principal: ForWhom = None,
    yes: Annotated[bool, typer.Option("--yes", help="Agree without being asked.")] = False,
    json_output: Json = False,
) -> None:
    """Look at another issuer's offer or verifier's request, and take or answer it if the holder agrees."""
    secret = token_file.read_text(encoding="ascii").strip() if token_file else token
    if not secret:
        errors.print("give the holder's token: LICENCE_TOKEN or --token-file")
        sys.exit(WRONG_USAGE)
    wallet = Client(url, secret)
    said = picture.read(Path(link).read_bytes()) if "://" not in link and Path(link).is_file() else link
    if _is_request(said):
        _answer(wallet, said, principal, without or [], yes=yes, as_json=json_output)
    else:
        _take(wallet, said, tx_code, yes=yes, as_json=json_output)


def register_links(
    token_file: Annotated[
        Path,
        typer.Option(
            "--token-file",
            exists=True,
            dir_okay=False,
            help="Holds the holder's token, mode 0600; read anew at each link.",
        ),
    ],
    url: Url = DEFAULT_URL,
    folder: Annotated[
        Path | None, typer.Option(help="Where desktop files live; the user's own, if none is given.")
    ] = None,
    json_output: Json = False,
) -> None:
    """Register this wallet for credential offers and requests on a Linux desktop (freedesktop.org desktop entries)."""
    if os.name == "posix" and token_file.stat().st_mode & 0o077:
        errors.print(f"others can read the token: chmod 600 {token_file}", markup=False)
        sys.exit(WRONG_USAGE)
    program = shutil.which("licence") or str(Path(sys.argv[0]).resolve())
    words = [program, "open", "--url", url, "--token-file", str(token_file.resolve())]
    if any(ord(one) < 32 for word in words for one in word):
        errors.print("an address and a path hold no control characters")
        sys.exit(WRONG_USAGE)
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    place = (folder or data / "applications") / DESKTOP
    place.parent.mkdir(parents=True, exist_ok=True)
    kinds = "".join(f"x-scheme-handler/{scheme};" for scheme in SCHEMES)
    place.write_text(
        "[Desktop Entry]\nType=Application\nName=Licence Wallet\nName[zh_CN]=电子证照钱包\n"
        "Terminal=true\nNoDisplay=true\n"
        f"Exec={' '.join(map(_quoted, words))} %u\nMimeType={kinds}\n",
        encoding="utf-8",
    )
    told = {"file": str(place), "schemes": list(SCHEMES)}
    answer(told, f"wrote {place}\nnext, run: update-desktop-database {place.parent}", as_json=json_output)


def _is_request(said: str) -> bool:
    """Whether a link asks for licences; what is neither is refused by the service, as an offer would be."""
    return said.strip().partition(":")[0] in {"openid4vp", "haip-vp"} or ("client_id=" in said and "request" in said)


def _take(wallet: Client, link: str, tx_code: str | None, *, yes: bool, as_json: bool) -> None:
    offer = wallet.post("/wallet/offers/look", {"link": link})
    names = ", ".join(one.get("zh-CN") or next(iter(one.values())) for one in offer["licences"])
    whose = next(iter(offer["issuer_name"].values()), "")
    _agree(f"{whose} ({offer['issuer']}) offers: {names}", "Take it?", yes=yes, as_json=as_json)
    if offer["take"]:
        if offer["tx_code"] is not None and tx_code is None:
            tx_code = _ask("transaction code", "--tx-code", as_json=as_json)
        taken = wallet.post("/wallet/offers/take", {"link": link} | ({"tx_code": tx_code} if tx_code else {}))
    else:
        started = wallet.post("/wallet/offers/start", {"link": link})
        errors.print(f"sign in at the issuer's: {started['authorization_url']}", markup=False, soft_wrap=True)
        back = _ask("address that you were sent back to", "a terminal", as_json=as_json)
        taken = wallet.post("/wallet/offers/finish", {"redirected_to": back})
    answer(taken, f"taken: {', '.join(taken['licence_ids']) or 'nothing yet'}", as_json=as_json)
    if taken["refused"] and not as_json:
        told = ", ".join(f"{name} ({code})" for name, code in taken["refused"].items())
        console.print(f"refused: {told}", markup=False)
    if taken["waiting"] and not as_json:
        console.print(f"waiting for the issuer's approval: {', '.join(taken['waiting'])}", markup=False)


def _answer(wallet: Client, link: str, principal: str | None, without: list[str], *, yes: bool, as_json: bool) -> None:
    seen = wallet.post("/wallet/requests", {"link": link, "principal": principal})
    lines = [
        f"{part['licence_type']}{' (optional: --without ' + part['query_id'] + ')' if part['optional'] else ''}"
        f"{of(part['principal'] and part['principal']['name'])}, showing {', '.join(part['claims'])}"
        for part in seen["parts"]
    ]
    who = f"{seen['verifier_name']} ({'vouched for' if seen['signed'] else 'NOBODY VOUCHES FOR IT'}, {seen['host']})"
    path = f"/wallet/requests/{seen['request_id']}/answer"
    try:
        _agree("\n  ".join([f"{who} asks for:", *lines]), "Show it?", yes=yes, as_json=as_json)
    except DeclinedError:
        wallet.post(path, {"agree": False})
        raise
    done = wallet.post(path, {"agree": True, "without": without})
    answer(done, f"shown; go on at {done['redirect_uri']}" if done["redirect_uri"] else "shown", as_json=as_json)


def _agree(told: str, question: str, *, yes: bool, as_json: bool) -> None:
    """Tell the holder and ask; a no, or nobody there to ask, leaves."""
    errors.print(told, markup=False, soft_wrap=True)
    if yes:
        return
    if as_json:
        errors.print("--json asks nothing: add --yes to agree")
        raise typer.Exit(WRONG_USAGE)
    if not reply(lambda: typer.confirm(question, err=True), "同意请加 --yes · add --yes to agree"):
        raise DeclinedError(REFUSED)


def _ask(what: str, otherwise: str, *, as_json: bool) -> str:
    if as_json:
        errors.print(f"--json asks nothing, and this needs the {what}: give {otherwise}")
        raise typer.Exit(WRONG_USAGE)
    return reply(lambda: str(typer.prompt(what, err=True)), f"this needs the {what}, give {otherwise}")


def _quoted(word: str) -> str:
    """Quote one word of an `Exec` line (desktop entry specification, "The Exec key")."""
    for special in ("\\", '"', "`", "$"):
        word = word.replace(special, "\\" + special)
    return '"' + word.replace("\\", "\\\\").replace("%", "%%") + '"'
