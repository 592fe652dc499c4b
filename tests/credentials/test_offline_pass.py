"""The offline pass: a presentation goes into a QR code and comes out character by character."""

import base64
import json
import re
import zlib
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import base45, base64url, jws, key_binding, offline_pass, sd_jwt
from tests.tokens import HOLDER, NOW, attempt, issue, opened, refused

PARTS = issue({"holder_name": "张示例", "grade": 3, "list": ["a"]}, "holder_name", "grade", "list", decoys_to=6)
SIGNATURE, DIGEST, SALT = (base64url.encode(bytes([7]) * size) for size in (64, 32, 16))
SEGMENT = st.binary(max_size=30).map(base64url.encode)


def _pass(parts=PARTS) -> str:
    return key_binding.bind(
        parts,
        jws.es256(HOLDER),
        audience=key_binding.OFFLINE_AUDIENCE,
        nonce="AAAAAAAAAAAAAAAAAAAAAA",
        now=NOW,
        life=timedelta(minutes=2),
    )


def test_a_pass_comes_back_character_by_character():
    """Packing and unpacking give the presentation itself, so that its signatures still hold."""
    presentation = _pass()
    text = offline_pass.pack(presentation)
    assert text.startswith("EL1:")
    assert set(text) <= set(base45.ALPHABET)
    assert offline_pass.unpack(text) == presentation


def test_an_unpacked_pass_still_verifies():
    """Signature, disclosures and key binding hold after the way through the code."""
    text = offline_pass.unpack(offline_pass.pack(_pass()))
    licence = opened(text)
    assert licence.claims["holder_name"] == "张示例"
    assert key_binding.check_offline(sd_jwt.parse(text), licence.holder_key, now=NOW)


def test_a_pass_fits_into_a_code_that_phones_read():
    """A licence with three claims shown stays below the 1,451 characters of a version 25 code."""
    assert len(offline_pass.pack(_pass())) <= 1_451 < len(_pass())


def test_a_pass_without_disclosures_comes_back():
    """A licence that shows nothing selective packs too."""
    bare = _pass(issue({"a": 1}))
    assert offline_pass.unpack(offline_pass.pack(bare)) == bare


@given(st.lists(SEGMENT, min_size=4, max_size=4), st.lists(SEGMENT, max_size=6))
def test_any_segments_and_disclosures_come_back(segments, disclosures):
    """Whatever canonical base64url of JSON is packed comes back the same; control bytes are not JSON and are refused."""
    one, two = segments[:2], segments[2:]
    text = "~".join([".".join([*one, SIGNATURE]), *disclosures, ".".join([*two, SIGNATURE])])
    found, code = attempt(lambda value: offline_pass.unpack(offline_pass.pack(value)), text)
    control = any(byte in base64url.decode(part) for part in [*segments, *disclosures] for byte in (1, 2, 0x1E))
    assert code == "malformed" if control else found == text


@given(st.lists(st.sampled_from([DIGEST, SALT, DIGEST[:-1], SALT[:-1] + "B", "x", "", DIGEST + "A"]), max_size=8))
def test_digests_and_salts_come_back_wherever_they_stand(values):
    """Strings that are canonical base64url of 32 or 16 bytes are lifted out, all others stay, and all come back."""
    body = base64url.encode(json.dumps(values, separators=(",", ":")).encode())
    text = f"{body}.{body}.{SIGNATURE}~{body}~{body}.{body}.{SIGNATURE}"
    assert offline_pass.unpack(offline_pass.pack(text)) == text


@pytest.mark.parametrize("size", [0, 63, 65])
def test_another_signature_is_not_packed(size):
    """A pass holds ES256 signatures and nothing else."""
    with refused("malformed"):
        offline_pass.pack(f"AA.AA.{SIGNATURE}~AA.AA.{base64url.encode(bytes(size))}")


@pytest.mark.parametrize(
    "text", ["AA.AA.AA~", "AA.AA.AA~AA~", "~", "AA=.AA.AA~AA.AA.AA", "AA.A.AA~AA.AA.AA", "é~AA.AA.AA"]
)
def test_what_is_no_presentation_is_not_packed(text):
    """A licence without key binding, or with a segment in another spelling, is refused before it is a QR code."""
    with refused("malformed"):
        offline_pass.pack(text)


@pytest.mark.parametrize("text", ["", "AA", "AA.AA.AA"])
def test_what_has_no_tilde_is_not_packed(text):
    """A text that is no SD-JWT at all is refused in the same way."""
    with refused("malformed"):
        offline_pass.pack(text)


@pytest.mark.parametrize(
    "text", ["AA.AA~AA.AA.AA.AA", "AA.AA.AA.AA~AA.AA", "AA.AA.AA.AA~AA.AA.AA", "AA.AA.AA~AA", "AA~AA"]
)
def test_a_token_of_other_than_three_segments_is_not_packed(text):
    """A presentation whose tokens have not three segments each is refused: it would come back as another text."""
    with refused("malformed"):
        offline_pass.pack(text)


@pytest.mark.parametrize("size", [13_000, 17_000, 70_000])
def test_what_cannot_be_unpacked_is_not_packed(size):
    """A presentation too large for any QR code is refused when it is packed, not when it is shown."""
    filler = base64url.encode(b"".join(size_.to_bytes(4, "big") for size_ in range(size // 4)))
    text = f"AA.AA.{SIGNATURE}~{filler}~AA.AA.{SIGNATURE}"
    with refused("malformed"):
        offline_pass.unpack(offline_pass.pack(text))


@given(st.text(max_size=60))
def test_any_text_behind_the_prefix_is_unpacked_or_refused(text):
    """No text makes the reader fail in another way."""
    found, code = attempt(offline_pass.unpack, "EL1:" + text)
    assert found if code is None else code == "not_a_licence_code"


@given(st.binary(max_size=80))
def test_any_bytes_in_the_code_are_unpacked_or_refused(data):
    """No bytes in a well-formed code make the reader fail in another way; what comes out has six segments."""
    text, code = attempt(offline_pass.unpack, "EL1:" + base45.encode(data))
    assert code in {None, "not_a_licence_code"}
    if text is not None:
        assert re.fullmatch(r"[\w-]*\.[\w-]*\.[\w-]*~(?:[\w-]*~)*[\w-]*\.[\w-]*\.[\w-]*", text)


def test_the_dictionary_is_fixed_for_ever():
    """A changed dictionary would make every pass unreadable: it needs another prefix."""
    assert (
        sha256(offline_pass.DICTIONARY).hexdigest()
        == "5d7c038bbaa0452e743261ad00cc65d07fc395df64b421d943320a3db4f38585"
    )


def test_the_written_format_is_enough_for_a_second_reader():
    """The reader printed in openapi/offline-pass.md, with the dictionary printed there, reads our passes."""
    page = (Path(__file__).parents[2] / "openapi" / "offline-pass.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"```(base64|python)\n(.*?)```", page, re.DOTALL))
    dictionary = base64.b64decode(blocks["base64"])
    assert dictionary == offline_pass.DICTIONARY
    assert sha256(dictionary).hexdigest() in page
    second_reader: dict = {}
    exec(blocks["python"], second_reader)
    for presentation in (_pass(), _pass(issue({"a": 1}))):
        assert second_reader["read"](offline_pass.pack(presentation), dictionary) == presentation


def _code(text: bytes, blobs: bytes = b"", *, signatures: bytes = bytes(128), length: int | None = None, **how) -> str:
    """A code of any text, packed by the rules that are written down and not by the code under test."""
    deflater = zlib.compressobj(9, wbits=-15, zdict=offline_pass.DICTIONARY)
    packed = how.get("packed") or deflater.compress(text) + deflater.flush(how.get("flush", zlib.Z_FINISH))
    packed += how.get("behind", b"")
    size = len(packed) if length is None else length
    return how.get("prefix", "EL1:") + base45.encode(size.to_bytes(2, "big") + packed + blobs + signatures)


FOUR = b"\x1e".join([b"{}"] * 4)
ZEROS = base64url.encode(bytes(64))


def test_the_smallest_pass_is_unpacked():
    """Two headers, two payloads, two signatures and no disclosure."""
    assert offline_pass.unpack(_code(FOUR)) == f"e30.e30.{ZEROS}~e30.e30.{ZEROS}"


def test_a_text_of_16_kib_is_unpacked_and_a_byte_more_is_not():
    """The limit that packing keeps is the limit of unpacking."""
    text = FOUR + b"\x1e" + b" " * (16 * 1024 - len(FOUR) - 1)
    assert base64url.decode(offline_pass.unpack(_code(text)).split("~")[1]) == text[len(FOUR) + 1 :]
    with refused("not_a_licence_code"):
        offline_pass.unpack(_code(text + b" "))


def test_almost_16_kib_are_packed_and_more_is_not():
    """What goes in comes out; what is too large is told before it is shown."""

    def whole(size: int) -> str:
        return f"e30.e30.{ZEROS}~{base64url.encode(b' ' * size)}~e30.e30.{ZEROS}"

    most = 16 * 1024 - 4 * len(b"{}")
    between = 4  # the bytes between five parts: they count when it is unpacked
    assert offline_pass.unpack(offline_pass.pack(whole(most - between))) == whole(most - between)
    with refused("malformed", "too large"):
        offline_pass.pack(whole(most + 1))


def _largest() -> str:
    """A presentation whose code has 4,296 characters to the last."""
    filler = "".join(sha256(b"%d" % at).hexdigest() for at in range(90))
    for more in range(4_000, 5_000):
        text = f"e30.e30.{ZEROS}~{base64url.encode(filler[:more].encode())}~e30.e30.{ZEROS}"
        if len(offline_pass.pack(text)) == 4_296:
            return text
    raise AssertionError("no presentation packs to that size")


def test_a_code_of_the_largest_size_is_made_and_read():
    """4,296 characters are what the largest QR code holds; of a character more nothing is made and nothing is read."""
    text = _largest()
    code = offline_pass.pack(text)
    assert offline_pass.unpack(code) == text
    with refused("not_a_licence_code"):
        offline_pass.unpack(code + "0")
    with refused("malformed", "too large for a pass"):
        offline_pass.pack(text.replace("~e30", f"~{DIGEST}~e30"))


BROKEN = {
    "another prefix": _code(FOUR, prefix="EL2:"),
    "no prefix": _code(FOUR, prefix=""),
    "three parts": _code(b"\x1e".join([b"{}"] * 3)),
    "one signature": _code(FOUR, signatures=bytes(64)),
    "a byte of a signature missing": _code(FOUR, signatures=bytes(127)),
    "no signatures": _code(FOUR + b"\x1e" + b"".join(sha256(b"%d" % at).hexdigest().encode() for at in range(8)), signatures=b""),
    "a stream without end": _code(FOUR, flush=zlib.Z_SYNC_FLUSH),
    "junk behind the stream": _code(FOUR, behind=b"x"),
    "a length that is too long": _code(FOUR, length=200),
    "a length that is too short": _code(FOUR, length=3),
    "a digest missing": _code(FOUR + b'\x1e["\x01"]', bytes(31)),
    "a salt missing": _code(FOUR + b'\x1e["\x02"]'),
    "bytes that no mark asks for": _code(FOUR, bytes(1)),
    "a digest too many": _code(FOUR + b'\x1e["\x01"]', bytes(64)),
    "another dictionary's": _code(FOUR, packed=zlib.compress(FOUR)),
    "nothing": "EL1:",
}  # fmt: skip


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN)
def test_a_broken_code_is_no_pass(code):
    """Cut, joined, or of another format: it is no pass, whatever could still be read of it."""
    with refused("not_a_licence_code"):
        offline_pass.unpack(code)


def test_marks_are_put_back_in_order():
    """32 bytes for one mark and 16 for the other, each from where the last ended."""
    blobs = bytes(range(32)) + bytes(range(100, 116)) + bytes(range(200, 232))
    code = _code(FOUR + b'\x1e["\x01","\x02","\x01"]', blobs)
    found = json.loads(base64url.decode(offline_pass.unpack(code).split("~")[1]))
    assert [base64url.decode(one) for one in found] == [blobs[:32], blobs[32:48], blobs[48:]]


def test_the_dictionary_saves_a_third_of_the_text():
    """Without it, or packed less well, a pass would not fit a code that old phones read."""
    presentation = _pass()
    data = base45.decode(offline_pass.pack(presentation).removeprefix("EL1:"))
    size = int.from_bytes(data[:2], "big")
    inflater = zlib.decompressobj(wbits=-15, zdict=offline_pass.DICTIONARY)
    plain = zlib.compressobj(9, wbits=-15)
    text = inflater.decompress(data[2 : 2 + size])
    assert size < 0.67 * len(plain.compress(text) + plain.flush())
