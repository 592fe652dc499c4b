"""Attack: the public key, known to all, is used as the secret of an HMAC (CVE-2016-5431, CVE-2022-29217)."""

import hmac
import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from credentials import base64url, jwk, jws
from tests.tokens import AGENCY, compact, envelope, header, public, refused, signed

_PUBLIC = AGENCY.public_key()
_JWK = jwk.export_public(AGENCY)
SECRETS = {
    "pem": _PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "pem without its last newline": _PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).rstrip(),
    "der": _PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "point": _PUBLIC.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
    "compressed point": _PUBLIC.public_bytes(Encoding.X962, PublicFormat.CompressedPoint),
    "jwk text": json.dumps(_JWK).encode(),
    "compact jwk text": json.dumps(_JWK, separators=(",", ":")).encode(),
    "x": base64url.decode(_JWK["x"]),
    "x and y": base64url.decode(_JWK["x"]) + base64url.decode(_JWK["y"]),
    "thumbprint": public(AGENCY).thumbprint.encode(),
    "nothing": b"",
}
HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512", "hs256": "sha256"}


@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("purpose", [jws.LICENCE, jws.ANY], ids=["licence", "any"])
def test_a_public_key_as_secret_is_refused(purpose, secret, algorithm):
    """A correct HMAC under the agency's public key, in any of its encodings, never stands in for a signature."""
    text = compact(header(alg=algorithm), envelope(), lambda data: hmac.digest(secret, data, HASHES[algorithm]))
    with refused("algorithm_refused"):
        jws.parse(text, purpose)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_an_hmac_under_an_honest_name_is_refused(secret):
    """The same HMAC under `alg` ES256 is no signature either, at its own length or doubled to 64 bytes."""
    for times in (1, 2):
        text = compact(header(), envelope(), lambda data, times=times: hmac.digest(secret, data, "sha256") * times)
        with refused("signature_invalid"):
            jws.verify(jws.parse(text, jws.LICENCE), public(AGENCY))


def test_the_untouched_token_is_accepted():
    """The same header and payload with the agency's own signature pass."""
    assert jws.verify(jws.parse(signed(header(), envelope()), jws.LICENCE), public(AGENCY)).payload() == envelope()
