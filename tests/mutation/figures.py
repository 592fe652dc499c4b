"""What mutmut found: figures for each file, and whether every survivor is in `survivors.md` with a reason.

`python -m tests.mutation.figures` after `mutmut run`; exits 1 below 90 % killed, or with a survivor that is not listed.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

LIST = Path(__file__).parent / "survivors.md"
FLOOR = 90.0  # percent killed
FATES: dict[int | None, str] = {
    1: "killed",
    3: "killed",
    0: "survived",
    5: "survived",
    33: "survived",
    -24: "timed out",
    24: "timed out",
}
"""Exit codes of pytest, of mutmut (33: no test reaches it) and of its clock; all others are no result."""
_FILE = re.compile(r"### (\S+)")
_ENTRY = re.compile(r"- (\S+): `(.*)` → `(.*)`")


@dataclass(frozen=True, slots=True)
class Survivor:
    """One mutant nobody noticed, told by what it changed: mutmut's numbers shift with every edit."""

    file: str
    function: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"- {self.function}: `{self.before}` → `{self.after}`"


def listed(text: str) -> set[Survivor]:
    """Return the survivors of a list; a line that begins as an entry and is none raises ValueError."""
    found: set[Survivor] = set()
    file = ""
    for line in text.splitlines():
        if heading := _FILE.fullmatch(line):
            file = heading[1]
        elif entry := _ENTRY.fullmatch(line):
            found.add(Survivor(file, *entry.groups()))
        elif line.startswith("- "):
            raise ValueError(f"not an entry: {line}")
    return found


def survivor(file: Path, mutant: str) -> Survivor:
    """Return what a mutant changed."""
    name, kind = orig_function_and_class_names_from_key(mutant)
    lines = get_diff_for_mutant(mutant, path=file).splitlines()[2:]
    before, after = (" ⏎ ".join(one[1:].strip() for one in lines if one.startswith(sign)) for sign in "-+")
    return Survivor(str(file), f"{kind}.{name}" if kind else name, before, after)


def results(folder: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield each file with the fate of its mutants."""
    for file in sorted(folder.glob("*.py")):
        data = SourceFileMutationData(path=file)
        data.load()
        yield file, {name: FATES.get(code, "no result") for name, code in data.exit_code_by_key.items() if name}


def main() -> int:
    """Print the figures and the survivors that are not listed; return the exit status."""
    known, found, total = listed(LIST.read_text("utf-8")), set[Survivor](), Counter[str]()
    fates = ("killed", "survived", "timed out", "no result")
    print(f"{'':34}{'mutants':>9}" + "".join(f"{fate:>11}" for fate in fates) + f"{'% killed':>10}")
    for file, fate in results(Path("credentials")):
        count = Counter(fate.values())
        total += count
        if fate:
            print(_row(str(file), count, fates))
        found |= {survivor(file, name) for name, one in fate.items() if one == "survived"}
    print(_row("all", total, fates))
    unlisted = sorted(found - known, key=lambda one: (one.file, one.function))
    for at, one in enumerate(unlisted):
        if not at or unlisted[at - 1].file != one.file:
            print(f"\n### {one.file}\n")
        print(one)
    print(f"\nsurvivors without a reason in {LIST.name}: {len(unlisted)}; listed and killed: {len(known - found)}")
    good = total["killed"] >= total.total() * FLOOR / 100 and not unlisted and not total["no result"]
    return 0 if good and total else 1


def _row(name: str, count: Counter[str], fates: tuple[str, ...]) -> str:
    share = 100 * count["killed"] / count.total() if count else 0.0
    return f"{name:34}{count.total():>9}" + "".join(f"{count[fate]:>11}" for fate in fates) + f"{share:>10.1f}"


if __name__ == "__main__":
    sys.exit(main())
