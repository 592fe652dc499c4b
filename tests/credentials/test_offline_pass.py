"""The offline pass: a presentation goes into a QR code and comes out character by character."""

import base64
import json
import re
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
