"""A licence as a card: the type's SVG template with the holder's own claims, drawn so that nothing in it can run."""

from collections.abc import Callable

from credentials import svg_card
from credentials.licence_type import LicenceType
from wallet.errors import NoCardError
from wallet.keeping import Opened

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""A card says what its licence says: it is nobody else's, and no page may give it rights."""

Template = Callable[[LicenceType], bytes]


def card(opened: Opened, template: Template) -> bytes:
    """Return a licence's card as SVG; another issuer's licence has none here and raises `NoCardError`."""
    if opened.kind is None:
        raise NoCardError("the card of another issuer's licence is not fetched")
    claims = opened.licence.claims
    shown = {rule.svg_id: claims.get(str(rule.path[0])) for rule in opened.kind.rules if rule.svg_id}
    return svg_card.fill(template(opened.kind), {place: _spelt(value) for place, value in shown.items()})


def _spelt(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    return "、".join(map(_spelt, value)) if isinstance(value, list) else str(value)
