"""Events are told once each, to a few pages of a caller at once."""

import asyncio
from collections.abc import Sequence

import pytest

from keys.errors import TooManyListeningError
from keys.server_sent_events import MOST_PAGES_OF_A_CALLER, Event, Telling


def test_a_few_pages_of_one_caller() -> None:
    """One page too many is refused; another caller's is not, and one that closed makes room."""

    async def listen() -> None:
        telling = Telling()
        pages = [telling.events("a", list, 5) for _ in range(MOST_PAGES_OF_A_CALLER)]
        with pytest.raises(TooManyListeningError):  # before any of them was heard
            telling.events("a", list, 5)
        for one in pages:
            await anext(one)
        with pytest.raises(TooManyListeningError):
            telling.events("a", list, 5)
        other = telling.events("b", list, 5)
        await anext(other)
        await pages[0].aclose()  # type: ignore[attr-defined]
        again = telling.events("a", list, 5)
        await anext(again)
        for one in [*pages, other, again]:
            await one.aclose()  # type: ignore[attr-defined]

    asyncio.run(listen())


def test_each_once_and_after_the_last() -> None:
    """What was told before a page came back is not told again."""
    known = [Event("step", "1", {"n": 1}), Event("step", "2", {"n": 2})]

    async def heard(after: str) -> list[str]:
        def look() -> Sequence[Event]:
            return known

        return [one async for one in Telling().events("a", look, 0, after=after)]

    assert [one.split("\n")[1] for one in asyncio.run(heard(""))[1:]] == ["id: 1", "id: 2"]
    assert [one.split("\n")[1] for one in asyncio.run(heard("1"))[1:]] == ["id: 2"]
