"""Choosing a status index: a random free place in the agency's newest list (HAIP 6.1: unpredictable).

What makes it unique are the constraints `one_index_one_licence` and `one_index_one_copy` in `models.py` (licences and
copies never share a list); a look first saves trouble.
"""

from collections.abc import Callable, Iterator

from sqlmodel import Session

from issuers import store
from issuers.publishing import StatusPublisher

PROBES = 16  # random places tried in a list before a new one is opened: it is well over half full by then


def free_places(
    session: Session, publisher: StatusPublisher, agency: str, randomness: Callable[[int], bytes], *, x5c: bool = False
) -> Iterator[tuple[str, int]]:
    """Yield list identifiers and indices that looked free, without end: the caller inserts until one holds."""
    newest = store.newest_list(session, agency, x5c=x5c)
    current = newest or publisher.open_list(session, agency, after=None, x5c=x5c)
    while True:
        for _ in range(PROBES):
            index = int.from_bytes(randomness(4), "big") % current.size
            if not store.index_taken(session, current.list_id, index):
                yield current.list_id, index
        current = publisher.open_list(session, agency, after=current, x5c=x5c)
