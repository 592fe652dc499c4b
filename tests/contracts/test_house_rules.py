"""The house's rules that import contracts cannot say: which file names may know which library."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("credentials", "records", "keys", "issuers", "wallet", "verifier")
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
SQL = {"select", "update", "insert", "delete", "text", "and_", "or_", "col"}


def _imports(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_http_only_in_api_and_auth(path: Path) -> None:
    """FastAPI is imported in `api.py`, `pages.py`, `auth.py` and `by_hand.py` alone."""
    uses = any(module.split(".")[0] in {"fastapi", "starlette"} for module, _ in _imports(path))
    assert not uses or path.stem in {"api", "pages", "auth", "by_hand"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sql_only_in_store(path: Path) -> None:
    """Statements are made in `store.py` alone; `models.py` may name columns' conditions."""
    made = {name for module, name in _imports(path) if module.split(".")[0] in {"sqlmodel", "sqlalchemy"}} & SQL
    assert not made or path.stem == "store" or (path.stem == "models" and made <= {"text"})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    """A file past 300 lines is split by verb."""
    assert path.read_text(encoding="utf-8").count("\n") <= 300


def test_every_package_is_packed() -> None:
    """What an installed wheel would lack fails here, not at a customer's."""
    packed = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"])
    rooms = {one.split(".")[0] for one in packed}
    there = {
        ".".join(file.parent.relative_to(ROOT).parts) for room in rooms for file in (ROOT / room).rglob("__init__.py")
    }
    assert there == packed
