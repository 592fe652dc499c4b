"""A list's bits: made of the ledger, or of the last ones and what changed; read back before anybody sees them."""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from credentials import base64url, jws, status_list
from credentials.status_list import Blocks, Status, StatusList
from issuers.errors import StatusListUnsoundError
from issuers.models import StatusChange, StatusListRow


@dataclass(frozen=True, slots=True)
class Bits:
    """A list's bits, how many entries say what (but for those that say 0), and when it was made of the whole ledger."""

    data: bytes
    counts: Mapping[int, int]
    whole_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What this worker knows of a list: its bits at a version, the same compressed, and the token served."""

    version: int
    bits: Bits
    blocks: Blocks
    issued_at: int
    token: str


def whole(row: StatusListRow, statuses: Mapping[int, int], now: datetime) -> Bits:
    """Return a list's bits as the ledger says, counted; raises if one is lost, or a revoked one would return."""
    data = status_list.pack(row.size, row.bits, statuses)
    counts = Counter(statuses.values())
    _must_say(data, row.bits, statuses, counts)
    if _lost(row, statuses):
        raise StatusListUnsoundError("a revoked bit would return")
    return Bits(data, counts, now)


def changed(before: Bits, bits: int, changes: Iterable[StatusChange]) -> Bits:
    """Return a list's bits after changes, in their order, counted.

    Raises if a revoked one would return, or if the number of entries of any status is not the earlier one and the
    changes: what a worker keeps in memory is counted as what comes from the ledger is.
    """
    made, mask = bytearray(before.data), (1 << bits) - 1
    said: dict[int, int] = {}
    counts = Counter(before.counts)
    for one in changes:
        at = one.status_index * bits
        place, shift = at >> 3, at & 7
        was = made[place] >> shift & mask
        if was == Status.REVOKED and one.status != Status.REVOKED:
            raise StatusListUnsoundError("a revoked bit would return")
        made[place] = made[place] & ~(mask << shift) | one.status << shift
        said[one.status_index] = one.status
        counts[was] -= 1
        counts[one.status] += 1
    _must_say(made, bits, said, counts)
    return Bits(bytes(made), counts, before.whole_at)


def compressed(data: bytes, before: Blocks | None) -> tuple[str, Blocks]:
    """Return bits as a list's `lst` and in blocks, those that are as `before` taken over; read back and compared.

    A list that lost a bit is never published.
    """
    made = status_list.blocks(data, before)
    stream = made.stream
    if zlib.decompress(stream) != data:
        raise StatusListUnsoundError
    return base64url.encode(stream), made


def _must_say(data: bytes | bytearray, bits: int, statuses: Mapping[int, int], counts: Mapping[int, int]) -> None:
    """Raise unless bits, read as a verifier reads them, say all of this, and so many entries of all say what."""
    again = StatusList(bits, bytes(data))
    if any(again.read(index) != status for index, status in statuses.items()):
        raise StatusListUnsoundError
    if status_list.counts(data, bits) != +Counter({one: count for one, count in counts.items() if one}):
        raise StatusListUnsoundError("another number of entries than was counted")


def _lost(row: StatusListRow, statuses: Mapping[int, int]) -> bool:
    """Whether a bit that the last publication said was revoked is revoked no more: never so in an honest ledger."""
    if not row.token:
        return False
    published = jws.parse(row.token, jws.STATUS_LIST).unverified_payload()["status_list"]
    before: StatusList = status_list.unpack(published["lst"], published["bits"])
    per_byte = 8 // before.bits
    return any(
        before.read(index) == Status.REVOKED and statuses.get(index) != Status.REVOKED
        for at, byte in enumerate(before.data)
        if byte
        for index in range(at * per_byte, (at + 1) * per_byte)
    )
