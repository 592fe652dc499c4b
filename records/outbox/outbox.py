"""Bringing events to webhooks (Standard Webhooks 1.0): signed, tried again for three days, in the end once each.

An event row is written by the act's own transaction (`audit.record`). Here it is sorted into deliveries and sent. A
webhook that does not answer waits longer and longer, and keeps nobody else waiting.

Any number of workers send; one has a delivery, until its lease ends. What came of a try is noted under that lease
alone, so that a worker that was stopped too long changes nothing (`store.note`); the webhook knows what came twice by
its identifier.
"""

import hmac
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from credentials import base64url, strict_json
from records import store as records_store
from records.database import Database
from records.errors import UnknownWebhookError
from records.outbox import store
from records.outbox.events import BY_TYPE
from records.outbox.models import Delivery, OutboxEvent, Webhook

BACK_OFF = tuple(timedelta(seconds=one) for one in (5, 30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600))
GIVE_UP = timedelta(hours=72)
KEPT = timedelta(days=30)
LEASE = timedelta(minutes=2)
CLOCKS_APART = timedelta(seconds=10)  # of workers, at most
SORTED_AT_ONCE, SENT_AT_ONCE, AT_ONCE = 500, 200, 32
ROUND_SECONDS = 10.0
SECRET_BYTES, ID_BYTES = 32, 9
GATEWAY = "gateway"
"""The owner that is the city's message gateway: it is told of what concerns holders, and makes an SMS of it."""
Send = Callable[[str, Mapping[str, str], Mapping[str, Any]], int]
"""Posts JSON with headers to an address and returns the HTTP status; 0 if nobody answered. Never raises."""
About = Callable[[OutboxEvent], Mapping[str, Any]]
"""Returns what else an event says to those who may know: whose licence it is."""


Relying = Callable[[OutboxEvent], Collection[str]]
"""Returns the counters that relied on what an event is about, and whose holder lets them be told."""


class Outbox:
    """Webhooks, and what they are owed."""

    def __init__(
        self,
        *,
        database: Database,
        close: Callable[[bytes, str], bytes],
        reveal: Callable[[bytes, str], bytes],
        send: Send,
        about: About,
        relying: Relying,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._close = close
        self._reveal = reveal
        self._send = send
        self._about = about
        self._relying = relying
        self._randomness = randomness
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="outbox")
        self._serving: dict[str, Future[int]] = {}

    # Who is told

    def add(self, owner: str, url: str, types: Sequence[str], *, now: datetime) -> tuple[Webhook, str]:
        """Register a webhook; its secret is told this once (`whsec_…`, Standard Webhooks)."""
        secret, webhook_id = self._randomness(SECRET_BYTES), base64url.name(self._randomness(ID_BYTES))
        row = Webhook(
            webhook_id=webhook_id,
            owner=owner,
            url=url,
            types=sorted(types),
            secret=self._close(secret, f"webhook {webhook_id}"),
            created_at=now,
        )
        with self._database.write() as session:
            session.add(row)
        return row, "whsec_" + b64encode(secret).decode("ascii")

    def end(self, webhook_id: str, *, now: datetime) -> None:
        """Tell a webhook nothing any more."""
        with self._database.write() as session:
            self._one(session.get(Webhook, webhook_id)).ended_at = now
            store.owe_no_more(session, webhook_id, now)

    def webhooks(self) -> Sequence[Webhook]:
        """Return every webhook that is told of something."""
        with self._database.read() as session:
            return store.webhooks(session)

    def deliveries(self, webhook_id: str, *, dead: bool, limit: int) -> Sequence[Delivery]:
        """Return what came of a webhook's deliveries."""
        with self._database.read() as session:
            self._one(session.get(Webhook, webhook_id))
            return store.deliveries(session, webhook_id, dead=dead, limit=limit)

    def replay(self, webhook_id: str, since: datetime, *, now: datetime) -> int:
        """Send everything since an instant again: the same identifiers, so that a receiver knows what it has."""
        with self._database.write() as session:
            self._one(session.get(Webhook, webhook_id))
            return store.replay(session, webhook_id, since, now)

    # Telling them

    def work(self, clock: Callable[[], datetime]) -> int:
        """Sort what is new, send what is due; returns how many deliveries succeeded within ten seconds.

        A webhook that takes longer is served on; the next round passes it over, and everybody else is served.
        """
        self._sort(clock())
        with self._database.read() as session:
            hooks = store.webhooks(session)
        for hook in hooks:
            before = self._serving.get(hook.webhook_id)
            if before is None or before.done():
                self._serving[hook.webhook_id] = self._pool.submit(self._serve, hook, clock)
        done, _ = wait(self._serving.values(), timeout=ROUND_SECONDS)
        sent = 0
        for name, one in list(self._serving.items()):
            if one in done:
                sent += one.result() if one.exception() is None else 0
                del self._serving[name]
        return sent

    def forget(self, *, now: datetime) -> int:
        """Forget what everybody was told a month ago; until then it can be replayed."""
        with self._database.write() as session:
            return store.forget(session, now - KEPT)

    def _sort(self, now: datetime) -> None:
        with self._database.read() as session:
            found = SORTED_AT_ONCE if store.unsorted(session, 1) else 0
        while found == SORTED_AT_ONCE:
            with self._database.write() as session:
                records_store.lock_stream(session, "outbox")
                events, hooks = store.unsorted(session, SORTED_AT_ONCE), store.webhooks(session)
                for event in events:
                    event.sorted_at = now
                    told = self._relying(event) if hooks else ()
                    for hook in hooks:
                        knows = _may_know(hook.owner, event) or hook.owner.removeprefix("counter:") in told
                        if hook.created_at <= event.at and event.type in hook.types and knows:
                            session.add(
                                Delivery(event_id=event.event_id, webhook_id=hook.webhook_id, at=event.at, next_at=now)
                            )
                found = len(events)

    def _serve(self, hook: Webhook, clock: Callable[[], datetime]) -> int:
        """Send a webhook what is due, one after another, until it does not answer."""
        sent = 0
        with self._database.read() as session:
            waiting = store.due(session, hook.webhook_id, clock(), SENT_AT_ONCE)
        for one in waiting:
            now = clock()
            until = now + LEASE
            with self._database.write() as session:
                if not store.lease(session, one, until):
                    continue
            with self._database.read() as session:
                event = session.get(OutboxEvent, one.event_id)
            known = event is not None and event.type in BY_TYPE
            status = self._post(hook, event, now) if event is not None and known else 410
            if 200 <= status < 300:
                with self._database.write() as session:
                    done = {"delivered_at": now, "next_at": None, "tries": one.tries + 1, "said": str(status)}
                    mine, at = store.note(session, one, until, **done), clock()
                    if mine and (one.tries or not sent):  # it is back, perhaps; no lease of another worker ends later
                        store.hurry(session, hook.webhook_id, at + LEASE + CLOCKS_APART, at)
                sent += 1
            else:
                self._failed(hook, one, until, status, now)
                break
        return sent

    def _failed(self, hook: Webhook, one: Delivery, leased: datetime, status: int, now: datetime) -> None:
        said = f"HTTP {status}" if status else "no answer"
        wait = BACK_OFF[min(one.tries, len(BACK_OFF) - 1)]
        dead = now + wait >= (one.owed_since or one.at) + GIVE_UP
        with self._database.write() as session:
            mine = store.note(
                session, one, leased, tries=one.tries + 1, said=said, dead_at=now if dead else None,
                next_at=None if dead else now + wait,
            )  # fmt: skip
            if not mine:
                return
            store.postpone(session, hook.webhook_id, now, now + min(wait, BACK_OFF[4]))

    def _post(self, hook: Webhook, event: OutboxEvent, now: datetime) -> int:
        told = BY_TYPE[event.type]
        own = _may_know(hook.owner, event)
        about = {"stream": event.stream, **event.detail, **self._about(event)} if own else {}
        data = {"subject": event.subject, **about}
        if hook.owner == GATEWAY:
            data["text"] = {"zh": told.zh, "en": told.en}
        body = {"type": event.type, "timestamp": event.at.isoformat(), "data": data}
        secret = self._reveal(hook.secret, f"webhook {hook.webhook_id}")
        return self._send(hook.url, signed(secret, event.event_id, now, body), body)

    @staticmethod
    def _one(row: Webhook | None) -> Webhook:
        if row is None or row.ended_at is not None:
            raise UnknownWebhookError
        return row


def signed(secret: bytes, event_id: str, now: datetime, body: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of a message (Standard Webhooks: `id.timestamp.payload`, HMAC-SHA256)."""
    second = str(int(now.timestamp()))
    payload = b".".join([event_id.encode(), second.encode(), strict_json.dumps(body)])
    signature = b64encode(hmac.new(secret, payload, sha256).digest()).decode("ascii")
    return {"webhook-id": event_id, "webhook-timestamp": second, "webhook-signature": f"v1,{signature}"}


def _may_know(owner: str, event: OutboxEvent) -> bool:
    """Whether an event is an owner's: an agency's of its acts, a counter's of its own, the gateway's of holders'."""
    kind, _, name = owner.partition(":")
    room, _, whose = event.stream.partition("/")
    if owner == GATEWAY:
        return room in {"wallet", "issuers"}
    return (room, whose) == ({"agency": "issuers", "counter": "verifier"}.get(kind, ""), name)
