"""Token Status List: one bit field says valid, revoked or suspended for many licences at once.

draft-ietf-oauth-status-list: entries of 1, 2, 4 or 8 bits from the least significant bit up, zlib, base64url
(section 4); the signed token (section 5); reading it (section 8.3).
"""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from credentials import base64url, jws
from credentials.errors import ClaimInvalidError, FormatError, StatusIndexError, StatusListInvalidError

WIDTHS = frozenset({1, 2, 4, 8})  # bits an entry
MAX_INFLATED_BYTES = 16 * 1024 * 1024  # 64 million entries of 2 bits
MAX_INDEX = MAX_INFLATED_BYTES * 8 - 1
CLOCK_LEEWAY = timedelta(seconds=60)
BLOCK = 16 * 1024  # bytes of a list that are compressed by themselves; costs a twentieth of the list's size
ZLIB = b"\x78\x9c"  # RFC 1950 section 2.2: deflate, a window of 32 kB, the usual level
LAST_BLOCK = b"\x03\x00"  # RFC 1951 section 3.2.6: the final block, empty
COMPRESSION_LEVEL = 6  # level 9 takes 15 times as long for a seventh of the size


class Status(IntEnum):
    """The registered status values (section 7.1)."""

    VALID = 0
    REVOKED = 1
    SUSPENDED = 2


@dataclass(frozen=True, slots=True)
class StatusReference:
    """Where a licence's status stands: entry `index` of the list at `uri` (section 6.2)."""

    uri: str
    index: int


@dataclass(frozen=True, slots=True)
class StatusList:
    """An inflated list; the last byte may hold entries nobody was given."""

    bits: int
    data: bytes

    def read(self, index: object) -> int:
        """Return the status at `index`; an index that is no entry raises `StatusIndexError` (section 8.3)."""
        if type(index) is not int or not 0 <= index < len(self.data) * 8 // self.bits:
            raise StatusIndexError
        at = index * self.bits
        return self.data[at >> 3] >> (at & 7) & ((1 << self.bits) - 1)


@dataclass(frozen=True, slots=True)
class StatusListToken:
    """A status list whose signature verified."""

    uri: str
    issued_at: int
    expires_at: int | None
    time_to_live: int | None
    version: int
    """Our own counter (claim `licence_list_version`): two publications in one second keep their order."""
    list: StatusList

    def check_current(self, *, now: datetime) -> None:
        """Raise `StatusListInvalidError` if the list is past its `exp` or from the future."""
        second = now.timestamp()
        if self.expires_at is not None and second >= self.expires_at:
            raise StatusListInvalidError("the list is past its exp")
        if self.issued_at > second + CLOCK_LEEWAY.total_seconds():
            raise StatusListInvalidError("the list is from this machine's future")


def pack(size: int, bits: int, statuses: Mapping[int, int]) -> bytes:
    """Return a list of `size` entries, zero but for `statuses` (index → value), as bytes (section 4.1)."""
    if bits not in WIDTHS:
        raise ValueError("a status has 1, 2, 4 or 8 bits")
    data = bytearray((size * bits + 7) // 8)
    for index, status in statuses.items():
        if not 0 <= index < size or not 0 <= status < 1 << bits:
            raise ValueError("index or status out of range")
        at = index * bits
        data[at >> 3] = data[at >> 3] & ~(((1 << bits) - 1) << (at & 7)) | status << (at & 7)
    return bytes(data)


def counts(data: bytes | bytearray, bits: int) -> Counter[int]:
    """Return how many entries of a packed list say what, those left out that say 0."""
    said, mask = Counter[int](), (1 << bits) - 1
    for byte, times in Counter(data.translate(None, b"\0")).items():
        for at in range(0, 8, bits):
            if status := byte >> at & mask:
                said[status] += times
    return said


@dataclass(frozen=True, slots=True)
class Blocks:
    """A packed list, and each block of it compressed by itself: what did not change need not be again."""

    data: bytes
    deflated: tuple[bytes, ...]

    @property
    def stream(self) -> bytes:
        """All of it as one zlib stream (section 4.1)."""
        return b"".join((ZLIB, *self.deflated, LAST_BLOCK, zlib.adler32(self.data).to_bytes(4, "big")))


def blocks(data: bytes, before: Blocks | None = None) -> Blocks:
    """Return a packed list in blocks; those that are as `before` are taken over from there."""
    return Blocks(data, tuple(_deflated(data, before)))


def _deflated(data: bytes, before: Blocks | None) -> Iterator[bytes]:
    for number, at in enumerate(range(0, len(data), BLOCK)):
        block = data[at : at + BLOCK]
        if before is not None and before.data[at : at + BLOCK] == block:
            yield before.deflated[number]
        else:
            deflate = zlib.compressobj(COMPRESSION_LEVEL, wbits=-zlib.MAX_WBITS)
            yield deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)  # nothing later refers to it


def compress(data: bytes) -> str:
    """Return a packed list as the `lst` text (section 4.2)."""
    return base64url.encode(blocks(data).stream)


def unpack(lst: object, bits: object) -> StatusList:
    """Return the list of an `lst` text; a bomb, junk or truncation raises `StatusListInvalidError`."""
    if type(bits) is not int or bits not in WIDTHS:
        raise StatusListInvalidError("a status has 1, 2, 4 or 8 bits")
    if not isinstance(lst, str):
        raise StatusListInvalidError("lst is not a text")
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(base64url.decode(lst), MAX_INFLATED_BYTES + 1)
    except (zlib.error, FormatError) as error:
        raise StatusListInvalidError("lst does not inflate") from error
    if len(data) > MAX_INFLATED_BYTES or not inflater.eof or inflater.unused_data:
        raise StatusListInvalidError("lst is too large, cut short, or has junk behind it")
    return StatusList(bits, data)


def reference(status: object) -> StatusReference:
    """Return the reference of a licence's `status` claim (section 6.2).

    A missing claim raises `ClaimInvalidError`; an index that can be no entry raises `StatusIndexError`.
    """
    entry = status.get("status_list") if isinstance(status, dict) else None
    if not isinstance(entry, dict):
        raise ClaimInvalidError("the licence has no status_list")
    index = entry.get("idx")
    if type(index) is not int or not 0 <= index <= MAX_INDEX:
        raise StatusIndexError
    return StatusReference(jws.required_text(entry, "uri"), index)


def token_payload(
    *,
    issuer: str,
    uri: str,
    bits: int,
    lst: str,
    version: int,
    issued_at: int,
    expires_at: int,
    time_to_live: timedelta,
    aggregation_uri: str | None = None,
) -> dict[str, Any]:
    """Return the claims of a status list token (section 5.1), with the issuer and our version counter."""
    aggregation = {"aggregation_uri": aggregation_uri} if aggregation_uri is not None else {}
    return {
        "iss": issuer,
        "sub": uri,
        "iat": issued_at,
        "exp": expires_at,
        "ttl": int(time_to_live.total_seconds()),
        "licence_list_version": version,
        "status_list": {"bits": bits, "lst": lst, **aggregation},
    }


def read_token(token: jws.Verified, *, uri: str | None) -> StatusListToken:
    """Return a verified token's list; `sub` must equal `uri` unless that is None (sections 5.1 and 8.3).

    Times are read and not held against a clock: `StatusListToken.check_current` does that.
    """
    try:
        payload = token.payload()
        subject = jws.required_text(payload, "sub")
        issued_at, expires_at = jws.required_date(payload, "iat"), jws.numeric_date(payload, "exp")
        time_to_live = jws.numeric_date(payload, "ttl")
        version = jws.numeric_date(payload, "licence_list_version")
    except FormatError as error:
        raise StatusListInvalidError(error.detail) from error
    if uri is not None and subject != uri:
        raise StatusListInvalidError("the list is about another address (sub)")
    if expires_at is not None and expires_at < issued_at:
        raise StatusListInvalidError("exp is before iat")
    if time_to_live == 0:
        raise StatusListInvalidError("ttl is not positive")
    entry = payload.get("status_list")
    if not isinstance(entry, dict):
        raise StatusListInvalidError("status_list is not an object")
    bits_and_data = unpack(entry.get("lst"), entry.get("bits"))
    return StatusListToken(subject, issued_at, expires_at, time_to_live, version or 0, bits_and_data)
