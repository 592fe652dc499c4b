"""`licence check receipt`, `copy`, `checkpoint`: what was archived, held against archived public keys, years later."""

import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Annotated, Any

import typer

from app import clock
from app.cli import check
from app.cli.check import Json, finish, read_given, read_text
from credentials import checkpoint, merkle
from credentials.checkpoint import Checkpoint
from credentials.errors import MalformedError
from verifier import offline, receipts
from verifier.file_copies import file_copies, pdf
from wallet import qr

Trust = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A trust bundle, as archived.")]
Proof = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="The proof, as the service gave it.")]


def add_to(app: typer.Typer) -> None:
    """Add the whole of `licence check`."""
    app.add_typer(check.app, name="check")
    app.command("verify-jws", hidden=True)(check.check_jws)


@check.app.command("receipt")
def check_receipt(
    trust: Trust,
    proof: Proof = None,
    json_output: Json = False,  # noqa: ARG001 - always JSON
) -> None:
    """Verify a counter's receipt from standard input, and with --proof that its verdict is in the log."""

    def work() -> dict[str, Any]:
        token, bundle = read_text(), offline.open_bundle(read_given(trust, "trust_list_refused"))
        answer: dict[str, Any] = {"accepted": True, "receipt": receipts.read(token, bundle.trust)}
        if proof is not None:
            answer["logged"] = _told(receipts.check_logged(token, read_given(proof, "malformed"), bundle.trust))
        return answer

    finish(work)


@check.app.command("copy")
def check_copy(
    trust: Trust,
    json_output: Json = False,  # noqa: ARG001 - always JSON
) -> None:
    """Verify a copy for the file (PDF) from standard input: its receipt, its content, and each page."""

    def work() -> dict[str, Any]:
        bundle = offline.open_bundle(read_given(trust, "trust_list_refused"))
        data = sys.stdin.buffer.read(pdf.MAX_BYTES + 1)
        return {"accepted": True, **file_copies.check(data, bundle.trust, qr.png, now=clock.now())}

    finish(work)


@check.app.command("checkpoint")
def check_checkpoint(
    trust: Trust,
    before: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="An older checkpoint, kept elsewhere.")
    ] = None,
    proof: Proof = None,
    json_output: Json = False,  # noqa: ARG001 - always JSON
) -> None:
    """Verify a log's checkpoint from standard input; with --before and --proof, that the log only grew since.

    The proof is the answer of GET /log/consistency?before=…&after=….
    """
    if (before is None) != (proof is None):
        raise typer.BadParameter("--before and --proof go together")

    def work() -> dict[str, Any]:
        bundle = offline.open_bundle(read_given(trust, "trust_list_refused"))
        found = _checkpoint(sys.stdin.buffer.read(checkpoint.MAX_BYTES + 1), bundle)
        if before is None or proof is None:
            return {"accepted": True, **_told(found)}
        first = _checkpoint(before.read_bytes(), bundle)
        merkle.check_consistency(first.size, found.size, _steps(read_given(proof, "malformed")), first.root, found.root)
        return {"accepted": True, **_told(found), "grew_from": first.size}

    finish(work)


def _checkpoint(note: bytes, bundle: offline.TrustBundle) -> Checkpoint:
    origin = checkpoint.origin_of(bundle.base_url)
    return checkpoint.read(note.decode("utf-8", errors="replace"), origin, bundle.trust.log_keys.values())


def _steps(said: object) -> list[bytes]:
    try:
        return [b64decode(one, validate=True) for one in said["proof"]]  # type: ignore[index]
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError("not a proof of consistency") from error


def _told(found: Checkpoint) -> dict[str, Any]:
    return {"size": found.size, "root": b64encode(found.root).decode("ascii")}
