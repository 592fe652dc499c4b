"""All SQL of the outbox."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, update
from sqlmodel import Session, col, delete, select

from records.outbox.models import Delivery, OutboxEvent, Webhook
from records.rows import store as rows_store


def unsorted(session: Session, limit: int) -> Sequence[OutboxEvent]:
    """Return events that nobody has sorted into deliveries yet, oldest first."""
    query = select(OutboxEvent).where(col(OutboxEvent.sorted_at).is_(None))
    return session.exec(query.order_by(col(OutboxEvent.at), col(OutboxEvent.event_id)).limit(limit)).all()


def webhooks(session: Session, owner: str | None = None) -> Sequence[Webhook]:
    """Return the webhooks that are not ended, of one owner or all, oldest first."""
    query = select(Webhook).where(col(Webhook.ended_at).is_(None))
    query = query if owner is None else query.where(Webhook.owner == owner)
    return session.exec(query.order_by(col(Webhook.created_at), col(Webhook.webhook_id))).all()


def lock(session: Session, webhook_id: str) -> Webhook | None:
    """Return a webhook, held for this transaction: whoever writes to many of its deliveries comes in turn."""
    return session.get(Webhook, webhook_id, with_for_update=True, populate_existing=True)


def owe(session: Session, told: Sequence[tuple[OutboxEvent, str]], now: datetime) -> None:
    """Owe webhooks, by identifier, events."""
    rows = [{"event_id": one.event_id, "webhook_id": hook, "at": one.at, "next_at": now} for one, hook in told]
    rows_store.insert_many(session, Delivery, rows)


def sorted_out(session: Session, event_ids: Sequence[str], now: datetime) -> None:
    """Note that everybody is owed these events who is to be told of them."""
    these = update(OutboxEvent).where(rows_store.among(session, col(OutboxEvent.event_id), event_ids))
    session.execute(these.values(sorted_at=now), execution_options={"synchronize_session": False})


def take(session: Session, webhook_id: str, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
    """Lease what a webhook is owed at this moment, the longest due first; of any number of workers one gets each."""
    query = select(Delivery).where(Delivery.webhook_id == webhook_id, col(Delivery.next_at) <= now)
    query = query.order_by(col(Delivery.next_at), col(Delivery.at), col(Delivery.event_id)).limit(limit)
    found = session.exec(query.with_for_update(skip_locked=True)).all()  # SQLite's writers are alone already
    for one in found:
        one.next_at = until
    return found


def events(session: Session, event_ids: Sequence[str]) -> Sequence[OutboxEvent]:
    """Return events by identifier."""
    return session.exec(select(OutboxEvent).where(col(OutboxEvent.event_id).in_(event_ids))).all()


def delivered(
    session: Session, webhook_id: str, event_ids: Sequence[str], leased: datetime, now: datetime, said: str
) -> None:
    """Note that a webhook took these, where they are still leased until `leased` (see `note`)."""
    mine = update(Delivery).where(
        rows_store.among(session, col(Delivery.event_id), event_ids),
        col(Delivery.webhook_id) == webhook_id,
        col(Delivery.next_at) == leased,
    )
    values = {"delivered_at": now, "next_at": None, "tries": col(Delivery.tries) + 1, "said": said}
    session.execute(mine.values(**values), execution_options={"synchronize_session": False})


def note(session: Session, one: Delivery, leased: datetime, **values: object) -> bool:
    """Note what came of a try, if the delivery is still leased until `leased`: that instant is the lease's fence.

    False where another worker has it by now, or it is owed no more, or anew: what this try came to counts no longer.
    """
    mine = update(Delivery).where(
        col(Delivery.event_id) == one.event_id,
        col(Delivery.webhook_id) == one.webhook_id,
        col(Delivery.next_at) == leased,
    )
    return bool(rows_store.changed(session, mine.values(**values)))


def rest(session: Session, webhook_id: str, now: datetime, shortest: timedelta, longest: timedelta) -> datetime:
    """Leave a webhook alone for a while, as long again as it has been silent; returns since when it has."""
    hook = session.get_one(Webhook, webhook_id)
    if hook.silent_since is None or hook.rests_until is None or now - hook.rests_until > longest:
        hook.silent_since = now  # what was noted last is of another silence, that nobody saw end
    hook.rests_until = now + min(max(now - hook.silent_since, shortest), longest)
    return hook.silent_since


def give_up(session: Session, webhook_id: str, before: datetime, now: datetime, said: str) -> None:
    """Give up what is due at a webhook and has been owed since before an instant: it has not answered all that time."""
    due = update(Delivery).where(col(Delivery.webhook_id) == webhook_id, col(Delivery.next_at) <= now)
    over = due.where(func.coalesce(Delivery.owed_since, Delivery.at) <= before)
    session.execute(over.values(next_at=None, dead_at=now, said=said))


def rouse(session: Session, webhook_id: str, later_than: datetime, now: datetime) -> None:
    """Let a webhook that answers again rest no more, nor what waits for it longer than until an instant."""
    lock(session, webhook_id)
    _rest_no_more(session, webhook_id)
    waiting = update(Delivery).where(col(Delivery.webhook_id) == webhook_id, col(Delivery.next_at) > later_than)
    session.execute(waiting.values(next_at=now))


def deliveries(session: Session, webhook_id: str, *, dead: bool, limit: int) -> Sequence[Delivery]:
    """Return a webhook's deliveries, newest first; only `dead` ones if wanted."""
    query = select(Delivery).where(Delivery.webhook_id == webhook_id)
    query = query.where(col(Delivery.dead_at).is_not(None)) if dead else query
    return session.exec(query.order_by(col(Delivery.at).desc(), col(Delivery.event_id)).limit(limit)).all()


def replay(session: Session, webhook_id: str, since: datetime, now: datetime) -> int:
    """Owe a webhook everything since an instant anew; returns how many events."""
    statement = update(Delivery).where(col(Delivery.webhook_id) == webhook_id, col(Delivery.at) >= since)
    again = statement.values(next_at=now, delivered_at=None, dead_at=None, tries=0, owed_since=now)
    _rest_no_more(session, webhook_id)
    return rows_store.changed(session, again)


def owe_no_more(session: Session, webhook_id: str, now: datetime) -> None:
    """Give up what a webhook is still owed: it was ended."""
    mine = update(Delivery).where(col(Delivery.webhook_id) == webhook_id, col(Delivery.next_at).is_not(None))
    session.execute(mine.values(next_at=None, dead_at=now, said="ended"))


def forget(session: Session, before: datetime) -> int:
    """Forget events from before an instant, and their deliveries; returns how many events.

    From the first that somebody is still owed on, all are kept, so that what is kept has no gap.
    """
    owed = select(col(Delivery.at)).where(col(Delivery.next_at).is_not(None)).order_by(col(Delivery.at)).limit(1)
    unsorted = select(col(OutboxEvent.at)).where(col(OutboxEvent.sorted_at).is_(None)).order_by(col(OutboxEvent.at))
    still = session.exec(owed).first(), session.exec(unsorted.limit(1)).first()
    until = min([before, *(one for one in still if one is not None)])
    session.execute(delete(Delivery).where(col(Delivery.at) < until))
    return rows_store.changed(session, delete(OutboxEvent).where(col(OutboxEvent.at) < until))


def _rest_no_more(session: Session, webhook_id: str) -> None:
    resting = update(Webhook).where(col(Webhook.webhook_id) == webhook_id, col(Webhook.rests_until).is_not(None))
    session.execute(resting.values(silent_since=None, rests_until=None))
