"""Attack: the token is not quite a compact JWS, and a lenient reader sees another one."""

import json

import pytest

from credentials import base64url, jws, sd_jwt, sd_jwt_vc
from tests.tokens import AGENCY, envelope, header, issue, public, refused, signed

HONEST = signed(header(), envelope())
HEAD, BODY, SIGNATURE = HONEST.split(".")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _stray_bits(segment: str) -> str:
    """Return `segment` with its unused last bits set: the same bytes in another spelling."""
    unused = {2: 4, 3: 2}[len(segment) % 4]
    return segment[:-1] + ALPHABET[ALPHABET.index(segment[-1]) | (1 << unused) - 1]


def _padded_header() -> str:
    """Return an honest header text whose base64url has unused last bits."""
    return base64url.encode(b'{"alg":"ES256","typ":"dc+sd-jwt","kid":"ab"}')


JSON_FLATTENED = json.dumps({"protected": HEAD, "payload": BODY, "signature": SIGNATURE})
JSON_GENERAL = json.dumps({"payload": BODY, "signatures": [{"protected": HEAD, "signature": SIGNATURE}]})
SHAPES = {
    "empty": "",
    "one segment": HEAD,
    "two segments": f"{HEAD}.{BODY}",
    "four segments": f"{HONEST}.{SIGNATURE}",
    "five segments, as a JWE": f"{HEAD}.{BODY}.{SIGNATURE}.{BODY}.{SIGNATURE}",
    "a dot behind": HONEST + ".",
    "a dot before": "." + HONEST,
    "two dots inside": HONEST.replace(".", "..", 1),
    "only dots": "..",
    "no header": f".{BODY}.{SIGNATURE}",
    "flattened JSON": JSON_FLATTENED,
    "general JSON": JSON_GENERAL,
    "header as JSON": f'{{"alg":"ES256"}}.{BODY}.{SIGNATURE}',
    "padding behind the header": f"{HEAD}=.{BODY}.{SIGNATURE}",
    "padding behind the payload": f"{HEAD}.{BODY}==.{SIGNATURE}",
    "padding behind the signature": f"{HONEST}==",
    "padding alone": f"{HEAD}.{BODY}.=",
    "plus and slash": f"{HEAD}.{BODY}.{SIGNATURE[:-2]}+/",
    "standard alphabet": HONEST.replace("-", "+").replace("_", "/") if "-" in HONEST or "_" in HONEST else HONEST + "+",
    "stray bits in the signature": f"{HEAD}.{BODY}.{_stray_bits(SIGNATURE)}",
    "stray bits in the header": f"{_stray_bits(_padded_header())}.{BODY}.{SIGNATURE}",
    "a lone character": f"{HEAD}.{BODY}.{SIGNATURE}A" if len(SIGNATURE) % 4 == 0 else f"{HEAD}.{BODY}.A",
    "space behind": HONEST + " ",
    "space before": " " + HONEST,
    "newline behind": HONEST + "\n",
    "newline inside": f"{HEAD}.\n{BODY}.{SIGNATURE}",
    "tab inside a segment": f"{HEAD}.{BODY[:8]}\t{BODY[8:]}.{SIGNATURE}",
    "NUL behind": HONEST + "\0",
    "byte order mark": "\ufeff" + HONEST,
    "full width dot": HONEST.replace(".", "．"),
    "not ASCII": HONEST[:-1] + "é",
    "lone surrogate": HONEST + "\ud800",
    "Bearer before": "Bearer " + HONEST,
    "quoted": f'"{HONEST}"',
    "percent encoding": HONEST.replace(".", "%2E"),
    "a tilde behind": HONEST + "~",
    "hexadecimal": HONEST.encode().hex(),
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("purpose", [jws.LICENCE, jws.ANY], ids=["licence", "any"])
def test_another_shape_is_refused(purpose, text):
    """What is not three canonical base64url segments is refused before any cryptography."""
    with refused("malformed"):
        jws.parse(text, purpose)


@pytest.mark.parametrize("segment", [0, 1, 2])
@pytest.mark.parametrize("character", list("=+/ \t\n\r.~!%\x00\x7f"))
def test_a_strange_character_in_any_segment_is_refused(segment, character):
    """A decoder that skips strangers is not followed: one in any segment refuses the token."""
    parts = HONEST.split(".")
    parts[segment] = parts[segment][:4] + character + parts[segment][4:]
    with refused("malformed"):
        jws.parse(".".join(parts), jws.LICENCE)


def _of_length(limit: int, purpose: jws.Purpose) -> str:
    """Return an honest token of at most `limit` characters, as near to it as base64url lets one come."""
    size = (limit - len(signed(header(purpose), envelope(pad="")))) * 3 // 4 - 4
    while len(signed(header(purpose), envelope(pad="x" * (size + 1)))) <= limit:
        size += 1
    return signed(header(purpose), envelope(pad="x" * size))


def test_a_token_beyond_64_kib_is_refused():
    """A well-signed licence passes up to 64 KiB and is refused one byte of payload later."""
    longest = _of_length(jws.MAX_TOKEN_BYTES, jws.LICENCE)
    assert jws.MAX_TOKEN_BYTES - 2 <= len(longest) <= jws.MAX_TOKEN_BYTES
    payload = jws.verify(jws.parse(longest, jws.LICENCE), public(AGENCY)).payload()
    longer = signed(header(), {**payload, "pad": payload["pad"] + "x"})
    with refused("malformed"):
        jws.parse(longer, jws.LICENCE)


@pytest.mark.parametrize(
    "text", ["a" * 10_000_000, "." * 10_000_000, HONEST + "." * 70_000], ids=["long", "dots", "tail"]
)
def test_a_giant_is_refused(text):
    """Millions of characters are refused by their number."""
    with refused("malformed"):
        jws.parse(text, jws.LICENCE)


NO_SD_JWT = {
    "a tilde only": ("~", "malformed"),
    "three tildes only": ("~~~", "disclosures_altered"),
    "newline before": ("\n" + issue({}).text, "malformed"),
    "not ASCII": (issue({}).text + "é", "malformed"),
    "JSON serialisation": (JSON_FLATTENED + "~", "malformed"),
    "JWT in the last place": ("~" + HONEST, "malformed"),
    "a JWT as disclosure": (f"{HONEST}~{HONEST}~", "disclosures_altered"),
}


@pytest.mark.parametrize(("text", "code"), NO_SD_JWT.values(), ids=NO_SD_JWT)
def test_what_is_no_sd_jwt_is_refused(text, code):
    """An SD-JWT is a compact JWS, disclosures and a final part, all joined by tildes."""
    with refused(code):
        sd_jwt_vc.parse_licence(text)


@pytest.mark.parametrize(
    "text", ["", "a", HONEST, HEAD, "\n", "{}"], ids=["empty", "a", "JWS", "header", "newline", "JSON"]
)
def test_a_text_without_a_tilde_is_refused(text):
    """A plain JWS, or anything else without a tilde, is refused as malformed where an SD-JWT is expected."""
    with refused("malformed"):
        sd_jwt.parse(text)


def test_the_untouched_token_is_accepted():
    """The honest token passes at both doors and as an SD-JWT without disclosures."""
    for purpose in (jws.LICENCE, jws.ANY):
        assert jws.verify(jws.parse(HONEST, purpose), public(AGENCY)).payload() == envelope()
    assert jws.parse(f"{_padded_header()}.{BODY}.{SIGNATURE}", jws.LICENCE).kid == "ab"
    assert sd_jwt_vc.parse_licence(HONEST + "~").issuer == envelope()["iss"]
