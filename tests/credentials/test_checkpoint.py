"""Checkpoints (C2SP): what is signed is read, and nothing that was changed."""

from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from credentials import checkpoint, jws
from credentials.checkpoint import Checkpoint
from credentials.errors import FormatError, MalformedError, SignatureInvalidError
from credentials.jwk import export_public, import_public
from tests.foreign import new_key
from tests.tokens import edwards_jwk, refused

PRIVATE = new_key()
KEY = import_public(export_public(PRIVATE))
ORIGIN = "wallet.city.example/log"
MADE = Checkpoint(ORIGIN, 7, bytes(range(32)))
NOTE = checkpoint.sign(MADE, KEY, jws.es256(PRIVATE))
WITNESS = f"— witness.example {b64encode(b'abcd' + bytes(64)).decode()}\n"


def test_what_is_signed_is_read() -> None:
    """Origin, size and root come back; a witness's line beside ours is let stand."""
    assert NOTE.startswith(f"{ORIGIN}\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— {ORIGIN} ")
    assert checkpoint.read(NOTE, ORIGIN, [KEY]) == MADE
    assert checkpoint.read(NOTE + WITNESS, ORIGIN, [KEY]) == MADE


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("\n7\n", "\n8\n"),
        NOTE.replace("AAEC", "AAED"),
        NOTE.replace(f"{ORIGIN}\n7", "other.example/log\n7"),
        NOTE.replace("\n7\n", "\n07\n"),
        NOTE.replace("\n7\n", "\n-7\n"),
        NOTE.replace("\n7\n", "\n７\n"),
        NOTE.replace("\n7\n", f"\n{'9' * 400}\n"),
        NOTE.replace("Hh8=", "Hh9="),
        NOTE.replace("Hh8=\n", "Hh8=\nextension\n"),
        NOTE.replace("— ", "- "),
        NOTE.split("\n\n")[0] + "\n",
        NOTE.split("\n\n")[0] + "\n\n",
        NOTE.split("\n\n")[0] + "\n\n" + WITNESS,
        NOTE.rstrip("\n"),
        NOTE + "\n",
        NOTE.replace("\n", "\r\n"),
        "",
        "\n\n",
        NOTE + WITNESS * 2000,
        NOTE.replace(f"— {ORIGIN} ", f"— {ORIGIN} !"),
        f"{MADE.text}\n— {ORIGIN} AAAA\n",
    ],
    ids=range(21),
)  # fmt: skip
def test_what_was_changed_is_refused(note: str) -> None:
    """Malformed, another log's, or not signed by the key."""
    with pytest.raises(FormatError):
        checkpoint.read(note, ORIGIN, [KEY])


def test_another_key_s_checkpoint_is_refused() -> None:
    """No key that is known: refused. A known key's line that does not verify spoils the note, whoever else signed."""
    other = import_public(export_public(new_key()))
    with pytest.raises(SignatureInvalidError):
        checkpoint.read(NOTE, ORIGIN, [other])
    with pytest.raises(SignatureInvalidError):
        checkpoint.read(NOTE, ORIGIN, [])
    text, line = NOTE.split("\n\n")
    forged = text.replace("\n7\n", "\n8\n") if "\n7\n" in text else text
    with pytest.raises(SignatureInvalidError):
        checkpoint.read(f"{forged}\n\n{line}", ORIGIN, [KEY])
    with pytest.raises(MalformedError):
        checkpoint.read(NOTE, "other.example/log", [KEY])


def _signed(text: str, name: str = ORIGIN) -> str:
    """A note of any text with our good signature, made apart from the code under test."""
    signature = PRIVATE.sign(text.encode(), ECDSA(SHA256()))
    spki = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"{text}\n— {name} {b64encode(sha256(spki).digest()[:4] + signature).decode()}\n"


ROOT = b64encode(bytes(range(32))).decode()


def test_a_note_is_text_and_a_line_that_others_can_check() -> None:
    """Origin, size, root; then the key's first four bytes and a DER signature over the text, all in standard base64."""
    text, line = checkpoint.sign(MADE, KEY, jws.es256(PRIVATE)).split("\n\n")
    assert f"{text}\n" == MADE.text == f"{ORIGIN}\n7\n{ROOT}\n"
    assert line.startswith(f"— {ORIGIN} ")
    assert line.endswith("\n")
    signature = b64decode(line.rstrip("\n").split(" ")[2], validate=True)
    spki = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert signature[:4] == sha256(spki).digest()[:4]
    PRIVATE.public_key().verify(signature[4:], f"{text}\n".encode(), ECDSA(SHA256()))


@pytest.mark.parametrize("size", [0, 1, 9, 10, 2**62])
def test_any_size_of_a_log_is_read(size: int) -> None:
    """From the empty log to the largest; what others sign by the same rules is read as well."""
    made = Checkpoint(ORIGIN, size, bytes(range(32)))
    assert checkpoint.read(checkpoint.sign(made, KEY, jws.es256(PRIVATE)), ORIGIN, [KEY]) == made
    assert checkpoint.read(_signed(made.text), ORIGIN, [KEY]) == made


def _of_length(length: int) -> str:
    """Our note with witnesses' lines to fill it up to a length."""
    head = len("— witness.example \n")
    fill = NOTE
    while len(fill) + 4_000 < length:
        fill += f"— witness.example {'A' * 2000}\n"
    rest = length - len(fill) - head
    return f"{fill}— {'w' * (len('witness.example') + rest % 4)} {'A' * (rest - rest % 4)}\n"


def test_the_longest_note_is_read() -> None:
    """64 KiB are allowed, and a character more is not."""
    assert len(_of_length(64 * 1024)) == 64 * 1024
    assert checkpoint.read(_of_length(64 * 1024), ORIGIN, [KEY]) == MADE
    with refused("malformed", "not a signed note"):
        checkpoint.read(_of_length(64 * 1024 + 1), ORIGIN, [KEY])


SAID = {
    "a tab": (lambda: _signed(MADE.text.replace("7", "7\t")), "malformed", "not a signed note"),
    "a null": (lambda: NOTE + "\0", "malformed", "not a signed note"),
    "no empty line": (lambda: NOTE.replace("\n\n", "\n"), "malformed", "text, an empty line and signatures"),
    "no last line end": (lambda: NOTE[:-1], "malformed", "text, an empty line and signatures"),
    "two lines": (lambda: _signed(f"{ORIGIN}\n7\n"), "malformed", "origin, size and root"),
    "an empty origin": (lambda: _signed(f"\n7\n{ROOT}\n"), "malformed", "origin, size and root"),
    "an empty size": (lambda: _signed(f"{ORIGIN}\n\n{ROOT}\n"), "malformed", "origin, size and root"),
    "an empty line before the signatures": (lambda: _signed(f"{MADE.text}\n"), "malformed", "origin, size and root"),
    "a size that is none": (lambda: _signed(f"{ORIGIN}\nx\n{ROOT}\n"), "malformed", "decimal number"),
    "a size of other digits": (lambda: _signed(f"{ORIGIN}\n７\n{ROOT}\n"), "malformed", "decimal number"),
    "a power": (lambda: _signed(f"{ORIGIN}\n²\n{ROOT}\n"), "malformed", "decimal number"),
    "a size with a nought before": (lambda: _signed(f"{ORIGIN}\n07\n{ROOT}\n"), "malformed", "decimal number"),
    "two noughts": (lambda: _signed(f"{ORIGIN}\n00\n{ROOT}\n"), "malformed", "decimal number"),
    "one too large": (lambda: _signed(f"{ORIGIN}\n{2**62 + 1}\n{ROOT}\n"), "malformed", "decimal number"),
    "a size of 4,000 digits": (lambda: _signed(f"{ORIGIN}\n{'9' * 4000}\n{ROOT}\n"), "malformed", "decimal number"),
    "a root of 31 bytes": (lambda: _signed(f"{ORIGIN}\n7\n{b64encode(bytes(31)).decode()}\n"), "malformed", "SHA-256"),
    "a root of 33 bytes": (lambda: _signed(f"{ORIGIN}\n7\n{b64encode(bytes(33)).decode()}\n"), "malformed", "SHA-256"),
    "a second spelling of the root": (lambda: _signed(MADE.text.replace("Hh8=", "Hh9=")), "malformed", "SHA-256"),
    "a root that is no base64": (lambda: _signed(f"{ORIGIN}\n7\n%{ROOT[1:]}\n"), "malformed", "not base64"),
    "a root with something behind": (lambda: _signed(f"{ORIGIN}\n7\n{ROOT}!\n"), "malformed", "not base64"),
    "an extension": (lambda: _signed(f"{MADE.text}more\n"), "malformed", "extension lines"),
    "two extensions": (lambda: _signed(f"{MADE.text}more\nand more\n"), "malformed", "extension lines"),
    "another log": (lambda: _signed(MADE.text.replace("city", "town")), "malformed", "another log's"),
    "a hyphen": (lambda: NOTE.replace("— ", "- "), "malformed", "begins with a dash"),
    "no name": (lambda: NOTE.replace(f"— {ORIGIN} ", "— "), "malformed", "begins with a dash"),
    "an empty line of a signature": (lambda: f"{NOTE}\n", "malformed", ""),
    "a signature that is no base64": (lambda: NOTE.replace(f"— {ORIGIN} ", f"— {ORIGIN} %"), "malformed", "not base64"),
    "four bytes": (lambda: f"{MADE.text}\n— {ORIGIN} AAAAAA==\n", "malformed", "key identifier"),
    "five bytes": (lambda: f"{MADE.text}\n— {ORIGIN} AAAAAAA=\n", "signature_invalid", "no known key signed"),
    "our key under another name": (lambda: _signed(MADE.text, "other.example"), "signature_invalid", "no known key"),
    "another text signed": (lambda: _signed(MADE.text).replace("\n7\n", "\n8\n"), "signature_invalid", ""),
    "a witness that is no line": (lambda: f"{NOTE}witness\n", "malformed", "begins with a dash"),
}  # fmt: skip


@pytest.mark.parametrize(("note", "code", "because"), SAID.values(), ids=SAID)
def test_each_way_to_break_a_note_is_told(note, code, because) -> None:
    """Every check refuses what it is there for, also under a signature that is good."""
    with refused(code, because):
        checkpoint.read(note(), ORIGIN, [KEY])


def test_two_keys_of_one_log() -> None:
    """While a key is replaced both are known, and either may have signed; a witness may stand first."""
    other = import_public(export_public(new_key()))
    assert checkpoint.read(NOTE, ORIGIN, [other, KEY]) == MADE
    text, line = NOTE.split("\n\n")
    assert checkpoint.read(f"{text}\n\n{WITNESS}{line}", ORIGIN, [KEY]) == MADE


def test_a_key_of_another_kind_signs_no_checkpoint() -> None:
    """An Ed25519 key that is named by the line is refused: the type of signature is ECDSA."""
    edwards = import_public(edwards_jwk())
    with refused("signature_invalid"):
        checkpoint.read(checkpoint.sign(MADE, edwards, jws.es256(PRIVATE)), ORIGIN, [edwards])


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://wallet.city.example", "wallet.city.example/log"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080/log"),
        ("https://city.example/wallet", "city.example/wallet/log"),
    ],
)
def test_a_log_is_named_by_where_it_is(address: str, name: str) -> None:
    """Host, port and path, without the scheme."""
    assert checkpoint.origin_of(address) == name
