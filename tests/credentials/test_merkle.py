"""Merkle trees (RFC 9162): the known roots, every proof of every size up to forty, and none that is bent."""

import pytest

from credentials import merkle
from credentials.errors import ProofRefusedError

ENTRIES = [bytes.fromhex(one) for one in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Certificate Transparency's own test entries, and the roots of their first 0 to 8."""
MOST = 40


class Tree:
    """A log in memory that keeps the hashes of complete subtrees only."""

    def __init__(self, entries: list[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        for index, one in enumerate(entries):
            self.nodes[0, index] = merkle.leaf_hash(one)
            for level, place in merkle.completed(index):
                left, right = self.nodes[level - 1, 2 * place], self.nodes[level - 1, 2 * place + 1]
                self.nodes[level, place] = merkle.node_hash(left, right)

    def node(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


TREE = Tree([bytes([one]) for one in range(MOST)])


def root(size: int) -> bytes:
    return merkle.root(size, TREE.node)


def test_known_roots() -> None:
    """The roots of the published entries are the published ones."""
    tree = Tree(ENTRIES)
    assert [merkle.root(size, tree.node).hex() for size in range(9)] == ROOTS


def test_every_entry_is_proved_in_every_tree() -> None:
    """An entry's proof holds for it and for nothing else: not for another place, another entry, another root."""
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = merkle.inclusion(index, size, TREE.node)
            merkle.check_inclusion(TREE.node(0, index), index, size, proof, root(size))
            wrong = [
                (merkle.leaf_hash(b"other"), index, size, proof, root(size)),
                (TREE.node(0, index), (index + 1) % size if size > 1 else 1, size, proof, root(size)),
                (TREE.node(0, index), index, size, proof, bytes(32)),
                (TREE.node(0, index), index, size, [*proof, bytes(32)], root(size)),
            ]
            wrong += [(TREE.node(0, index), index, size, proof[:-1], root(size))] if proof else []
            for one in wrong:
                with pytest.raises(ProofRefusedError):
                    merkle.check_inclusion(*one)


def test_every_tree_begins_every_later_one() -> None:
    """A consistency proof holds between its two trees, and not when anything of it is changed, left out or added."""
    for after in range(1, MOST + 1):
        for before in range(1, after + 1):
            proof = merkle.consistency(before, after, TREE.node)
            merkle.check_consistency(before, after, proof, root(before), root(after))
            wrong = [
                (before, after, proof, bytes(32), root(after)),
                (before, after, proof, root(before), bytes(32)),
                (before, after, [*proof, bytes(32)], root(before), root(after)),
            ]
            for place in range(len(proof)):
                wrong.append(
                    (before, after, [*proof[:place], bytes(32), *proof[place + 1 :]], root(before), root(after))
                )
                wrong.append((before, after, [*proof[:place], *proof[place + 1 :]], root(before), root(after)))
            for one in wrong:
                with pytest.raises(ProofRefusedError):
                    merkle.check_consistency(*one)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 5), (5, 5), (6, 5)])
def test_entries_that_are_not_there(index: int, size: int) -> None:
    """No proof is made, and none is believed."""
    with pytest.raises(ProofRefusedError):
        merkle.inclusion(index, size, TREE.node)
    with pytest.raises(ProofRefusedError):
        merkle.check_inclusion(TREE.node(0, 0), index, size, [], root(5))


@pytest.mark.parametrize(("before", "after"), [(0, 5), (6, 5), (-1, 5), (0, 0)])
def test_trees_between_which_there_is_no_proof(before: int, after: int) -> None:
    """No proof is made, and none is believed."""
    with pytest.raises(ProofRefusedError):
        merkle.consistency(before, after, TREE.node)
    with pytest.raises(ProofRefusedError):
        merkle.check_consistency(before, after, [], root(5), root(5))
