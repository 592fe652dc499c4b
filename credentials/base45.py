"""Base45: two bytes in three characters of a QR code's alphanumeric mode (RFC 9285)."""

from credentials.errors import MalformedError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Return `data` as base45 text (RFC 9285 section 4)."""
    text: list[str] = []
    for at in range(0, len(data) - 1, 2):
        rest, low = divmod(data[at] * 256 + data[at + 1], 45)
        high, middle = divmod(rest, 45)
        text += ALPHABET[low], ALPHABET[middle], ALPHABET[high]
    if len(data) % 2:
        high, low = divmod(data[-1], 45)
        text += ALPHABET[low], ALPHABET[high]
    return "".join(text)


def decode(text: str) -> bytes:
    """Return the bytes of base45 `text`; anything `encode` cannot have written raises `MalformedError`."""
    try:
        values = [_VALUES[character] for character in text]
    except KeyError as error:
        raise MalformedError("not base45") from error
    if len(values) % 3 == 1:
        raise MalformedError("base45 cut short")
    data = bytearray()
    for at in range(0, len(values), 3):
        group = values[at : at + 3]
        number = sum(value * 45**place for place, value in enumerate(group))
        if number >= 256 ** (len(group) - 1):
            raise MalformedError("base45 out of range")
        data += number.to_bytes(len(group) - 1, "big")
    return bytes(data)
