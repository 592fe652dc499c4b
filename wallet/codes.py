"""Show codes as people and scanners meet them: 128 random bits in a URL's fragment, or 8 characters to type."""

from hashlib import sha256

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
LIFE_SECONDS, SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS = 60, 30, 300  # a show code's; LICENCE_SHOW_LIFE_SECONDS
CODE_BYTES = 16
CODE_LENGTH = 26  # characters for 128 bits
TYPED_LENGTH = 8  # characters for 40 bits
FRAGMENT_PATH = "/s#"
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


def spell(data: bytes, length: int) -> str:
    """Return the low bits of `data` as `length` Crockford characters."""
    number = int.from_bytes(data, "big")
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(length)))


def read(scanned: str, *, base_url: str) -> str | None:
    """Return the bare code in what was scanned or typed, None if it holds none.

    Takes the whole URL of this service, or the code alone; in typed codes case, hyphens and look-alikes do not matter.
    """
    text = scanned.strip(" \t\r\n")
    if "#" in text or ":" in text:
        address, _, fragment = text.partition("#")
        if address != base_url + FRAGMENT_PATH[:-1]:
            return None
        return fragment if len(fragment) == CODE_LENGTH and set(fragment) <= set(ALPHABET) else None
    bare = text.upper().translate(_READ_AS) if text.isascii() else ""
    return bare if len(bare) in {CODE_LENGTH, TYPED_LENGTH} and set(bare) <= set(ALPHABET) else None


def hashed(code: str) -> str:
    """Return what is kept of a code."""
    return sha256(f"show code {code}".encode()).hexdigest()
