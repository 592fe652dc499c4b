"""One reason code covers many checks: each thing bent is refused by the check that is there for it, and no other's luck.

A code such as `key_refused` would not tell whether a check is still there, because the next one often refuses as well.
"""

import json
from datetime import timedelta

import pytest

from credentials import (
    base45,
    base64url,
    concealing,
    jwk,
    jws,
    key_binding,
    merkle,
    offline_pass,
    sd_jwt,
    sd_jwt_vc,
    status_list,
    strict_json,
    svg_card,
)
from tests.tokens import (
    ABSENT,
    AGENCY,
    HOLDER,
    NOW,
    SECOND,
    changed,
    digest,
    disclosure,
    edwards_jwk,
    envelope,
    header,
    issue,
    later,
    licence,
    listed,
    opened,
    public,
    read_list,
    refused,
    shown,
    signed,
    status_payload,
    text_of,
    verified,
)

EC = jwk.export_public(AGENCY)
PARTS = issue({"a": 1, "b": 2}, "a", "b")
UNREDUCED = base64url.encode((2**256 - 1).to_bytes(32, "big"))
P = base64url.encode((2**256 - 2**224 + 2**192 + 2**96 - 1).to_bytes(32, "big"))

KEYS = {
    "a list": ([], "JSON object"),
    "a member that is a number": ({**EC, 1: 2}, "JSON object"),
    "a private member": (EC | {"d": "AAAA"}, "no private member"),
    "another curve": (EC | {"crv": "P-384"}, "only P-256 and Ed25519"),
    "another type": (EC | {"kty": "OKP"}, "only P-256 and Ed25519"),
    "a type that is a list": (EC | {"kty": ["EC"]}, "only P-256 and Ed25519"),
    "no type": (changed(EC, {"kty": ABSENT}), "only P-256 and Ed25519"),
    "no curve": (changed(EC, {"crv": ABSENT}), "only P-256 and Ed25519"),
    "for encryption": (EC | {"use": "enc"}, "use is not sig"),
    "of no use": (EC | {"use": None}, "use is not sig"),
    "for signing": (EC | {"key_ops": ["sign"]}, "key_ops is not verify alone"),
    "for signing too": (EC | {"key_ops": ["sign", "verify"]}, "key_ops is not verify alone"),
    "for nothing": (EC | {"key_ops": []}, "key_ops is not verify alone"),
    "operations that are text": (EC | {"key_ops": "verify"}, "key_ops is not verify alone"),
    "another algorithm": (EC | {"alg": "EdDSA"}, "alg does not fit the curve"),
    "an algorithm that is null": (EC | {"alg": None}, "alg does not fit the curve"),
    "an Edwards key for ES256": (edwards_jwk() | {"alg": "ES256"}, "alg does not fit the curve"),
    "a kid that is a number": (EC | {"kid": 1}, "kid is not a short text"),
    "a kid that is null": (EC | {"kid": None}, "kid is not a short text"),
    "an endless kid": (EC | {"kid": "x" * 513}, "kid is not a short text"),
    "no x": (changed(EC, {"x": ABSENT}), "x is not 32 bytes"),
    "no y": (changed(EC, {"y": ABSENT}), "y is not 32 bytes"),
    "a short x": (EC | {"x": base64url.encode(bytes(31))}, "x is not 32 bytes"),
    "a long y": (EC | {"y": base64url.encode(bytes(33))}, "y is not 32 bytes"),
    "an x that is a number": (EC | {"x": 1}, "x is not 32 bytes"),
    "an Edwards x of 31 bytes": (edwards_jwk(bytes(31)), "x is not 32 bytes"),
    "x not reduced": (EC | {"x": UNREDUCED}, "a coordinate is not reduced"),
    "y not reduced": (EC | {"y": UNREDUCED}, "a coordinate is not reduced"),
    "x the field itself": (EC | {"x": P}, "a coordinate is not reduced"),
    "x that is no base64url": (EC | {"x": "%"}, "not on its curve"),
    "a point beside the curve": (EC | {"x": EC["y"], "y": EC["x"]}, "not on its curve"),
    "an Edwards y not reduced": (edwards_jwk((2**255 - 19).to_bytes(32, "little")), "y is not reduced"),
    "an Edwards y that has no x": (edwards_jwk((2).to_bytes(32, "little")), "the point is not on its curve"),
    "the Edwards neutral": (edwards_jwk((1).to_bytes(32, "little")), "small order"),
    "the Edwards point of order 2": (edwards_jwk((2**255 - 20).to_bytes(32, "little")), "small order"),
    "the Edwards point of order 4": (edwards_jwk(bytes(32)), "small order"),
}


@pytest.mark.parametrize(("key", "because"), KEYS.values(), ids=KEYS)
def test_a_bent_key_is_refused_by_its_check(key, because):
    """Shape, secrets, curve, use, algorithm, name, size, and the point itself."""
    with refused("key_refused", because):
        jwk.import_public(key)


@pytest.mark.parametrize("kid", ["", "x" * 512])
def test_a_kid_of_any_length_to_512_is_taken(kid):
    """The limit itself is allowed."""
    assert jwk.import_public(EC | {"kid": kid}).kid == kid


@pytest.mark.parametrize("value", [None, [], {}, {"keys": {}}, {"keys": None}], ids=repr)
def test_what_is_no_set_is_refused_as_such(value):
    """A set is an object with an array."""
    with refused("key_refused", "an array of keys"):
        jwk.import_set(value)


@pytest.mark.parametrize("keys", [[EC], [EC | {"kid": "a"}, jwk.export_public(HOLDER) | {"kid": "a"}]], ids=len)
def test_a_key_of_a_set_needs_its_own_kid(keys):
    """Without one, or with another's, nobody could name it."""
    with refused("key_refused", "its own kid"):
        jwk.import_set({"keys": keys})


GOOD = signed(header(), envelope())
HEAD, BODY, SIGNATURE = GOOD.split(".")
TOKENS = {
    "two segments": (f"{HEAD}.{BODY}", "malformed", "three segments"),
    "four segments": (f"{GOOD}.", "malformed", "three segments"),
    "one letter that is not ASCII": (f"{GOOD}é", "malformed", "not ASCII, or too long"),
    "a header that is no object": (f"W10.{BODY}.{SIGNATURE}", "malformed", "not a JSON object"),
    "a header that is no base64url": (f"{HEAD}=.{BODY}.{SIGNATURE}", "malformed", "not base64url"),
    "a header of one letter": (f"a.{BODY}.{SIGNATURE}", "malformed", "not base64url"),
    "a kid that is empty": (signed(header(kid=""), {}), "header_refused", "kid is not a short text"),
    "an endless kid": (signed(header(kid="x" * 513), {}), "header_refused", "kid is not a short text"),
    "a kid with a null": (signed(header(kid="a\0"), {}), "header_refused", "kid is not a short text"),
    "a kid that is a number": (signed(header(kid=1), {}), "header_refused", "kid is not what it must be"),
    "a chain that is text": (signed(header(x5c="A"), {}), "header_refused", "x5c is not what it must be"),
}


@pytest.mark.parametrize(("text", "code", "because"), TOKENS.values(), ids=TOKENS)
def test_a_bent_token_is_refused_by_its_check(text, code, because):
    """Shape, encoding, and the header's members."""
    with refused(code, because):
        jws.parse(text, jws.LICENCE)


@pytest.mark.parametrize("purpose", [jws.LICENCE, jws.STATUS_LIST], ids=lambda one: one.typ)
def test_a_token_is_as_long_as_its_purpose_allows(purpose):
    """The limit itself is allowed, a byte more is not; a status list may be longer than a licence."""
    start = ".".join(base64url.encode(text_of(one)) for one in (header(purpose, kid="x" * 512), {}))
    room = purpose.max_bytes - len(start) - 1
    signature = "A" * (room - room % 4)
    text = f"{start}.{signature}" + ("AA" if room % 4 == 2 else "AAA" if room % 4 == 3 else "")
    assert len(text) in {purpose.max_bytes, purpose.max_bytes - 1}
    assert jws.parse(text, purpose).kid == "x" * 512
    with refused("malformed", "too long"):
        jws.parse(f"{start}.{signature}{'A' * (room % 4 + 1)}", purpose)


def test_an_algorithm_that_does_not_fit_the_key_is_told():
    """An ES256 token under an Ed25519 key is not a bad signature but a wrong key."""
    with refused("algorithm_refused", "does not fit the key"):
        jws.verify(jws.parse(GOOD, jws.LICENCE), jwk.import_public(edwards_jwk()))


@pytest.mark.parametrize("value", [None, True, "1", 1.0, -1, jws.LAST_SECOND + 1], ids=repr)
def test_a_date_that_is_none_is_told(value):
    """A claim that is there and is no whole second is another fault than one that is not there."""
    with refused("claim_invalid", "iat is not a whole second"):
        jws.required_date({"iat": value}, "iat")
    with refused("claim_invalid", "iat is missing"):
        jws.required_date({"exp": value}, "iat")
    assert jws.numeric_date({"exp": value}, "iat") is None


@pytest.mark.parametrize("second", [0, jws.LAST_SECOND])
def test_the_first_and_the_last_second_are_dates(second):
    """From 1970 to the end of the year 9999."""
    assert jws.numeric_date({"iat": second}, "iat") == jws.required_date({"iat": second}, "iat") == second


@pytest.mark.parametrize("value", [None, "", 1, ["x"]], ids=repr)
def test_a_text_that_is_none_is_told(value):
    """The claim is named."""
    with refused("claim_invalid", "iss is not a text"):
        jws.required_text({"iss": value}, "iss")


D, E = disclosure("salt-1", "a", 1), disclosure("salt-2", 2)
SD = {
    "another hash": ({"_sd_alg": "sha-512"}, (), "unknown _sd_alg"),
    "a disclosure twice": ({"_sd": [digest(D)]}, (D, D), "a disclosure came twice"),
    "one nobody asked for": ({}, (D,), "referenced by no digest"),
    "a disclosed _sd_alg": ({"_sd": [digest(disclosure("s", "_sd_alg", "x"))]}, (disclosure("s", "_sd_alg", "x"),), "_sd_alg must not be disclosed"),
    "a smuggled exp": ({"exp": ABSENT, "_sd": [digest(disclosure("s", "exp", 9))]}, (disclosure("s", "exp", 9),), "exp must not be selectively"),
    "dots outside an array": ({"...": "x"}, (), "stands outside an array"),
    "dots in an object": ({"a": {"...": "x"}}, (), "stands outside an array"),
    "_sd that is text": ({"_sd": "x"}, (), "_sd is not an array"),
    "an element's disclosure in an object": ({"_sd": [digest(E)]}, (E,), "no name, or one that is there already"),
    "a name that is there": ({"a": 2, "_sd": [digest(D)]}, (D,), "no name, or one that is there already"),
    "a claim's disclosure in an array": ({"list": [{"...": digest(D)}]}, (D,), "an array element has no name"),
    "dots with company": ({"list": [{"...": "x", "y": 1}]}, (), "stands alone in its object"),
    "a digest that is a number": ({"_sd": [1]}, (), "no text, or came twice"),
    "a digest twice": ({"_sd": ["x", "x"]}, (), "no text, or came twice"),
}  # fmt: skip


@pytest.mark.parametrize(("claims", "disclosures", "because"), SD.values(), ids=SD)
def test_bent_disclosures_are_refused_by_their_check(claims, disclosures, because):
    """Each reason of RFC 9901 section 7.1 by its own check."""
    with refused("disclosures_altered", because):
        opened(licence(envelope(**claims), *disclosures))


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("%", "base64url"),
        (base64url.encode(b"["), "not JSON"),
        (disclosure("salt"), "[salt, name, value]"),
        (disclosure("salt", "a", 1, 2), "[salt, name, value]"),
        (disclosure(1, "a", 1), "[salt, name, value]"),
        (base64url.encode(b'{"0":1,"1":2}'), "[salt, name, value]"),
        (disclosure("salt", "_sd", 1), "reserved or no text"),
        (disclosure("salt", "...", 1), "reserved or no text"),
        (disclosure("salt", 1, 1), "reserved or no text"),
        (disclosure("salt", None, 1), "reserved or no text"),
    ],
    ids=range(10),
)
def test_a_bent_disclosure_is_refused_by_its_check(text, because):
    """Encoding, shape, name."""
    with refused("disclosures_altered", because):
        sd_jwt.parse_disclosure(text)


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("é~", "not ASCII, or too long"),
        ("a" * (64 * 1024) + "~", "not ASCII, or too long"),
        ("a.b.c", "no SD-JWT, or too many"),
        ("a.b.c" + f"~{E}" * 513 + "~", "no SD-JWT, or too many"),
        (f"a.b.c~{E}", "neither in ~ nor in a key binding"),
        ("a.b.c~d.e", "neither in ~ nor in a key binding"),
        ("a.b.c~d.e.f.g", "neither in ~ nor in a key binding"),
    ],
    ids=range(7),
)
def test_what_is_no_sd_jwt_is_refused_by_its_check(text, because):
    """Characters, length, and the number of parts."""
    with refused("malformed", because):
        sd_jwt.parse(text)


def test_nothing_reserved_is_issued():
    """A claim called as a digest is would be read as one."""
    with refused("malformed", "reserved name"):
        concealing.conceal({"a": {"...": 1}}, selective=[], randomness=bytes)


LICENCES = {
    "exp before iat": ({"exp": SECOND - 86_401}, "claim_invalid", "exp is before iat"),
    "no holder": ({"cnf": ABSENT}, "holder_binding_missing", "bound to no key"),
    "a holder that is text": ({"cnf": "x"}, "holder_binding_missing", "bound to no key"),
    "a holder's key that is text": ({"cnf": {"jwk": "x"}}, "holder_binding_missing", "bound to no key"),
    "an Edwards holder": ({"cnf": {"jwk": edwards_jwk()}}, "key_refused", "holder keys are P-256"),
    "no status": ({"status": ABSENT}, "claim_invalid", "no status_list"),
}


@pytest.mark.parametrize(("changes", "code", "because"), LICENCES.values(), ids=LICENCES)
def test_a_bent_licence_is_refused_by_its_check(changes, code, because):
    """Dates, holder and status."""
    with refused(code, because):
        opened(licence(envelope(**changes)))


def test_a_licence_from_the_future_is_told():
    """A minute ahead is leeway, a second more is another clock."""
    sd_jwt_vc.check_dates(opened(licence(envelope(iat=SECOND + 60))), now=NOW)
    with refused("clock_differs", "issued in this machine's future"):
        sd_jwt_vc.check_dates(opened(licence(envelope(iat=SECOND + 61))), now=NOW)


BINDINGS = {
    "from the future": ({"iat": SECOND + 11}, "clock_differs", "made in this machine's future"),
    "for later": ({"nbf": SECOND + 1}, "clock_differs", "for later"),
    "digests that are text": ({"transaction_data_hashes": "x"}, "claim_invalid", "not a list of digests"),
    "digests that are numbers": ({"transaction_data_hashes": ["x", 1]}, "claim_invalid", "not a list of digests"),
    "digests that are null": ({"transaction_data_hashes": None}, "claim_invalid", "not a list of digests"),
    "another hash": ({"transaction_data_hashes_alg": "sha-512"}, "claim_invalid", "only sha-256"),
    "a hash that is null": ({"transaction_data_hashes_alg": None}, "claim_invalid", "only sha-256"),
    "over other disclosures": ({"sd_hash": "x"}, "holder_binding_invalid", "another set of disclosures"),
    "over none": ({"sd_hash": ABSENT}, "holder_binding_invalid", "another set of disclosures"),
}


@pytest.mark.parametrize(("changes", "code", "because"), BINDINGS.values(), ids=BINDINGS)
def test_a_bent_key_binding_is_refused_by_its_check(changes, code, because):
    """Times, digests of transaction data, and what was signed over."""
    with refused(code, because):
        verified(shown(PARTS, **changes))


def test_a_strangers_key_binding_is_told():
    """Not the holder's key is another fault than another set of disclosures."""
    with refused("holder_binding_invalid", "not signed by the holder's key"):
        verified(shown(PARTS, key=AGENCY))


def _pass(seconds: float = 0, **changes):
    text = shown(PARTS, **{"aud": key_binding.OFFLINE_AUDIENCE, "exp": SECOND + 300, **changes})
    return key_binding.check_offline(sd_jwt.parse(text), public(HOLDER), now=later(seconds=seconds))


@pytest.mark.parametrize("end", [SECOND - 1, SECOND, SECOND + 301])
def test_a_pass_of_no_time_or_too_much_is_told(end):
    """A pass lives from one second to five minutes."""
    assert _pass(exp=SECOND + 1).expires_at == SECOND + 1
    with refused("claim_invalid", "five minutes at most"):
        _pass(exp=end)


@pytest.mark.parametrize(
    ("seconds", "code", "because"),
    [
        (-61, "clock_differs", "made in this machine's future"),
        (-60.001, "clock_differs", "made in this machine's future"),
        (-60, "", ""),
        (299.999, "", ""),
        (300, "presentation_stale", ""),
        (420, "presentation_stale", ""),
        (420.001, "clock_differs", "over minutes ago"),
        (900, "clock_differs", "over minutes ago"),
        (900.001, "presentation_stale", ""),
        (10_000, "presentation_stale", ""),
    ],
)
def test_a_pass_is_told_by_how_late_it_is(seconds, code, because):
    """Good for its life; then old; from two minutes to ten a clock that differs; then old for good. Never green again."""
    if not code:
        assert _pass(seconds).issued_at == SECOND
        return
    with refused(code, because):
        _pass(seconds)


LISTS = {
    "a width of 3": (status_payload(bits=3), "1, 2, 4 or 8 bits"),
    "a width that is true": (status_payload(bits=True), "1, 2, 4 or 8 bits"),
    "a list that is a number": (status_payload(status_list={"bits": 2, "lst": 1}), "lst is not a text"),
    "a list that is no base64url": (status_payload("%"), "does not inflate"),
    "a list that is no zlib": (status_payload("AAAA"), "does not inflate"),
    "a list cut short": (status_payload(status_list.compress(bytes(16))[:-4]), "too large, cut short"),
    "another address": (status_payload(sub="https://other.example"), "about another address"),
    "no address": (status_payload(sub=ABSENT), "sub is not a text"),
    "no time": (status_payload(iat=ABSENT), "iat is missing"),
    "an end that is text": (status_payload(exp="1"), "exp is not a whole second"),
    "a life that is text": (status_payload(ttl="1"), "ttl is not a whole second"),
    "a life of nought": (status_payload(ttl=0), "ttl is not positive"),
    "a version that is text": (status_payload(licence_list_version="1"), "licence_list_version is not a whole"),
    "an end before its time": (status_payload(iat=SECOND - 10, exp=SECOND - 11), "exp is before iat"),
    "no list": (status_payload(status_list=ABSENT), "not an object"),
    "past its end": (status_payload(exp=SECOND), "past its exp"),
    "from the future": (status_payload(iat=SECOND + 61), "from this machine's future"),
}


@pytest.mark.parametrize(("payload", "because"), LISTS.values(), ids=LISTS)
def test_a_bent_list_is_refused_by_its_check(payload, because):
    """Width, encoding, address, times: each by its own check, none of them "valid"."""
    with refused("status_list_invalid", because):
        read_list(listed(payload))


def test_a_list_at_its_limits_is_read():
    """The last second of its life, a minute ahead of our clock, an end at its very time, no version."""
    assert read_list(listed(status_payload(exp=SECOND + 1))).version == 4
    assert read_list(listed(status_payload(iat=SECOND + 60, licence_list_version=ABSENT))).version == 0
    token = jws.Verified({}, json.dumps(status_payload(exp=SECOND - 60)).encode())
    assert status_list.read_token(token, uri=None).expires_at == SECOND - 60
    assert read_list(listed(status_payload(ttl=1))).time_to_live == 1
    assert read_list(listed(status_payload(ttl=ABSENT, exp=ABSENT))).time_to_live is None


@pytest.mark.parametrize(
    ("size", "bits", "statuses", "because"),
    [
        (8, 3, {}, "1, 2, 4 or 8 bits"),
        (8, 2, {8: 0}, "out of range"),
        (8, 2, {-1: 0}, "out of range"),
        (8, 2, {0: 4}, "out of range"),
        (8, 2, {0: -1}, "out of range"),
    ],
)
def test_what_is_no_list_is_never_packed(size, bits, statuses, because):
    """A width, an index or a status that there is not stops the publication."""
    with pytest.raises(ValueError, match=because):
        status_list.pack(size, bits, statuses)


def test_the_status_reference_is_told():
    """A licence without a list is another fault than one whose index is no entry."""
    with refused("claim_invalid", "no status_list"):
        status_list.reference({"status_list": []})
    with refused("claim_invalid", "uri is not a text"):
        status_list.reference({"status_list": {"idx": 1}})
    last = {"status_list": {"idx": status_list.MAX_INDEX, "uri": "u"}}
    assert status_list.reference(last) == status_list.StatusReference("u", status_list.MAX_INDEX)


JSON = {
    "not UTF-8": (b"\xff", "not UTF-8"),
    "a byte order mark": ("\ufeff{}".encode(), "byte order mark"),
    "cut short": (b"{", "not JSON"),
    "a member twice": (b'{"a":1,"a":2}', "duplicate member"),
    "no number": (b"[NaN]", "NaN is not JSON"),
    "without end": (b"[-Infinity]", "-Infinity is not JSON"),
    "a long integer": (b"[123456789012345678901]", "integer out of range"),
    "a large number": (b"[1e999]", "number out of range"),
    "a small number": (b"[-1e999]", "number out of range"),
    "half a character": (rb'["\ud800"]', "lone surrogate"),
    "33 arrays": (b"[" * 33 + b"]" * 33, "nested too deeply"),
    "33 objects": (b'{"a":' * 33 + b"1" + b"}" * 33, "nested too deeply"),
}


@pytest.mark.parametrize(("data", "because"), JSON.values(), ids=JSON)
def test_ambiguous_json_is_refused_by_its_check(data, because):
    """What two readers could read differently."""
    with refused("malformed", because):
        strict_json.loads(data)
    with refused("malformed", because):
        strict_json.loads_object(data)


def _pass_text() -> str:
    return key_binding.bind(
        PARTS, jws.es256(HOLDER), audience=key_binding.OFFLINE_AUDIENCE, nonce="n", now=NOW, life=timedelta(minutes=5)
    )


MARK, END = (f"~{base64url.encode(one)}~" for one in (b"x\x01y", b"\x1e"))
PACKED = {
    "one token": (lambda text: text.split("~", maxsplit=1)[0], "a licence and its key binding"),
    "no key binding": (lambda text: text.rpartition("~")[0] + "~", "a licence and its key binding"),
    "a short signature": (lambda text: text.rpartition(".")[0] + ".AAAA", "signed with ES256"),
    "a mark in a part": (lambda text: text.replace("~", MARK, 1), "not JSON, or too large"),
    "a record's end in a part": (lambda text: text.replace("~", END, 1), "not JSON, or too"),
    "far too much": (lambda text: text.replace("~", f"~{base64url.encode(bytes([65]) * 16_000)}~", 1), "too large for a pass"),
    "a little too much": (
        lambda text: text.replace("~", "~" + "~".join(digest(str(at)) for at in range(80)) + "~", 1), "too large for a pass"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("bend", "because"), PACKED.values(), ids=PACKED)
def test_what_fits_no_pass_is_refused_by_its_check(bend, because):
    """Tokens, signatures, marks, size."""
    text = _pass_text()
    assert offline_pass.unpack(offline_pass.pack(text)) == text
    with refused("malformed", because):
        offline_pass.pack(bend(text))


@pytest.mark.parametrize(
    ("text", "because"),
    [("ab%", "not base45"), ("A", "cut short"), ("ABCD", "cut short"), (":::", "out of range"), ("::", "out of range")],
)
def test_base45_is_refused_by_its_check(text, because):
    """Alphabet, length, range."""
    with refused("malformed", because):
        base45.decode(text)


def _leaf(at: int) -> bytes:
    return merkle.leaf_hash(bytes([at]))


def _node(level: int, index: int) -> bytes:
    if level == 0:
        return _leaf(index)
    return merkle.node_hash(_node(level - 1, 2 * index), _node(level - 1, 2 * index + 1))


def test_a_bent_proof_of_an_entry_is_refused_by_its_check():
    """A leaf that is not there, a proof too long or too short, another entry."""
    root, proof = merkle.root(5, _node), merkle.inclusion(2, 5, _node)
    merkle.check_inclusion(_leaf(2), 2, 5, proof, root)
    for index in (-1, 5):
        with refused("proof_refused", "no such leaf"):
            merkle.inclusion(index, 5, _node)
        with refused("proof_refused", "no such leaf"):
            merkle.check_inclusion(_leaf(2), index, 5, proof, root)
    with refused("proof_refused", "too long"):
        merkle.check_inclusion(_leaf(2), 2, 5, [*proof, bytes(32)], root)
    for leaf, short in ((_leaf(2), proof[:-1]), (_leaf(3), proof), (_leaf(2), [])):
        with refused("proof_refused", "not in this tree"):
            merkle.check_inclusion(leaf, 2, 5, short, root)
    short = merkle.node_hash(_leaf(2), proof[0])
    with refused("proof_refused", "not in this tree"):
        merkle.check_inclusion(_leaf(2), 2, 5, proof[:1], short)


def test_a_bent_proof_of_growth_is_refused_by_its_check():
    """Sizes that cannot be, a proof of no fitting length, two trees that differ, a tree that was rewritten."""
    first, second, proof = merkle.root(3, _node), merkle.root(7, _node), merkle.consistency(3, 7, _node)
    merkle.check_consistency(3, 7, proof, first, second)
    merkle.check_consistency(3, 3, [], first, first)
    for before, after in ((0, 7), (8, 7), (-1, 7)):
        with refused("proof_refused", "between trees of those sizes"):
            merkle.consistency(before, after, _node)
        with refused("proof_refused", "no length that fits"):
            merkle.check_consistency(before, after, proof, first, second)
    for before, after, given in ((3, 3, proof), (3, 7, [])):
        with refused("proof_refused", "no length that fits"):
            merkle.check_consistency(before, after, given, first, second)
    with refused("proof_refused", "two trees of one size differ"):
        merkle.check_consistency(3, 3, [], first, second)
    with refused("proof_refused", "too long"):
        merkle.check_consistency(3, 7, [*proof, bytes(32), bytes(32)], first, second)
    for old, new, given in ((second, second, proof), (first, first, proof), (first, second, proof[:-1])):
        with refused("proof_refused", "does not begin with the earlier one"):
            merkle.check_consistency(3, 7, given, old, new)


CARDS = {
    "a declaration": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "without declarations"),
    "a document type": (b'<!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg"/>', "without declarations"),
    "not UTF-8": (b'<svg xmlns="http://www.w3.org/2000/svg">\xff</svg>', "SVG in UTF-8"),
    "cut short": (b'<svg xmlns="http://www.w3.org/2000/svg">', "SVG in UTF-8"),
    "no namespace": (b"<svg/>", "a card is SVG"),
    "another root": (b'<g xmlns="http://www.w3.org/2000/svg"/>', "a card is SVG"),
    "a script": (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "it has no script"),
    "another namespace": (b'<svg xmlns="http://www.w3.org/2000/svg"><g xmlns="x"/></svg>', "it has no g"),
    "an event": (b'<svg xmlns="http://www.w3.org/2000/svg"><g onload="x"/></svg>', "no such onload"),
    "an address": (b'<svg xmlns="http://www.w3.org/2000/svg"><g fill="url(http://x)"/></svg>', "no such fill"),
    "an address in capitals": (b'<svg xmlns="http://www.w3.org/2000/svg"><g fill="URL(http://x)"/></svg>', "no such fill"),
    "an address spelled by CSS": (b'<svg xmlns="http://www.w3.org/2000/svg"><g fill="u\\72l(http://x)"/></svg>', "no such fill"),
}  # fmt: skip


@pytest.mark.parametrize(("template", "because"), CARDS.values(), ids=CARDS)
def test_a_card_that_does_more_than_draw_is_refused_by_its_check(template, because):
    """Declarations, encoding, elements, attributes, addresses."""
    with refused("malformed", because):
        svg_card.fill(template, {})
