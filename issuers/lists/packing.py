"""A list's bits: made of the ledger, or of the last ones and what changed; read back before anybody sees them."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from credentials import base64url, jws, status_list
from credentials.status_list import Blocks, Status, StatusList
from issuers.errors import StatusListUnsoundError
from issuers.models import StatusChange, StatusListRow


@dataclass(frozen=True, slots=True)
class Kept:
    """What this worker knows of a list: its bits at a version, when they were last made whole, and the token served."""

    version: int
    blocks: Blocks
    whole_at: datetime
    issued_at: int
    token: str


def whole(row: StatusListRow, statuses: Mapping[int, int]) -> bytes:
    """Return a list's bits as the ledger says, counted; raises if one is lost, or a revoked one would return."""
    data = status_list.pack(row.size, row.bits, statuses)
    _must_say(data, row.bits, statuses)
    if _lost(row, statuses):
        raise StatusListUnsoundError("a revoked bit would return")
    return data


def changed(data: bytes, bits: int, changes: Iterable[StatusChange]) -> bytes:
    """Return a list's bits after changes, in their order; raises if a revoked one would return."""
    made, mask = bytearray(data), (1 << bits) - 1
    said: dict[int, int] = {}
    for one in changes:
        at = one.status_index * bits
        place, shift = at >> 3, at & 7
        if made[place] >> shift & mask == Status.REVOKED and one.status != Status.REVOKED:
            raise StatusListUnsoundError("a revoked bit would return")
        made[place] = made[place] & ~(mask << shift) | one.status << shift
        said[one.status_index] = one.status
    _must_say(made, bits, said)
    return bytes(made)


def compressed(data: bytes, before: Blocks | None) -> tuple[str, Blocks]:
    """Return bits as a list's `lst` and in blocks, those that are as `before` taken over; read back and compared.

    A list that lost a bit is never published.
    """
    made = status_list.blocks(data, before)
    stream = made.stream
    if zlib.decompress(stream) != data:
        raise StatusListUnsoundError
    return base64url.encode(stream), made


def _must_say(data: bytes | bytearray, bits: int, statuses: Mapping[int, int]) -> None:
    """Raise unless bits, read as a verifier reads them, say all of this."""
    again = StatusList(bits, bytes(data))
    if any(again.read(index) != status for index, status in statuses.items()):
        raise StatusListUnsoundError


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
