"""Signed checkpoints of a log (C2SP tlog-checkpoint and signed-note): origin, size, root, and an ECDSA signature.

Signature type 0x02: P-256 with SHA-256 over the text, DER; the key is named by the first four bytes of its SPKI's
SHA-256. Lines by other keys (witnesses) are let stand and not checked.
"""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from credentials.errors import MalformedError, SignatureInvalidError
from credentials.jwk import PublicKey
from credentials.jws import Signer

MAX_BYTES = 64 * 1024
MAX_SIZE = 2**62
_DASH = "— "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log at one size."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode('ascii')}\n"


def origin_of(base_url: str) -> str:
    """Return the name of the log of the service at an address: without scheme, as C2SP wants it."""
    parts = urlsplit(base_url)
    return f"{parts.netloc}{parts.path}/log"


def sign(checkpoint: Checkpoint, key: PublicKey, signer: Signer) -> str:
    """Return the signed note of a checkpoint; `signer` is an ES256 one of `key`'s."""
    raw = signer(checkpoint.text.encode())
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    line = b64encode(_key_id(key) + der).decode("ascii")
    return f"{checkpoint.text}\n{_DASH}{checkpoint.origin} {line}\n"


def read(note: str, origin: str, keys: Collection[PublicKey]) -> Checkpoint:
    """Return the checkpoint of `origin` that one of `keys` signed; raises `FormatError` otherwise."""
    if len(note) > MAX_BYTES or any(one < " " and one != "\n" for one in note):
        raise MalformedError("not a signed note")
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise MalformedError("a note is text, an empty line and signatures")
    found = _checkpoint(f"{text}\n")
    if found.origin != origin:
        raise MalformedError("another log's checkpoint")
    signed = [_signed_by(line, f"{text}\n", origin, keys) for line in signatures[:-1].split("\n")]
    if not any(signed):
        raise SignatureInvalidError("no known key signed this checkpoint")
    return found


def _checkpoint(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]):
        raise MalformedError("a checkpoint has origin, size and root")
    size = lines[1]
    if not size.isascii() or not size.isdigit() or (size[0] == "0" and size != "0") or int(size[:20]) > MAX_SIZE:
        raise MalformedError("the size is a decimal number")
    root = _decoded(lines[2])
    if len(root) != 32 or b64encode(root).decode("ascii") != lines[2]:
        raise MalformedError("the root is a SHA-256 hash")
    if len(lines) > 4:
        raise MalformedError("extension lines are not known here")
    return Checkpoint(lines[0], int(size), root)


def _signed_by(line: str, text: str, origin: str, keys: Collection[PublicKey]) -> bool:
    """Whether a line is by a key we know; one that is and does not verify spoils the note."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.rpartition(" ")
    if dash != _DASH.strip() or not name:
        raise MalformedError("a signature line begins with a dash")
    signature = _decoded(encoded)
    if len(signature) < 5:
        raise MalformedError("a signature has a key identifier")
    key = next((one for one in keys if name == origin and _key_id(one) == signature[:4]), None)
    if key is None:
        return False
    if not isinstance(key.key, EllipticCurvePublicKey):
        raise SignatureInvalidError
    try:
        key.key.verify(signature[4:], text.encode(), ECDSA(SHA256()))
    except InvalidSignature as error:
        raise SignatureInvalidError from error
    return True


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Error, ValueError) as error:
        raise MalformedError("not base64") from error


def _key_id(key: PublicKey) -> bytes:
    spki = key.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(spki).digest()[:4]
