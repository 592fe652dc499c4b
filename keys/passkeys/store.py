"""All SQL of passkeys."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from keys.models import AccessToken
from keys.passkeys.models import Passkey
from records.rows import store as rows_store


def passkeys_of(session: Session, role: str, subject: str, person: str | None) -> Sequence[Passkey]:
    """Return the passkeys of a person that are not removed, oldest first."""
    query = select(Passkey).where(Passkey.role == role, Passkey.subject == subject, col(Passkey.removed_at).is_(None))
    query = query.where(col(Passkey.person).is_(None) if person is None else Passkey.person == person)
    return session.exec(query.order_by(col(Passkey.created_at), col(Passkey.passkey_id))).all()


def all_of(session: Session, role: str, subject: str) -> Sequence[Passkey]:
    """Return the passkeys of everybody of an agency or office, oldest first."""
    query = select(Passkey).where(Passkey.role == role, Passkey.subject == subject, col(Passkey.removed_at).is_(None))
    return session.exec(query.order_by(col(Passkey.created_at), col(Passkey.passkey_id))).all()


def note_use(session: Session, passkey_id: str, before: int, count: int, now: datetime) -> bool:
    """Note a use; False if the passkey is removed, or its counter is not any more what was checked."""
    statement = update(Passkey).where(
        col(Passkey.passkey_id) == passkey_id, col(Passkey.sign_count) == before, col(Passkey.removed_at).is_(None)
    )
    used = statement.values(sign_count=count, used_at=now)
    return bool(rows_store.changed(session, used))


def note_shown(session: Session, token_id: str, passkey_id: str, now: datetime) -> None:
    """Note that whoever has a token showed a passkey just now."""
    statement = update(AccessToken).where(col(AccessToken.token_id) == token_id)
    session.execute(statement.values(shown_at=now, shown_with=passkey_id))


def remove(session: Session, passkey_id: str, now: datetime) -> list[str]:
    """Remove a passkey, close every session that it opened, forget where it was shown; returns those sessions."""
    gone = update(Passkey).where(col(Passkey.passkey_id) == passkey_id, col(Passkey.removed_at).is_(None))
    session.execute(gone.values(removed_at=now))
    shown = update(AccessToken).where(col(AccessToken.shown_with) == passkey_id)
    session.execute(shown.values(shown_at=None, shown_with=None))
    opened = update(AccessToken).where(col(AccessToken.passkey_id) == passkey_id, col(AccessToken.revoked_at).is_(None))
    return list(session.execute(opened.values(revoked_at=now).returning(col(AccessToken.token_id))).scalars())


def remove_all_made_with(session: Session, token_id: str, now: datetime) -> list[str]:
    """Remove the passkeys that a token registered, and those that sessions opened by them did; returns them all."""
    tokens, removed = [token_id], list[str]()
    while tokens:
        registered = select(Passkey.passkey_id).where(
            Passkey.registered_with == tokens.pop(), col(Passkey.removed_at).is_(None)
        )
        for passkey_id in session.exec(registered).all():
            removed.append(passkey_id)
            tokens += remove(session, passkey_id, now)
    return removed
