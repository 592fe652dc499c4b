"""Merkle trees of append-only logs (RFC 9162 section 2.1), SHA-256: roots, inclusion and consistency proofs.

Hashes of complete subtrees never change once they are there; everything is computed from them. `Node` gives the one of
`2**level` leaves, the `index`-th of its level from the left.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from credentials.errors import ProofRefusedError

Node = Callable[[int, int], bytes]
"""Returns the hash of a complete subtree by level and index; level 0 are the leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of an entry as a leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees as one."""
    return sha256(b"\x01" + left + right).digest()


def completed(index: int) -> Iterator[tuple[int, int]]:
    """Yield level and index of the subtrees that leaf `index` completes, from the lowest up."""
    level = 1
    while (index + 1) % 2**level == 0:
        yield level, index >> level
        level += 1


def root(size: int, node: Node) -> bytes:
    """Return the root of the first `size` leaves (section 2.1.1)."""
    return _range(0, size, node) if size else sha256().digest()


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """Return the proof that leaf `index` is among the first `size` (section 2.1.3.1)."""
    if not 0 <= index < size:
        raise ProofRefusedError("there is no such leaf in a tree of that size")

    def path(place: int, first: int, last: int) -> list[bytes]:
        if last - first == 1:
            return []
        half = _half(last - first)
        if place < half:
            return [*path(place, first, first + half), _range(first + half, last, node)]
        return [*path(place - half, first + half, last), _range(first, first + half, node)]

    return path(index, 0, size)


def consistency(before: int, after: int, node: Node) -> list[bytes]:
    """Return the proof that the first `before` leaves are where they were among the first `after` (section 2.1.4.1)."""
    if not 0 < before <= after:
        raise ProofRefusedError("there is no proof between trees of those sizes")

    def path(count: int, first: int, last: int, *, whole: bool) -> list[bytes]:
        if count == last - first:
            return [] if whole else [_range(first, last, node)]
        half = _half(last - first)
        if count <= half:
            return [*path(count, first, first + half, whole=whole), _range(first + half, last, node)]
        return [*path(count - half, first + half, last, whole=False), _range(first, first + half, node)]

    return path(before, 0, after, whole=True)


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> None:
    """Raise `ProofRefusedError` unless `proof` shows `leaf` at `index` of the tree (section 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofRefusedError("there is no such leaf in a tree of that size")
    place, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            raise ProofRefusedError("the proof is too long")
        if place % 2 or place == last:
            found = node_hash(one, found)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, one)
        place, last = place >> 1, last >> 1
    if last or found != root_hash:
        raise ProofRefusedError("the entry is not in this tree")


def check_consistency(before: int, after: int, proof: Sequence[bytes], first: bytes, second: bytes) -> None:
    """Raise `ProofRefusedError` unless `proof` shows the tree `first` to begin the tree `second` (section 2.1.4.2)."""
    if not 0 < before <= after or (before == after and proof) or (before < after and not proof):
        raise ProofRefusedError("the proof has no length that fits")
    if before == after:
        if first != second:
            raise ProofRefusedError("two trees of one size differ")
        return
    steps = [first, *proof] if before & (before - 1) == 0 else list(proof)
    place, last = before - 1, after - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for one in steps[1:]:
        if last == 0:
            raise ProofRefusedError("the proof is too long")
        if place % 2 or place == last:
            old, new = node_hash(one, old), node_hash(one, new)
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, one)
        place, last = place >> 1, last >> 1
    if last or old != first or new != second:
        raise ProofRefusedError("the later tree does not begin with the earlier one")


def _range(first: int, last: int, node: Node) -> bytes:
    """Return the hash of the leaves from `first` to before `last`; `first` is where such a subtree may begin."""
    count = last - first
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, first >> level)
    half = _half(count)
    return node_hash(_range(first, first + half, node), _range(first + half, last, node))


def _half(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1
