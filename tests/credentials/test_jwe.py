"""Encryption: what we seal, the owner of the key opens and nobody else; the RFC's own example agrees."""

from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateNumbers,
    EllipticCurvePublicNumbers,
)

from credentials import base64url, jwe, strict_json
from credentials.jwk import export_public
from tests.tokens import ABSENT, AGENCY, HOLDER, STRANGER, changed, edwards_jwk, public, randomness, refused

JWK = export_public(HOLDER) | {"kid": "enc-1", "use": "enc", "alg": "ECDH-ES"}
OPEN = jwe.agreement(HOLDER)
WORDS = "谁看见 this?".encode()


def _sealed(plaintext: bytes = WORDS, enc: str = "A256GCM", jwk: Any = None) -> str:
    how = {"enc": enc, "ephemeral": AGENCY, "randomness": randomness("jwe")}
    return jwe.encrypt(plaintext, JWK if jwk is None else jwk, **how)


def _bent(head: Any = None, **parts: str) -> str:
    """An honest text with other header members (a dict) or other parts (key, iv, ciphertext, tag)."""
    protected, *rest = _sealed().split(".")
    header = strict_json.loads_object(base64url.decode(protected))
    if isinstance(head, dict):
        protected = base64url.encode(strict_json.dumps(changed(header, head)))
    elif head is not None:
        protected = head
    named = dict(zip(("key", "iv", "ciphertext", "tag"), rest, strict=True)) | parts
    return ".".join([protected, *named.values()])


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
@pytest.mark.parametrize("plaintext", [b"", b"x", WORDS, bytes(100_000)], ids=len)
def test_what_is_sealed_is_opened(enc, plaintext):
    """Any bytes come back, with either content encryption."""
    found = jwe.parse(_sealed(plaintext, enc))
    assert jwe.decrypt(found, OPEN) == plaintext
    assert found.header["enc"] == enc


def test_a_sealed_text_has_exactly_the_members_it_needs():
    """Algorithm, encryption, the ephemeral key and whose key it is for; no encrypted key, a fresh iv of 12 bytes."""
    text = _sealed()
    assert strict_json.loads_object(base64url.decode(text.split(".", maxsplit=1)[0])) == {
        "alg": "ECDH-ES",
        "enc": "A256GCM",
        "epk": export_public(AGENCY),
        "kid": "enc-1",
    }
    assert [len(base64url.decode(part)) for part in text.split(".")[1:]] == [0, 12, len(WORDS), 16]
    assert text.split(".")[2] == base64url.encode(randomness("jwe")(12))
    found = jwe.parse(text)
    assert (found.kid, found.iv) == ("enc-1", randomness("jwe")(12))


def test_a_key_without_a_name_is_sealed_to_as_well():
    """Without a `kid` none is copied."""
    found = jwe.parse(_sealed(jwk=export_public(HOLDER)))
    assert (found.kid, "kid" in found.header) == (None, False)


def test_a_kid_that_is_no_text_names_no_key():
    """A foreign sender's odd `kid` is let be and believed by nobody."""
    assert jwe.parse(_bent({"kid": 1})).kid is None


def test_nobody_else_opens_it():
    """Another key, or one changed character anywhere: it does not open."""
    found = jwe.parse(_sealed())
    with refused("encryption_refused", "does not open with this key"):
        jwe.decrypt(found, jwe.agreement(STRANGER))
    flipped = base64url.encode(bytes(16))
    for text in (
        _bent(tag=flipped),
        _bent(iv=base64url.encode(bytes(12))),
        _bent(ciphertext="AAAA"),
        _bent({"typ": "x"}),
        _bent({"apu": "AAAA"}),
        _bent({"enc": "A128GCM"}),
        _bent({"epk": export_public(STRANGER)}),
    ):
        with refused("encryption_refused", "does not open with this key"):
            jwe.decrypt(jwe.parse(text), OPEN)


@pytest.mark.parametrize(
    "epk", [ABSENT, None, "x", {}, edwards_jwk(), export_public(HOLDER) | {"x": "AAAA"}, export_public(HOLDER) | {"d": "A"}]
)  # fmt: skip
def test_an_ephemeral_key_that_is_none_opens_nothing(epk):
    """A point that is not on the curve, or no point at all, is refused before anything is agreed."""

    def never(_key: Any) -> bytes:
        raise AssertionError("agreed with a key that is none")

    with refused("encryption_refused"):
        jwe.decrypt(jwe.parse(_bent({"epk": epk})), never)


@pytest.mark.parametrize("part", ["apu", "apv"])
def test_parties_that_are_not_base64url_open_nothing(part):
    """`apu` and `apv` are base64url."""
    with refused("encryption_refused", "does not open"):
        jwe.decrypt(jwe.parse(_bent({part: "="})), OPEN)


BENT = {
    "four parts": (lambda: _sealed().rpartition(".")[0], "not a compact JWE, or too long"),
    "six parts": (lambda: f"{_sealed()}.", "not a compact JWE, or too long"),
    "no part": (lambda: "", "not a compact JWE, or too long"),
    "not ASCII": (lambda: _bent(ciphertext="é"), "not a compact JWE, or too long"),
    "a byte too long": (lambda: f"{_sealed()}{'A' * (256 * 1024 + 1 - len(_sealed()))}", "or too long"),
    "a header that is no base64url": (lambda: _bent("%"), "not a compact JWE"),
    "a header that is no object": (lambda: _bent(base64url.encode(b"[]")), "not a compact JWE"),
    "an iv that is no base64url": (lambda: _bent(iv="%"), "not a compact JWE"),
    "a tag that is no base64url": (lambda: _bent(tag="%"), "not a compact JWE"),
    "an encrypted key": (lambda: _bent(key="AAAA"), "only ECDH-ES"),
    "no algorithm": (lambda: _bent({"alg": ABSENT}), "only ECDH-ES"),
    "a wrapped key": (lambda: _bent({"alg": "ECDH-ES+A256KW"}), "only ECDH-ES"),
    "no encryption": (lambda: _bent({"enc": ABSENT}), "only ECDH-ES"),
    "another encryption": (lambda: _bent({"enc": "A128CBC-HS256"}), "only ECDH-ES"),
    "an encryption that is a list": (lambda: _bent({"enc": ["A256GCM"]}), "only ECDH-ES"),
    "compression": (lambda: _bent({"zip": "DEF"}), "only ECDH-ES"),
    "a critical member": (lambda: _bent({"crit": ["x"]}), "only ECDH-ES"),
    "an iv of 11 bytes": (lambda: _bent(iv=base64url.encode(bytes(11))), "wrong size"),
    "an iv of 13 bytes": (lambda: _bent(iv=base64url.encode(bytes(13))), "wrong size"),
    "a tag of 15 bytes": (lambda: _bent(tag=base64url.encode(bytes(15))), "wrong size"),
    "a tag of 17 bytes": (lambda: _bent(tag=base64url.encode(bytes(17))), "wrong size"),
    "apu that is a number": (lambda: _bent({"apu": 1}), "apu and apv are texts"),
    "apv that is null": (lambda: _bent({"apv": None}), "apu and apv are texts"),
}


@pytest.mark.parametrize(("text", "because"), BENT.values(), ids=BENT)
def test_what_is_not_of_our_kind_is_refused(text, because):
    """Anything but ECDH-ES with AES-GCM, and anything cut or joined, is refused before a key is touched."""
    with refused("encryption_refused", because):
        jwe.parse(text())


def test_the_longest_text_is_read():
    """256 KiB are allowed, with all header members that mean something."""
    text = _bent({"apu": "QQ", "apv": "Qg", "typ": "x", "cty": "json"})
    assert set(jwe.parse(text).header) == {"alg", "enc", "epk", "kid", "apu", "apv", "typ", "cty"}
    more = 256 * 1024 - len(text)
    longest = text.split(".")
    longest[3] += "A" * more
    whole = ".".join(longest)
    if (len(longest[3]) % 4) == 1:  # no base64 has such a length: a character less
        whole = whole.replace("A" * more, "A" * (more - 1))
    assert len(whole) >= 256 * 1024 - 1
    assert jwe.parse(whole).kid == "enc-1"


@pytest.mark.parametrize(
    ("jwk", "because"),
    [
        (None, "not a key for ECDH-ES"),
        ("x", "not a key for ECDH-ES"),
        ([], "not a key for ECDH-ES"),
        (JWK | {"use": "sig"}, "not a key for ECDH-ES"),
        (JWK | {"alg": "ECDH-ES+A128KW"}, "not a key for ECDH-ES"),
        (JWK | {"alg": "ES256"}, "not a key for ECDH-ES"),
        (edwards_jwk(), "only P-256 keys agree"),
        (JWK | {"d": "AAAA"}, "no private member"),
        (JWK | {"y": "AAAA"}, "y is not 32 bytes"),
        ({"use": "enc"}, "only P-256 and Ed25519"),
    ],
    ids=range(10),
)
def test_a_key_that_is_not_for_agreeing_is_refused(jwk, because):
    """A signing key, another algorithm's, another curve's, a private one."""
    with refused("key_refused", because):
        jwe.recipient(jwk)
    if jwk:
        with refused("key_refused", because):
            _sealed(jwk=jwk) if isinstance(jwk, dict) else jwe.recipient(jwk)


@pytest.mark.parametrize("more", [{}, {"use": "enc"}, {"alg": "ECDH-ES"}, {"key_ops": ["deriveBits"]}, JWK], ids=repr)
def test_a_key_for_agreeing_is_taken(more):
    """`use`, `alg` and `key_ops` may be there or not."""
    found = jwe.recipient(export_public(HOLDER) | more)
    assert found.public_numbers() == public(HOLDER).key.public_numbers()


@pytest.mark.parametrize("enc", ["", "A192GCM", "a256gcm"])
def test_an_unknown_encryption_seals_nothing(enc):
    """A sender's wish for another encryption is refused."""
    with refused("encryption_refused", "unknown enc"):
        _sealed(enc=enc)


def test_the_content_key_is_the_one_of_the_rfc():
    """RFC 7518 appendix C: Alice's ephemeral key and Bob's, with both parties named, agree on the key printed there."""

    def number(text: str) -> int:
        return int.from_bytes(base64url.decode(text), "big")

    def private(d: str, x: str, y: str) -> Any:
        return EllipticCurvePrivateNumbers(
            number(d), EllipticCurvePublicNumbers(number(x), number(y), SECP256R1())
        ).private_key()

    alice = private(
        "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo",
        "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
        "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
    )
    bob = private(
        "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
        "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    )
    secret = jwe.agreement(alice)(bob.public_key())
    assert secret == jwe.agreement(bob)(alice.public_key())
    header = {"enc": "A128GCM", "apu": "QWxpY2U", "apv": "Qm9i"}
    assert base64url.encode(jwe._derive(secret, header)) == "VqqN6vgjbSBcIijNcacQGg"


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_the_content_key_without_parties_is_the_one_of_the_rfc(enc):
    """RFC 7518 section 4.6.2, worked out by hand: one round of SHA-256, both parties empty."""
    secret, size = bytes(range(32)), {"A128GCM": 16, "A256GCM": 32}[enc]
    told = b"\0\0\0\x07" + enc.encode() + b"\0\0\0\0" + b"\0\0\0\0" + (size * 8).to_bytes(4, "big")
    assert jwe._derive(secret, {"enc": enc}) == sha256(b"\0\0\0\x01" + secret + told).digest()[:size]
