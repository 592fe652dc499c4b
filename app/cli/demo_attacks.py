"""The forgeries of the demonstration: each takes an honest presentation and returns a dishonest one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key

from credentials import base64url, jws, key_binding, sd_jwt, strict_json
from credentials.jwk import export_public, import_public
from credentials.sd_jwt import SdJwt

Attack = Callable[[str, dict[str, str], str, EllipticCurvePrivateKey], str]


def forged(honest: str, asked: dict[str, str], _url: str, _university: EllipticCurvePrivateKey) -> str:
    """Return a licence that says what the honest one says, signed by a stranger, for the stranger's holder key."""
    stranger, holder = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    payload, kid = _read(honest)
    return _signed(payload | {"cnf": {"jwk": export_public(holder)}}, kid, stranger, holder, asked)


def overreaching(honest: str, asked: dict[str, str], url: str, university: EllipticCurvePrivateKey) -> str:
    """Return a residence permit properly signed by the university, which may sign graduation certificates only."""
    holder = generate_private_key(SECP256R1())
    payload, _ = _read(honest)
    payload |= {"iss": f"{url}/issuers/univ", "cnf": {"jwk": export_public(holder)}}
    kid = import_public(export_public(university)).thumbprint[:11]
    return _signed(payload, kid, university, holder, asked)


def altered(honest: str, _asked: dict[str, str], _url: str, _university: EllipticCurvePrivateKey) -> str:
    """Return the honest presentation with the disclosed district changed."""
    parts = sd_jwt.parse(honest)
    changed = []
    for one in parts.disclosures:
        value = "440103" if one.name == "residence_district" else one.value
        text = base64url.encode(strict_json.dumps([one.salt, one.name, value]))
        changed.append(sd_jwt.Disclosure(text, one.salt, one.name, value))
    return SdJwt(parts.jwt, tuple(changed), parts.key_binding).text


ATTACKS: tuple[tuple[str, str, Attack], ...] = (
    ("Somebody presents a forged permit 伪造, signed with a key of their own.", "signature_invalid", forged),
    ("The university signs a residence permit, which it has no right to 越权.", "type_not_authorised", overreaching),
    ("Somebody changes the disclosed district 篡改 in a genuine presentation.", "disclosures_altered", altered),
)


def _read(honest: str) -> tuple[dict[str, Any], str]:
    token = jws.parse(sd_jwt.parse(honest).jwt, jws.LICENCE)
    return token.unverified_payload(), token.kid or ""


def _signed(
    payload: dict[str, Any],
    kid: str,
    issuer: EllipticCurvePrivateKey,
    holder: EllipticCurvePrivateKey,
    asked: dict[str, str],
) -> str:
    licence = SdJwt(jws.sign(jws.LICENCE, payload, jws.es256(issuer), kid=kid), ())
    present = datetime.now(UTC)  # noqa: TID251 - the demonstration is part of app/
    return key_binding.bind(licence, jws.es256(holder), audience=asked["audience"], nonce=asked["nonce"], now=present)
