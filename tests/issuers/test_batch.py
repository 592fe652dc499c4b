"""Batch issue: rows in, licences out, each once; what is refused says why, before anything is signed."""

import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Event

import pytest
from openpyxl import Workbook, load_workbook
from sqlmodel import col, select

from app import catalogue, doctor
from credentials.licence_type import LicenceType
from issuers.batch import api, batches, rows
from issuers.batch.batches import OPERATION
from issuers.errors import AgencyKeepsKeyError, BatchLimitError, UnknownJobError
from issuers.models import LicenceRow, LicenceState
from keys import server_sent_events
from records import idempotency
from tests.issuers.batch_rows import citizen, ndjson, progress, report, row, send, work
from tests.issuers.city import CrashError, dies_at
from tests.issuers.claims_of_types import SENT, order
from tests.world import OTHER_PARENT, World


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(batches, "CHUNK_ROWS", 4)


def _sound(world: World) -> None:
    assert [one for one in doctor.examine(world.house, deep=True, now=world.now) if one[1]] == []


def _ledger(world: World) -> list[LicenceRow]:
    with world.house.database.read() as session:
        return list(session.exec(select(LicenceRow).where(col(LicenceRow.reference).is_not(None))))


def test_each_row_becomes_a_licence_in_its_holders_wallet(world: World):
    """Ten rows, ten licences, valid, delivered, found by reference; two of one person go to one wallet."""
    sent = [row(number) for number in range(9)] + [row(0) | {"reference": "another"}]
    made = send(world, ndjson(sent))
    assert (made.status, made["state"], made["rows"]) == (202, "checking", 10)
    work(world)
    assert progress(world, made["job_id"]) | {"created_at": 0, "finished_at": 0} == {
        "job_id": made["job_id"], "licence_type": "residence_permit", "state": "done", "rows": 10, "checked": 10,
        "refused": 0, "issued_before": 0, "signed": 10, "delivered": 10, "waits_for": None, "created_at": 0, "finished_at": 0,
    }  # fmt: skip
    told = report(world, made["job_id"])
    assert [one["reference"] for one in told] == [one["reference"] for one in sent]
    held = {one.licence_id: one for one in _ledger(world)}
    assert {one.state for one in held.values()} == {LicenceState.VALID}
    assert held[told[0]["licence_id"]].holder_ref == held[told[9]["licence_id"]].holder_ref
    _sound(world)


def test_a_licence_of_a_batch_is_shown_like_any_other(world: World):
    """What a batch issued is in the wallet of its holder, and a counter takes it."""
    person = world.person("li_si")
    sent = row(1) | {"holder": person, "claims": world.order()["claims"]}
    job = send(world, ndjson([sent]))["job_id"]
    work(world)
    (told,) = report(world, job)
    shown = world.show("li_si", licences=[{"licence_id": told["licence_id"], "claims": ["residence_district"]}])
    assert world.scan(shown["url"])["verdict"] == "accepted"


def test_nothing_is_signed_while_any_row_is_unchecked(world: World):
    """Of three chunks two are checked: still nothing is in the ledger."""
    send(world, ndjson([row(number) for number in range(12)]))
    for _ in range(2):
        assert world.house.batch_worker.work(lambda: world.now) == 4
    assert _ledger(world) == []
    work(world)
    assert len(_ledger(world)) == 12


def test_refused_rows_say_why_and_the_others_are_issued(world: World):
    """A wrong check digit, a missing claim, a row that is no JSON, a reference twice or none: each has its fault."""
    wrong = row(1)
    wrong["holder"]["code"] = wrong["holder"]["code"][:-1] + ("1" if wrong["holder"]["code"][-1] != "1" else "2")
    lacking = row(2)
    del lacking["claims"]["residence_district"]
    nameless = row(5)
    del nameless["reference"]
    content = ndjson([row(0), wrong, lacking]) + b'{"a":1,"a":2}\n\n' + ndjson([row(0), nameless, row(6)])
    job = send(world, content)["job_id"]
    work(world)
    faults = {one["row"]: [fault["code"] for fault in one["faults"]] for one in report(world, job, "?refused=true")}
    assert faults == {
        2: ["check_digit"], 3: ["missing_claim"], 4: ["row_malformed"], 5: ["reference_twice"], 6: ["reference_missing"],
    }  # fmt: skip
    assert {one.reference for one in _ledger(world)} == {"JZZ-000000", "JZZ-000006"}
    assert (progress(world, job)["refused"], progress(world, job)["delivered"]) == (5, 2)
    _sound(world)


def test_whole_or_not_at_all(world: World):
    """With `whole`, one refused row stops the job: nothing is signed."""
    job = send(world, ndjson([row(0), row(1) | {"holder": {}}]), whole=True)["job_id"]
    work(world)
    assert (progress(world, job)["state"], progress(world, job)["signed"]) == ("stopped", 0)
    assert _ledger(world) == []
    _sound(world)


def test_whole_or_not_at_all_knows_what_was_issued_before(world: World):
    """A reference that was issued with another content stops the whole job before anything of it is recorded."""
    send(world, ndjson([row(5)]))
    work(world)
    changed = row(5, claims={"hukou_address": "示例省另一处"})
    job = send(world, ndjson([row(0), changed]), key="k2", whole=True)["job_id"]
    work(world)
    assert (progress(world, job)["state"], len(_ledger(world))) == ("stopped", 1)
    (told,) = report(world, job, "?refused=true")
    assert [one["code"] for one in told["faults"]] == ["idempotency_key_reused"]


def test_the_same_row_again_is_the_same_licence(world: World):
    """A second job with some of the same references issues those once, and says so; another content is refused."""
    first = send(world, ndjson([row(0), row(1)]))["job_id"]
    work(world)
    changed = row(1, claims={"hukou_address": "示例省另一处"})
    second = send(world, ndjson([row(0), changed, row(2)]), key="k2")["job_id"]
    work(world)
    told = report(world, second)
    assert told[0]["licence_id"] == report(world, first)[0]["licence_id"]
    assert [one["code"] for one in told[1]["faults"]] == ["idempotency_key_reused"]
    assert [one.get("issued_before") for one in told] == [True, None, None]
    far = progress(world, second)
    assert (far["rows"], far["refused"], far["issued_before"], far["signed"]) == (3, 1, 1, 2)
    assert len(_ledger(world)) == 3
    _sound(world)


def test_a_row_keeps_its_own_fault(world: World):
    """Of two rows with a reference that was issued with another content, the second is told that it stands twice."""
    send(world, ndjson([row(5)]))
    work(world)
    changed = row(5, claims={"hukou_address": "示例省另一处"})
    job = send(world, ndjson([changed, changed]), key="k2")["job_id"]
    work(world)
    codes = [[fault["code"] for fault in one["faults"]] for one in report(world, job)]
    assert codes == [["idempotency_key_reused"], ["reference_twice"]]


def test_the_same_upload_again_is_the_same_job(world: World):
    """One Idempotency-Key, one job; another body under it is refused."""
    first = send(world, ndjson([row(0)]))
    assert send(world, ndjson([row(0)]))["job_id"] == first["job_id"]
    again = send(world, ndjson([row(1)]))
    assert (again.status, again["code"]) == (422, "idempotency_key_reused")


def test_killed_before_any_statement_it_goes_on_with_the_same_bytes(world: World):
    """Whichever statement or commit never comes, another worker finishes: one licence a row, the bytes recorded."""
    send(world, ndjson([row(number) for number in range(100, 104)]), key="measured")
    with dies_at(world.house, -1) as said:
        work(world)
    assert len(said) > 40
    other = world.build()
    for at in range(len(said)):
        job = send(world, ndjson([row(number) for number in range(4 * at, 4 * at + 4)]), key=f"job {at}")["job_id"]
        with dies_at(world.house, at), suppress(CrashError):
            work(world)
        before = {one.licence_id: one.signing_input for one in _ledger(world)}
        world.wait(121)
        work(world, other)
        after = {one.licence_id: one.signing_input for one in _ledger(world)}
        assert before.items() <= after.items()
        assert (progress(world, job)["state"], progress(world, job)["delivered"]) == ("done", 4)
    _sound(world)


def test_a_worker_that_was_stopped_too_long_writes_nothing(world: World, monkeypatch):
    """Its lease over, another has the chunk: what the first comes back with is thrown away."""
    send(world, ndjson([row(0), row(1)]))
    slow, other = world.house.batch_worker, world.build()
    check = slow._check

    def late(job, chunk, now):
        world.wait(121)
        work(world, other)
        check(job, chunk, now)

    monkeypatch.setattr(slow, "_check", late)
    assert slow.work(lambda: world.now) == 2
    assert len(_ledger(world)) == 2
    _sound(world)


def test_csv_in_both_encodings(world: World):
    """Columns by their names, in UTF-8 with its mark and as spreadsheets here save it."""
    names = ["reference", "holder.code", "holder.name", *row(0)["claims"]]
    for at, encoding in enumerate(("utf-8-sig", "gb18030")):
        one, out = row(at), io.StringIO()
        writer = csv.writer(out)
        writer.writerow(names)
        writer.writerow([one["reference"], one["holder"]["code"], one["holder"]["name"], *one["claims"].values()])
        job = send(world, out.getvalue().encode(encoding), "text/csv", key=encoding)["job_id"]
        work(world)
        assert report(world, job, "?refused=true") == []
    assert len(_ledger(world)) == 2


def test_a_spreadsheet_of_the_template(world: World):
    """The template's columns filled in come back as licences; a number that was rounded is refused as that."""
    police = world.agency("police")
    made = police.http.get(
        "/issuers/police/batches/template.xlsx?licence_type=residence_permit",
        headers={"Authorization": f"Bearer {police.token}"},
    )
    head = [cell.value for cell in load_workbook(io.BytesIO(made.content)).worksheets[0][1]]
    book = Workbook()
    book.active.append(head)
    for number in (0, 1):
        one = row(number)
        cells = {f"claims.{name}": value for name, value in one["claims"].items()}
        cells |= {f"holder.{name}": value for name, value in one["holder"].items()} | {"reference": one["reference"]}
        if number:
            cells["holder.code"] = int(citizen(7)[:-1] + "1")
        book.active.append([cells.get(name) for name in head])
    out = io.BytesIO()
    book.save(out)
    job = send(world, out.getvalue(), rows.XLSX)["job_id"]
    work(world)
    assert [one.reference for one in _ledger(world)] == ["JZZ-000000"]
    (refused,) = report(world, job, "?refused=true")
    assert "number_rounded" in {one["code"] for one in refused["faults"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_encoding_is_told_by_what_comes(encoding: str, size: int):
    """However a text is cut into pieces, and however long it is plain before that."""
    text = "reference,holder.name\r\nA,B\r\nC,样本一\r\nD,示例㐀𠀀\r\n"
    data = text.encode(encoding)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    found = list(rows.read(pieces, rows.CSV, catalogue.licence_types()["residence_permit"]))
    assert [one.body["holder"]["name"] for one in found] == ["B", "样本一", "示例㐀𠀀"]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"no,such,columns\r\n1,2,3\r\n", "text/csv"),
        (b"PK nonsense", rows.XLSX),
        (b"", "text/csv"),
        (b"\xff\xfe\x00", "text/csv"),
        (b"{}", "application/json"),
    ],
)
def test_what_cannot_be_read_is_refused_whole(world: World, content: bytes, media_type: str):
    """A file without the template's columns, or of no kind that is read, is a problem and leaves no licence."""
    made = send(world, content, media_type)
    assert (made.status, made["code"]) == (400, "table_unreadable")
    assert work(world) == 0


def test_more_rows_than_the_operator_lets_an_agency_send(database_url: str):
    """The limit of a day holds for all of an agency's jobs."""
    with World(database_url, settings={"limit_batch_rows_per_day": 5}) as world:
        assert send(world, ndjson([row(number) for number in range(4)])).status == 202
        made = send(world, ndjson([row(number) for number in range(4, 8)]), key="k2")
        assert (made.status, made["code"]) == (429, "batch_limit")


def test_what_was_not_taken_up_may_be_sent_again(database_url: str):
    """A job that was stopped, rows that were refused and such as were issued before take nothing from a day's rows."""
    with World(database_url, settings={"limit_batch_rows_per_day": 4}) as world:
        bad = row(2, claims={"sex": "?"})
        stopped = send(world, ndjson([row(0), row(1), bad]), key="k1", whole=True)
        work(world)
        assert progress(world, stopped["job_id"])["state"] == "stopped"
        assert send(world, ndjson([row(0), row(1), bad]), key="k2").status == 202
        work(world)
        assert send(world, ndjson([row(0), row(1)]), key="k3").status == 202
        work(world)
        made = send(world, ndjson([row(number) for number in range(2, 5)]), key="k4")
        assert (made.status, made["code"], made.headers["retry-after"]) == (429, "batch_limit", "3600")
        assert send(world, ndjson([row(2), row(3)]), key="k5").status == 202
        work(world)
        assert len(_ledger(world)) == 4
        assert send(world, ndjson([row(0), row(1), row(2)]), key="k6").status == 429  # not without end


def test_jobs_are_worked_on_in_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small job waits for no large one's end; of each all are signed before the first is delivered."""
    monkeypatch.setattr(batches, "CHUNK_ROWS", 4)
    large = send(world, ndjson([row(number) for number in range(40)]))["job_id"]
    small = send(world, ndjson([row(100)]), key="k2")["job_id"]
    rounds, done_after = 0, {}
    while world.house.batch_worker.work(lambda: world.now):
        rounds += 1
        for job in (large, small):
            said = progress(world, job)
            assert said["delivered"] == 0 or said["signed"] == said["rows"]
            if said["state"] == "done":
                done_after.setdefault(job, rounds)
    assert done_after[small] <= 6 < 30 <= done_after[large]


def test_streams_side_by_side_share_the_limit_of_a_day(database_url: str):
    """Two that were begun when nothing had been sent: the one that ends second is one too many, and leaves nothing."""
    with World(database_url, settings={"limit_batch_rows_per_day": 5}) as world:
        world.agency("police")
        jobs, kind = world.house.batches, catalogue.licence_types()["residence_permit"]

        def received(first: int, between: Callable[[], object] = lambda: None) -> str:
            this = idempotency.attempt("agency:police", f"k{first}", OPERATION, {})
            job = jobs.open("police", "residence_permit", this, whole=False, actor="x", now=world.now)

            def slowly() -> Iterator[bytes]:
                yield ndjson([row(number) for number in range(first, first + 3)])
                between()

            return jobs.receive(job, rows.read(slowly(), rows.NDJSON, kind), lambda: "0", now=world.now).job_id

        inner: list[str] = []
        with pytest.raises(BatchLimitError):
            received(10, lambda: inner.append(received(20)))
        work(world)
        assert {one.reference for one in _ledger(world)} == {f"JZZ-{number:06d}" for number in (20, 21, 22)}
        assert jobs.progress("police", inner[0]).job.state == "done"


def test_what_comes_too_late_takes_nothing_from_who_began_anew(database_url: str):
    """The same upload, begun anew and done: what the first still sends, too much of it, leaves that as it is."""
    with World(database_url, settings={"limit_batch_rows_per_day": 6}) as world:
        world.agency("police")
        jobs, kind = world.house.batches, catalogue.licence_types()["residence_permit"]
        this = idempotency.attempt("agency:police", "k", OPERATION, {})

        def received(pieces: Iterator[bytes]) -> str:
            job = jobs.open("police", "residence_permit", this, whole=False, actor="x", now=world.now)
            return jobs.receive(job, rows.read(pieces, rows.NDJSON, kind), lambda: "0", now=world.now).job_id

        def first() -> Iterator[bytes]:
            yield ndjson([row(number) for number in range(4)])
            received(iter([ndjson([row(number) for number in range(10, 13)])]))
            yield ndjson([row(number) for number in range(4, 9)])

        with pytest.raises(BatchLimitError):
            received(first())
        work(world)
        assert len(_ledger(world)) == 3


def test_the_limit_of_a_day_counts_from_when_a_stream_began_anew(database_url: str):
    """A job that was opened the day before and is sent today counts today."""
    with World(database_url, settings={"limit_batch_rows_per_day": 5}) as world:
        world.agency("police")
        jobs, kind = world.house.batches, catalogue.licence_types()["residence_permit"]
        this = idempotency.attempt("agency:police", "k", OPERATION, {})
        job = jobs.open("police", "residence_permit", this, whole=False, actor="x", now=world.now)
        world.wait(86_460)
        sent = [ndjson([row(number) for number in range(4)])]
        jobs.receive(job, rows.read(sent, rows.NDJSON, kind), lambda: "0", now=world.now)
        made = send(world, ndjson([row(number) for number in range(4, 8)]), key="k2")
        assert (made.status, made["code"]) == (429, "batch_limit")


def test_too_many_uploads_at_once_are_told_to_come_again(database_url: str, monkeypatch):
    """A slow upload holds a thread: a worker takes some, and the others are refused with nothing written."""
    monkeypatch.setattr(api, "MOST_AT_ONCE", 0)
    with World(database_url) as world:
        made = send(world, ndjson([row(0)]))
        assert (made.status, made["code"]) == (503, "batch_busy")
        assert world.house.batches.jobs("police") == []


def test_one_spreadsheet_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read whole, each takes half of what a worker has: a second one waits, and is told to come again; CSV goes on."""
    monkeypatch.setattr(api, "WAIT_SECONDS", 0.05)
    book, out, begun, go, real = Workbook(), io.BytesIO(), Event(), Event(), rows.read
    for cells in (["reference", "holder.code"], ["x", "1"]):
        book.active.append(cells)
    book.save(out)

    def slow(pieces: Iterable[bytes], media_type: str, kind: LicenceType) -> Iterator[rows.Row]:
        if media_type == rows.XLSX and not begun.is_set():
            begun.set()
            assert go.wait(10)
        return real(pieces, media_type, kind)

    monkeypatch.setattr(rows, "read", slow)
    world.agency("police")
    with ThreadPoolExecutor(1) as others:
        first = others.submit(send, world, out.getvalue(), rows.XLSX, key="first")
        assert begun.wait(10)
        second = send(world, out.getvalue(), rows.XLSX, key="second")
        assert (second.status, second["code"]) == (503, "batch_busy")
        assert send(world, ndjson([row(0)]), key="third").status == 202
        go.set()
        assert first.result().status == 202
    assert send(world, out.getvalue(), rows.XLSX, key="second").status == 202


def test_an_upload_that_broke_off_is_sent_again_days_later(world: World):
    """What broke off is forgotten after a day, its key too: the same upload is a new job, not one that is gone."""

    def breaks_off() -> Iterator[bytes]:
        yield ndjson([row(0)])
        raise ConnectionResetError

    world.agency("police")
    this = idempotency.attempt("agency:police", "k1", f"{OPERATION}x", {})
    job = world.house.batches.open("police", "residence_permit", this, whole=False, actor="x", now=world.now)
    kind = catalogue.licence_types()["residence_permit"]
    with pytest.raises(ConnectionResetError):
        world.house.batches.receive(job, rows.read(breaks_off(), rows.NDJSON, kind), lambda: "0", now=world.now)
    world.wait(2 * 86_400)
    assert world.house.batches.forget(now=world.now) == 1
    again = world.house.batches.open("police", "residence_permit", this, whole=False, actor="x", now=world.now)
    assert again.job_id != job.job_id


def test_a_job_waits_for_its_key_and_says_so(world: World):
    """The right is taken back while a job is at work: it waits, nothing is signed, and it says for what."""
    job = send(world, ndjson([row(0)]))["job_id"]
    world.house.batch_worker.work(lambda: world.now)
    before = _event_id(world, job)
    world.operator.call("DELETE", "/admin/agencies/police/types/residence_permit")
    work(world)
    assert _event_id(world, job) != before  # so that whoever listens is told
    assert (progress(world, job)["waits_for"], _ledger(world)) == ("type_not_authorised", [])


def _event_id(world: World, job: str) -> str:
    told = world.agency("police").get(f"/issuers/police/batches/{job}/events?seconds=0").body
    return str(next(line for line in told.splitlines() if line.startswith("id: ")))


def test_progress_as_it_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream of events tells how far a job is, each time that it is further, to its end."""
    monkeypatch.setattr(batches, "CHUNK_ROWS", 1)
    monkeypatch.setattr(server_sent_events, "EVERY_SECONDS", 0.01)
    police, job = world.agency("police"), send(world, ndjson([row(number) for number in range(4)]))["job_id"]
    with ThreadPoolExecutor(1) as listener:
        heard = listener.submit(police.get, f"/issuers/police/batches/{job}/events?seconds=4")
        while world.house.batch_worker.work(lambda: world.now):
            time.sleep(0.1)  # long enough to be seen
    told = [json.loads(line[6:]) for line in heard.result().body.splitlines() if line.startswith("data: ")]
    assert heard.result().body.count("event: batch") == len(told) > 3
    far = [one["checked"] + one["signed"] + one["delivered"] for one in told]
    assert far == sorted(far)
    assert (told[0]["delivered"], told[-1]["delivered"], told[-1]["state"]) == (0, 4, "done")


def test_another_agencys_job_is_not_there(world: World):
    """A job is its agency's own."""
    job = send(world, ndjson([row(0)]))["job_id"]
    for what in ("", "/events", "/report"):
        assert world.agency("school1").get(f"/issuers/school1/batches/{job}{what}").status == 404
        assert world.agency("police").get(f"/issuers/police/batches/nope{what}")["code"] == "not_found"


def test_right_when_checked_and_wrong_when_recorded(world: World):
    """A day that has begun in between makes a row wrong: it is refused with its fault, and the others are issued."""
    ends = row(1, valid_until=(world.now.date() + timedelta(days=1)).isoformat())
    job = send(world, ndjson([row(0), ends]))["job_id"]
    world.house.batch_worker.work(lambda: world.now)
    world.wait(3 * 86_400)
    world._agencies.clear()
    work(world)
    told = report_of(world, job)
    assert [bool(one.get("licence_id")) for one in told] == [True, False]
    assert [one["code"] for one in told[1]["faults"]] == ["wrong_date"]
    _sound(world)


def test_a_report_for_a_spreadsheet(world: World) -> None:
    """As CSV with the mark by which spreadsheets know UTF-8; a reference that would be a formula is none; so many rows."""
    job = send(world, ndjson([row(0), row(1, reference="=1+1"), row(2, reference="-3"), row(3, claims={"sex": "?"})]))[
        "job_id"
    ]
    work(world)
    path = f"/issuers/police/batches/{job}/report"
    told = world.agency("police").get(f"{path}?form=csv").body
    heads, *lines = csv.reader(told.removeprefix("\ufeff").splitlines())
    assert (told[0], heads) == ("\ufeff", ["row", "reference", "licence_id", "faults", "issued_before"])
    assert [one[:2] for one in lines] == [["1", "JZZ-000000"], ["2", "'=1+1"], ["3", "-3"], ["4", "JZZ-000003"]]
    assert [bool(one[2]) for one in lines] == [True, True, True, False]
    assert lines[3][3].startswith("wrong_value: /claims/sex ")
    again = send(world, ndjson([row(0), row(9)]), key="again")["job_id"]
    work(world)
    _, *lines = csv.reader(
        world.agency("police").get(f"/issuers/police/batches/{again}/report?form=csv").body.splitlines()
    )
    assert [one[4] for one in lines] == ["yes", ""]
    assert [one["row"] for one in report(world, job, "?refused=true&limit=1")] == [4]
    assert len(report(world, job, "?limit=2")) == 2
    assert world.agency("police").get(f"{path}?limit=0").status == 422


def report_of(world: World, job: str) -> list[dict]:
    """A report without a caller: days are longer than tokens."""
    return list(world.house.batches.report("police", job))


def test_what_is_over_is_forgotten(world: World):
    """After three months a job is not there any more; its licences are, and a row sent again is the same one."""
    job = send(world, ndjson([row(0)]))["job_id"]
    work(world)
    world.wait(89 * 86_400)
    assert world.house.batches.forget(now=world.now) == 0
    world.wait(2 * 86_400)
    assert world.house.batches.forget(now=world.now) == 1
    with pytest.raises(UnknownJobError):
        world.house.batches.job("police", job)
    assert len(_ledger(world)) == 1


@pytest.mark.parametrize("far", ["XFD1048576", "ZZ900000"])
def test_a_spreadsheet_that_would_fill_the_memory(world: World, far: str):
    """Two cells far from each other are small as a file and a whole machine once they are read: refused unread."""
    book, out = Workbook(), io.BytesIO()
    book.active["A1"] = "reference"
    book.active[far] = "x"
    book.save(out)
    made = send(world, out.getvalue(), rows.XLSX)
    assert (made.status, made["code"]) == (400, "table_unreadable")


def test_a_nul_is_refused_by_its_row(world: World):
    """What no database keeps is a fault of its row, and holds up no other."""
    job = send(world, ndjson([row(0), row(1) | {"reference": "a\u0000b"}]))["job_id"]
    work(world)
    assert [one["row"] for one in report(world, job, "?refused=true")] == [2]
    assert (progress(world, job)["state"], progress(world, job)["delivered"]) == ("done", 1)


def test_what_no_key_signed_in_time_is_no_licence(world: World, monkeypatch):
    """Its time over, a row is told as refused: not as signed, and not with a licence."""
    job = send(world, ndjson([row(0)]))["job_id"]

    def no_key(*_):
        raise AgencyKeepsKeyError

    monkeypatch.setattr(world.house.batch_worker, "_sign", no_key)
    work(world)
    assert progress(world, job)["waits_for"] == "agency_keeps_key"
    monkeypatch.undo()
    world.wait(8 * 86_400)
    work(world)
    (told,) = world.house.batches.report("police", job)
    assert [one["code"] for one in told["faults"]] == ["preparation_expired"]
    assert world.house.batches.progress("police", job).signed == 0


@pytest.mark.parametrize("key", sorted(SENT))
def test_the_template_of_every_type(world: World, key: str):
    """What a template asks for, filled in with what is sent of a type, is an order; both parents may show a minor's."""
    body, kind = order(world, key), catalogue.licence_types()[key]
    body["guardians"] = [body.pop("guardian"), world.person(OTHER_PARENT)] if "guardian" in body else []
    cells = {"reference": "A-1", **{f"claims.{name}": _cell(value) for name, value in body["claims"].items()}}
    people = {"holder": body["holder"], **{f"guardians.{at}": one for at, one in enumerate(body["guardians"])}}
    cells |= {f"{who}.{name}": value for who, one in people.items() for name, value in one.items()}
    (names,) = csv.reader([rows.csv_template(kind).decode("utf-8-sig")])
    assert set(cells) <= set(names)
    out = io.StringIO()
    csv.writer(out).writerows([names, [cells.get(name, "") for name in names]])
    (made,) = rows.read([out.getvalue().encode()], rows.CSV, kind)
    assert made.faults == []
    assert made.body.get("guardians", []) == body["guardians"]
    agency = SENT[key].agency
    issued = world.agency(agency).post(f"/issuers/{agency}/licences", {"licence_type": key, **made.body})
    assert issued.status == 201, issued.body


def _cell(value: object) -> str:
    return ";".join(map(str, value)) if isinstance(value, list) else str(value)
