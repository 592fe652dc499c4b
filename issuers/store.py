"""All SQL of the ledger: licences, copies, lists' rows, what was done in an hour.

What status lists say, and so which licences are revoked, is `lists/store.py`; batches are `batch/store.py`, other
wallets' doors `openid4vci/store.py`, changes of many `mass/store.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache

from sqlalchemy import Executable, Integer, bindparam, cast, delete, false, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, and_, col, or_, select

from credentials import strict_json
from issuers.models import ActsOfHour, LicenceCopy, LicenceRow, LicenceState, ListKind, StatusListRow
from keys.models import KeyState, SigningKey
from records.models import IdempotencyKey
from records.rows import store as rows_store


def licence(session: Session, agency: str, licence_id: str) -> LicenceRow | None:
    """Return a licence of `agency`, freshly read; None if it has no such one."""
    row = session.get(LicenceRow, licence_id, populate_existing=True)
    return row if row is not None and row.agency == agency else None


def licences(
    session: Session, agency: str, *, after: str, limit: int, state: str | None = None, reference: str | None = None,
    subject: str | None = None,
) -> Sequence[LicenceRow]:  # fmt: skip
    """Return up to `limit` licences of `agency` behind `after`, by identifier."""
    query = select(LicenceRow).where(LicenceRow.agency == agency, LicenceRow.licence_id > after)
    for column, wanted in ((LicenceRow.state, state), (LicenceRow.reference, reference), (LicenceRow.subject, subject)):
        if wanted is not None:
            query = query.where(col(column) == wanted)
    return session.exec(query.order_by(col(LicenceRow.licence_id)).limit(limit)).all()


def states(session: Session, licence_ids: Sequence[str]) -> dict[str, str]:
    """Return the states of licences by identifier; `KEY_COMPROMISED` of valid ones that a stolen key signed since."""
    stolen = and_(
        col(SigningKey.kid) == col(LicenceRow.kid),
        SigningKey.state == KeyState.COMPROMISED,
        or_(col(SigningKey.compromised_from).is_(None), col(SigningKey.compromised_from) <= LicenceRow.created_at),
    )
    query = select(LicenceRow.licence_id, LicenceRow.state, SigningKey.kid).outerjoin(SigningKey, stolen)
    found = session.exec(query.where(col(LicenceRow.licence_id).in_(licence_ids)))
    return {name: KEY_COMPROMISED if kid and state == LicenceState.VALID else state for name, state, kid in found}


KEY_COMPROMISED = "key_compromised"
"""No state of the ledger: what nobody accepts any more until it is issued again."""


def held_state(session: Session, licence_id: str) -> str | None:
    """Return a licence's state, which nobody changes before this transaction ends."""
    query = select(LicenceRow.state).where(LicenceRow.licence_id == licence_id)
    return session.exec(query.with_for_update()).first()


def ending(session: Session, today: date, last_day: date, limit: int) -> Sequence[LicenceRow]:
    """Return valid licences whose last day is near, of which nobody was reminded yet, the nearest first."""
    reminded = select(IdempotencyKey.key).where(IdempotencyKey.caller == "reminders")
    query = select(LicenceRow).where(
        LicenceRow.state == LicenceState.VALID,
        col(LicenceRow.valid_until) >= today,
        col(LicenceRow.valid_until) <= last_day,
        col(LicenceRow.licence_id).not_in(reminded),
    )
    return session.exec(query.order_by(col(LicenceRow.valid_until), col(LicenceRow.licence_id)).limit(limit)).all()


def holders_of(session: Session, licence_ids: Sequence[str]) -> dict[str, str]:
    """Return whose wallets licences went to."""
    query = select(LicenceRow.licence_id, LicenceRow.holder_ref)
    return dict(session.exec(query.where(col(LicenceRow.licence_id).in_(licence_ids))).all())


def named(session: Session, licence_ids: Sequence[str]) -> Sequence[LicenceRow]:
    """Return licences by identifier, whoever's."""
    return session.exec(select(LicenceRow).where(col(LicenceRow.licence_id).in_(licence_ids))).all()


def delivered(session: Session, licence_ids: Sequence[str]) -> None:
    """Drop the disclosures of licences that have reached their wallets."""
    these = update(LicenceRow).where(rows_store.among(session, col(LicenceRow.licence_id), licence_ids))
    session.execute(these.values(undelivered=None))


def move(
    session: Session,
    row: LicenceRow,
    *,
    before: Sequence[LicenceState],
    after: LicenceState,
    now: datetime,
    cause: str | None,
) -> bool:
    """Move a licence to another state; False if it is not in one of `before` (any more)."""
    session.flush()  # what was noted of it
    said = {"this": row.licence_id, "before": before, "after": after, "why": cause, "at": now}
    return bool(session.connection().execute(_MOVE, said).rowcount)


_LICENCES = rows_store.table_of(LicenceRow)
_MOVE = (
    update(_LICENCES)
    .where(_LICENCES.c.licence_id == bindparam("this"), _LICENCES.c.state.in_(bindparam("before", expanding=True)))
    .values(state=bindparam("after"), cause=bindparam("why"), state_since=bindparam("at"))
)


def licences_named(session: Session, agency: str, licence_ids: Sequence[str]) -> dict[str, LicenceRow]:
    """Return those licences of `agency`, freshly read, by identifier; others are not there."""
    these = rows_store.among(session, col(LicenceRow.licence_id), licence_ids)
    query = select(LicenceRow).where(LicenceRow.agency == agency, these)
    return {row.licence_id: row for row in session.exec(query.execution_options(populate_existing=True))}


def move_all(
    session: Session,
    licence_ids: Sequence[str],
    *,
    before: Sequence[LicenceState],
    after: LicenceState,
    now: datetime,
    cause: str | None,
    since: datetime | None = None,
) -> set[str]:
    """Move licences to another state; returns those that were in one of `before`. In one order, so that none waits.

    With `since`, only those that have been in it since that very instant.
    """
    these = rows_store.among(session, col(LicenceRow.licence_id), sorted(licence_ids))
    statement = update(LicenceRow).where(these, col(LicenceRow.state).in_(before))
    if since is not None:
        statement = statement.where(col(LicenceRow.state_since) == since)
    changed = statement.values(state=after, cause=cause, state_since=now).returning(col(LicenceRow.licence_id))
    return set(session.execute(changed).scalars())


def sign(session: Session, row: LicenceRow, signature: str, now: datetime) -> bool:
    """Make a prepared licence valid, within its time, and drop what waited for that, which goes into a wallet now.

    False if somebody else did, or it is too late.
    """
    said = {"name": row.licence_id, "now": now, "signed_with": signature}
    return bool(session.connection().execute(_SIGN, said).rowcount)


_SIGN = (
    update(_LICENCES)
    .where(_LICENCES.c.licence_id == bindparam("name"), _LICENCES.c.state == LicenceState.PREPARED)
    .where(_LICENCES.c.prepared_until > bindparam("now"))
    .values(
        state=LicenceState.VALID, state_since=bindparam("now"), signature=bindparam("signed_with"), undelivered=None
    )
)


def newest_version(session: Session, row: LicenceRow) -> LicenceRow:
    """Return the row of the highest version there is of a licence."""
    query = select(LicenceRow).where(
        LicenceRow.agency == row.agency, LicenceRow.type_key == row.type_key, LicenceRow.serial == row.serial
    )
    found = session.exec(query.order_by(col(LicenceRow.version).desc()).limit(1)).first()
    return found or row


def valid_licence_of(session: Session, agency: str, type_key: str, holder_ref: str) -> LicenceRow | None:
    """Return the newest valid licence of a type in a holder's wallet."""
    query = select(LicenceRow).where(
        LicenceRow.agency == agency, LicenceRow.type_key == type_key, LicenceRow.holder_ref == holder_ref
    )
    query = query.where(LicenceRow.state == LicenceState.VALID)
    return session.exec(query.order_by(col(LicenceRow.created_at).desc()).limit(1)).first()


def newest_list(session: Session, agency: str, kind: ListKind) -> StatusListRow | None:
    """Return the list of a kind that takes what an agency signs next."""
    query = select(StatusListRow).where(StatusListRow.agency == agency, StatusListRow.kind == kind)
    return session.exec(query.order_by(col(StatusListRow.number).desc()).limit(1)).first()


def lists(session: Session, agency: str | None = None) -> Sequence[StatusListRow]:
    """Return an agency's lists, all agencies' if None."""
    query = select(StatusListRow).order_by(col(StatusListRow.list_id))
    return session.exec(query if agency is None else query.where(StatusListRow.agency == agency)).all()


def index_taken(session: Session, list_id: str, index: int) -> bool:
    """Whether a status index was given to some licence."""
    return bool(session.connection().execute(_TAKEN, {"list_id": list_id, "at": index}).scalar())


_TAKEN = select(
    or_(
        *(
            select(1)
            .where(one.c.status_list_id == bindparam("list_id"), one.c.status_index == bindparam("at"))
            .exists()
            for one in (rows_store.table_of(LicenceRow), rows_store.table_of(LicenceCopy))
        )
    )
)


def sign_copy(session: Session, copy_id: str, signature: str) -> bool:
    """Note a copy as signed; False if it was burnt meanwhile."""
    statement = update(LicenceCopy).where(col(LicenceCopy.copy_id) == copy_id, ~col(LicenceCopy.burnt))
    return bool(rows_store.changed(session, statement.values(signature=signature)))


def unsigned_copies(session: Session, before: datetime) -> Sequence[LicenceCopy]:
    """Return copies recorded before an instant that nobody knows to be signed, nor burnt yet."""
    query = select(LicenceCopy).where(col(LicenceCopy.signature).is_(None), ~col(LicenceCopy.burnt))
    return session.exec(query.where(LicenceCopy.created_at < before)).all()


def store_list(session: Session, list_id: str, *, version: int, token: str, kid: str, issued_at: int) -> bool:
    """Keep a signed list unless a later one is there already."""
    said = {"this": list_id, "made_of": version, "signed": token, "by": kid, "at": issued_at}
    return bool(session.connection().execute(_STORE_LIST, said).rowcount)


_LISTS = rows_store.table_of(StatusListRow)
_STORE_LIST = (
    update(_LISTS)
    .where(
        _LISTS.c.list_id == bindparam("this"),
        _LISTS.c.published_version <= bindparam("made_of"),
        _LISTS.c.issued_at <= bindparam("at"),
    )
    .values(published_version=bindparam("made_of"), token=bindparam("signed"), kid=bindparam("by"),
            issued_at=bindparam("at"))
)  # fmt: skip


def copy_key_taken(session: Session, thumbprint: str) -> bool:
    """Whether some copy is bound to a key."""
    query = select(LicenceCopy.copy_id).where(LicenceCopy.thumbprint == thumbprint)
    return session.exec(query).first() is not None


def recorded_as(session: Session, list_id: str, index: int, signing_input: str) -> tuple[str, str] | None:
    """Return act and subject under which the audit has what was signed so, with that status index; None if nothing."""
    at = (LicenceRow.status_list_id == list_id, LicenceRow.status_index == index)
    row = session.exec(select(LicenceRow).where(*at)).first()
    if row is not None and row.signing_input == signing_input:
        return "licence.signed", row.licence_id
    place = (LicenceCopy.status_list_id == list_id, LicenceCopy.status_index == index)
    copy = session.exec(select(LicenceCopy).where(*place)).first()
    return ("licence.copied", copy.copy_id) if copy is not None and copy.signing_input == signing_input else None


def count_acts(session: Session, hour: int, acts: Mapping[str, int]) -> dict[str, int]:
    """Count acts by whom in an hour and return how many there are of each; others of theirs wait for this transaction.

    In one order for everybody who counts several.
    """
    connection = session.connection()
    said = {"during": hour, "said": strict_json.dumps(acts).decode()}
    counted = connection.execute(_count(connection.dialect.name), said)
    return dict(counted.all())


@cache
def _count(dialect: str) -> Executable:
    said, acts = rows_store.each_named(dialect, "said"), rows_store.table_of(ActsOfHour)
    made = postgresql.insert(acts) if dialect == "postgresql" else sqlite.insert(acts)
    rows = select(said.c.key, bindparam("during", type_=acts.c.hour.type), cast(said.c.value, Integer), false())
    made = made.from_select(["actor", "hour", "count", "alerted"], rows.order_by(said.c.key))
    more = {"count": acts.c.count + made.excluded["count"]}
    made = made.on_conflict_do_update(index_elements=[acts.c.actor, acts.c.hour], set_=more)
    return made.returning(acts.c.actor, acts.c.count)


def forget_hours(session: Session, before: int) -> int:
    """Forget who did how much in hours before one; returns how many rows."""
    return rows_store.changed(session, delete(ActsOfHour).where(col(ActsOfHour.hour) < before))


def alerted(session: Session, actor: str, hour: int) -> bool:
    """Note that somebody's limit of an hour was told; of any number of times at once one gets True."""
    rows_store.insert_unless_taken(session, ActsOfHour(actor=actor, hour=hour, count=0))
    mine = (col(ActsOfHour.actor) == actor, col(ActsOfHour.hour) == hour, ~col(ActsOfHour.alerted))
    return bool(rows_store.changed(session, update(ActsOfHour).where(*mine).values(alerted=True)))
