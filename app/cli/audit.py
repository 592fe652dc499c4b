"""The auditor's commands: export checkpoints, and hold the records against those kept elsewhere."""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Annotated

import typer

from app import clock
from app.cli.opening import Json, house
from app.cli.output import REFUSED, answer
from app.house import House
from credentials.errors import FormatError
from records.errors import AuditBrokenError

LEAVES = "leaves.json"


def export_checkpoint(
    folder: Annotated[Path, typer.Argument(help="Where to keep it: elsewhere, out of this service's reach.")],
    json_output: Json = False,
) -> None:
    """Write the log's signed checkpoint and its leaves (hashes): with them nothing can be changed or cut off unseen."""
    made = house()
    note = made.log.checkpoint(now=clock.now(), fresh=True)
    size = made.log.read(note).size
    leaves: list[str] = []
    while len(leaves) < size:
        leaves += [b64encode(one).decode("ascii") for one in made.log.leaves(len(leaves), size - len(leaves))]
    before = _exported(folder)
    if before != leaves[: len(before)]:
        answer(
            {"exported": False, "reason": "another_history"},
            f"{folder} 中是另一段历史：其间做过恢复，或记录被改动。请原样保留，改用新文件夹 · holds another history: "
            "a restore lies between, or the records were changed. Keep it as it is, and export to a new folder",
            as_json=json_output,
        )
        raise typer.Exit(REFUSED)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"checkpoint-{size}.txt"
    kept.write_text(note, encoding="utf-8")
    (folder / LEAVES).write_text(json.dumps(leaves), encoding="ascii")
    answer({"checkpoint": str(kept), "size": size}, f"{kept} written: {size} entries", as_json=json_output)


def verify_audit(
    folder: Annotated[Path | None, typer.Argument(help="Where checkpoints were kept; none: only what is here.")] = None,
    json_output: Json = False,
) -> None:
    """Prove that every act is chained and logged, as the checkpoints that were kept say; names the first bad one."""
    made = house()
    notes = _notes(made, folder, as_json=json_output) if folder is not None else []
    try:
        with made.database.moment() as session:
            entries, logged = made.log.verify(session, notes, _leaves(folder))
    except AuditBrokenError as error:
        answer(
            {"verified": False, "stream": error.stream, "entry": error.sequence},
            f"记录被改动，首处在 {error}；如其间做过恢复，见 docs/runbooks.md · "
            f'the records were changed; first at {error} ("Restore" in docs/runbooks.md, if one lies between)',
            as_json=json_output,
        )
        raise typer.Exit(REFUSED) from error
    answer(
        {"verified": True, "entries": entries, "logged": logged, "checkpoints": len(notes)},
        f"{entries} entries chained, {logged} in the log, {len(notes)} checkpoints kept",
        as_json=json_output,
    )


def _notes(made: House, folder: Path, *, as_json: bool) -> list[str]:
    """Return the checkpoints in a folder. None there, or one that this log never signed: said, and refused."""
    kept = sorted(folder.glob("checkpoint-*.txt"))
    if not kept:
        raise typer.BadParameter(f"{folder} holds no checkpoint-*.txt; `licence audit export` writes them")
    notes = [path.read_text(encoding="utf-8", errors="replace") for path in kept]
    for path, note in zip(kept, notes, strict=True):
        try:
            made.log.read(note)
        except FormatError as error:
            told = {"verified": False, "checkpoint": path.name, "reason": str(error)}
            said = f"{path.name} 不是本日志签发的 · {path.name} is none of this log's checkpoints: {error}"
            answer(told, said, as_json=as_json)
            raise typer.Exit(REFUSED) from error
    return notes


def _leaves(folder: Path | None) -> list[bytes]:
    return [b64decode(one) for one in _exported(folder)] if folder is not None else []


def _exported(folder: Path) -> list[str]:
    """Return the leaves that were exported to a folder before, in base64; none to a new one."""
    kept = folder / LEAVES
    return list(json.loads(kept.read_text(encoding="ascii"))) if kept.exists() else []


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Checkpoints of the records, and holding the records against them.", no_args_is_help=True)
    group.command("export")(export_checkpoint)
    group.command("verify")(verify_audit)
    app.add_typer(group, name="audit")
