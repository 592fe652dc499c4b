"""The offline pass: a whole presentation packed into one QR code.

`EL1:` + base45(raw DEFLATE with a preset dictionary(frame)). The frame is the presentation with base64url
undone: length-prefixed header, payload and signature of the licence, each disclosure, then header, payload
and signature of the key binding. Unpacking gives back the very characters that were packed, because only
canonical base64url was let in.
"""

import zlib

from credentials import base45, base64url
from credentials.errors import FormatError, MalformedError, PassMalformedError

PREFIX = "EL1:"
MAX_TEXT = 4_296  # the alphanumeric capacity of the largest QR code
MAX_FRAME_BYTES = 16 * 1024
DICTIONARY = (  # fixed for ever: another dictionary is another prefix
    b'"holder_code_type_code":"111","issuer_code":"1144019900DEM","area_code":"4401","version":"001",'
    b'"student_status_no","residence_district","endorsed_until","school_name","stage":"\xe5\xb0\x8f\xe5\xad\xa6",'
    b'"grade","status":"\xe5\x9c\xa8\xe8\xaf\xbb","attending_now":true,"birth_date","class_name","guardian_name",'
    b'"holder_code_last4","holder_name","holder_code","licence_no","1.2.156.3005.2.1144019900DEM0015H0",'
    b'"type_name":"type_code":"1144019900DEM0015H0","issuer_name":"\xe7\xa4\xba\xe4\xbe\x8b\xe5\xb8\x82",'
    b'"valid_until":"202","valid_from":"2026-","issued_on":"2026-","holder_name_masked":"\xe5\xbc\xa0*",'
    b'{"alg":"ES256","typ":"dc+sd-jwt","kid":"{"iss":"https://licence.example.gov.cn/issuers/'
    b'","iat":17","exp":1,"vct":"/issuers/types/certificate_licence_permit","cnf":{"jwk":{"kty":"EC","crv":"P-256",'
    b'"x":"","y":""}},"status":{"status_list":{"idx":,"uri":"/status/1"}},"_sd":["","],"_sd_alg":"sha-256"}'
    b'{"alg":"ES256","typ":"kb+jwt"}{"iat":17,"aud":"urn:licence-wallet:offline","nonce":"","exp":17,"sd_hash":"'
)


def pack(presentation: str) -> str:
    """Return the QR text of an SD-JWT with key binding; raises `MalformedError` if it is not one."""
    jwt, *disclosures, key_binding = presentation.split("~") if "~" in presentation else (presentation, "")
    tokens = [jwt.split("."), key_binding.split(".")]
    if any(len(segments) != 3 for segments in tokens):
        raise MalformedError("a pass carries a licence and its key binding")
    frame = b"".join(_sized(base64url.decode(part)) for part in [*tokens[0], *tokens[1], *disclosures])
    if len(frame) > MAX_FRAME_BYTES:
        raise MalformedError("too large for a pass")
    deflater = zlib.compressobj(9, wbits=-15, zdict=DICTIONARY)
    text = PREFIX + base45.encode(deflater.compress(frame) + deflater.flush())
    if len(text) > MAX_TEXT:
        raise MalformedError("too large for a pass")
    return text


def unpack(text: str) -> str:
    """Return the presentation of a QR text, character for character; raises `PassMalformedError`."""
    if not text.startswith(PREFIX) or len(text) > MAX_TEXT:
        raise PassMalformedError
    try:
        parts = [base64url.encode(part) for part in _parts(_inflate(base45.decode(text[len(PREFIX) :])))]
    except (FormatError, zlib.error) as error:
        raise PassMalformedError from error
    if len(parts) < 6:
        raise PassMalformedError("parts are missing")
    return "~".join([".".join(parts[:3]), *parts[6:], ".".join(parts[3:6])])


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=-15, zdict=DICTIONARY)
    frame = inflater.decompress(data, MAX_FRAME_BYTES + 1)
    if len(frame) > MAX_FRAME_BYTES or not inflater.eof or inflater.unused_data:
        raise MalformedError("too large, cut short, or junk behind it")
    return frame


def _sized(data: bytes) -> bytes:
    if len(data) > MAX_FRAME_BYTES:
        raise MalformedError("too large for a pass")
    return len(data).to_bytes(2, "big") + data


def _parts(frame: bytes) -> list[bytes]:
    parts: list[bytes] = []
    at = 0
    while at < len(frame):
        end = at + 2 + int.from_bytes(frame[at : at + 2], "big")
        if end > len(frame) or at + 2 > len(frame):
            raise MalformedError("a part is cut short")
        parts.append(frame[at + 2 : end])
        at = end
    return parts
