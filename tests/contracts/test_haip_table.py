"""openapi/HAIP.md claims nothing that is not there: every row has a place in the code and a test, both of which exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "openapi" / "HAIP.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| [CIWV]\d", line)
]
NO_TEST = {"W1", "V10"}
"""What is not chosen: it stands under "Not done"."""


def test_every_requirement_has_its_row() -> None:
    """C1 to C7, I1 to I16, W1 to W5, V1 to V10, each once."""
    count = {"C": 7, "I": 16, "W": 5, "V": 10}
    assert [row[0] for row in ROWS] == [
        f"{one}{number}" for one, most in count.items() for number in range(1, most + 1)
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_what_is_there(row: list[str]) -> None:
    """The files exist; the tests stand in the files that are named."""
    _, _, where, tests = row
    for name in re.findall(r"`([a-z0-9_]+/[a-z0-9_/.]*)`", where):
        assert (ROOT / name).exists(), name
    named = re.findall(r"`([a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", tests)
    assert bool(named) != (row[0] in NO_TEST)
    for file, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.MULTILINE), test
