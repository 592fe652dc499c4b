"""Spreadsheets: the one door to python-calamine, which reads them; their columns; reports. Templates: `template.py`."""

import csv
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from math import isfinite
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineWorkbook

from credentials.errors import MalformedError

MOST_CELLS = 50_000_000
PIECE, LONGEST_TAG = 1024 * 1024, 1024 * 1024  # bytes of a sheet; of a tag with the text behind it
LARGEST = 256 * 1024 * 1024  # bytes of a spreadsheet, inflated: some 300,000 rows, read whole
_PLACE = re.compile(rb'<c\b[^>]*\br="([A-Z]+)([0-9]+)"')
_FORMULA = re.compile(r"(?!-?[0-9.]+$)[\s\u3000]*[=+\-@＝＋－＠]|[\t\r\n]")
REPORT_HEADS = ("row", "reference", "licence_id", "faults", "issued_before")
EXACT = 10**15  # a spreadsheet's numbers are exact below


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a template: its name in the first row, and what stands of it on the second sheet."""

    name: str
    label: str
    kind: str
    required: bool
    choices: Sequence[str] = ()


def read_xlsx(data: bytes) -> Iterator[list[str]]:
    """Yield the rows of the first sheet as texts; what is no spreadsheet raises `MalformedError`.

    A number that a spreadsheet has rounded (15 digits and more) comes as `#rounded`, which no claim accepts.
    """
    _must_be_small(data)
    try:
        sheet = CalamineWorkbook.from_filelike(BytesIO(data)).get_sheet_by_index(0)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise MalformedError("not a spreadsheet that can be read (.xlsx)") from error
    for row in sheet.iter_rows():
        yield [_text(cell) for cell in row]


def _must_be_small(data: bytes) -> None:
    """Raise `MalformedError` for what would inflate to more than can be held: a reader makes room for every cell."""
    try:
        with ZipFile(BytesIO(data)) as book:
            if sum(one.file_size for one in book.infolist()) > LARGEST:
                raise MalformedError("the spreadsheet is too large (some 300,000 rows at most): send CSV or NDJSON")
            for name in book.namelist():
                if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                    columns, last = set[bytes](), 0
                    with book.open(name) as sheet:
                        for place in _places(sheet):
                            columns.add(place[1])
                            last = max(last, int(place[2]))
                    if max(map(_number, columns), default=0) * last > MOST_CELLS:
                        raise MalformedError("a cell far out: the sheet would have too many")
    except (BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise MalformedError("not a spreadsheet that can be read (.xlsx)") from error


def _places(sheet: IO[bytes]) -> Iterator[re.Match[bytes]]:
    """Yield where cells stand, of a sheet that is read piece by piece; a tag is never parted."""
    rest = b""
    while piece := sheet.read(PIECE):
        whole = rest + piece
        end = max(0, whole.rfind(b"<"))
        yield from _PLACE.finditer(whole, 0, end)
        rest = whole[end:]
        if len(rest) > LONGEST_TAG:
            raise MalformedError("not a spreadsheet that can be read (.xlsx)")
    yield from _PLACE.finditer(rest)


def _number(column: bytes) -> int:
    """Return a column's number by its letters: A is 1, Z 26, AA 27."""
    number = 0
    for letter in column[:4]:
        number = 26 * number + letter - 64
    return number


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float | int):
        if not isfinite(cell) or abs(cell) >= EXACT:
            return "#rounded"
        return str(int(cell)) if cell == int(cell) else str(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell).strip()


def report_lines(outcomes: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield what came of rows as lines of CSV that a spreadsheet opens, in UTF-8 with its mark.

    A text that would be a formula there stays a text.
    """
    yield _line([*REPORT_HEADS], "utf-8-sig")
    for one in outcomes:
        why = "; ".join(_why(fault) for fault in one.get("faults", ()))
        before = "yes" if one.get("issued_before") else ""
        yield _line([str(one["row"]), one.get("reference") or "", one.get("licence_id") or "", why, before], "utf-8")


def _why(fault: Mapping[str, Any]) -> str:
    return f"{fault['code']}: {fault['pointer']} {fault['message']['zh']} ({fault['message']['en']})"


def _line(cells: Sequence[str], encoding: str) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow([f"'{one}" if _FORMULA.match(one) else one for one in cells])
    return out.getvalue().encode(encoding)
