"""Choosing a status index: a random free place in the agency's newest list (HAIP 6.1: unpredictable).

What makes it unique is the constraint `one_index_one_licence` in `models.py`; a look first saves trouble.
"""

from collections.abc import Callable, Iterator

from sqlmodel import Session

from issuers import store
from issuers.publishing import StatusPublisher

PROBES = 16  # random places tried in a list before a new one is opened: it is well over half full by then


def free_places(
    session: Session, publisher: StatusPublisher, agency: str, randomness: Callable[[int], bytes]
) -> Iterator[tuple[str, int]]:
    """Yield list identifiers and indices that looked free, without end: the caller inserts until one holds."""
    current = store.newest_list(session, agency) or publisher.open_list(session, agency, after=None)
    while True:
        for _ in range(PROBES):
            index = int.from_bytes(randomness(4), "big") % current.size
            if not store.index_taken(session, current.list_id, index):
                yield current.list_id, index
        current = publisher.open_list(session, agency, after=current)
