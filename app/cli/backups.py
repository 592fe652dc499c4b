"""`licence backup` and `licence restore`: what is lost with a database, and how it comes back without harm."""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from app import backup, clock, epoch, migrations
from app.backup import BackupError, Manifest
from app.building import build
from app.cli.opening import Json, must_open_a_key, settings
from app.cli.output import REFUSED, answer, errors, print_json
from app.doctor import kek_variable
from app.house import House
from app.setting_values import SettingsError
from credentials import base64url, merkle
from credentials.errors import FormatError
from keys.errors import KeySealBrokenError
from records import log
from records import store as records_store

T = TypeVar("T")
NEXT = "下一步 · next: licence doctor --deep; licence token grant operator op --person NAME, twice; licence serve"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(make)
    app.command("restore")(restore)


def make(
    folder: Annotated[Path, typer.Argument(help="A new folder; keep it elsewhere, and the key-encryption key apart.")],
    json_output: Json = False,
) -> None:
    """Write a backup of the database while it is served: a dump and a manifest, never the key-encryption key."""
    configured = settings()
    made = build(configured)
    url = configured.database_url.get_secret_value()
    manifest = _or_refuse(
        lambda: backup.make(made.database, url, configured.base_url, folder, now=clock.now()), as_json=json_output
    )
    told = {"folder": str(folder), "made_at": manifest.made_at.isoformat(), "dump": manifest.dump}
    answer(
        told,
        f"备份已写入 · written: {folder}, {manifest.dump} and {backup.MANIFEST}. The key-encryption key is not in it.",
        as_json=json_output,
    )


def restore(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="What `licence backup` wrote.")],
    published: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            help="Status lists and trust bundles published since, as anybody kept them: a file or a folder; repeat.",
        ),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="A checkpoint or a manifest kept elsewhere; repeat."),
    ] = None,
    json_output: Json = False,
) -> None:
    """Load a backup into an empty database, begin a new epoch of status lists, and say what is missing.

    Stop the service first. Interrupted, the same command goes on; until its end nothing serves the database.
    """
    configured, now = settings(), clock.now()
    manifest = _or_refuse(lambda: backup.read(folder), as_json=json_output)
    if manifest.base_url != configured.base_url:
        _refuse(
            f"这是 {manifest.base_url} 的备份，请照此设置 LICENCE_BASE_URL · "
            f"this is a backup of {manifest.base_url}: set LICENCE_BASE_URL to it",
            as_json=json_output,
        )
    made = build(configured)
    _must_open(made, manifest)
    url = configured.database_url.get_secret_value()
    _or_refuse(lambda: backup.load(made.database, url, folder, manifest), as_json=json_output)
    must_open_a_key(made)
    heads = [_head(made, one) for one in checkpoint or ()]
    report = epoch.begin(made, list(texts(published or ())), randomness=secrets.token_bytes, now=now)
    migrations.release(made.database.engine)
    told = _told(manifest, report, heads, now)
    answer(told, _said(told), as_json=json_output)


def _must_open(made: House, manifest: Manifest) -> None:
    """Refuse a backup that the key-encryption key does not open, before anything is loaded."""
    if not manifest.wrapped_root:
        return
    try:
        made.root.must_open(manifest.key_encryption_key, base64url.decode(manifest.wrapped_root))
    except KeySealBrokenError as error:
        name, where = manifest.key_encryption_key, kek_variable(made.settings)
        raise SettingsError(
            f"此备份须用当时的主密钥（{name}）打开，请设在 {where}，恢复后再换 · "
            f"this backup opens with the key-encryption key of its day ({name}): set it in {where}; after the restore, "
            "`licence keys rewrap` to the new one"
        ) from error


def texts(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Yield name and text of every token in these files and folders: plain, one a line, or in a trust bundle."""
    for path in paths:
        for file in sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]:
            text = file.read_text(encoding="utf-8", errors="replace").strip()
            if text.startswith("{"):
                try:
                    told = json.loads(text)
                except ValueError:
                    told = {}
                lists = told.get("status_lists") if isinstance(told.get("status_lists"), dict) else {}
                found = [told.get("trust_list"), *lists.values()]
                yield from ((file.name, one) for one in found if isinstance(one, str))
            else:
                yield from ((file.name, line.strip()) for line in text.splitlines() if line.strip())


def _head(made: House, file: Path) -> dict[str, Any]:
    """Hold a checkpoint, or a later manifest, against the log as it was restored: what of it is missing here."""
    text = file.read_text(encoding="utf-8")
    with made.database.read() as session:
        if text.startswith("{"):
            found = Manifest.model_validate_json(text)
            return {"file": file.name, "beyond": backup.beyond(found.audit, session)}
        size = records_store.log_size(session)
        try:
            kept = made.log.read(text)
        except FormatError as error:
            return {"file": file.name, "beyond": [f"none of this log's checkpoints: {error}"]}
        if kept.size > size:
            return {"file": file.name, "beyond": [f"log: {kept.size - size} acts later than the last one here"]}
        same = kept.root == merkle.root(kept.size, log.read(session))
        return {"file": file.name, "beyond": [] if same else [f"log: another history up to {kept.size}"]}


def _told(manifest: Manifest, report: epoch.Report, heads: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    said = report.as_json()
    gap = {"from": manifest.made_at.isoformat(), "to": now.isoformat()}
    return {"gap": gap, "checkpoints": heads, **said}


def _said(told: dict[str, Any]) -> str:
    """Return the report for a person: what there is something to say of."""
    lost = sum(map(len, told["indices_of_no_known_licence"].values()))
    lines = [
        f"已恢复 · restored; what happened from {told['gap']['from']} to {told['gap']['to']} is lost but for this:",
        f"  lists published later: {', '.join(told['lists_published_later']) or 'none was given'}",
        f"  revoked again: {len(told['revoked_again'])}; suspended again: {len(told['suspended_again'])}",
        f"  burnt: {len(told['burnt'])}; indices of no known licence: {lost}",
        f"  new lists (no index given since is in them): {len(told['lists_opened'])}",
        f"  access tokens ended: {told['tokens_ended']}",
    ]
    for name, about in (
        ("suspended_here_valid_there", "suspended here, valid in what was published: look at them"),
        ("keys_stolen", "keys stolen since, believed no more"),
        ("agencies_unknown", "agencies taken in since: take them in again, under another short name"),
        ("lists_not_signed", "lists that could not be signed: whoever asks for them will be told so"),
        ("passed_over", "passed over"),
    ):
        lines += [f"  {about}: {one}" for one in told[name]]
    lines += [f"  {one['file']}: {said}" for one in told["checkpoints"] for said in one["beyond"]]
    return "\n".join(
        [
            *lines,
            NEXT,
        ]
    )


def _or_refuse(act: Callable[[], T], *, as_json: bool) -> T:
    try:
        return act()
    except BackupError as error:
        _refuse(str(error), as_json=as_json)


def _refuse(sentence: str, *, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"code": "backup", "detail": sentence})
    else:
        errors.print(f"backup: {sentence}", markup=False, soft_wrap=True)
    raise typer.Exit(REFUSED)
