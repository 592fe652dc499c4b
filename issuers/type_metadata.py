"""Type metadata (draft-ietf-oauth-sd-jwt-vc section 6) and its integrity: the very bytes served at a `vct`."""

from typing import Any

from credentials import strict_json
from credentials.licence_type import LOCALES, LicenceType
from credentials.type_metadata import ClaimRule, sri


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
        "claims": [_claim(one) for one in kind.rules],
        "licence_type": kind.key,
        "type_code": kind.type_code,
        "causes": [{"code": one.code, "effect": one.effect, "label": dict(one.labels)} for one in kind.causes.values()],
    }
    return strict_json.dumps(told)


def integrity(kind: LicenceType, vct: str) -> str:
    """Return the `vct#integrity` of a type: a W3C SRI string over the served bytes (section 6)."""
    return sri(document(kind, vct))


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


def _claim(rule: ClaimRule) -> dict[str, Any]:
    told: dict[str, Any] = {
        "path": list(rule.path),
        "display": [{"locale": locale, "label": label} for locale, label in (rule.labels or {}).items()],
        "mandatory": rule.mandatory,
        "sd": rule.sd,
    }
    return told | ({"svg_id": rule.svg_id} if rule.svg_id else {})


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
