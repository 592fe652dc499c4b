"""What a command's error says: a code, one sentence, what to do next, and the exit code."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app import logs
from app.cli.demo_server import StoryBrokenError
from app.cli.files import FileNotJsonError
from app.cli.output import FAILED, REFUSED, WRONG_USAGE
from app.database import why
from app.problem_codes import PROBLEMS
from app.setting_values import SettingsError
from app.settings import KEK_FIELDS, ONE_KEK
from credentials import fault_words
from credentials.errors import FormatError
from issuers.errors import IssuerError
from keys.errors import CustodyError
from records.errors import RecordError
from verifier.errors import VerifierError
from verifier.reasons import REASONS
from wallet.errors import WalletError

EXAMPLES = {"base_url": "https://licence.example", "database_url": "postgresql+psycopg://licence@db/licence"}
"""What settings without a default look like."""


class Failure(NamedTuple):
    """How an error is told."""

    code: str
    sentence: str
    more: dict[str, object]
    exit_code: int


def failure(error: Exception) -> Failure | None:
    """Return how an error is told; None for one that no command should meet."""
    if isinstance(error, FormatError | IssuerError | CustodyError | RecordError | VerifierError | WalletError):
        faults = [
            {"pointer": one.pointer, "detail": one.detail, "message": fault_words.message(one.detail)}
            for one in getattr(error, "faults", ())
        ]
        detail = "" if faults else _detail(error, error.code)
        return Failure(error.code, _advice(error.code) + detail, {"faults": faults} if faults else {}, REFUSED)
    if isinstance(error, ValidationError):
        return Failure("settings", "; ".join(_settings(error.errors())), {}, FAILED)
    if isinstance(error, SettingsError):
        return Failure("settings", str(error), {}, FAILED)
    if isinstance(error, SQLAlchemyError):
        logs.configure()
        sentence = (
            "数据库不可用，请检查 LICENCE_DATABASE_URL 及数据库是否运行。 The database cannot be used: see that "
            f"LICENCE_DATABASE_URL is right and the database runs. ({why(error)})"
        )
        return Failure("database_unavailable", sentence, {}, FAILED)
    if isinstance(error, FileNotJsonError | OSError | UnicodeError):
        return _of_file(error)
    if isinstance(error, StoryBrokenError):
        return Failure("failed", str(error), {}, FAILED)
    if isinstance(error, CommandError | ImportError | ValueError):
        return Failure("failed", f"{type(error).__name__}: {error}", {}, FAILED)
    return None


def _advice(code: str) -> str:
    """Return what a person should do about a refusal, in Chinese and English."""
    known = PROBLEMS.get(code) or REASONS.get(code) or PROBLEMS["invalid_request"]
    return f"{known.zh} {known.en}"


def _detail(error: Exception, code: str) -> str:
    """Return what an error adds to its code's advice; of what was not found its class says of what kind it is."""
    said = str(error)
    if said in {"", code}:
        said = (type(error).__doc__ or "").partition("\n")[0].rstrip(".") if code == "not_found" else ""
    return f" ({said})" if said else ""


def _of_file(error: FileNotJsonError | OSError | UnicodeError) -> Failure:
    if isinstance(error, FileNotJsonError):
        return Failure("malformed_json", f"{_advice('malformed_json')} ({error})", {}, REFUSED)
    said = f"文件无法读写，请核对路径。 The file cannot be used: check its path. ({error})"
    if isinstance(error, FileExistsError):
        there = error.filename
        said = (
            f"{there} 已存在，原样保留；请直接使用它，或另选文件名。 "
            f"{there} exists and is left as it is: use it, or choose another name."
        )
    return Failure("file", said, {}, WRONG_USAGE)


def _settings(rows: Sequence[Any]) -> Iterator[str]:
    """Yield what to set; the key too, which is looked for only once nothing else is missing."""
    yield from map(_setting, rows)
    missing = next((row for row in rows if row["type"] == "missing"), None)
    if missing is not None and missing["input"].keys().isdisjoint(KEK_FIELDS):
        yield ONE_KEK


def _setting(row: Mapping[str, Any]) -> str:
    name = "LICENCE_" + "_".join(str(part) for part in row["loc"]).upper() + ": " if row["loc"] else ""
    if row["type"] == "missing":
        example = EXAMPLES.get(row["loc"][0], "")
        return f"{name}未设置，请设置，如 {example} · is missing: set it, as {example}"
    return name + str(row["msg"]).removeprefix("Value error, ")
