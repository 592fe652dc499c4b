"""All SQL of the invariants: what is there and should not be, or should be and is not.

Compared in the database and streamed from it, a page at a time: a city's ledger is never in memory.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnElement, CompoundSelect, Select, case, except_, func, literal, union_all
from sqlalchemy.orm import Mapped
from sqlmodel import Session, and_, col, or_

from issuers.models import SUPERSEDED, Agency, LicenceCopy, LicenceRow, LicenceState, StatusListRow
from keys.models import AccessToken, Authorisation, KeyState, SigningKey
from records.models import AuditEntry, IdempotencyKey
from records.outbox.events import EVENTS
from records.outbox.models import OutboxEvent
from records.rows import store as rows_store
from records.store import PAGE
from verifier.models import Verification
from verifier.reasons import Outcome
from wallet.models import HeldLicence, HolderRow

STATE_AFTER = {
    "licence.prepared": LicenceState.PREPARED,
    "licence.signed": LicenceState.VALID,
    "licence.suspended": LicenceState.SUSPENDED,
    "licence.reinstated": LicenceState.VALID,
    "licence.revoked": LicenceState.REVOKED,
    "licence.burnt": LicenceState.BURNT,
}
NEVER_VALID = (LicenceState.PREPARED, LicenceState.BURNT)


def _select(*columns: Any) -> Select[Any]:
    return sqlalchemy.select(*columns)  # SQLModel's overloads end at four columns, and know no texts


_PLACES = union_all(
    _select(col(LicenceRow.status_list_id).label("list_id"), col(LicenceRow.status_index).label("at")),
    _select(LicenceCopy.status_list_id, LicenceCopy.status_index),
).subquery()
_SUBJECT, _ACT = col(AuditEntry.subject), col(AuditEntry.act)


def _streamed(session: Session, query: Select[Any] | CompoundSelect[Any]) -> Iterator[Any]:
    yield from session.connection().execute(query.execution_options(yield_per=PAGE))


def _told(*acts: str) -> Select[Any]:
    """Return the subjects of acts."""
    return _select(_SUBJECT).where(_ACT.in_(acts))


# I1


def not_in_the_ledger(session: Session, issuers: str) -> Iterator[str]:
    """Yield licences that were signed, or are held as of an issuer whose name begins so, and have no row."""
    held = _select(HeldLicence.licence_id).outerjoin(
        LicenceCopy, col(LicenceCopy.thumbprint) == col(HeldLicence.thumbprint)
    )
    held = held.where(col(HeldLicence.issuer).startswith(issuers, autoescape=True), col(LicenceCopy.copy_id).is_(None))
    known = _select(LicenceRow.licence_id)
    for there in (_told("licence.signed"), held):
        yield from (name for (name,) in _streamed(session, except_(there, known)))


def copies_not_in_the_ledger(session: Session) -> Iterator[str]:
    """Yield copies that were signed and have no row."""
    query = except_(_told("licence.copied"), _select(LicenceCopy.copy_id))
    yield from (name for (name,) in _streamed(session, query))


def without_signature(session: Session) -> Iterator[tuple[str, str]]:
    """Yield licences that must have a signature and have none, with their state."""
    query = _select(LicenceRow.licence_id, LicenceRow.state)
    yield from _streamed(
        session, query.where(col(LicenceRow.signature).is_(None), col(LicenceRow.state).not_in(NEVER_VALID))
    )


def signed(session: Session) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, key, signed bytes and signature of every licence and copy that has one."""
    for model, name, prefix in ((LicenceRow, "licence_id", ""), (LicenceCopy, "copy_id", "copy ")):
        columns = (getattr(model, one) for one in (name, "kid", "signing_input", "signature"))
        query = _select(*columns).where(col(model.signature).is_not(None))
        for found, *rest in _streamed(session, query):
            yield (prefix + found, *rest)


# I2


def given_twice(session: Session) -> Iterator[tuple[str, int, int]]:
    """Yield list, index and how often it was given, of those given more than once."""
    query = _select(_PLACES.c.list_id, _PLACES.c.at, func.count()).group_by(_PLACES.c.list_id, _PLACES.c.at)
    yield from _streamed(session, query.having(func.count() > 1))


def given_decoys(session: Session, listed: StatusListRow) -> Iterator[int]:
    """Yield the decoys' indices of a list that a licence or a copy has."""
    among = rows_store.among(session, _PLACES.c.at, listed.decoys)
    query = _select(_PLACES.c.at).where(_PLACES.c.list_id == listed.list_id, among).distinct()
    yield from (index for (index,) in _streamed(session, query.order_by(_PLACES.c.at)))


def entries(session: Session) -> Iterator[tuple[str, str, int, str]]:
    """Yield licence, list, index and signed bytes of every licence and copy."""
    for model in (LicenceRow, LicenceCopy):
        names = ("licence_id", "status_list_id", "status_index", "signing_input")
        yield from _streamed(session, _select(*(getattr(model, one) for one in names)))


# I5


def told_otherwise(session: Session) -> Iterator[tuple[str, str, str | None]]:
    """Yield licence, state and last act of those whose state the audit does not bear out.

    A licence that another replaced is revoked by that one's signature.
    """
    last = _select(AuditEntry.stream, _SUBJECT, func.max(AuditEntry.sequence).label("sequence"))
    last = last.where(_ACT.in_(STATE_AFTER)).group_by(col(AuditEntry.stream), _SUBJECT)
    newest = last.subquery()
    of = and_(col(AuditEntry.stream) == newest.c.stream, col(AuditEntry.sequence) == newest.c.sequence)
    told = _select(_SUBJECT.label("subject"), _ACT.label("act")).join(newest, of).subquery()
    later = _select(col(LicenceRow.supersedes).label("old")).join(told, told.c.subject == col(LicenceRow.licence_id))
    replaced = later.where(_after(told.c.act).not_in(NEVER_VALID)).distinct().subquery()
    state, name = col(LicenceRow.state), col(LicenceRow.licence_id)
    excused = and_(state == LicenceState.REVOKED, col(LicenceRow.cause) == SUPERSEDED, replaced.c.old.is_not(None))
    query = (
        _select(name, state, told.c.act)
        .outerjoin(told, told.c.subject == name)
        .outerjoin(replaced, replaced.c.old == name)
        .where(or_(told.c.act.is_(None), state != _after(told.c.act)), func.coalesce(~excused, True))
    )
    yield from _streamed(session, query)


def _after(act: ColumnElement[str]) -> ColumnElement[str]:
    return case({name: str(state) for name, state in STATE_AFTER.items()}, value=act)


def untold(session: Session) -> Iterator[tuple[str, str]]:
    """Yield act and subject of everything there is that the audit does not tell of."""
    made = _select(literal("key.active or key.next"), SigningKey.kid)
    yield from _streamed(session, except_(made, _select(literal("key.active or key.next"), _SUBJECT).where(
        _ACT.in_(["key.active", "key.next"]))))  # fmt: skip
    for act, there in (
        ("key.compromised", _select(SigningKey.kid).where(col(SigningKey.state) == KeyState.COMPROMISED)),
        ("token.granted", _select(AccessToken.token_id)),
        ("token.revoked", _select(AccessToken.token_id).where(col(AccessToken.revoked_at).is_not(None))),
        ("agency.added", _select(Agency.key)),
        ("holder.added", _select(HolderRow.holder_id)),
        ("licence.received", _select(HeldLicence.licence_id)),
        *(
            (f"verification.{one}", _select(Verification.verification_id).where(col(Verification.verdict) == one))
            for one in Outcome
        ),
    ):
        yield from ((act, subject) for (subject,) in _streamed(session, except_(there, _told(act))))


def gone(session: Session) -> Iterator[str]:
    """Yield verifications that the audit tells of and that are there no more."""
    told = _select(_SUBJECT).where(_ACT.startswith("verification."))
    query = except_(told, _select(Verification.verification_id))
    yield from (name for (name,) in _streamed(session, query))


def admitted(session: Session) -> Iterator[tuple[str, str]]:
    """Yield agency and what was said of it, of all that were admitted to the trust list."""
    yield from _streamed(session, _select(_SUBJECT, AuditEntry.detail).where(_ACT == "trust.admitted"))


def rights(session: Session) -> Iterator[tuple[str, str]]:
    """Yield every right, as type and agency."""
    yield from _streamed(session, _select(Authorisation.vct, Authorisation.agency))


# I6


def agency_keys(session: Session, *, but: tuple[str, ...]) -> Iterator[tuple[str, str, str | None]]:
    """Yield caller, result and the agency whose licence it names, of agencies' idempotency keys.

    Without those of operations that begin like one of `but`. A result names a licence by its first word.
    """
    result = col(IdempotencyKey.result)
    callers, operation = col(IdempotencyKey.caller), col(IdempotencyKey.operation)
    first = func.substr(result + " ", 1, _blank(session, result))
    query = _select(callers, result, LicenceRow.agency).outerjoin(
        LicenceRow, col(LicenceRow.licence_id) == func.rtrim(first)
    )
    query = query.where(or_(*(callers.startswith(one) for one in ("agency:", "clerk:"))))
    for one in but:
        query = query.where(~operation.startswith(one, autoescape=True))
    yield from _streamed(session, query)


def _blank(session: Session, value: Mapped[str]) -> ColumnElement[int]:
    """Return where a text's first blank is, or would be behind its end."""
    find = func.strpos if session.get_bind().dialect.name == "postgresql" else func.instr
    return find(value + " ", " ")


def keys_of_licences(session: Session, making: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Yield licences that were not made under exactly one idempotency key, and under how many."""
    operation, callers = col(IdempotencyKey.operation), col(IdempotencyKey.caller)
    made = _select(IdempotencyKey.result, func.count().label("keys")).where(
        or_(*(operation.startswith(one, autoescape=True) for one in making)),
        or_(*(callers.startswith(one) for one in ("agency:", "clerk:"))),
    )
    counted = made.group_by(col(IdempotencyKey.result)).subquery()
    keys = func.coalesce(counted.c["keys"], 0)
    query = _select(LicenceRow.licence_id, keys).outerjoin(counted, counted.c.result == col(LicenceRow.licence_id))
    yield from _streamed(session, query.where(keys != 1))


# I7


def unowed(session: Session) -> Iterator[tuple[str, bool]]:
    """Yield acts that others must be told of and have no event, with True; and events that are of no act.

    Acts from before the first event are from before there were any.
    """
    started = session.execute(_select(func.min(OutboxEvent.at))).scalar()
    if started is None:
        return
    acts = _select(AuditEntry.hash).where(_ACT.in_(EVENTS), col(AuditEntry.at) > started)
    events = _select(OutboxEvent.event_id)
    yield from ((one, True) for (one,) in _streamed(session, except_(acts, events)))
    yield from ((one, False) for (one,) in _streamed(session, except_(events, _select(AuditEntry.hash))))
