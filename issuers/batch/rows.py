"""What an agency sends, row by row: NDJSON, CSV or a spreadsheet becomes orders as JSON, or says what is wrong.

Columns are named like members (`holder.code`, `guardians.0.name`, `claims.sex`); of a claim the name alone will do.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from credentials import strict_json
from credentials.claim_values import CITIZEN_NUMBER, Fault
from credentials.errors import MalformedError
from credentials.licence_type import LicenceType
from issuers.batch.tables import Column, read_xlsx
from issuers.orders import OF_HOLDER, WORKED_OUT, CardBy

NDJSON, CSV = "application/x-ndjson", "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_000_000
LONGEST_ROW = 64 * 1024  # bytes
LONGEST_SHEET = 64 * 1024 * 1024  # bytes: a spreadsheet is read whole
PEOPLE = (("holder",), ("guardian",), ("guardians", "0"), ("guardians", "1"), ("representative",))
OF_PERSON = ("code_type", "code", "name")
OTHERS = ("reference", "valid_from", "valid_until", "card_by")
YES, NO = frozenset({"true", "1", "是", "yes", "✓"}), frozenset({"false", "0", "否", "no"})
_PARTED = re.compile(r"[;；、]")


class HeadError(Exception):
    """The first row is not one of column names: nothing of the file can be read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it came: its number from 1 on, and the order it means or what is wrong with it."""

    number: int
    body: Mapping[str, Any]
    faults: Sequence[Fault] = ()


def read(pieces: Iterable[bytes], media_type: str, kind: LicenceType) -> Iterator[Row]:
    """Yield the rows of a body of one of the three media types; raises `HeadError` or `MalformedError`."""
    if media_type == NDJSON:
        found = _ndjson(pieces)
    elif media_type == CSV:
        found = _table(_csv(pieces), kind)
    else:
        found = _table(read_xlsx(_whole(pieces)), kind)
    some = False
    for row in found:
        some = True
        yield row
    if not some:
        raise HeadError("there is no row in it")


def columns(kind: LicenceType) -> list[Column]:
    """Return the columns of a type's template."""
    made = [Column("reference", "业务编号 your own number of the case", "text", required=True)]
    made += [
        Column("holder.code_type", "证件类型 kind of number", "code", required=True, choices=sorted(kind.code_types))
    ]
    made += [
        Column("holder.code", "证件号码 number", "text", required=True),
        Column("holder.name", "姓名 name", "text", required=True),
    ]
    others: dict[str, str] = {}
    if kind.minor_holder:
        others = {"guardians.0": "监护人 guardian", "guardians.1": "另一监护人 other guardian"}
    elif kind.holder_kind == "legal":
        others = {"representative": "经办人 representative"}
    for who, label in others.items():
        made += [
            Column(f"{who}.{one}", f"{label}: {name}", "text", required=False)
            for one, name in zip(OF_PERSON, ("证件类型 kind of number", "证件号码 number", "姓名 name"), strict=True)
        ]
    for claim in kind.claims.values():
        if claim.name not in OF_HOLDER and claim.derived_from not in WORKED_OUT:
            choices = claim.type.removeprefix("enum:").split("|") if claim.type.startswith("enum:") else ()
            label = f"{claim.labels.get('zh', '')} {claim.labels.get('en', '')}"
            made.append(Column(f"claims.{claim.name}", label, claim.type, required=claim.required, choices=choices))
    return [
        *made,
        Column("valid_from", "起始日 first day", "date", required=False),
        Column("valid_until", "截止日 last day", "date", required=False),
        Column("card_by", "实体证领取 how a card comes besides", "code", required=False, choices=get_args(CardBy)),
    ]


def csv_template(kind: LicenceType) -> bytes:
    """Return a type's columns as the first line of a CSV file, in UTF-8 with the mark by which spreadsheets know it."""
    out = io.StringIO()
    csv.writer(out).writerow([one.name for one in columns(kind)])
    return out.getvalue().encode("utf-8-sig")


def _ndjson(pieces: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(_lines(pieces), 1):
        if len(line) > LONGEST_ROW:
            yield Row(number, {}, [Fault("", "row_too_long", f"{LONGEST_ROW} bytes at most")])
            continue
        try:
            yield Row(number, strict_json.loads_object(line))
        except MalformedError as error:
            yield Row(number, {}, [Fault("", "row_malformed", error.detail)])


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines without their ends, blank ones left out; one that goes on and on comes cut."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line for one in whole if (line := one.strip()))
        if len(rest) > 2 * LONGEST_ROW:
            rest = rest[: LONGEST_ROW + 1]
    if line := rest.strip():
        yield line


def _csv(pieces: Iterable[bytes]) -> Iterator[list[str]]:
    """Yield the rows of a CSV text (RFC 4180), in UTF-8 or as spreadsheets here save it (GB 18030).

    A row whose quotes are wrong comes as no cells at all: it is refused alone.
    """
    reader = csv.reader(_text_lines(pieces), strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield []
        else:
            if row:
                yield row


def _text_lines(pieces: Iterable[bytes]) -> Iterator[str]:
    decoder: codecs.IncrementalDecoder = _UTF_8()
    decided, rest = False, ""
    for piece in pieces:
        begun = decoder.getstate()[0]  # of a character that the last piece cut
        try:
            text = decoder.decode(piece)
        except UnicodeDecodeError as error:
            if decided:
                raise MalformedError("neither UTF-8 nor GB 18030 throughout") from error
            decoder, text = _in_gb_18030(begun + piece)
        decided = decided or not text.isascii()  # what is ASCII so far may be either
        rest += text
        *whole, rest = rest.split("\n")
        yield from (f"{one}\n" for one in whole)
        if len(rest) > LONGEST_ROW:
            raise MalformedError(f"a line of more than {LONGEST_ROW} characters")
    try:
        rest += decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise MalformedError("the last character is cut") from error
    if rest:
        yield rest


_UTF_8, _GB_18030 = codecs.getincrementaldecoder("utf-8-sig"), codecs.getincrementaldecoder("gb18030")


def _in_gb_18030(data: bytes) -> tuple[codecs.IncrementalDecoder, str]:
    decoder = _GB_18030()
    try:
        return decoder, decoder.decode(data)
    except UnicodeDecodeError as error:
        raise MalformedError("neither UTF-8 nor GB 18030 throughout") from error


def _whole(pieces: Iterable[bytes]) -> bytes:
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > LONGEST_SHEET:
            raise MalformedError("a spreadsheet has 64 MiB at most (some 300,000 rows): send CSV or NDJSON")
    return bytes(data)


def _table(cells: Iterator[list[str]], kind: LicenceType) -> Iterator[Row]:
    head = [one.strip() for one in next(cells, [])]
    paths = [_path(name, kind) for name in head]
    wrong = sorted({name or "(empty)" for name, path in zip(head, paths, strict=True) if path is None})
    if wrong or not head or len({*paths}) != len(paths):
        raise HeadError(", ".join(wrong) or "a column stands twice, or there are none")
    for number, row in enumerate((one for one in cells if not one or any(cell.strip() for cell in one)), 1):
        if len(row) != len(head):
            at = head.index("reference") if "reference" in head else len(row)
            named = {"reference": row[at].strip()} if at < len(row) else {}
            yield Row(number, named, [Fault("", "row_malformed", f"{len(row)} cells, {len(head)} columns")])
        else:
            yield _row(number, [path for path in paths if path is not None], row, kind)


def _path(name: str, kind: LicenceType) -> tuple[str, ...] | None:
    path = tuple(name.split("."))
    if name in kind.claims:
        path = ("claims", name)
    people = path[:-1] in PEOPLE and path[-1] in OF_PERSON
    claims = path[0] == "claims" and len(path) == 2 and path[1] in kind.claims
    return path if people or claims or name in OTHERS else None


def _row(number: int, paths: Sequence[tuple[str, ...]], cells: Sequence[str], kind: LicenceType) -> Row:
    body: dict[str, Any] = {"claims": {}}
    faults: list[Fault] = []
    for path, cell in zip(paths, cells, strict=True):
        text = cell.strip()
        if text == "#rounded":
            faults.append(
                Fault("/" + "/".join(path), "number_rounded", "the spreadsheet has rounded it: write it as text")
            )
        if not text:
            continue
        *steps, name = path
        inner = body
        for step in steps:
            inner = inner.setdefault(step, {})
        inner[name] = _value(kind.claims[name].type, text) if steps == ["claims"] else text
    guardians = [one for _, one in sorted(body.pop("guardians", {}).items())]
    for person in ("guardian", "representative"):
        if person in body:
            body[person].setdefault("code_type", CITIZEN_NUMBER)
    for one in guardians:
        one.setdefault("code_type", CITIZEN_NUMBER)
    if "holder" in body:
        body["holder"].setdefault("code_type", min(kind.code_types))
    return Row(number, body | ({"guardians": guardians} if guardians else {}), faults)


def _value(kind: str, text: str) -> Any:
    """Return a cell's text as a claim of a kind has it; what cannot be one stays a text and is refused as that."""
    if kind.startswith("array["):
        inner = kind.removeprefix("array[").removesuffix("]")
        return [_value(inner, one.strip()) for one in _PARTED.split(text)]
    if kind == "boolean":
        return True if text.lower() in YES else False if text.lower() in NO else text
    if kind == "integer" and re.fullmatch(r"[0-9]{1,16}", text):
        return int(text)
    return text
