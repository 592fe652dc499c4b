"""The transparency log: every audited act is a leaf of one Merkle tree (RFC 9162), by its hash and nothing else.

An act is chained in its own transaction (`audit.py`) and becomes a leaf when the log grows: before a checkpoint is
signed, so at most as late as the next one. What a checkpoint kept elsewhere holds can be neither changed nor cut off.
"""

from collections.abc import Callable

from sqlmodel import Session

from credentials import merkle
from records import store
from records.errors import AuditBrokenError
from records.models import LogNode
from records.rows import store as rows_store

LOCK = "log"
BATCH = 1000  # entries that become leaves in one transaction


def grow(session: Session) -> int:
    """Make leaves of up to a thousand acts that are none yet; returns how many there were."""
    store.lock_stream(session, LOCK)
    size, waiting = store.log_size(session), store.unlogged(session, BATCH)
    if not waiting:
        return 0
    made: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        return made[level, index] if (level, index) in made else read(session)(level, index)

    for index, (_, _, hashed) in enumerate(waiting, size):
        made[0, index] = leaf(hashed)
        for level, place in merkle.completed(index):
            made[level, place] = merkle.node_hash(node(level - 1, 2 * place), node(level - 1, 2 * place + 1))
    store.make_leaves(session, [(stream, number, at) for at, (stream, number, _) in enumerate(waiting, size)])
    nodes = [{"level": level, "place": place, "hash": one} for (level, place), one in made.items()]
    rows_store.insert_many(session, LogNode, nodes)
    return len(waiting)


def leaf(hashed: str) -> bytes:
    """Return an act as a leaf: a hash over the hash that chains it."""
    return merkle.leaf_hash(bytes.fromhex(hashed))


def read(session: Session) -> merkle.Node:
    """Return the way to stored subtrees."""

    def node(level: int, index: int) -> bytes:
        row = session.get(LogNode, (level, index))
        if row is None:
            raise AuditBrokenError("log", index << level)
        return row.hash

    return node


def verify(session: Session, *, names: Callable[[int], bytes | None] = lambda _index: None) -> int:
    """Return the log's size if it is whole: every leaf an act's, in its place, every subtree what its leaves make.

    Raises `AuditBrokenError` naming the first bad entry. `names` gives leaves that were kept elsewhere.
    """
    size, found = store.log_size(session), 0
    made: dict[int, bytes] = {}  # the last complete subtree of each level
    for page in store.logged(session):
        kept = store.nodes(session, found, found + len(page))
        for entry in page:
            value = leaf(entry.hash)
            same = names(found) in {None, value}
            if entry.log_index != found or kept.get((0, found)) != value or not same:
                raise AuditBrokenError(entry.stream, entry.sequence)
            for level, place in merkle.completed(found):
                value = merkle.node_hash(made.pop(level - 1), value)
                if kept.get((level, place)) != value:
                    raise AuditBrokenError(entry.stream, entry.sequence)
            made[next((level for level in range(64) if (found + 1) >> level & 1), 0)] = value
            found += 1
    if found < size or names(found) is not None:  # it may have grown meanwhile
        raise AuditBrokenError("log", found)
    return found
