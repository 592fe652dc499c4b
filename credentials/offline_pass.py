"""The offline pass: a whole presentation packed into one QR code; `openapi/offline-pass.md` writes the format down.

`EL1:` + base45(length of TEXT, TEXT, BLOBS, two signatures). TEXT is raw DEFLATE with a preset dictionary of the JSON
parts, base64url undone: header and payload of the licence, header and payload of the key binding, each disclosure,
with RECORD between them. Digests, coordinates and salts do not compress: in TEXT a mark stands for each, its bytes are
in BLOBS, in order. Unpacking gives back the very characters that were packed, because only canonical base64url was let
in.
"""

import re
import zlib

from credentials import base45, base64url
from credentials.errors import FormatError, MalformedError, PassMalformedError

PREFIX = "EL1:"
MAX_TEXT = 4_296  # the alphanumeric capacity of the largest QR code
MAX_JSON_BYTES = 16 * 1024
SIGNATURE_BYTES = 64  # ES256, and nothing else
RECORD = b"\x1e"
MARKS = {b"\x01": 32, b"\x02": 16}
"""A mark and the size of what it stands for; neither mark nor RECORD can stand in JSON (RFC 8259 section 7)."""
_BLOB = re.compile(rb'(?<=")(?:[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{22})(?=")')
_MARK = re.compile(rb"[\x01\x02]")
DICTIONARY = (  # fixed for ever: another dictionary is another prefix
    b'"social_insurance_certificate","medical_insurance_voucher","employment_record","food_business_licence",'
    b'"insurance_kind","insurance_status","current_status","months_pension","as_of","employer_name","licence_class",'
    b'"vehicle_classes","first_issued","years_held","graduation_date","certificate_no","study_form","major","level",'
    b'"premises","legal_representative","business_scope","mother_name","father_name","birth_datetime","sex",'
    b'"holder_code_type_code":"111","issuer_code":"1144019900DEM","area_code":"4401","version":"001",'
    b'"student_status_no","residence_district","endorsed_until","continuous_months","current_address",'
    b'"school_name":"\xe7\xa4\xba\xe4\xbe\x8b\xe5\xb8\x82\xe7\xac\xac\xe4\xb8\x80\xe5\xb0\x8f\xe5\xad\xa6","stage":"\xe5\xb0\x8f\xe5\xad\xa6",'
    b'"enrolment_status":"\xe5\x9c\xa8\xe8\xaf\xbb","attending_now":true,"class_name","guardian_name",'
    b'["\x02","birth_date","20["\x02","holder_code_last4","["\x02","holder_code","44["\x02","grade",["\x02","holder_name","'
    b'["\x02","licence_id","1.2.156.3005.2.1144019900DEM00'
    b'{"alg":"ES256","typ":"dc+sd-jwt","kid":"{"iss":"https://licence.example.gov.cn/issuers/police'
    b'","iat":17,"nbf":17,"exp":1,"vct":"/issuers/types/certificate_licence_permit",'
    b'"cnf":{"jwk":{"kty":"EC","crv":"P-256","x":"\x01","y":"\x01"}},"issued_on":"2026-","holder_name_masked":"\xe5\xbc\xa0*",'
    b'"_sd":["\x01","\x01","\x01","\x01","\x01","\x01"],"_sd_alg":"sha-256","status":{"status_list":{"idx":1,"uri":"'
    b'http://127.0.0.1:8080/issuers/school1/status/1"}}}\x1e{"alg":"ES256","typ":"kb+jwt"}\x1e{"iat":17'
    b',"aud":"urn:licence-wallet:offline","nonce":"\x02","exp":17,"sd_hash":"\x01"}\x1e["\x02","'
)


def pack(presentation: str) -> str:
    """Return the QR text of an SD-JWT with key binding; raises `MalformedError` if it is not one that fits."""
    jwt, *disclosures, key_binding = presentation.split("~") if "~" in presentation else (presentation, "")
    tokens = [jwt.split("."), key_binding.split(".")]
    if any(len(segments) != 3 for segments in tokens):
        raise MalformedError("a pass carries a licence and its key binding")
    signatures = [base64url.decode(segments[2]) for segments in tokens]
    if any(len(signature) != SIGNATURE_BYTES for signature in signatures):
        raise MalformedError("a pass is signed with ES256")
    parts = [base64url.decode(one) for segments in tokens for one in segments[:2]]
    parts += [base64url.decode(one) for one in disclosures]
    joined = RECORD.join(parts)
    if any(one in part for part in parts for one in (RECORD, *MARKS)) or len(joined) > MAX_JSON_BYTES:
        raise MalformedError("not JSON, or too large for a pass")
    text, blobs = _lifted(joined)
    deflater = zlib.compressobj(9, wbits=-15, memLevel=9, zdict=DICTIONARY)
    packed = deflater.compress(text) + deflater.flush()
    made = PREFIX + base45.encode(len(packed).to_bytes(2, "big") + packed + blobs + b"".join(signatures))
    if len(made) > MAX_TEXT:
        raise MalformedError("too large for a pass")
    return made


def unpack(text: str) -> str:
    """Return the presentation of a QR text, character for character; raises `PassMalformedError`."""
    if not text.startswith(PREFIX) or len(text) > MAX_TEXT:
        raise PassMalformedError
    try:
        data = base45.decode(text[len(PREFIX) :])
        end = 2 + int.from_bytes(data[:2], "big")
        blobs, signatures = data[end : -2 * SIGNATURE_BYTES], data[-2 * SIGNATURE_BYTES :]
        if len(data) < end + 2 * SIGNATURE_BYTES:
            raise PassMalformedError("cut short")
        parts = [base64url.encode(part) for part in _put_back(_inflate(data[2:end]), blobs).split(RECORD)]
    except (FormatError, zlib.error) as error:
        raise PassMalformedError from error
    if len(parts) < 4:
        raise PassMalformedError("parts are missing")
    first, second = (base64url.encode(signatures[at : at + SIGNATURE_BYTES]) for at in (0, SIGNATURE_BYTES))
    return "~".join([f"{parts[0]}.{parts[1]}.{first}", *parts[4:], f"{parts[2]}.{parts[3]}.{second}"])


def _lifted(text: bytes) -> tuple[bytes, bytes]:
    """Return a text with a mark for every string that is canonical base64url of 32 or 16 bytes, and those bytes."""
    blobs: list[bytes] = []

    def mark(found: re.Match[bytes]) -> bytes:
        try:
            blobs.append(base64url.decode(found[0].decode("ascii")))
        except FormatError:
            return found[0]
        return next(one for one, size in MARKS.items() if size == len(blobs[-1]))

    return _BLOB.sub(mark, text), b"".join(blobs)


def _put_back(text: bytes, blobs: bytes) -> bytes:
    at = 0

    def blob(found: re.Match[bytes]) -> bytes:
        nonlocal at
        at += MARKS[found[0]]
        if at > len(blobs):
            raise PassMalformedError("a digest is missing")
        return base64url.encode(blobs[at - MARKS[found[0]] : at]).encode("ascii")

    made = _MARK.sub(blob, text)
    if at != len(blobs) or len(made) > 2 * MAX_JSON_BYTES:
        raise PassMalformedError("junk, or too large")
    return made


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=-15, zdict=DICTIONARY)
    text = inflater.decompress(data, MAX_JSON_BYTES + 1)
    if len(text) > MAX_JSON_BYTES or not inflater.eof or inflater.unused_data:
        raise MalformedError("too large, cut short, or junk behind it")
    return text
