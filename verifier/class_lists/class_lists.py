"""The verbs on class lists: made once, filled over days by codes as they come, read as who is complete and who is not.

What several codes of one entry show adds up: a certificate today, a permit tomorrow. A refused code takes nothing away.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from credentials import base64url
from credentials.text import clean
from records import audit
from records import store as records_store
from records.database import Database
from verifier.class_lists import store
from verifier.class_lists.models import ClassEntry, ClassList
from verifier.errors import ClassListOverError, UnknownClassListError
from verifier.reasons import Outcome
from verifier.recording import Question
from verifier.service_items import Need
from verifier.verdict import Verdict
from verifier.verifier import Verifier

ID_BYTES = 9
MOST = 200  # entries of one list
MOST_LISTS = 200  # in one answer


class ClassLists:
    """A counter's lists."""

    def __init__(self, *, database: Database, verifier: Verifier, randomness: Callable[[int], bytes]) -> None:
        self._database = database
        self._verifier = verifier
        self._randomness = randomness

    def make(self, question: Question, name: str, labels: Sequence[str], *, now: datetime) -> ClassList:
        """Make a list of people, by labels that mean something to the counter alone."""
        row = ClassList(
            list_id=base64url.encode(self._randomness(ID_BYTES)),
            counter=question.counter.key,
            service_item=question.item.key,
            name=clean(name),
            created_at=now,
        )
        lacks = [_told(need) for need in question.item.lacking({})]
        with self._database.write() as session:
            session.add(row)
            session.flush()
            for number, label in enumerate(labels, 1):
                session.add(
                    ClassEntry(list_id=row.list_id, number=number, label=clean(label), shown={}, lacks=list(lacks))
                )
            session.flush()
            audit.record(
                session, stream=f"verifier/{row.counter}", actor=f"counter:{row.counter}", act="class_list.made",
                subject=row.list_id, now=now, detail={"entries": len(labels), "service_item": row.service_item},
            )  # fmt: skip
        return row

    def lists(self, counter: str) -> Sequence[ClassList]:
        """Return a counter's lists, newest first."""
        with self._database.read() as session:
            return store.lists_of(session, counter, MOST_LISTS)

    def read(self, list_id: str, counter: str) -> tuple[ClassList, Sequence[ClassEntry]]:
        """Return one of a counter's lists with its entries."""
        with self._database.read() as session:
            row = session.get(ClassList, list_id)
            if row is None or row.counter != counter:
                raise UnknownClassListError
            return row, store.entries(session, list_id)

    def close(self, list_id: str, counter: str, *, now: datetime) -> None:
        """Take no more codes for a list."""
        self.read(list_id, counter)
        with self._database.write() as session:
            row = session.get(ClassList, list_id)
            if row is not None:
                row.closed_at = row.closed_at or now

    def verify(
        self, list_id: str, number: int, counter: str, scanned: str, operator: str | None, *, now: datetime
    ) -> Verdict:
        """Verify a code for one entry, and add what it showed to what the entry has."""
        row, entries = self.read(list_id, counter)
        if row.closed_at is not None:
            raise ClassListOverError
        if not any(one.number == number for one in entries):
            raise UnknownClassListError
        question = self._verifier.question(counter, row.service_item, operator)
        made = self._verifier.verify_scan(scanned, question, now=now)
        with self._database.write() as session:
            records_store.lock_stream(session, f"class list {list_id}")
            entry = session.get(ClassEntry, (list_id, number), populate_existing=True)
            if entry is not None and not (entry.verdict == Outcome.ACCEPTED and made.outcome != Outcome.ACCEPTED):
                entry.verdict, entry.reason, entry.updated_at = made.outcome, made.reason, now
                entry.verification_id, entry.receipt = made.verification_id, made.receipt
            if entry is not None and made.outcome == Outcome.ACCEPTED:
                shown = {key: set(names) for key, names in entry.shown.items()}
                for one in made.licences:
                    shown.setdefault(one["licence_type"], set()).update(one["claims"])
                entry.shown = {key: sorted(names) for key, names in shown.items()}
                entry.lacks = [_told(need) for need in question.item.lacking(shown)]
        return made


def _told(need: Need) -> dict[str, object]:
    return {"licence_type": need.licence_type, "role": need.role, "why": dict(need.why)}
