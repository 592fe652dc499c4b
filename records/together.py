"""Doing together what many threads ask for at the same moment, so that they share one transaction.

Whoever comes first does it for all who wait; whoever comes meanwhile waits for the next turn. A caller alone waits for
nobody, and the busier a worker is, the more acts share what a transaction costs. Each is answered after the commit.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from time import monotonic, sleep
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError

from records.database import is_away, may_wait

Asked = TypeVar("Asked")
Made = TypeVar("Made")
MOST = 32
"""So many share a turn: what the last of them waits for."""
COMPANY_SECONDS = 0.001
"""So long a turn waits for company, if one had some a moment ago: those who were answered come back."""
PATIENCE_SECONDS = 0.05
"""Whoever waited so long begins a turn beside the one that goes on: it may be waiting for somebody's lock."""


@dataclass(slots=True, eq=False)
class _Place(Generic[Asked, Made]):
    """One caller's place in the queue."""

    asked: Asked
    called: Event = field(default_factory=Event)
    leads: bool = False
    others: "list[_Place[Asked, Made]] | None" = None
    """Who share its turn, where that was settled before it began."""
    made: list[Made] = field(default_factory=list)
    lost: DBAPIError | None = None


class Together(Generic[Asked, Made]):
    """Calls `do` with what several threads ask for, and gives each what came of its own.

    `do` takes a sequence and returns as many results in that order, in a transaction of its own: all of it happens, or
    nothing. If it raises, each does its own alone and meets its own error: nobody is refused for what somebody else
    asked. A turn of several should wait for no lock for long (`records/store.py`, `wait_briefly`). If the database was
    lost on the way, all are told so: whether it was committed nobody knows.
    """

    def __init__(self, do: Callable[[Sequence[Asked]], Sequence[Made]]) -> None:
        self._do = do
        self._lock = Lock()
        self._waiting: deque[_Place[Asked, Made]] = deque()
        self._turns = 0  # that go on
        self._company_until = 0.0  # a moment after the last turn that had any

    def __call__(self, asked: Asked) -> Made:
        """Return what comes of one's own, as soon as it is committed. Not within a transaction."""
        may_wait()
        mine: _Place[Asked, Made] = _Place(asked)
        with self._lock:
            mine.leads = not self._turns
            if mine.leads:
                self._turns += 1
            else:
                self._waiting.append(mine)
        if not mine.leads and not mine.called.wait(PATIENCE_SECONDS):
            self._begin_beside(mine)
            mine.called.wait()
        if mine.leads:
            self._lead(mine)
        if mine.lost is not None:
            raise mine.lost
        return mine.made[0] if mine.made else self._do([asked])[0]

    def _begin_beside(self, mine: _Place[Asked, Made]) -> None:
        """Begin a turn, unless one has just taken this place along; all who wait share it, and begin none."""
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                self._turns += 1
                mine.others = self._take()
                self._call(mine)

    def _take(self) -> "list[_Place[Asked, Made]]":
        return [self._waiting.popleft() for _ in range(min(MOST - 1, len(self._waiting)))]

    @staticmethod
    def _call(following: _Place[Asked, Made]) -> None:
        following.leads = True
        following.called.set()

    def _lead(self, mine: _Place[Asked, Made]) -> None:
        """Do what all who wait ask for, with one's own, and pass the turn on."""
        begun = monotonic()
        if mine.others is None and begun < self._company_until:
            sleep(COMPANY_SECONDS)
        with self._lock:
            others = self._take() if mine.others is None else mine.others
        try:
            if others:
                self._do_all([mine, *others])
            else:
                mine.made.extend(self._do([mine.asked]))
        finally:
            ended = monotonic()
            hung = ended - begun > PATIENCE_SECONDS  # then one goes on beside it by now, and passes itself on
            with self._lock:
                if others:
                    self._company_until = ended + PATIENCE_SECONDS
                if self._waiting and (self._turns == 1 or not hung):
                    self._call(self._waiting.popleft())
                else:
                    self._turns -= 1
            for one in others:
                one.called.set()

    def _do_all(self, group: Sequence[_Place[Asked, Made]]) -> None:
        try:
            made = self._do([one.asked for one in group])
        except Exception as error:  # noqa: BLE001 - each does its own alone, and whose it is meets it again
            lost = error if isinstance(error, DBAPIError) and is_away(error) else None
            for one in group:
                one.lost = lost
        else:
            for one, came in zip(group, made, strict=True):
                one.made.append(came)
