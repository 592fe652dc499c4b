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
from credentials import checkpoint
from records.errors import AuditBrokenError

LEAVES = "leaves.json"


def export_checkpoint(
    folder: Annotated[Path, typer.Argument(help="Where to keep it: elsewhere, out of this service's reach.")],
    json_output: Json = False,
) -> None:
    """Write the log's signed checkpoint and its leaves (hashes): with them nothing can be changed or cut off unseen."""
    made = house()
    note = made.log.checkpoint(now=clock.now(), fresh=True)
    size = checkpoint.read(note, made.log.origin, made.log.keys()).size
    leaves: list[str] = []
    while len(leaves) < size:
        leaves += [b64encode(one).decode("ascii") for one in made.log.leaves(len(leaves), size - len(leaves))]
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
    try:
        told = _verified(made, folder)
    except AuditBrokenError as error:
        answer(
            {"verified": False, "stream": error.stream, "entry": error.sequence},
            f"记录被改动，首处在 {error} · the records were changed; first at {error}",
            as_json=json_output,
        )
        raise typer.Exit(REFUSED) from error
    answer(
        {"verified": True, **told},
        f"{told['entries']} entries chained, {told['logged']} in the log, {told['checkpoints']} checkpoints kept",
        as_json=json_output,
    )


def _verified(made: House, folder: Path | None) -> dict[str, int]:
    kept = sorted(folder.glob("checkpoint-*.txt")) if folder is not None else []
    notes = [path.read_text(encoding="utf-8") for path in kept]
    with made.database.read() as session:
        entries, logged = made.log.verify(session, notes, _leaves(folder))
    return {"entries": entries, "logged": logged, "checkpoints": len(kept)}


def _leaves(folder: Path | None) -> list[bytes]:
    if folder is None or not (folder / LEAVES).exists():
        return []
    return [b64decode(one) for one in json.loads((folder / LEAVES).read_text(encoding="ascii"))]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Checkpoints of the records, and holding the records against them.", no_args_is_help=True)
    group.command("export")(export_checkpoint)
    group.command("verify")(verify_audit)
    app.add_typer(group, name="audit")
