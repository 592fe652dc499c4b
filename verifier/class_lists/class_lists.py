"""The verbs on class lists: made once, filled over days by codes and links, read as who is complete and who is not.

What several codes of one entry show adds up, if they are of one person: a certificate today, a permit tomorrow.
A refused code takes nothing away.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from credentials import base64url
from credentials.text import clean
from records import audit, idempotency
from records.database import Database
from records.idempotency import Attempt
from verifier.checking import Checked
from verifier.class_lists import adding, store
from verifier.class_lists.models import ClassEntry, ClassList
from verifier.class_lists.one_person import People, Shown, known, people, together
from verifier.errors import (
    ClassLinkOverError,
    ClassListOverError,
    EntryChangedError,
    RefusalError,
    UnknownClassListError,
)
from verifier.openid4vp.exchange import Exchange
from verifier.reasons import Outcome
from verifier.recording import Question
from verifier.service_items import ServiceItem
from verifier.verdict import Verdict
from verifier.verifier import Verifier

ID_BYTES, SECRET_BYTES = 9, 18
LINKS = "/verifier/class-lists/links"
MOST = 200  # entries of one list
MOST_LISTS = 200  # in one answer


@dataclass(frozen=True, slots=True)
class Followed:
    """What a link leads to: who asks for what, the request that a wallet answers, and until when."""

    question: Question
    link: str
    expires_at: datetime


class ClassLists:
    """A counter's lists."""

    def __init__(
        self,
        *,
        database: Database,
        verifier: Verifier,
        exchange: Exchange,
        base_url: str,
        made_by: Callable[[Sequence[str]], Mapping[str, tuple[str, str]]],
        circle: Callable[[str, datetime], Collection[str]],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._verifier = verifier
        self._exchange = exchange
        self._base_url = base_url
        self._made_by = made_by
        self._circle = circle
        self._randomness = randomness

    def make(self, question: Question, name: str, labels: Sequence[str], this: Attempt, *, now: datetime) -> ClassList:
        """Make a list of people, by labels that mean something to the counter alone; the same attempt finds its own."""
        row = ClassList(
            list_id=base64url.name(self._randomness(ID_BYTES)),
            counter=question.counter.key,
            service_item=question.item.key,
            name=clean(name),
            created_at=now,
        )
        lacks = question.item.lacking({})
        with self._database.write() as session:
            earlier = idempotency.claim(session, this, result=row.list_id, now=now)
            found = session.get(ClassList, earlier) if earlier is not None else None
            if found is not None:
                return found
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
        entry, behind = next(one for one in entries if one.number == number), list[People]()

        def one_person(checked: Mapping[str, Sequence[Checked]]) -> None:
            behind.append(self._people(checked, question.item, f"{list_id}/{number}", now))
            if together(known(entry), behind[0]) is None:
                raise RefusalError("another_person")

        made = self._verifier.verify_scan(scanned, question, demand=one_person, now=now)
        with self._database.write() as session:
            stands = behind[0] if behind else None
            added = adding.add_up(session, list_id, number, made, question.item, people=stands, now=now)
        if made.outcome == Outcome.ACCEPTED and not added:  # somebody else's code, or the end of the list, came first
            raise EntryChangedError(made.verification_id)
        return made

    def _people(self, checked: Mapping[str, Sequence[Checked]], item: ServiceItem, entry: str, now: datetime) -> People:
        """Return who stands behind what was shown, as far as wallets here made it."""
        rows = [one for several in checked.values() for one in several]
        made_by = self._made_by([one.presentation_digest for one in rows])
        shown = [
            Shown(owner, actor, about=one.kind.key in item.of_whom, acted_for=one.kind.key in item.of_principals)
            for one in rows
            for owner, actor in [made_by.get(one.presentation_digest, ("", ""))]
            if owner
        ]
        circle = {one for row in shown if row.about for one in self._circle(row.owner, now)}
        return people(shown, circle, entry)

    # By link

    def link(self, list_id: str, number: int, counter: str, life: timedelta, *, now: datetime) -> tuple[str, datetime]:
        """Return a link by which one entry's wallet answers by itself, within days; an earlier one is over then."""
        row, _ = self.read(list_id, counter)
        secret, until = base64url.encode(self._randomness(SECRET_BYTES)), now + life
        if row.closed_at is not None:
            raise ClassListOverError
        with self._database.write() as session:
            entry = session.get(ClassEntry, (list_id, number))
            if entry is None:
                raise UnknownClassListError
            entry.link_hash, entry.link_until = _hashed(secret), until
            audit.record(
                session, stream=f"verifier/{counter}", actor=f"counter:{counter}", act="class_list.linked",
                subject=list_id, now=now, detail={"entry": number},
            )  # fmt: skip
        return f"{self._base_url}{LINKS}/{secret}", until

    def led_to(self, secret: str, *, now: datetime) -> Question:
        """Return who asks for what by a link; nothing is opened."""
        _, question = self._linked(secret, now)
        return question

    def follow(self, secret: str, *, now: datetime) -> Followed:
        """Return a fresh request for whoever follows a link: any wallet answers it, in five minutes."""
        entry, question = self._linked(secret, now)
        opened = self._exchange.open(question, entry=adding.name(entry), now=now)
        return Followed(question, opened.link, opened.expires_at)

    def _linked(self, secret: str, now: datetime) -> tuple[ClassEntry, Question]:
        with self._database.read() as session:
            entry = store.entry_by_link(session, _hashed(secret))
            row = session.get(ClassList, entry.list_id) if entry else None
        late = entry is not None and (entry.link_until is None or now >= entry.link_until)
        if entry is None or row is None or row.closed_at is not None or late or (entry.shown and not entry.lacks):
            raise ClassLinkOverError
        return entry, self._verifier.question(row.counter, row.service_item, None, by_link=True)


def _hashed(secret: str) -> str:
    return sha256(f"class list link {secret}".encode()).hexdigest()
