"""Doing together: each gets what came of its own, whoever else asked; nobody waits for ever, and nobody is left out."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from random import Random
from threading import Event, Lock
from time import monotonic, sleep

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from records import together
from records.database import WouldWaitError, at_once
from records.together import Together


class Bench:
    """Doubles numbers; the turns that `holds` says wait until they are let go."""

    def __init__(self, holds: Callable[[Sequence[int]], bool] = lambda _asked: False) -> None:
        self.turns: list[list[int]] = []
        self.go = Event()
        self._holds = holds
        self.doubled = Together(self._do)

    def _do(self, asked: Sequence[int]) -> list[int]:
        self.turns.append(list(asked))
        if self._holds(asked):
            assert self.go.wait(10)
        if 13 in asked:
            raise ValueError("thirteen")
        if 404 in asked:
            raise OperationalError(None, None, Exception("the server is gone"), connection_invalidated=True)
        if 409 in asked:
            raise IntegrityError("INSERT", {}, Exception("taken"))
        return [2 * one for one in asked]


def begun(bench: Bench, pool: ThreadPoolExecutor, first: int, others: Sequence[int]) -> list[Future[int]]:
    """The first one's turn, in which it is alone, and the others, who come while it goes on."""
    futures = [pool.submit(bench.doubled, first)]
    while not bench.turns:
        sleep(0.001)
    return futures + [pool.submit(bench.doubled, one) for one in others]


def test_one_alone_waits_for_nobody() -> None:
    """Who asks alone is a turn alone; again and again."""
    bench = Bench()
    assert [bench.doubled(one) for one in (1, 2, 3)] == [2, 4, 6]
    assert bench.turns == [[1], [2], [3]]


def test_those_who_come_meanwhile_share_the_next_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gets its own; at most so many share one."""
    monkeypatch.setattr(together, "PATIENCE_SECONDS", 10)
    monkeypatch.setattr(together, "MOST", 4)
    bench = Bench(lambda asked: 1 in asked)
    with ThreadPoolExecutor(16) as pool:
        futures = begun(bench, pool, 1, range(2, 8))
        sleep(0.1)
        bench.go.set()
        assert [one.result(10) for one in futures] == [2, 4, 6, 8, 10, 12, 14]
    assert [len(turn) for turn in bench.turns] == [1, 4, 2]


@pytest.mark.parametrize(("bad", "error"), [(13, ValueError), (409, IntegrityError)])
def test_nobody_is_refused_for_what_another_asked(
    monkeypatch: pytest.MonkeyPatch, bad: int, error: type[Exception]
) -> None:
    """A turn that fails is done again one by one: the one whose fault it is hears so, the others get theirs."""
    monkeypatch.setattr(together, "PATIENCE_SECONDS", 10)
    bench = Bench(lambda asked: 1 in asked)
    with ThreadPoolExecutor(8) as pool:
        futures = begun(bench, pool, 1, [2, bad, 3])
        sleep(0.1)
        bench.go.set()
        wait(futures, 10)
    assert [one.result() for one in futures if not one.exception()] == [2, 4, 6]
    assert isinstance(futures[2].exception(), error)
    assert sorted(map(len, bench.turns)) == [1, 1, 1, 1, 3]


def test_what_may_have_been_committed_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is lost in the middle: all who shared the turn are told, and it is not tried a second time."""
    monkeypatch.setattr(together, "PATIENCE_SECONDS", 10)
    bench = Bench(lambda asked: 1 in asked)
    with ThreadPoolExecutor(8) as pool:
        futures = begun(bench, pool, 1, [2, 404, 3])
        sleep(0.1)
        bench.go.set()
        wait(futures, 10)
    assert [type(one.exception()) for one in futures[1:]] == [OperationalError] * 3
    assert [len(turn) for turn in bench.turns] == [1, 3]
    assert bench.doubled(5) == 10


def test_a_turn_that_hangs_holds_nobody_up() -> None:
    """Whoever waited a moment begins a turn beside it; the one that hung ends well, too."""
    bench = Bench(lambda asked: 1 in asked)
    with ThreadPoolExecutor(8) as pool:
        futures = begun(bench, pool, 1, [2, 3])
        assert [one.result(5) for one in futures[1:]] == [4, 6]
        assert not futures[0].done()
        assert pool.submit(bench.doubled, 4).result(5) == 8
        bench.go.set()
        assert futures[0].result(5) == 2
    assert bench.doubled(5) == 10
    assert bench.turns[-1] == [5]


def test_turns_beside_one_that_hangs_pass_themselves_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes while one hangs is served when the turn beside it is over, not after a patience of their own."""
    monkeypatch.setattr(together, "PATIENCE_SECONDS", 1.0)

    def holds(asked: Sequence[int]) -> bool:
        if 2 in asked:
            sleep(0.2)
        return 1 in asked

    bench = Bench(holds)
    with ThreadPoolExecutor(8) as pool:
        futures = begun(bench, pool, 1, [2])
        while len(bench.turns) < 2:  # beside the one that hangs
            sleep(0.001)
        started = monotonic()
        assert bench.doubled(3) == 6
        assert monotonic() - started < 0.7
        bench.go.set()
        assert [one.result(5) for one in futures] == [2, 4]


def test_those_who_lose_patience_together_begin_one_turn() -> None:
    """Whoever is first takes the others along; none of them begins another."""
    bench = Bench(lambda asked: 1 in asked)
    with ThreadPoolExecutor(32) as pool:
        futures = begun(bench, pool, 1, range(20, 44))
        assert [one.result(5) for one in futures[1:]] == [2 * one for one in range(20, 44)]
        bench.go.set()
    assert len(bench.turns) < 6  # a few, where threads were slow to come; it was one for each


def test_what_must_not_wait_does_not() -> None:
    """Within what answers from memory alone it is refused as any transaction is."""
    bench = Bench()
    with pytest.raises(WouldWaitError):
        at_once(lambda: bench.doubled(1))
    assert bench.turns == []


def test_many_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen threads, two thousand calls, turns of any length, some that fail: each gets its own or its own error."""
    monkeypatch.setattr(together, "PATIENCE_SECONDS", 0.002)
    random, lock, shared, done = Random(7), Lock(), list[int](), list[int]()

    def do(asked: Sequence[int]) -> list[int]:
        with lock:
            pause = random.choice([0, 0, 0.001, 0.005])
            shared.append(len(asked))
        sleep(pause)
        if any(one % 50 == 13 for one in asked):
            raise ValueError("thirteen")
        done.extend(asked)  # committed
        return [2 * one for one in asked]

    doubled = Together(do)
    with ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(doubled, one) for one in range(2000)]
        wait(futures, 60)
    for one, future in enumerate(futures):
        if one % 50 == 13:
            assert isinstance(future.exception(), ValueError)
        else:
            assert future.result() == 2 * one
    assert max(shared) > 4
    assert sorted(done) == [one for one in range(2000) if one % 50 != 13]
    assert (doubled._turns, len(doubled._waiting)) == (0, 0)
    assert doubled(1) == 2
