"""All SQL of the wallet."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import DateTime, Update, bindparam, cast, delete, func, update
from sqlmodel import Session, col, or_, select

from credentials import strict_json
from records.rows import store as rows_store
from wallet.models import (
    ChangeNotice,
    HeldLicence,
    HolderKey,
    HolderRow,
    ShowCode,
    SignInLink,
    Use,
    UsePresentation,
    WrongCode,
)


def holder_by_lookup(session: Session, lookup: str) -> HolderRow | None:
    """Return the holder of a keyed identity digest."""
    return session.exec(select(HolderRow).where(HolderRow.lookup == lookup)).first()


def key_by_reference(session: Session, reference: str) -> HolderKey | None:
    """Return the key that was made for a reference."""
    return session.exec(select(HolderKey).where(HolderKey.reference == reference)).first()


def keys_by_reference(session: Session, references: Collection[str]) -> Sequence[HolderKey]:
    """Return the keys that were made for many references."""
    return session.exec(select(HolderKey).where(rows_store.among(session, col(HolderKey.reference), references))).all()


def key_owners(session: Session, thumbprints: Collection[str]) -> dict[str, str]:
    """Return whose keys are, by thumbprint."""
    query = select(HolderKey.thumbprint, HolderKey.holder_id).where(
        rows_store.among(session, col(HolderKey.thumbprint), thumbprints)
    )
    return dict(session.exec(query).all())


def holders_by_lookup(session: Session, lookups: Collection[str]) -> Sequence[HolderRow]:
    """Return the accounts of many numbers, each by its keyed digest."""
    return session.exec(select(HolderRow).where(rows_store.among(session, col(HolderRow.lookup), lookups))).all()


def held_names(session: Session, licence_ids: Collection[str]) -> set[str]:
    """Return those of many licences that are in a wallet."""
    return set(
        session.exec(
            select(HeldLicence.licence_id).where(rows_store.among(session, col(HeldLicence.licence_id), licence_ids))
        )
    )


def held(session: Session, holder_id: str) -> Sequence[tuple[HeldLicence, HolderKey]]:
    """Return a holder's licences, each with its key, newest first, without superseded ones."""
    query = _HELD.where(HeldLicence.holder_id == holder_id, col(HeldLicence.superseded_by).is_(None))
    return session.exec(query.order_by(col(HeldLicence.received_at).desc(), col(HeldLicence.licence_id))).all()


def held_by_name(session: Session, licence_ids: Collection[str]) -> Sequence[tuple[HeldLicence, HolderKey]]:
    """Return licences by identifier, each with its key, superseded ones too, whoever's they are."""
    return session.exec(_NAMED, params={"names": list(licence_ids)}).all()


_HELD = select(HeldLicence, HolderKey).join(HolderKey)
_NAMED = _HELD.where(col(HeldLicence.licence_id).in_(bindparam("names", expanding=True)))


class ClaimedCode(NamedTuple):
    """A show code that was used up a moment ago: by the hashes of its two forms, whose, and what it lets be shown."""

    code_hash: str
    typed_hash: str
    holder_id: str
    choice: dict[str, list[str]]


def claim_codes(session: Session, said: Mapping[str, datetime]) -> list[ClaimedCode]:
    """Use codes up, said by hash each at its instant, and return those that were good then.

    Of any number of requests at once, one gets a code.
    """
    at = {hashed: now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") for hashed, now in said.items()}
    statement, told = _claim(session.get_bind().dialect.name), strict_json.dumps(at).decode()
    return [ClaimedCode(*row) for row in session.connection().execute(statement, {"said": told})]


_CODES = rows_store.table_of(ShowCode)


@cache
def _claim(dialect: str) -> Update:
    said = rows_store.each_named(dialect, "said")
    at = cast(said.c.value, DateTime) if dialect == "postgresql" else said.c.value
    return (
        update(_CODES)
        .where(or_(_CODES.c.code_hash == said.c.key, _CODES.c.typed_hash == said.c.key))
        .where(_CODES.c.used_at.is_(None), _CODES.c.withdrawn_at.is_(None), _CODES.c.expires_at > at)
        .values(used_at=at)
        .returning(_CODES.c.code_hash, _CODES.c.typed_hash, _CODES.c.holder_id, _CODES.c.choice)
    )


def code(session: Session, code_hash: str) -> ShowCode | None:
    """Return a code by the hash of its long or typed form; of typed twins the newest."""
    query = select(ShowCode).where(or_(ShowCode.code_hash == code_hash, ShowCode.typed_hash == code_hash))
    return session.exec(query.order_by(col(ShowCode.created_at).desc()).limit(1)).first()


def withdraw_code(session: Session, holder_id: str, show_id: str, now: datetime) -> bool:
    """Take back an unused code; False if it was used or is not this holder's."""
    statement = update(ShowCode).where(
        col(ShowCode.show_id) == show_id, col(ShowCode.holder_id) == holder_id, col(ShowCode.used_at).is_(None)
    )
    return bool(rows_store.changed(session, statement.values(withdrawn_at=now)))


def used_codes(session: Session, holder_id: str, now: datetime) -> Sequence[str]:
    """Return the names of a holder's codes that were used within their minute, which is not over."""
    mine = ShowCode.holder_id == holder_id, col(ShowCode.used_at).is_not(None), col(ShowCode.expires_at) > now
    return session.exec(select(ShowCode.show_id).where(*mine)).all()


def wrong_codes(session: Session, counter: str, minute: int) -> int:
    """Return how many wrong codes a counter typed in a minute."""
    row = session.get(WrongCode, (counter, minute), populate_existing=True)
    return row.count if row else 0


def count_try(session: Session, counter: str, minute: int, by: int) -> None:
    """Count a try (1), or take it back (-1); other tries of the counter wait for this transaction."""
    statement = update(WrongCode).where(col(WrongCode.counter) == counter, col(WrongCode.minute) == minute)
    raised = statement.values(count=WrongCode.count + by)
    if rows_store.changed(session, raised):
        return
    if not rows_store.insert_unless_taken(session, WrongCode(counter=counter, minute=minute, count=by)):
        session.execute(raised)


def uses(
    session: Session, holder_id: str, principals: Sequence[str], *, before: str | None, limit: int
) -> Sequence[Use]:
    """Return up to `limit` uses of a holder's and principals' licences and by the holder, newest first, before one."""
    mine = or_(Use.holder_id == holder_id, Use.actor == holder_id, col(Use.holder_id).in_(principals))
    query = select(Use).where(mine)
    if before is not None:
        query = query.where(Use.use_id < before)
    return session.exec(query.order_by(col(Use.use_id).desc()).limit(limit)).all()


def notified(session: Session, licence_id: str, at: datetime) -> Sequence[str]:
    """Return the counters that are told of a licence's change at an instant."""
    query = select(ChangeNotice.counter).where(ChangeNotice.licence_id == licence_id, col(ChangeNotice.until) > at)
    return session.exec(query.distinct()).all()


def forget_notices(session: Session, use_id: str) -> None:
    """Tell nobody any more for the sake of a use."""
    session.execute(delete(ChangeNotice).where(col(ChangeNotice.use_id) == use_id))


def uses_of(session: Session, digests: Sequence[str]) -> Sequence[Use]:
    """Return the uses that presentations belong to."""
    of_these = select(UsePresentation.use_id).where(col(UsePresentation.digest).in_(digests))
    return session.exec(select(Use).where(col(Use.use_id).in_(of_these))).all()


def note_verdicts(session: Session, said: Mapping[str, Mapping[str, object]]) -> None:
    """Note what was made of presentations, by digest, with their uses, but for those that have a verdict already."""
    if len(said) > 1:  # of several uses, in one order for everybody; what is said stays in the order given
        mine = select(UsePresentation.use_id).where(rows_store.among(session, col(UsePresentation.digest), list(said)))
        session.exec(select(Use.use_id).where(col(Use.use_id).in_(mine)).order_by(Use.use_id).with_for_update()).all()
    if said:
        session.connection().execute(_NOTE, [{"of": digest, **values} for digest, values in said.items()])


_USES, _PRESENTED = rows_store.table_of(Use), rows_store.table_of(UsePresentation)
_NOTE = update(_USES).where(
    _USES.c.use_id == select(_PRESENTED.c.use_id).where(_PRESENTED.c.digest == bindparam("of")).scalar_subquery(),
    _USES.c.verdict.is_(None),
)


def shown_with(session: Session, use: Use) -> Sequence[str]:
    """Return whose licences were shown in the act that a use is of."""
    same = select(Use.holder_id).where(Use.actor == use.actor, Use.at == use.at, Use.verifier == use.verifier)
    return session.exec(same).all()


def acted(session: Session, digests: Sequence[str]) -> Sequence[tuple[str, str, str]]:
    """Return of each of these presentations that is known here: its digest, whose licence it is, and who showed it."""
    query = select(UsePresentation.digest, Use.holder_id, Use.actor).join(Use)
    return session.exec(query.where(col(UsePresentation.digest).in_(digests))).all()


def known(session: Session, digests: Sequence[str]) -> int:
    """Return how many of these presentations belong to a use here."""
    query = select(func.count()).where(col(UsePresentation.digest).in_(digests))
    return session.exec(query).one()


def claim_link(session: Session, secret_hash: str, now: datetime) -> str | None:
    """Use a sign-in link up and return its holder, or None."""
    statement = (
        update(SignInLink)
        .where(
            col(SignInLink.secret_hash) == secret_hash,
            col(SignInLink.used_at).is_(None),
            col(SignInLink.expires_at) > now,
        )
        .values(used_at=now)
        .returning(col(SignInLink.holder_id))
    )
    return session.execute(statement).scalars().first()


def forget_codes(session: Session, before: datetime) -> int:
    """Forget show codes and sign-in links that were over before an instant, used or not; returns how many."""
    codes = delete(ShowCode).where(col(ShowCode.expires_at) < before)
    links = delete(SignInLink).where(col(SignInLink.expires_at) < before)
    return sum(rows_store.changed(session, one) for one in (codes, links))


def forget_tries(session: Session, before_minute: int) -> int:
    """Forget how many wrong codes were typed in the minutes before one; returns how many minutes of counters."""
    old = delete(WrongCode).where(col(WrongCode.minute) < before_minute)
    return rows_store.changed(session, old)
