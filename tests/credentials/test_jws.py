"""Signing and the gate: what we sign passes it, and times and texts are read strictly."""

import json
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import base64url, jwk, jws
from credentials.errors import FormatError
from tests.tokens import (
    ABSENT,
    AGENCY,
    EDWARDS,
    NOW,
    SECOND,
    STRANGER,
    compact,
    edwards_jwk,
    envelope,
    header,
    public,
    refused,
    signed,
)

PURPOSES = [jws.LICENCE, jws.KEY_BINDING, jws.STATUS_LIST, jws.TRUST_LIST, jws.RECEIPT]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.typ)
def test_what_we_sign_passes_its_own_gate(purpose):
    """A token signed for a purpose is parsed for it, verified, and gives back its payload and header."""
    kid = "k1" if "kid" in purpose.members else None
    token = jws.parse(jws.sign(purpose, envelope(), jws.es256(AGENCY), kid=kid), purpose)
    assert dict(token.header) == {"alg": "ES256", "typ": purpose.typ} | ({"kid": kid} if kid else {})
    assert token.kid == kid
    assert token.unverified_payload() == envelope()
    assert jws.verify(token, public(AGENCY)).payload() == envelope()


@settings(max_examples=30)
@given(st.dictionaries(TEXTS, TEXTS | st.integers(-(10**18), 10**18) | st.booleans() | st.none(), max_size=5))
def test_any_payload_comes_back(payload):
    """Any JSON object is signed and read back."""
    token = jws.parse(jws.sign(jws.RECEIPT, payload, jws.es256(AGENCY)), jws.RECEIPT)
    assert jws.verify(token, public(AGENCY)).payload() == payload


def test_record_then_sign_gives_the_same_bytes():
    """The bytes to sign depend on nothing but their input, so that a recorded act can be signed again."""
    first = jws.signing_input(jws.LICENCE, envelope(), kid="k1")
    assert first == jws.signing_input(jws.LICENCE, envelope(), kid="k1")
    text = jws.assemble(first, jws.es256(AGENCY)(first))
    assert text.rpartition(".")[0].encode() == first
    assert jws.verify(jws.parse(text, jws.LICENCE), public(AGENCY)).payload() == envelope()


def test_a_signature_is_64_bytes():
    """ES256 is r and s of 32 bytes each (RFC 7518 section 3.4)."""
    assert {len(jws.es256(AGENCY)(b"%d" % number)) for number in range(64)} == {64}


def test_a_member_order_and_spacing_of_others_is_kept():
    """A foreign token's bytes are verified as received, whatever their order and spacing."""
    text = signed(b'{ "typ" : "dc+sd-jwt",\n"alg":"ES256" }', b'{"b" : 1, "a" : 2}\n')
    verified = jws.verify(jws.parse(text, jws.LICENCE), public(AGENCY))
    assert verified.payload_bytes == b'{"b" : 1, "a" : 2}\n'
    assert verified.payload() == {"a": 2, "b": 1}


def test_a_payload_need_not_be_json_at_the_outside_door():
    """RFC 8037's payload is plain text: the signature verifies, and only reading it as an object refuses."""
    verified = jws.verify(jws.parse(signed(header(), b"plain \xff"), jws.ANY), public(AGENCY))
    assert verified.payload_bytes == b"plain \xff"
    with refused("malformed"):
        verified.payload()


@pytest.mark.parametrize("segment", [0, 1])
def test_every_bit_is_signed(segment):
    """Any one bit flipped in header or payload refuses the token; none passes."""
    parts = signed(header(), {"a": 1}).split(".")
    data = base64url.decode(parts[segment])
    for place in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        bent = list(parts)
        bent[segment] = base64url.encode(bytes(flipped))
        with pytest.raises(FormatError) as caught:
            jws.verify(jws.parse(".".join(bent), jws.LICENCE), public(AGENCY))
        assert caught.value.code in {
            "malformed",
            "algorithm_refused",
            "header_refused",
            "wrong_token_type",
            "signature_invalid",
        }


def test_every_bit_of_the_signature_counts():
    """Any one bit flipped in the signature refuses the token."""
    head, body, signature = signed(header(), {"a": 1}).split(".")
    data = base64url.decode(signature)
    for place in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        with refused("signature_invalid"):
            jws.verify(jws.parse(f"{head}.{body}.{base64url.encode(bytes(flipped))}", jws.LICENCE), public(AGENCY))


@pytest.mark.parametrize("value", [0, 1, SECOND, jws.LAST_SECOND])
def test_a_whole_second_is_a_time(value):
    """Whole seconds from 1970 to the end of 9999 are read."""
    assert jws.numeric_date({"t": value}, "t") == jws.required_date({"t": value}, "t") == value


@pytest.mark.parametrize("value", [-1, jws.LAST_SECOND + 1, 1.0, True, False, None, "1", [], {}, NOW], ids=repr)
def test_anything_else_is_no_time(value):
    """Other types and seconds out of range are refused, null too."""
    for read in (jws.numeric_date, jws.required_date):
        with refused("claim_invalid"):
            read({"t": value}, "t")


def test_an_absent_time_is_none_or_refused():
    """An optional time may be absent and a required one may not."""
    assert jws.numeric_date({}, "t") is None
    with refused("claim_invalid"):
        jws.required_date({}, "t")


@pytest.mark.parametrize(
    "payload", [{}, {"n": None}, {"n": ""}, {"n": 1}, {"n": True}, {"n": ["a"]}, {"n": {}}], ids=repr
)
def test_a_required_text_is_a_text_that_is_there(payload):
    """A required text is not empty."""
    with refused("claim_invalid"):
        jws.required_text(payload, "n")
    assert jws.required_text({"n": "张"}, "n") == "张"


def test_a_token_of_a_list_may_be_large():
    """A status list may be 8 MiB where a licence may be 64 KiB."""
    payload = {"pad": "x" * 200_000}
    text = jws.sign(jws.STATUS_LIST, payload, jws.es256(AGENCY))
    assert jws.verify(jws.parse(text, jws.STATUS_LIST), public(AGENCY)).payload() == payload
    with refused("malformed"):
        jws.parse(jws.sign(jws.RECEIPT, payload, jws.es256(AGENCY)), jws.RECEIPT)
    with refused("malformed"):
        jws.parse("A" * (jws.MAX_LIST_TOKEN_BYTES + 1), jws.STATUS_LIST)


def test_nothing_of_an_unverified_token_shows_as_verified():
    """Parsing gives another type than verifying: the two cannot be mixed up."""
    token = jws.parse(signed(header(), envelope()), jws.LICENCE)
    assert not isinstance(token, jws.Verified)
    assert not hasattr(token, "payload")
    assert json.loads(token.payload_bytes) == envelope()


def _parsed(payload: object, key=AGENCY) -> jws.Unverified:
    return jws.parse(signed(header(), payload, key), jws.LICENCE)


def test_a_memory_holds_the_key_what_it_signed_and_the_signature():
    """What is remembered is computed here apart: both coordinates, and one hash over text and signature."""
    token, memory = _parsed({"a": 1}), set[jws.Fingerprint]()
    first = jws.verify(token, public(AGENCY), memory)
    coordinates = jwk.export_public(AGENCY)
    told = sha256(token.signing_input + b"." + token.signature).digest()
    assert memory == {(coordinates["x"] + coordinates["y"], told)}
    again = jws.verify(token, public(AGENCY), memory)
    assert first == again == jws.Verified(token.header, token.payload_bytes)


def test_an_edwards_key_is_remembered_by_its_one_coordinate():
    """The outside doors' keys have no y."""
    text = compact(header(alg="EdDSA", kid=ABSENT), {}, EDWARDS.sign)
    token, memory = jws.parse(text, jws.ANY), set[jws.Fingerprint]()
    jws.verify(token, jwk.import_public(edwards_jwk()), memory)
    assert [coordinates for coordinates, _ in memory] == [edwards_jwk()["x"]]


def test_a_memory_makes_no_other_token_good():
    """Another payload under the remembered signature, another signature, or the mirrored key: each is computed."""
    token, memory = _parsed({"a": 1}), set[jws.Fingerprint]()
    jws.verify(token, public(AGENCY), memory)
    coordinates = jwk.export_public(AGENCY)
    mirrored = 2**256 - 2**224 + 2**192 + 2**96 - 1 - int.from_bytes(base64url.decode(coordinates["y"]), "big")
    negative = jwk.import_public(coordinates | {"y": base64url.encode(mirrored.to_bytes(32, "big"))})
    forged = token._replace(signing_input=_parsed({"a": 2}).signing_input)
    for bent, key in (
        (forged, public(AGENCY)),
        (token._replace(signature=bytes(64)), public(AGENCY)),
        (token, negative),
    ):
        with refused("signature_invalid"):
            jws.verify(bent, key, memory)
    assert len(memory) == 1


def test_a_signature_that_does_not_verify_is_not_remembered():
    """A refused token stays refused however often it is shown."""
    memory: set[jws.Fingerprint] = set()
    for _ in range(2):
        with refused("signature_invalid"):
            jws.verify(_parsed({"a": 1}, STRANGER), public(AGENCY), memory)
    assert memory == set()
