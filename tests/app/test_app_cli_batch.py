"""`licence batch`: a template filled in, sent, watched to its end; what was refused is said, with an exit of its own."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app.cli import batch, client
from tests.app.test_app_cli import run  # noqa: F401 - a fixture
from tests.app.test_app_cli_people import says  # noqa: F401 - a fixture
from tests.issuers.batch_rows import ndjson, row, work
from tests.world import World

TYPE = "residence_permit"


@pytest.fixture(autouse=True)
def worker(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a command waits, a worker works."""
    monkeypatch.setattr(batch.time, "sleep", lambda _seconds: work(world))


def test_a_file_of_orders(world: World, says: Any, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    """Sent, followed to its end and reported; sent again it is the same job; a list names it."""
    police = world.agency("police")
    file, told = tmp_path / "permits.ndjson", tmp_path / "report.ndjson"
    file.write_bytes(ndjson([row(number) for number in range(3)]))
    done = says(police, "batch", "send", "police", TYPE, str(file), "--report", str(told), "--idempotency-key", "k1")
    assert (done.code, "done: 3 rows, 0 refused, 3 signed, 3 delivered" in done.out) == (0, True)
    assert [json.loads(line)["row"] for line in told.read_text().splitlines()] == [1, 2, 3]
    job, sheet = done.out.split()[0], tmp_path / "report.csv"
    assert says(police, "batch", "watch", "police", job, "--report", str(sheet)).code == 0
    assert sheet.read_text(encoding="utf-8-sig").startswith("row,reference,licence_id,faults,issued_before\n1,")
    again = says(police, "batch", "send", "police", TYPE, str(file), "--idempotency-key", "k1", "--json")
    assert (again.code, again.json["job_id"]) == (0, job)
    assert job in says(police, "batch", "list", "police").out
    assert says(police, "batch", "watch", "police", job).out.startswith(job)


def test_it_goes_on_through_a_restart(world: World, says: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811 - the fixture
    """An answer that is lost is asked for again under the same key; a worker that restarts meanwhile ends nothing."""
    police, file, lost = world.agency("police"), tmp_path / "permits.ndjson", ["POST"]
    file.write_bytes(ndjson([row(number) for number in range(2)]))
    wire = client.httpx2.Client
    request = wire.request

    def breaking(self: Any, method: str, path: str, **how: Any) -> Any:
        answer = request(self, method, path, **how)
        if lost and lost[0] == method:
            lost.pop(0)
            raise client.httpx2.ReadTimeout("gone")
        return answer

    monkeypatch.setattr(wire, "request", breaking, raising=False)
    done = says(police, "batch", "send", "police", TYPE, str(file))
    assert (done.code, lost) == (0, [])
    (job,) = police.get("/issuers/police/batches")["items"]
    lost += ["GET", "GET"]
    assert (says(police, "batch", "watch", "police", job["job_id"]).code, lost) == (0, [])


def test_what_is_refused_is_said(world: World, says: Any, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    """Each refused row with why, and the exit of what was refused; `--whole` signs none of the others then."""
    police, file = world.agency("police"), tmp_path / "permits.jsonl"
    file.write_bytes(ndjson([row(0), row(1, claims={"sex": "?"})]))
    done = says(police, "batch", "send", "police", TYPE, str(file), "--whole")
    assert (done.code, "stopped: 2 rows, 1 refused, 0 signed" in done.out) == (1, True)
    assert "row 2 JZZ-000001: /claims/sex wrong_value" in done.out
    later = says(police, "batch", "send", "police", TYPE, str(file), "--no-wait", "--json")
    assert later.json["state"] == "checking"
    assert says(police, "batch", "watch", "police", later.json["job_id"]).code == 1


def test_templates(world: World, says: Any, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    """A spreadsheet or a line of CSV, of the same columns; filled in and sent they are orders."""
    police, sheet, line = world.agency("police"), tmp_path / "t.xlsx", tmp_path / "t.csv"
    for file in (sheet, line):
        assert says(police, "batch", "template", "police", TYPE, str(file)).code == 0
    (names,) = csv.reader(line.read_text(encoding="utf-8-sig").splitlines())
    assert [cell.value for cell in load_workbook(io.BytesIO(sheet.read_bytes())).worksheets[0][1]] == names
    one = row(0)
    cells = {"reference": one["reference"], "card_by": "post"} | {
        f"holder.{at}": it for at, it in one["holder"].items()
    }
    cells |= {f"claims.{name}": value for name, value in one["claims"].items()}
    with line.open("a", encoding="utf-8", newline="") as out:
        csv.writer(out).writerow([cells.get(name, "") for name in names])
    done = says(police, "batch", "send", "police", TYPE, str(line))
    assert (done.code, "1 signed" in done.out) == (0, True)
    (made,) = police.get("/issuers/police/licences")["items"]
    assert made["card_by"] == "post"
    for wrong in (("template", "police", TYPE, "t.ods"), ("send", "police", TYPE, str(tmp_path))):
        assert says(police, "batch", *wrong).code == 2
