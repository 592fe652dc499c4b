"""Concealing claims: the issuer's half of SD-JWT (RFC 9901 section 4)."""

from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import Any

from credentials import base64url, strict_json
from credentials.errors import MalformedError
from credentials.sd_jwt import CONTAINERS, RESERVED_NAMES, Disclosure, Path, digest

SALT_BYTES = 16  # 128 bits (RFC 9901 section 9.3)
DIGEST_BYTES = 32
Places = list[Path]
"""The paths that mean one place: inside an array, its index and None both do."""
TOP: Places = [()]
Randomness = Callable[[int], bytes]
"""Returns that many unpredictable bytes."""


def conceal(
    claims: Mapping[str, Any],
    *,
    selective: Collection[Path],
    randomness: Randomness,
    digests_at_top: int = 0,
) -> tuple[dict[str, Any], tuple[Disclosure, ...]]:
    """Return the payload with `selective` claims as digests, and their disclosures (RFC 9901 section 4).

    A selective claim inside a selective one is disclosed on its own (section 4.2.6). Decoys (section
    4.2.7) fill the top level up to `digests_at_top`, so that an absent optional claim does not show.
    Digests are sorted: their order says nothing.
    """
    work = _Concealer(selective, randomness)
    payload = work.members(claims, TOP, digests_at_top)
    return payload | ({"_sd_alg": "sha-256"} if work.made or digests_at_top else {}), tuple(work.made)


class _Concealer:
    """Replaces selective claims by their digests; keeps what it made.

    No closures: three that call one another are a ring, which only the garbage collector takes apart.
    """

    def __init__(self, selective: Collection[Path], randomness: Randomness) -> None:
        self.made: list[Disclosure] = []
        self._selective = selective
        self._nested = max(map(len, selective), default=0) > 1
        self._randomness = randomness

    def members(self, node: Mapping[str, object], at: Places, digests_at_least: int = 0) -> dict[str, Any]:
        if not RESERVED_NAMES.isdisjoint(node):
            raise MalformedError("a claim has a reserved name")
        clear = {
            name: self._value(child, at, name) if isinstance(child, CONTAINERS) else child
            for name, child in node.items()
        }
        chosen = {path[-1] for path in self._selective if not self._nested or path[:-1] in at}
        hidden = [name for name in clear if name in chosen]
        salts = _drawn(self._randomness, len(hidden), SALT_BYTES)
        digests = [self._disclose(name, clear.pop(name), salt) for name, salt in zip(hidden, salts, strict=True)]
        decoys = _drawn(self._randomness, digests_at_least - len(digests), DIGEST_BYTES)
        digests += [base64url.encode(sha256(one).digest()) for one in decoys]
        return clear | ({"_sd": sorted(digests)} if digests else {})

    def _disclose(self, name: str | None, value: object, random: bytes) -> str:
        salt = base64url.encode(random)
        array = [salt, value] if name is None else [salt, name, value]
        text = base64url.encode(strict_json.dumps(array))
        self.made.append(Disclosure(text, salt, name, value))
        return digest(text)

    def _value(self, node: object, at: Places, *steps: str | int | None) -> object:
        if not isinstance(node, CONTAINERS):
            return node
        if not self._nested:
            _refuse_reserved(node)
            return node
        inside = [(*one, step) for one in at for step in steps]
        if isinstance(node, dict):
            return self.members(node, inside)
        return [self._element(child, inside, place) for place, child in enumerate(node)]

    def _element(self, child: object, at: Places, place: int) -> object:
        value = self._value(child, at, place, None)
        hidden = any((*one, step) in self._selective for one in at for step in (place, None))
        return {"...": self._disclose(None, value, self._randomness(SALT_BYTES))} if hidden else value


def _refuse_reserved(node: object) -> None:
    if isinstance(node, dict) and not RESERVED_NAMES.isdisjoint(node):
        raise MalformedError("a claim has a reserved name")
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        if isinstance(child, CONTAINERS):
            _refuse_reserved(child)


def _drawn(randomness: Randomness, count: int, size: int) -> list[bytes]:
    """Return `count` random values, drawn at once: asking costs more than what is asked for."""
    data = randomness(count * size) if count > 0 else b""
    return [data[at : at + size] for at in range(0, len(data), size)]
