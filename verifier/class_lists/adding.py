"""Adding up what one entry of a class list showed: a certificate today by code, a permit tomorrow by link."""

from datetime import datetime

from sqlmodel import Session

from records import store as records_store
from verifier.class_lists.models import ClassEntry, ClassList
from verifier.class_lists.one_person import People, known, together
from verifier.reasons import Outcome
from verifier.service_items import ServiceItem
from verifier.verdict import Verdict


def add_up(
    session: Session,
    list_id: str,
    number: int,
    made: Verdict,
    item: ServiceItem,
    *,
    people: People | None,
    whole: bool = False,
    now: datetime,
) -> bool:
    """Add what a verdict showed to what an entry has, and say whether it was; a refusal takes nothing away.

    Of other `people` than before nothing is added (`class_lists.py` refuses such a code; here two came at once).
    What is `whole`, and of people that nobody here knows, takes the place of all that was.
    """
    records_store.lock_stream(session, f"class list {list_id}")
    entry = session.get(ClassEntry, (list_id, number), populate_existing=True)
    row = session.get(ClassList, list_id, populate_existing=True)
    if entry is None or row is None or row.closed_at is not None:
        return False
    if entry.shown and not entry.lacks:  # what is complete stays as it was completed
        return True
    behind = People() if whole else together(known(entry), people or People())
    if behind is None:
        return False
    if not (entry.verdict == Outcome.ACCEPTED and made.outcome != Outcome.ACCEPTED):
        entry.verdict, entry.reason, entry.updated_at = made.outcome, made.reason, now
        entry.verification_id, entry.receipt = made.verification_id, made.receipt
    if made.outcome == Outcome.ACCEPTED:
        shown = {} if whole else {key: set(names) for key, names in entry.shown.items()}
        entry.person, entry.others = next(iter(behind.persons), None), sorted(behind.others)
        entry.circle = sorted(behind.circle)
        for one in made.licences:
            shown.setdefault(one["licence_type"], set()).update(one["claims"])
        entry.shown = {key: sorted(names) for key, names in shown.items()}
        entry.lacks = item.lacking(shown)
    return True


def name(entry: ClassEntry) -> str:
    """Return what a request that followed an entry's link keeps: the entry, and which link it was."""
    return f"{entry.list_id}/{entry.number}/{entry.link_hash}"


def collect(session: Session, named: str, made: Verdict, item: ServiceItem, now: datetime) -> None:
    """Add a verdict up that came by a request for a named entry, unless its list or link was over by then."""
    list_id, number, link_hash = named.split("/")
    row, entry = session.get(ClassList, list_id), session.get(ClassEntry, (list_id, int(number)))
    if row is not None and row.closed_at is None and entry is not None and entry.link_hash == link_hash:
        add_up(session, list_id, int(number), made, item, people=None, whole=True, now=now)
