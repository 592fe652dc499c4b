"""Telling a page of what is new, as server-sent events (WHATWG HTML section 9.2), for a minute at a time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from keys.errors import TooManyListeningError

MEDIA_TYPE = "text/event-stream"
LONGEST_SECONDS = 60.0  # a browser listens again by itself; whose session ended by then no more
MOST_PAGES_OF_A_CALLER = 8  # that listen at once, at this worker
EVERY_SECONDS = 1.0
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"example": 'event: consent\nid: 0n8Qd1Tz3m5PZK2v\ndata: {"state": "…"}\n\n'}}
    }
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something new; one of an `id` that was told is not told again."""

    kind: str
    id: str
    said: dict[str, Any]


class Telling:
    """Answers with what is new, to a few pages of each caller at once."""

    def __init__(self) -> None:
        self._ends: dict[str, dict[object, float]] = {}
        """Caller → a stream and when it is over by itself: one that nobody ever heard counts no longer than that."""

    def events(
        self, who: str, look: Callable[[], Sequence[Event]], seconds: float, *, after: str = ""
    ) -> AsyncIterator[str]:
        """Return a stream of events; one caller's too many pages raise `TooManyListeningError`."""
        now = monotonic()
        open_now = {one: end for one, end in self._ends.get(who, {}).items() if now < end}
        if len(open_now) >= MOST_PAGES_OF_A_CALLER:
            raise TooManyListeningError
        this = object()
        self._ends[who] = open_now | {this: now + seconds + EVERY_SECONDS}
        return self._heard(who, this, told(look, seconds, after=after))

    async def _heard(self, who: str, this: object, events: AsyncIterator[str]) -> AsyncIterator[str]:
        try:
            async for one in events:
                yield one
        finally:
            self._ends.get(who, {}).pop(this, None)
            if not self._ends.get(who):
                self._ends.pop(who, None)


async def told(look: Callable[[], Sequence[Event]], seconds: float, *, after: str = "") -> AsyncIterator[str]:
    """Yield what `look` finds, each once, as it comes, for `seconds`.

    With `after` (`Last-Event-ID` of a page that comes back) all up to that one counts as told, if it is still there.
    """
    known: set[str] = set()
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    yield ": listening\n\n"
    while True:
        found = await asyncio.to_thread(look)
        ids = [one.id for one in found]
        if after in ids:
            known |= set(ids[: ids.index(after) + 1])
        after = ""
        for one in found:
            if one.id not in known:
                known.add(one.id)
                yield f"event: {one.kind}\nid: {one.id}\ndata: {json.dumps(one.said, ensure_ascii=False)}\n\n"
        if loop.time() >= end:
            return
        await asyncio.sleep(min(EVERY_SECONDS, max(0.0, end - loop.time())))
