"""Type metadata (draft-ietf-oauth-sd-jwt-vc section 6) and its integrity: the very bytes served at a `vct`."""

from base64 import b64encode
from hashlib import sha256
from typing import Any

from credentials import strict_json
from credentials.claim_values import ClaimDefinition
from credentials.licence_type import LicenceType

LOCALES = (("zh-CN", "zh"), ("en", "en"))


def document(kind: LicenceType, vct: str) -> bytes:
    """Return the metadata of a licence type, with names and labels in zh and en; the same bytes every time."""
    display = [
        {"locale": locale, "name": kind.names[code], "rendering": {"svg_templates": [_template(kind, vct)]}}
        for locale, code in LOCALES
    ]
    told: dict[str, Any] = {
        "vct": vct,
        "name": kind.names["en"],
        "display": display,
        "claims": [_claim(one) for one in kind.claims.values()],
        "licence_type": kind.key,
        "type_code": kind.type_code,
        "causes": [{"code": one.code, "effect": one.effect, "label": dict(one.labels)} for one in kind.causes.values()],
    }
    return strict_json.dumps(told)


def integrity(kind: LicenceType, vct: str) -> str:
    """Return the `vct#integrity` of a type: a W3C SRI string over the served bytes (section 6)."""
    return sri(document(kind, vct))


def sri(data: bytes) -> str:
    """Return the SHA-256 integrity string of bytes (W3C Subresource Integrity)."""
    return "sha256-" + b64encode(sha256(data).digest()).decode("ascii")


def card(kind: LicenceType) -> bytes:
    """Return the card of a licence type as an SVG template: names of type and agency's domain, no script, no link.

    Wallets put claims in for `{{svg_id}}` (section 8.1.2.2); ours holds the claims that always show.
    """
    shown = [one for one in kind.claims.values() if one.always][:4]
    rows = "".join(
        f'<text x="24" y="{118 + 26 * place}" font-size="14">{_text(one.labels["zh"])}: {{{{{one.name}}}}}</text>'
        for place, one in enumerate(shown)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 240" font-family="sans-serif" fill="#fff">'
        '<rect width="400" height="240" rx="16" fill="#12487a"/>'
        f'<text x="24" y="48" font-size="22">{_text(kind.names["zh"])}</text>'
        f'<text x="24" y="76" font-size="14">{_text(kind.names["en"])}</text>{rows}</svg>'
    ).encode()


def _template(kind: LicenceType, vct: str) -> dict[str, Any]:
    return {
        "uri": f"{vct}/card.svg",
        "uri#integrity": sri(card(kind)),
        "properties": {"orientation": "landscape", "color_scheme": "light", "contrast": "normal"},
    }


def _claim(one: ClaimDefinition) -> dict[str, Any]:
    told: dict[str, Any] = {
        "path": [one.name],
        "display": [{"locale": locale, "label": one.labels[code]} for locale, code in LOCALES],
        "mandatory": one.required and one.derived_from is None,
        "sd": "never" if one.always else "always",
    }
    return told | ({"svg_id": one.name} if one.always else {})


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
