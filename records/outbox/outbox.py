"""Bringing events to webhooks (Standard Webhooks 1.0): signed, tried again for three days, in the end once each.

An event row is written by the act's own transaction (`audit.record`). Here it is sorted into deliveries and sent: one
first, and once a webhook has answered that, some beside each other. A webhook that does not answer rests, longer and
longer, and keeps nobody else waiting.

Any number of workers send; one has a delivery, until its lease ends. What came of a try is noted under that lease
alone, so that a worker that was stopped too long changes nothing (`store.note`); the webhook knows what came twice by
its identifier.
"""

import hmac
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from time import monotonic
from typing import Any

from sqlmodel import Session

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
SHORTEST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=30)  # of a webhook that does not answer
SORTED_AT_ONCE, SORTED_IN_A_ROUND, HOOKS_AT_ONCE, BESIDE = 500, 20, 32, 16
ROUND_SECONDS = 10.0
SECRET_BYTES, ID_BYTES = 32, 9
OF_THE_MESSAGE = frozenset({400, 409, 413, 415, 422})
"""Answers that refuse one message and say nothing of the next."""
GATEWAY = "gateway"
"""The owner that is the city's message gateway: it is told of what concerns holders, and makes an SMS of it."""
Send = Callable[[str, Mapping[str, str], Mapping[str, Any]], int]
"""Posts JSON with headers to an address and returns the HTTP status; 0 if nobody answered. Never raises."""
Message = tuple[Mapping[str, str], Mapping[str, Any]]
"""Headers and body of one message."""
About = Callable[[Sequence[OutboxEvent]], Mapping[str, Mapping[str, Any]]]
"""Returns what else events say to those who may know, by identifier: whose licence it is."""

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
        self._pool = ThreadPoolExecutor(HOOKS_AT_ONCE, thread_name_prefix="outbox")
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
            self._one(store.lock(session, webhook_id)).ended_at = now
            store.owe_no_more(session, webhook_id, now)

    def webhooks(self) -> Sequence[Webhook]:
        """Return every webhook that is told of something."""
        with self._database.read() as session:
            return store.webhooks(session)

    def deliveries(self, webhook_id: str, *, dead: bool, limit: int) -> list[tuple[Delivery, datetime | None]]:
        """Return what came of a webhook's deliveries, each with when it is tried next: not while the webhook rests."""
        with self._database.read() as session:
            hook = self._one(session.get(Webhook, webhook_id))
            rows = store.deliveries(session, webhook_id, dead=dead, limit=limit)
        return [(one, one.next_at and max(one.next_at, hook.rests_until or one.next_at)) for one in rows]

    def replay(self, webhook_id: str, since: datetime, *, now: datetime) -> int:
        """Send everything since an instant again: the same identifiers, so that a receiver knows what it has."""
        with self._database.write() as session:
            self._one(store.lock(session, webhook_id))
            return store.replay(session, webhook_id, since, now)

    # Telling them

    def work(self, clock: Callable[[], datetime]) -> int:
        """Sort what is new, send what is due; returns how many deliveries succeeded within ten seconds.

        A webhook that takes longer is served on; the next round passes it over, and everybody else is served. What
        broke besides (the database, mostly) is raised when all have been served.
        """
        self.sort(clock())
        sent, broken = self._ended()
        with self._database.read() as session:
            hooks = store.webhooks(session)
        for hook in hooks:
            if hook.webhook_id not in self._serving and (hook.rests_until is None or hook.rests_until <= clock()):
                self._serving[hook.webhook_id] = self._pool.submit(self._serve, hook, clock)
        wait(self._serving.values(), timeout=ROUND_SECONDS)
        more, also_broken = self._ended()
        if broken or also_broken:
            raise [*broken, *also_broken][0]
        return sent + more

    def _ended(self) -> tuple[int, list[BaseException]]:
        """Return what came of those that were served: how many were taken, and what broke."""
        ended = [name for name, one in self._serving.items() if one.done()]
        found = [self._serving.pop(name) for name in ended]
        errors = [error for one in found if (error := one.exception()) is not None]
        return sum(one.result() for one in found if one.exception() is None), errors

    def forget(self, *, now: datetime) -> int:
        """Forget what everybody was told a month ago; until then it can be replayed."""
        with self._database.write() as session:
            return store.forget(session, now - KEPT)

    def sort(self, now: datetime) -> None:
        """Owe what happened to whoever is to be told of it: ten thousand events at most, the oldest first."""
        with self._database.read() as session:
            if not store.unsorted(session, 1):
                return
        for _ in range(SORTED_IN_A_ROUND):
            with self._database.write() as session:
                records_store.lock_stream(session, "outbox")
                events, hooks = store.unsorted(session, SORTED_AT_ONCE), store.webhooks(session)
                told = [(event, hook.webhook_id) for event in events for hook in self._told(event, hooks)]
                store.owe(session, told, now)
                store.sorted_out(session, [event.event_id for event in events], now)
            if len(events) < SORTED_AT_ONCE:
                return

    def _told(self, event: OutboxEvent, hooks: Sequence[Webhook]) -> Sequence[Webhook]:
        hooks = [one for one in hooks if one.created_at <= event.at and event.type in one.types]
        relying = self._relying(event) if hooks else ()
        return [one for one in hooks if _may_know(one.owner, event) or one.owner.removeprefix("counter:") in relying]

    def _serve(self, hook: Webhook, clock: Callable[[], datetime]) -> int:
        """Send a webhook what is due, until nothing is, the round is over, or it does not answer."""
        sent, lot, ends = 0, 1, monotonic() + ROUND_SECONDS
        with ThreadPoolExecutor(BESIDE, thread_name_prefix="webhook") as beside:
            while monotonic() < ends:
                now = clock()
                until = now + LEASE
                with self._database.write() as session:
                    these = store.take(session, hook.webhook_id, now, until, lot)
                if not these:
                    break
                posted = list(beside.map(partial(self._post, hook), self._messages(hook, these, now)))
                good, goes_on = self._note(hook, list(zip(these, posted, strict=True)), until, clock())
                sent += good
                if not goes_on:
                    break
                if good and lot == 1:
                    lot = BESIDE
                    if hook.silent_since is not None:  # it is back; no lease of another worker ends later
                        with self._database.write() as session:
                            store.rouse(session, hook.webhook_id, (at := clock()) + LEASE + CLOCKS_APART, at)
        return sent

    def _note(
        self, hook: Webhook, posted: Sequence[tuple[Delivery, int | None]], until: datetime, now: datetime
    ) -> tuple[int, bool]:
        """Write down what came of a lot, in one transaction; returns how many were taken, and whether it may go on."""
        good: dict[int, list[str]] = {}
        silent = ""
        with self._database.write() as session:
            store.lock(session, hook.webhook_id)
            for one, status in posted:
                if status is not None and 200 <= status < 300:
                    good.setdefault(status, []).append(one.event_id)
                    continue
                said = "not known to this release" if status is None else f"HTTP {status}" if status else "no answer"
                mine = self._failed(session, one, until, said, now)
                silent = said if mine and status is not None and status not in OF_THE_MESSAGE else silent
            for status, taken in good.items():
                store.delivered(session, hook.webhook_id, taken, until, now, str(status))
            if silent:
                since = store.rest(session, hook.webhook_id, now, SHORTEST_REST, LONGEST_REST)
                if now - since >= GIVE_UP:
                    store.give_up(session, hook.webhook_id, now - GIVE_UP, now, silent)
        return sum(map(len, good.values())), not silent

    @staticmethod
    def _failed(session: Session, one: Delivery, leased: datetime, said: str, now: datetime) -> bool:
        again = now + BACK_OFF[min(one.tries, len(BACK_OFF) - 1)]
        dead = again >= (one.owed_since or one.at) + GIVE_UP
        values = {"dead_at": now, "next_at": None} if dead else {"next_at": again}
        return store.note(session, one, leased, tries=one.tries + 1, said=said, **values)

    def _messages(self, hook: Webhook, these: Sequence[Delivery], now: datetime) -> Sequence[Message | None]:
        """Return what to post for each delivery; None for an event that this release does not know."""
        with self._database.read() as session:
            events = {one.event_id: one for one in store.events(session, [one.event_id for one in these])}
        own = [one for one in events.values() if _may_know(hook.owner, one)]
        about = self._about(own) if own else {}
        known = {one.event_id: {"stream": one.stream, **one.detail, **about.get(one.event_id, {})} for one in own}
        secret = self._reveal(hook.secret, f"webhook {hook.webhook_id}")
        made: list[Message | None] = []
        for event in (events[one.event_id] for one in these):
            if event.type not in BY_TYPE:
                made.append(None)
                continue
            told = BY_TYPE[event.type]
            data = {"subject": event.subject, **known.get(event.event_id, {})}
            if hook.owner == GATEWAY:
                data["text"] = {"zh": told.zh, "en": told.en}
            body = {"type": event.type, "timestamp": event.at.isoformat(), "data": data}
            made.append((signed(secret, event.event_id, now, body), body))
        return made

    def _post(self, hook: Webhook, message: Message | None) -> int | None:
        return self._send(hook.url, *message) if message else None

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
