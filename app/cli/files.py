"""Files that a command is given."""

from pathlib import Path
from typing import Any

from credentials import strict_json
from credentials.errors import MalformedError


class FileNotJsonError(Exception):
    """A file is no strict JSON; says which, and where it stops being it."""


def read_json(path: Path) -> Any:
    """Return what a file of strict JSON says; raises `FileNotJsonError`, which names the file and the place in it."""
    try:
        return strict_json.loads(path.read_bytes())
    except MalformedError as error:
        raise FileNotJsonError(f"{path}: {error.detail}") from error
