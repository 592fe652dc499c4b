"""Checkpoints (C2SP): what is signed is read, and nothing that was changed."""

from base64 import b64encode

import pytest

from credentials import checkpoint, jws
from credentials.checkpoint import Checkpoint
from credentials.errors import FormatError, MalformedError, SignatureInvalidError
from credentials.jwk import export_public, import_public
from tests.foreign import new_key

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
