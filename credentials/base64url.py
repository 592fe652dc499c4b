"""Base64url without padding, accepted only in its one canonical spelling (RFC 7515 section 2)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from credentials.errors import MalformedError


def encode(data: bytes) -> str:
    """Return `data` as base64url text without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def name(data: bytes) -> str:
    """Return `data` as a name that people give to commands: never with a dash in front, which would be an option."""
    text = encode(data)
    return f"A{text[1:]}" if text.startswith("-") else text


def decode(text: str) -> bytes:
    """Return the bytes of `text`; padding, `+/`, white space and stray last bits raise `MalformedError`."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Error, ValueError) as error:
        raise MalformedError("not base64url") from error
    if encode(data) != text:  # the decoder skips strangers and ignores last bits: only a round trip proves
        raise MalformedError("not canonical base64url")
    return data
