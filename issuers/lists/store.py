"""All SQL of what status lists say: the whole of a list, and what changed since a version of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import bindparam, delete, or_, union, update
from sqlmodel import Session, and_, col, select

from credentials.status_list import Status
from issuers.models import LicenceCopy, LicenceRow, LicenceState, StatusChange, StatusListRow
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
        raised = update(StatusListRow).where(col(StatusListRow.list_id) == list_id)
        raised = raised.values(version=StatusListRow.version + 1)
        version = session.execute(raised.returning(col(StatusListRow.version))).scalars().one()
        rows = [
            {"list_id": list_id, "version": version, "status_index": index, "status": int(status)}
            for _, index, status in some
        ]
        rows_store.insert_many(session, StatusChange, rows)


def note_states(session: Session, licence_ids: Sequence[str]) -> None:
    """Note licences' new states in every list that they or copies of them are in."""
    note_changes(session, list(_places(session, licence_ids)))


def _places(session: Session, licence_ids: Sequence[str]) -> Iterable[Place]:
    own = select(LicenceRow.status_list_id, LicenceRow.status_index, LicenceRow.state)
    own = own.where(rows_store.among(session, col(LicenceRow.licence_id), licence_ids))
    for list_id, index, state in session.exec(own):
        yield list_id, index, LISTED.get(LicenceState(state), Status.VALID)
    copies = select(LicenceCopy.status_list_id, LicenceCopy.status_index, LicenceRow.state).join(LicenceRow)
    of_these = rows_store.among(session, col(LicenceCopy.licence_id), licence_ids)
    copies = copies.where(of_these, ~col(LicenceCopy.burnt))
    for list_id, index, state in session.exec(copies):
        yield list_id, index, LISTED.get(LicenceState(state), Status.VALID)


def changes(session: Session, list_id: str, after: int, until: int) -> Sequence[StatusChange] | None:
    """Return what changed in a list after one version until another, in order; None if not all of it is kept."""
    query = select(StatusChange).where(
        StatusChange.list_id == list_id, StatusChange.version > after, StatusChange.version <= until
    )
    rows = session.exec(query.order_by(col(StatusChange.version))).all()
    return rows if len({row.version for row in rows}) == until - after else None


def forget_changes(session: Session, list_id: str, until: int) -> None:
    """Forget changes up to a version: whoever has an older one makes the list anew."""
    these = col(StatusChange.list_id) == list_id, col(StatusChange.version) <= until
    session.execute(delete(StatusChange).where(*these))


def published(session: Session, list_id: str) -> StatusListRow | None:
    """Return all of a list's row but its token, which is long."""
    row = session.exec(select(*_SHORT).where(StatusListRow.list_id == list_id)).first()
    return StatusListRow(**row._mapping) if row is not None else None  # noqa: SLF001 - SQLAlchemy's name


def all_published(session: Session, agency: str | None = None) -> list[StatusListRow]:
    """Return likewise an agency's lists, all agencies' if None."""
    query = select(*_SHORT).order_by(col(StatusListRow.list_id))
    rows = session.exec(query if agency is None else query.where(StatusListRow.agency == agency))
    return [StatusListRow(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's name


_SHORT = [getattr(StatusListRow, name) for name in StatusListRow.model_fields if name != "token"]


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
    overdue = and_(LicenceRow.state == LicenceState.PREPARED, col(LicenceRow.prepared_until) <= now)
    query = select(LicenceRow.status_index, LicenceRow.state).where(
        LicenceRow.status_list_id == list_id, or_(col(LicenceRow.state).in_(list(LISTED)), overdue)
    )
    listed = session.get(StatusListRow, list_id)
    said: dict[int, int] = dict.fromkeys(listed.decoys if listed else (), Status.REVOKED)
    said |= {index: LISTED.get(LicenceState(state), Status.REVOKED) for index, state in session.exec(query)}
    copies = select(LicenceCopy.status_index, LicenceRow.state, LicenceCopy.burnt).join(LicenceRow)
    copies = copies.where(
        LicenceCopy.status_list_id == list_id, or_(col(LicenceRow.state).in_(list(LISTED)), col(LicenceCopy.burnt))
    )
    for index, state, burnt in session.exec(copies):
        said[index] = Status.REVOKED if burnt else LISTED[LicenceState(state)]
    return said
