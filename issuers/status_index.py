"""Choosing a status index: a random free place in the agency's newest list of a kind (HAIP 6.1: unpredictable).

What makes it unique are the constraints `one_index_one_licence` and `one_index_one_copy` in `models.py` (licences and
copies never share a list); a look first saves trouble.
"""

from collections.abc import Callable, Iterator

from sqlmodel import Session

from issuers import store
from issuers.models import ListKind
from issuers.publishing import StatusPublisher

PROBES = 16  # random places tried in a list before a new one is opened: it is well over half full by then


def free_places(
    session: Session, publisher: StatusPublisher, agency: str, kind: ListKind, randomness: Callable[[int], bytes]
) -> Iterator[tuple[str, int]]:
    """Yield list identifiers and indices that looked free, without end: the caller inserts until one holds."""
    current = store.newest_list(session, agency, kind) or publisher.open_list(
        session, agency, kind, after=None, randomness=randomness
    )
    while True:
        for _ in range(PROBES):
            index = int.from_bytes(randomness(4), "big") % current.size
            if index not in current.decoys and not store.index_taken(session, current.list_id, index):
                yield current.list_id, index
        current = publisher.open_list(session, agency, kind, after=current, randomness=randomness)
