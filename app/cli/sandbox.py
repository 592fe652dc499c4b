"""`licence sandbox`: a city of one's own on this machine, with callers for every part and their tokens in one file."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from app import catalogue
from app.cli.client import CallRefusedError, Client
from app.cli.demo_server import StoryBrokenError, environment, first_token, is_taken, server
from app.cli.output import console
from app.setting_values import SettingsError
from credentials import strict_json

MARK, TOKENS = ".licence-sandbox", "env"
AGENCIES, COUNTERS = ("police", "school1", "school2"), {"school2_office": "school2"}
HOLDER = "li_si"
WATCHED_SECONDS = 2.0
PERMIT = {
    "sex": "女", "ethnicity": "汉", "birth_date": "1987-08-22", "hukou_address": "示例省示例县示例路1号",
    "current_address": "示例市天河区示例路2号", "residence_district": "440106", "first_issue_date": "2021-03-01",
    "continuous_months": 68, "endorsed_until": "2027-09-01",
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sandbox")(sandbox)


def sandbox(
    folder: Annotated[Path, typer.Option(help="Where it lives; the same folder again goes on.")] = Path("sandbox"),
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8080,
) -> None:
    """Run a sandbox: agencies, a counter and a holder are there, their tokens in FOLDER/env. All of it is synthetic."""
    place = folder.resolve()
    env = _prepared(place, port)
    console.print("正在准备沙箱，约需十秒… · making the sandbox, some ten seconds…")
    with server(place, env, port) as url, _ended_with_us():
        told = _found(place, url, env)
        console.print(told, markup=False, soft_wrap=True)
        while is_taken(port):
            time.sleep(WATCHED_SECONDS)
        raise StoryBrokenError(f"沙箱的服务已结束，日志在 {place / 'server.log'}。 The server ended: its log says why.")


@contextmanager
def _ended_with_us() -> Iterator[None]:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us ends the server too
    with suppress(KeyboardInterrupt):
        yield


def _prepared(place: Path, port: int) -> dict[str, str]:
    """Return the server's environment: a new sandbox's, or the one that the folder holds."""
    place.mkdir(parents=True, exist_ok=True)
    if any(place.iterdir()) and not (place / MARK).exists():
        raise SettingsError(
            f"{place} 不是空文件夹，也不是沙箱，请另选 · is not empty and no sandbox: choose a new folder"
        )
    mark = place / MARK
    before = mark.read_text(encoding="ascii").strip() if mark.exists() else str(port)
    if before != str(port):  # its licences name its address
        raise SettingsError(
            f"{place} 的沙箱在端口 {before}，请用 --port {before} 或另选 --folder · "
            f"the sandbox of {place} lives at --port {before}: use that, or another --folder"
        )
    if is_taken(port):  # by another sandbox, perhaps: what it answers must not be taken for ours
        raise SettingsError(
            f"端口 {port} 已被占用，请换 --port · something listens on {port} already: end it, or use another --port"
        )
    mark.write_text(str(port), encoding="ascii")
    return environment(place, port)


def _take_in(operator: Client) -> None:
    """Take agencies and counters in who are not there yet."""
    for key in AGENCIES:
        one = catalogue.agencies()[key]
        body = {name: one[name] for name in ("key", "name", "kind", "uscc", "region", "domain")}
        body["may_sign"] = [kind.key for kind in catalogue.licence_types().values() if key in kind.issuer_agencies]
        _once(operator, "/admin/agencies", body)
    for key, agency in COUNTERS.items():
        name = {"zh": "示例市第二小学教务处", "en": "Office of No.2 Primary School"}
        _once(operator, "/admin/counters", {"key": key, "agency": agency, "name": name, "channel": "hall_counter"})


def _found(place: Path, url: str, env: dict[str, str]) -> str:
    """Take everybody in who is not there yet, write their tokens down, and return what to tell."""
    operator_token = first_token(env)
    with closing(Client(url, operator_token)) as operator:
        _take_in(operator)
        tokens = {
            key.upper(): _granted(operator, role, subject)
            for key, role, subject in (
                ("police", "agency", "police"),
                ("school", "agency", "school1"),
                ("school2", "agency", "school2"),
                ("counter", "counter", "school2_office"),
            )
        }  # fmt: skip
        tokens["OPERATOR"] = operator_token
        tokens["HOLDER"] = _signed_in(operator, url)
        device = operator.post("/admin/counters/school2_office/enrolment-codes")["code"]
        link = _link(operator)
    settings = {name: one for name, one in env.items() if name.startswith("LICENCE_")}  # for the operator's commands
    variables = {"LICENCE_URL": url, "LICENCE_SANDBOX": str(place), **tokens, **settings}
    _write(place / TOKENS, "".join(f"export {name}={quote(value)}\n" for name, value in variables.items()))
    order = {"licence_type": "residence_permit", "holder": _person(HOLDER), "claims": PERMIT}
    (place / "permit.json").write_bytes(strict_json.dumps(order))
    return (
        f"沙箱已就绪 · the sandbox is ready: {url}\n"
        f"  令牌 · tokens of everybody:  . {os.path.relpath(place / TOKENS)}\n"
        "    POLICE, SCHOOL (school1), SCHOOL2, COUNTER (school2_office): a month; OPERATOR: a day; HOLDER: an hour.\n"
        "    Start the sandbox again, in the same folder, for new ones.\n"
        f"  第一份证照 · a first licence: docs/first-licence.md; every call: {url}/docs; every code: {url}/problems\n"
        f"  钱包 · the wallet:     {url}/w   one-time sign-in: {link}\n"
        f"  窗口 · the counter:    {url}/c   enrolment code, ten minutes: {device}   (another: licence counter code "
        "school2_office)\n"
        f"  工作台 · the console:  {url}/console   access token: {tokens['POLICE']}\n"
        f"  运营台 · the operator: {url}/operator   access token: {tokens['OPERATOR']}\n"
        "Ctrl-C 结束 · ends it."
    )


def _once(operator: Client, path: str, body: object) -> None:
    try:
        operator.post(path, body)
    except CallRefusedError as error:
        if error.problem.get("status") != 409:
            raise


def _granted(operator: Client, role: str, subject: str) -> str:
    return str(operator.post("/admin/tokens", {"role": role, "subject": subject, "life_days": 30})["secret"])


def _link(operator: Client) -> str:
    holder = operator.post("/admin/holders", _person(HOLDER))["key"]
    return str(operator.post(f"/admin/holders/{holder}/sign-in-link")["secret"])


def _signed_in(operator: Client, url: str) -> str:
    with closing(Client(url)) as anybody:
        return str(anybody.post("/wallet/sign-in", {"link": _link(operator)})["access_token"])


def _person(key: str) -> dict[str, str]:
    found = next(one for one in catalogue.read("people")["natural"] if one["key"] == key)
    return {name: str(found[name]) for name in ("code_type", "code", "name")}


def _write(file: Path, text: str) -> None:
    """Write what nobody else is to read."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
