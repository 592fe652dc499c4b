"""All SQL of the outbox."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, delete, select

from records.outbox.models import Delivery, OutboxEvent, Webhook


def unsorted(session: Session, limit: int) -> Sequence[OutboxEvent]:
    """Return events that nobody has sorted into deliveries yet, oldest first."""
    query = select(OutboxEvent).where(col(OutboxEvent.sorted_at).is_(None))
    return session.exec(query.order_by(col(OutboxEvent.at), col(OutboxEvent.event_id)).limit(limit)).all()


def webhooks(session: Session, owner: str | None = None) -> Sequence[Webhook]:
    """Return the webhooks that are not ended, of one owner or all, oldest first."""
    query = select(Webhook).where(col(Webhook.ended_at).is_(None))
    query = query if owner is None else query.where(Webhook.owner == owner)
    return session.exec(query.order_by(col(Webhook.created_at), col(Webhook.webhook_id))).all()


def due(session: Session, webhook_id: str, now: datetime, limit: int) -> Sequence[Delivery]:
    """Return what a webhook is owed at this moment, oldest first."""
    query = select(Delivery).where(Delivery.webhook_id == webhook_id, col(Delivery.next_at) <= now)
    return session.exec(query.order_by(col(Delivery.at), col(Delivery.event_id)).limit(limit)).all()


def lease(session: Session, one: Delivery, until: datetime) -> bool:
    """Take a delivery until an instant; of any number of workers one gets it."""
    statement = update(Delivery).where(*_this(one.event_id, one.webhook_id), col(Delivery.next_at) == one.next_at)
    return bool(session.execute(statement.values(next_at=until)).rowcount)  # type: ignore[attr-defined]


def note(session: Session, one: Delivery, leased: datetime, **values: object) -> bool:
    """Note what came of a try, if the delivery is still leased until `leased`: that instant is the lease's fence.

    False where another worker has it by now, or it is owed no more, or anew: what this try came to counts no longer.
    """
    mine = update(Delivery).where(*_this(one.event_id, one.webhook_id), col(Delivery.next_at) == leased)
    return bool(session.execute(mine.values(**values)).rowcount)  # type: ignore[attr-defined]


def postpone(session: Session, webhook_id: str, now: datetime, until: datetime) -> None:
    """Let everything else that is due at a webhook wait as well: it does not answer."""
    statement = update(Delivery).where(col(Delivery.webhook_id) == webhook_id, col(Delivery.next_at) <= now)
    session.execute(statement.values(next_at=until))


def hurry(session: Session, webhook_id: str, later_than: datetime, now: datetime) -> None:
    """Let what waits longer than that wait no more: the webhook answers again."""
    statement = update(Delivery).where(col(Delivery.webhook_id) == webhook_id, col(Delivery.next_at) > later_than)
    session.execute(statement.values(next_at=now))


def deliveries(session: Session, webhook_id: str, *, dead: bool, limit: int) -> Sequence[Delivery]:
    """Return a webhook's deliveries, newest first; only `dead` ones if wanted."""
    query = select(Delivery).where(Delivery.webhook_id == webhook_id)
    query = query.where(col(Delivery.dead_at).is_not(None)) if dead else query
    return session.exec(query.order_by(col(Delivery.at).desc(), col(Delivery.event_id)).limit(limit)).all()


def replay(session: Session, webhook_id: str, since: datetime, now: datetime) -> int:
    """Owe a webhook everything since an instant anew; returns how many events."""
    statement = update(Delivery).where(col(Delivery.webhook_id) == webhook_id, col(Delivery.at) >= since)
    again = statement.values(next_at=now, delivered_at=None, dead_at=None, tries=0, owed_since=now)
    return int(session.execute(again).rowcount)  # type: ignore[attr-defined]


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
    return int(session.execute(delete(OutboxEvent).where(col(OutboxEvent.at) < until)).rowcount)  # type: ignore[attr-defined]


def _this(event_id: str, webhook_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Delivery.event_id) == event_id, col(Delivery.webhook_id) == webhook_id
