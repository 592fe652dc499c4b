"""Tokens to attack the format core with: honest ones, and the same ones bent at one named place.

Nothing here is random and nothing reads a clock: a failing test fails again.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256, shake_256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from credentials import base64url, concealing, jwk, jws, key_binding, sd_jwt, sd_jwt_vc, status_list
from credentials.errors import FormatError
from credentials.jwk import PublicKey
from credentials.sd_jwt import Disclosure, SdJwt
from credentials.sd_jwt_vc import Licence
from tests.counting import SEEN

NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)
SECOND = int(NOW.timestamp())
ISSUER = "https://licence.example.gov.cn/issuers/police"
OTHER_ISSUER = "https://licence.example.gov.cn/issuers/edu"
VCT = "https://licence.example.gov.cn/issuers/types/resident_id_card"
LIST_URI = "https://licence.example.gov.cn/issuers/police/status/1"
AUDIENCE = "x509_san_dns:counter.example.gov.cn"
NONCE = "n-0S6_WzA2Mj-0S6_WzA2Mj"
KID = "police-2026-1"


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()
"""A member of this value is taken out."""


def _key(number: int) -> EllipticCurvePrivateKey:
    return derive_private_key(int.from_bytes(sha256(b"%d" % number).digest(), "big") >> 1, SECP256R1())


AGENCY, OTHER_AGENCY, HOLDER, STRANGER, LIST_SIGNER = (_key(number) for number in range(5))
EDWARDS = Ed25519PrivateKey.from_private_bytes(sha256(b"edwards").digest())


def public(key: EllipticCurvePrivateKey) -> PublicKey:
    """Return the imported public half of `key`."""
    return jwk.import_public(jwk.export_public(key))


def edwards_jwk(data: bytes | None = None) -> dict[str, str]:
    """Return the JWK of `data` as an Ed25519 point, or of EDWARDS."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": base64url.encode(EDWARDS.public_key().public_bytes_raw() if data is None else data),
    }


def randomness(seed: str = "") -> Callable[[int], bytes]:
    """Return a source that gives the same unequal bytes in every run."""
    drawn = 0

    def draw(size: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return shake_256(f"{seed}/{drawn}".encode()).digest(size)

    return draw


def changed(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `members` with `changes`; ABSENT takes one out."""
    return {name: value for name, value in {**members, **changes}.items() if value is not ABSENT}


def text_of(value: object) -> bytes:
    """Return `value` as JSON bytes; bytes are bytes already."""
    return value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode("utf-8")


def compact(header: object, payload: object, sign: Callable[[bytes], bytes]) -> str:
    """Return a compact JWS of any header and payload, however odd."""
    to_be_signed = ".".join(base64url.encode(text_of(part)) for part in (header, payload))
    return f"{to_be_signed}.{base64url.encode(sign(to_be_signed.encode('ascii')))}"


def es256(key: EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    """Return an ES256 signer made apart from the code under test, which signs alike in every run (RFC 6979)."""

    def sign(data: bytes) -> bytes:
        signature = key.sign(data, ECDSA(SHA256(), deterministic_signing=True))
        return b"".join(part.to_bytes(32, "big") for part in decode_dss_signature(signature))

    return sign


def signed(header: object, payload: object, key: EllipticCurvePrivateKey = AGENCY) -> str:
    """Return a compact JWS of any header and payload with a good ES256 signature."""
    return compact(header, payload, es256(key))


def header(purpose: jws.Purpose = jws.LICENCE, **changes: Any) -> dict[str, Any]:
    """Return the honest header of `purpose`, changed."""
    kid = {"kid": KID} if "kid" in purpose.members else {}
    return changed({"alg": "ES256", "typ": purpose.typ, **kid}, changes)


def envelope(**changes: Any) -> dict[str, Any]:
    """Return the registered claims of an honest licence, changed."""
    honest = {
        "iss": ISSUER,
        "vct": VCT,
        "iat": SECOND - 86_400,
        "exp": SECOND + 86_400,
        "cnf": {"jwk": jwk.export_public(HOLDER)},
        "status": {"status_list": {"idx": 7, "uri": LIST_URI}},
    }
    return changed(honest, changes)


def disclosure(*array: Any) -> str:
    """Return a disclosure text of any array: a salt, perhaps a name, a value."""
    return base64url.encode(text_of(list(array)))


def digest(text: str) -> str:
    """Return the digest of a disclosure text, computed apart from the code under test."""
    return base64url.encode(sha256(text.encode("ascii")).digest())


def licence(payload: object, *disclosures: str, key: EllipticCurvePrivateKey = AGENCY, head: object = None) -> str:
    """Return an issuer-signed SD-JWT of any payload with any disclosures, without key binding."""
    return "~".join([signed(header() if head is None else head, payload, key), *disclosures, ""])


def issue(claims: Mapping[str, Any], *selective: str, decoys_to: int = 0, **changes: Any) -> SdJwt:
    """Return an honestly issued licence whose claims named in `selective` are digests."""
    payload, disclosures = concealing.conceal(
        {**envelope(**changes), **claims},
        selective=[(name,) for name in selective],
        randomness=randomness("issue"),
        digests_at_top=decoys_to,
    )
    return SdJwt(signed(header(), payload), disclosures)


def opened(text: str, *, key: EllipticCurvePrivateKey = AGENCY) -> Licence:
    """Return the licence of `text` after signature and disclosures."""
    return sd_jwt_vc.verify_licence(sd_jwt_vc.parse_licence(text), public(key))


def shown(
    parts: SdJwt,
    *,
    key: EllipticCurvePrivateKey = HOLDER,
    head: object = None,
    over: str | None = None,
    **changes: Any,
) -> str:
    """Return a presentation whose key binding is changed at will and well signed; `over` is what it hashes."""
    honest = {"iat": SECOND, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest(over or parts.presented)}
    binding = signed(header(jws.KEY_BINDING) if head is None else head, changed(honest, changes), key)
    return parts.presented + binding


def verified(
    text: str,
    *,
    audience: str = AUDIENCE,
    nonce: str = NONCE,
    now: datetime = NOW,
    key: EllipticCurvePrivateKey = AGENCY,
) -> Licence:
    """Return the licence of a presentation after everything the pure core can check."""
    found = opened(text, key=key)
    sd_jwt_vc.check_dates(found, now=now)
    key_binding.check(sd_jwt.parse(text), found.holder_key, audience=audience, nonce=nonce, now=now)
    return found


def status_payload(lst: str | None = None, bits: object = 2, **changes: Any) -> dict[str, Any]:
    """Return the claims of an honest status list token (entry 7 suspended, entry 9 revoked), changed."""
    honest = {
        "iss": ISSUER,
        "sub": LIST_URI,
        "iat": SECOND - 60,
        "exp": SECOND + 3_600,
        "ttl": 300,
        "licence_list_version": 4,
        "status_list": {
            "bits": bits,
            "lst": status_list.compress(status_list.pack(64, 2, {7: 2, 9: 1})) if lst is None else lst,
        },
    }
    return changed(honest, changes)


def read_list(text: str, *, uri: str | None = LIST_URI, now: datetime = NOW) -> status_list.StatusListToken:
    """Return the list of a signed token after everything the pure core can check."""
    token = jws.verify(jws.parse(text, jws.STATUS_LIST), public(LIST_SIGNER))
    found = status_list.read_token(token, uri=uri)
    found.check_current(now=now)
    return found


def listed(payload: object, *, head: object = None, key: EllipticCurvePrivateKey = LIST_SIGNER) -> str:
    """Return a signed status list token of any payload."""
    return signed(header(jws.STATUS_LIST) if head is None else head, payload, key)


def later(**time: float) -> datetime:
    """Return NOW moved by a timedelta's arguments."""
    return NOW + timedelta(**time)


def one(text: str) -> Disclosure:
    """Return the one parsed disclosure of `text`."""
    return sd_jwt.parse_disclosure(text)


def attempt(call: Callable[..., Any], *arguments: Any) -> tuple[Any, str | None]:
    """Return what `call` gave and None, or None and the reason code it refused with."""
    try:
        return call(*arguments), None
    except FormatError as error:
        return None, error.code


@contextlib.contextmanager
def refused(code: str, because: str = "") -> Iterator[None]:
    """Expect a refusal with exactly this reason code; where many checks share one, `because` says which was meant."""
    with pytest.raises(FormatError) as caught:
        yield
    assert caught.value.code == code
    SEEN["refused"] += 1
    assert because in caught.value.detail
