"""All SQL of what status lists say: the whole of a list, and what changed since a version of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Executable, Select, bindparam, delete, exists, or_, union, union_all, update
from sqlmodel import Session, and_, col, select

from credentials.status_list import Status
from issuers.models import LicenceCopy, LicenceRow, LicenceState, StatusChange, StatusListRow
from keys.models import KeyPurpose
from keys.store import active_kid_of
from records.rows import store as rows_store

LISTED = {
    LicenceState.SUSPENDED: Status.SUSPENDED,
    LicenceState.REVOKED: Status.REVOKED,
    LicenceState.BURNT: Status.REVOKED,
}
Place = tuple[str, int, Status]
"""A list, an index in it, and what it says from now on."""


def note_changes(session: Session, places: Iterable[Place]) -> None:
    """Note what lists must say from now on, each list in a version of its own; holds their rows until the commit.

    In one order for everybody who locks several.
    """
    for list_id, some in groupby(sorted(places), key=lambda place: place[0]):
        version = session.connection().execute(_RAISE, {"this": list_id}).scalar_one()
        rows = [
            {"list_id": list_id, "version": version, "status_index": index, "status": int(status)}
            for _, index, status in some
        ]
        rows_store.insert_many(session, StatusChange, rows)


_LISTS = rows_store.table_of(StatusListRow)
_RAISE = (
    update(_LISTS)
    .where(_LISTS.c.list_id == bindparam("this"))
    .values(version=_LISTS.c.version + 1)
    .returning(_LISTS.c.version)
)


def note_states(session: Session, licence_ids: Sequence[str]) -> list[str]:
    """Note licences' new states in every list that they or copies of them are in; returns those lists."""
    connection = session.connection()
    found = connection.execute(_places(connection.dialect.name), {"these": list(licence_ids)})
    places = [(list_id, index, LISTED.get(LicenceState(state), Status.VALID)) for list_id, index, state in found]
    note_changes(session, places)
    return sorted({list_id for list_id, _, _ in places})


@cache
def _places(dialect: str) -> Executable:
    own = select(LicenceRow.status_list_id, LicenceRow.status_index, LicenceRow.state)
    own = own.where(rows_store.among_named(dialect, col(LicenceRow.licence_id), "these"))
    copies = select(LicenceCopy.status_list_id, LicenceCopy.status_index, LicenceRow.state).join(LicenceRow)
    of_these = rows_store.among_named(dialect, col(LicenceCopy.licence_id), "these")
    return union_all(own, copies.where(of_these, ~col(LicenceCopy.burnt)))


def changes(session: Session, list_id: str, after: int, until: int) -> Sequence[StatusChange] | None:
    """Return what changed in a list after one version until another, in order; None if not all of it is kept."""
    found = session.execute(_CHANGES, {"this": list_id, "after": after, "until": until})
    rows = found.scalars().all()
    return rows if len({row.version for row in rows}) == until - after else None


_CHANGES = (
    select(StatusChange)
    .where(StatusChange.list_id == bindparam("this"))
    .where(StatusChange.version > bindparam("after"), StatusChange.version <= bindparam("until"))
    .order_by(col(StatusChange.version))
)


def forget_changes(session: Session, list_id: str, until: int) -> None:
    """Forget changes up to a version: whoever has an older one makes the list anew."""
    these = col(StatusChange.list_id) == list_id, col(StatusChange.version) <= until
    session.execute(delete(StatusChange).where(*these))


class Listed(NamedTuple):
    """What a list's publication hangs on: of its row, and the key that signs for its agency by now (`signs`)."""

    list_id: str
    agency: str
    kind: str
    bits: int
    version: int
    published_version: int
    issued_at: int
    kid: str
    signs: str | None
    overdue: bool = False
    """Whether a preparation in it is past its time and not burnt yet, where that was asked."""


def published(session: Session, list_id: str) -> Listed | None:
    """Return a list as it was published."""
    row = session.connection().execute(_PUBLISHED, {"this": list_id}).first()
    return Listed(*row) if row is not None else None


def to_publish(session: Session, list_id: str, now: datetime) -> Listed | None:
    """Return the same, and whether anything in it is overdue."""
    row = session.connection().execute(_TO_PUBLISH, {"this": list_id, "now": now}).first()
    return Listed(*row) if row is not None else None


def all_published(session: Session, agency: str | None = None) -> list[Listed]:
    """Return likewise an agency's lists, all agencies' if None."""
    query = _LISTED.order_by(col(StatusListRow.list_id))
    rows = session.connection().execute(query if agency is None else query.where(col(StatusListRow.agency) == agency))
    return [Listed(*row) for row in rows]


_SIGNS = active_kid_of(_LISTS.c.agency, KeyPurpose.STATUS_LIST)
_LISTED: Select[Any] = select(*[*(getattr(StatusListRow, name) for name in Listed._fields[:-2]), _SIGNS])
_PUBLISHED = _LISTED.where(col(StatusListRow.list_id) == bindparam("this"))
_IS_OVERDUE = and_(LicenceRow.state == LicenceState.PREPARED, col(LicenceRow.prepared_until) <= bindparam("now"))
_OVERDUE_IN = and_(LicenceRow.status_list_id == bindparam("this"), _IS_OVERDUE)
_TO_PUBLISH = _PUBLISHED.add_columns(exists().where(_OVERDUE_IN).label("overdue"))


def overdue(session: Session, list_id: str, now: datetime) -> Sequence[LicenceRow]:
    """Return preparations of a list that are past their time and that nothing has burnt yet."""
    return session.execute(select(LicenceRow).where(_OVERDUE_IN), {"this": list_id, "now": now}).scalars().all()


def lists_of(session: Session, licence_id: str) -> list[str]:
    """Return the lists that hold a licence and its copies, in one order for everybody who locks them."""
    return sorted(session.connection().execute(_LISTS_OF, {"licence_id": licence_id}).scalars())


_LISTS_OF = union(
    select(LicenceRow.status_list_id).where(LicenceRow.licence_id == bindparam("licence_id")),
    select(LicenceCopy.status_list_id).where(LicenceCopy.licence_id == bindparam("licence_id")),
)


def listed_statuses(session: Session, list_id: str, now: datetime) -> dict[int, int]:
    """Return what the list must say of every licence that is not plainly valid: index → status.

    This is the SQL that finds revoked licences. A preparation past its time counts as revoked.
    """
    query = select(LicenceRow.status_index, LicenceRow.state).where(
        LicenceRow.status_list_id == list_id, or_(col(LicenceRow.state).in_(list(LISTED)), _IS_OVERDUE)
    )
    listed = session.get(StatusListRow, list_id)
    said: dict[int, int] = dict.fromkeys(listed.decoys if listed else (), Status.REVOKED)
    found = session.execute(query, {"now": now})
    said |= {index: LISTED.get(LicenceState(state), Status.REVOKED) for index, state in found}
    copies = select(LicenceCopy.status_index, LicenceRow.state, LicenceCopy.burnt).join(LicenceRow)
    copies = copies.where(
        LicenceCopy.status_list_id == list_id, or_(col(LicenceRow.state).in_(list(LISTED)), col(LicenceCopy.burnt))
    )
    for index, state, burnt in session.exec(copies):
        said[index] = Status.REVOKED if burnt else LISTED[LicenceState(state)]
    return said
