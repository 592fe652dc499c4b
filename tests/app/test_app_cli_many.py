"""`licence many`: many licences changed as one by command: looked at, done, undone; proposed and agreed on by two."""

from pathlib import Path
from typing import Any

from tests.app.test_app_cli import run  # noqa: F401 - a fixture
from tests.app.test_app_cli_people import says  # noqa: F401 - a fixture
from tests.world import World

CAUSE = ("--cause", "endorsement_lapsed")


def test_looked_at_done_and_undone(world: World, says: Any, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    """Of any text the identifiers are taken, each once; a preview does nothing; what was done is listed and undone."""
    police, permits = world.agency("police"), [world.issue(), world.issue()]
    file = tmp_path / "report.csv"
    file.write_text(f"row,licence\n1,{permits[0]}\n2,{permits[1]}\n3,{permits[1]}\n4,\n")
    seen = says(police, "many", "change", "police", "suspend", str(file), *CAUSE, "--preview")
    assert (seen.code, seen.out) == (0, "preview: 2 licences\n")
    done = says(
        police, "many", "change", "police", "suspend", "-", *CAUSE, "--idempotency-key", "k", stdin=file.read_text()
    )
    assert (done.code, "done: 2 licences" in done.out, "licence many undo police" in done.out) == (0, True, True)
    change_id = done.out.split()[-1]
    assert f"done {change_id}" in says(police, "many", "list", "police").out
    again = says(police, "many", "change", "police", "suspend", str(file), *CAUSE, "--preview")
    assert (again.code, again.out.count("wrong_state")) == (1, 2)
    for _ in range(2):
        assert says(police, "many", "undo", "police", change_id).out == "undone: 2 licences\n"
    assert "undone at" in says(police, "many", "list", "police").out
    assert {one["state"] for one in police.get("/issuers/police/licences")["items"]} == {"valid"}


def test_what_is_no_list(world: World, says: Any, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    """A file that names none, a change that is none: wrong usage; an unknown licence: refused, and nothing changes."""
    police, file = world.agency("police"), tmp_path / "list.txt"
    file.write_text("nothing")
    assert says(police, "many", "change", "police", "suspend", str(file), *CAUSE).code == 2
    file.write_text("1.2.156.3005.2.1.2.3.4.X\n" + world.issue())
    assert says(police, "many", "change", "police", "end", str(file)).code == 2
    refused = says(police, "many", "change", "police", "suspend", str(file), *CAUSE)
    why = "/licences/0: 1.2.156.3005.2.1.2.3.4.X：本单位没有这一证照 (1.2.156.3005.2.1.2.3.4.X: no such licence of this agency)"
    assert (refused.code, why in refused.err + refused.out) == (1, True)
    no_cause = says(police, "many", "change", "police", "suspend", str(file), "--preview")
    assert (no_cause.code, "one of: endorsement_lapsed" in no_cause.err + no_cause.out) == (1, False)
    file.write_text(world.issue())
    no_cause = says(police, "many", "change", "police", "suspend", str(file), "--preview")
    said = no_cause.err + no_cause.out
    assert (no_cause.code, "/cause: " in said, "(one of: endorsement_lapsed" in said) == (1, True, True)


def test_two_agree(world: World, says: Any, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    """Proposed by one, looked at and approved by another; one's own is taken back."""
    permit, file = world.issue(), tmp_path / "list.txt"
    li, wang = (world.caller("clerk", "police", person=name) for name in ("li", "wang"))
    world.restart(four_eyes=True)
    file.write_text(permit)
    words = ("many", "change", "police", "revoke", str(file), "--cause", "moved_away")
    first, second = (says(li, *words).out.split()[1] for _ in range(2))
    assert says(li, "many", "decline", "police", first).out == "declined\n"
    seen = says(wang, "many", "show", "police", second).out
    assert permit in seen
    done = says(wang, "many", "approve", "police", second, seen.split()[-1])
    assert (done.code, done.out) == (0, "approved: 1 licences\n")
    told = says(li, "many", "list", "police").out
    assert (f"proposal {first}  declined" in told, f"proposal {second}  approved" in told) == (True, True)
