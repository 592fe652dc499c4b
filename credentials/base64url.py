"""Base64url without padding, accepted only in its one canonical spelling (RFC 7515 section 2)."""

from binascii import Error, a2b_base64, b2a_base64

from credentials.errors import MalformedError

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")  # what only the other alphabet has becomes what no alphabet has
_LAST = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
"""What the last character may be after whole groups of four: its unused bits are zero, or two texts mean one value."""

_PADDING = (b"", b"", b"==", b"=")


def encode(data: bytes) -> str:
    """Return `data` as base64url text without padding."""
    return b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def name(data: bytes) -> str:
    """Return `data` as a name that people give to commands: never with a dash in front, which would be an option."""
    text = encode(data)
    return f"A{text[1:]}" if text.startswith("-") else text


def decode(text: str) -> bytes:
    """Return the bytes of `text`; padding, `+/`, white space and stray last bits raise `MalformedError`."""
    left = len(text) & 3
    if left == 1:
        raise MalformedError("not base64url")
    if left and text[-1] not in _LAST[left]:
        raise MalformedError("not canonical base64url")
    try:
        return a2b_base64(text.encode("ascii").translate(_FROM_URL) + _PADDING[left], strict_mode=True)
    except (Error, UnicodeEncodeError) as error:
        raise MalformedError("not base64url") from error
