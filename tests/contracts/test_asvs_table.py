"""ASVS.md claims nothing that is not there: every test and file that it names exists, every requirement stands once."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ASVS.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| V")]
HERE = {"kept", "n/a", "operator", "open"}


def test_every_requirement_stands_once() -> None:
    """Seventy of level 1 and 183 of level 2, in order, each with what is so and why; the sums are the table's."""
    assert Counter(row[1] for row in ROWS) == {"1": 70, "2": 183}
    numbers = [tuple(int(part) for part in row[0][1:].split(".")) for row in ROWS]
    assert numbers == sorted(set(numbers))
    assert all(row[3] in HERE and row[4] for row in ROWS)
    count = Counter(row[3] for row in ROWS)
    assert f"Of {len(ROWS)}: {count['kept']} kept, {count['n/a']} not applicable" in PAGE


def test_what_is_named_is_there() -> None:
    """Each file and each test in it."""
    missing = []
    for row in ROWS:
        for name in re.findall(r"`([a-z0-9_]+/[a-z0-9_/]+\.(?:py|json))(?:::[a-z0-9_]+)?`", row[4]):
            if not (ROOT / "tests" / name).exists() and not (ROOT / name).exists():
                missing.append((row[0], name))
        for file, test in re.findall(r"`([a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", row[4]):
            if not re.search(rf"^def {test}\(", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.MULTILINE):
                missing.append((row[0], test))
    assert missing == []


def test_what_is_kept_is_shown() -> None:
    """Most of what is kept names a test; the rest says where it stands."""
    kept = [row for row in ROWS if row[3] == "kept"]
    assert sum("test_" in row[4] for row in kept) > 0.8 * len(kept)
