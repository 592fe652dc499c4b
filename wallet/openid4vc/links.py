"""What a phone scanned or was handed: offers and requests of other services, by any of their schemes."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from credentials.errors import MalformedError
from credentials.text import clean, hostname
from wallet.errors import NotALinkError

OFFER_SCHEMES = frozenset({"openid-credential-offer", "haip-vci", "https", "http"})
REQUEST_SCHEMES = frozenset({"openid4vp", "haip-vp", "https", "http"})
MAX_LINK = 16 * 1024  # characters
MAX_FIELDS = 32


def offer(text: str) -> Mapping[str, str]:
    """Return the parameters of a credential offer link (OpenID4VCI section 4.1)."""
    found = _parameters(text, OFFER_SCHEMES)
    if ("credential_offer" in found) == ("credential_offer_uri" in found):
        raise NotALinkError
    return found


def request(text: str) -> Mapping[str, str]:
    """Return the parameters of an authorization request link (OpenID4VP section 5)."""
    found = _parameters(text, REQUEST_SCHEMES)
    if "client_id" not in found:
        raise NotALinkError
    return found


def leads_elsewhere(text: str) -> bool:
    """Whether a link is a plain web address, which says nothing itself."""
    try:
        parts = urlsplit(text.strip())
    except ValueError as error:
        raise NotALinkError from error
    return parts.scheme in {"https", "http"} and not parts.query


def onward(said: object, response_uri: str) -> str | None:
    """Return where a verifier sends the phone on to (OpenID4VP section 8.2), None unless that is a web address.

    It is one over https, or over http where the answer went over http too: what opens scripts, files or other programs
    is none.
    """
    if not isinstance(said, str) or not said.isascii() or not said.isprintable() or len(said) > MAX_LINK:
        return None
    schemes = {"https", urlsplit(response_uri).scheme}
    return said if hostname(said) and urlsplit(said).scheme in schemes else None


def _parameters(text: str, schemes: frozenset[str]) -> dict[str, str]:
    try:
        parts = urlsplit(clean(text.strip()))
        pairs = parse_qsl(parts.query, strict_parsing=True, max_num_fields=MAX_FIELDS)
    except (ValueError, MalformedError) as error:
        raise NotALinkError from error
    if len(text) > MAX_LINK or parts.scheme not in schemes or len(dict(pairs)) != len(pairs):
        raise NotALinkError
    return dict(pairs)
