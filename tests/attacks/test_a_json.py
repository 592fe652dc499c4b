"""Attack: JSON that two readers understand differently, or that breaks one (RFC 8725 section 2.4, RFC 8259)."""

import pytest

from credentials import jws, sd_jwt_vc, strict_json
from tests.tokens import AGENCY, OTHER_ISSUER, envelope, header, licence, opened, public, refused, signed, text_of

HEAD = text_of(header())
BODY = text_of(envelope())


def _also(member: bytes, of: bytes) -> bytes:
    """Return the object `of` with one more member."""
    return of[:-1] + b"," + member + b"}"


BENT = {
    "empty": lambda of: b"",
    "white space only": lambda of: b"  ",
    "null": lambda of: b"null",
    "array": lambda of: b"[" + of + b"]",
    "text": lambda of: b'"' + of.replace(b'"', b"'") + b'"',
    "number": lambda of: b"1",
    "two values": lambda of: of + of,
    "junk behind": lambda of: of + b"x",
    "NUL behind": lambda of: of + b"\0",
    "cut short": lambda of: of[:-1],
    "trailing comma": lambda of: of[:-1] + b",}",
    "single quotes": lambda of: of.replace(b'"', b"'"),
    "bare names": lambda of: _also(b"a:1", of),
    "comment": lambda of: b"/* */" + of,
    "byte order mark": lambda of: b"\xef\xbb\xbf" + of,
    "UTF-16": lambda of: of.decode().encode("utf-16"),
    "UTF-16 without mark": lambda of: of.decode().encode("utf-16-le"),
    "UTF-32": lambda of: of.decode().encode("utf-32-be"),
    "Latin 1": lambda of: _also('"é":1'.encode("latin-1"), of),
    "overlong UTF-8": lambda of: _also(b'"\xc0\xaf":1', of),
    "surrogate in UTF-8": lambda of: _also(b'"\xed\xa0\x80":1', of),
    "beyond Unicode": lambda of: _also(b'"\xf4\x90\x80\x80":1', of),
    "NaN": lambda of: _also(b'"a":NaN', of),
    "Infinity": lambda of: _also(b'"a":Infinity', of),
    "minus Infinity": lambda of: _also(b'"a":-Infinity', of),
    "1e400": lambda of: _also(b'"a":1e400', of),
    "minus 1e400": lambda of: _also(b'"a":-1e400', of),
    "giant integer": lambda of: _also(b'"a":' + b"9" * 5_000, of),
    "21 digits": lambda of: _also(b'"a":' + b"1" * 21, of),
    "leading zero": lambda of: _also(b'"a":01', of),
    "plus sign": lambda of: _also(b'"a":+1', of),
    "hexadecimal": lambda of: _also(b'"a":0x10', of),
    "bare point": lambda of: _also(b'"a":1.', of),
    "True": lambda of: _also(b'"a":True', of),
    "undefined": lambda of: _also(b'"a":undefined', of),
    "lone high surrogate": lambda of: _also(b'"a":"\\ud800"', of),
    "lone low surrogate": lambda of: _also(b'"a":"\\udfff x"', of),
    "surrogates swapped": lambda of: _also(b'"a":"\\udc00\\ud800"', of),
    "lone surrogate in a name": lambda of: _also(b'"\\ud800":1', of),
    "lone surrogate deep inside": lambda of: _also(b'"a":[{"b":["\\uDBFF"]}]', of),
    "raw newline in a text": lambda of: _also(b'"a":"x\ny"', of),
    "raw NUL in a text": lambda of: _also(b'"a":"x\0y"', of),
    "unknown escape": lambda of: _also(b'"a":"\\x41"', of),
    "short escape": lambda of: _also(b'"a":"\\u12"', of),
    "duplicate member": lambda of: _also(b'"a":1,"a":1', of),
    "duplicate in another spelling": lambda of: _also(b'"a":1,"\\u0061":2', of),
    "duplicate deep inside": lambda of: _also(b'"a":[{"b":{"c":1,"c":2}}]', of),
    "depth 33, objects": lambda of: _also(b'"a":' + b'{"b":' * 32 + b"1" + b"}" * 32, of),
    "depth 33, arrays": lambda of: _also(b'"a":' + b"[" * 32 + b"]" * 32, of),
    "depth 10,000": lambda of: _also(b'"a":' + b"[" * 10_000 + b"]" * 10_000, of),
    "depth 20,000, never closed": lambda of: _also(b'"a":' + b"[" * 20_000, of),
}


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT)
def test_an_ambiguous_header_is_refused(bend):
    """A header that is no strict JSON object is refused before its members are read."""
    with refused("malformed"):
        jws.parse(signed(bend(HEAD), envelope()), jws.LICENCE)


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT)
def test_an_ambiguous_payload_is_refused(bend):
    """A payload that is no strict JSON object is refused, although its signature is good."""
    text = signed(header(), bend(BODY))
    verified = jws.verify(jws.parse(text, jws.LICENCE), public(AGENCY))
    with refused("malformed"):
        verified.payload()
    with refused("malformed"):
        sd_jwt_vc.parse_licence(text + "~")


@pytest.mark.parametrize(
    "member", [b'"alg":"none"', b'"alg":"ES256"', b'"\\u0061lg":"ES256"', b'"typ":"kb+jwt"'], ids=repr
)
def test_a_header_member_twice_is_refused(member):
    """A second `alg` or `typ`, equal, different or escaped, is refused, wherever it stands."""
    for head in (_also(member, HEAD), b"{" + member + b"," + HEAD[1:]):
        with refused("malformed"):
            jws.parse(signed(head, envelope()), jws.LICENCE)


@pytest.mark.parametrize("name", ["iss", "vct", "exp", "cnf", "status", "_sd"])
def test_a_payload_member_twice_is_refused(name):
    """A second registered claim is refused: no reader may choose which one counts."""
    value = text_of(envelope().get(name, [])).decode() if name != "iss" else f'"{OTHER_ISSUER}"'
    payload = BODY[:-1] + f',"{name}":{value},"{name}":{value}}}'.encode()
    with refused("malformed"):
        sd_jwt_vc.parse_licence(licence(payload))


@pytest.mark.parametrize(
    "text",
    ['"\ud800"', '["\udfff"]', '{"\ud800": 1}'],
    ids=["text", "inside", "name"],
)
def test_a_raw_lone_surrogate_in_text_is_refused(text):
    """JSON that arrives as text is held to the same rule as JSON that arrives as bytes."""
    with refused("malformed"):
        strict_json.loads_text(text)


def test_the_untouched_json_is_accepted():
    """Depth 32, a paired surrogate, every escape, white space and 20 digits are JSON and pass."""
    assert opened(licence(BODY)).issuer == envelope()["iss"]
    depth_32 = _also(b'"a":' + b"[" * 31 + b"]" * 31, BODY)
    odd = _also(b'"b":"\\ud83d\\ude00\\u0000\\n","c":12345678901234567890,"d":-1.5e3,"a":[]', b" \r\n\t" + BODY)
    for payload in (depth_32, odd):
        text = licence(payload)
        token = sd_jwt_vc.parse_licence(text).token
        assert "a" in jws.verify(token, public(AGENCY)).payload()
    assert opened(licence(odd)).claims["b"] == "\U0001f600\0\n"
