"""What an offer holds, and what its issuer says of itself (OpenID4VCI sections 4.1 and 12.2; RFC 8414).

Offer and metadata are believed only as far as they agree with each other; nothing here is anybody's word yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from credentials import strict_json
from credentials.errors import FormatError
from credentials.text import hostname
from wallet.errors import ForeignServiceError
from wallet.openid4vc import links
from wallet.openid4vc.fetching import Fetch, good

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
AUTHORIZATION_CODE = "authorization_code"
FORMAT = "dc+sd-jwt"


@dataclass(frozen=True, slots=True)
class Offered:
    """A credential offer: whose, of what, and how it is taken."""

    issuer: str
    configurations: tuple[str, ...]
    grants: Mapping[str, Mapping[str, Any]]

    @property
    def tx_code(self) -> Mapping[str, Any] | None:
        """What the transaction code looks like that must be typed in; None if there is none."""
        found = self.grants.get(PRE_AUTHORIZED, {}).get("tx_code")
        return found if isinstance(found, Mapping) else None


@dataclass(frozen=True, slots=True)
class Issuer:
    """A Credential Issuer's metadata and its authorization server's."""

    name: str
    metadata: Mapping[str, Any]
    server: Mapping[str, Any]

    def configuration(self, key: str) -> Mapping[str, Any]:
        """Return what the issuer says of one configuration; another format than ours raises `ForeignServiceError`."""
        supported = self.metadata.get("credential_configurations_supported")
        found = supported.get(key) if isinstance(supported, dict) else None
        if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("vct"), str):
            raise ForeignServiceError("the issuer does not describe what it offers, or in another format")
        return found

    def endpoint(self, name: str) -> str:
        """Return the address of an endpoint that there must be."""
        found = self.metadata.get(name, self.server.get(name))
        if not isinstance(found, str):
            raise ForeignServiceError(f"the issuer names no {name}")
        return found

    @property
    def displayed(self) -> dict[str, str]:
        """The issuer's name by locale."""
        return by_locale(self.metadata.get("display"))


def read_offer(link: str, fetch: Fetch) -> Offered:
    """Return the offer of a link, by value or by reference; raises `NotALinkError` or `ForeignServiceError`."""
    found = links.offer(link)
    if "credential_offer_uri" in found:
        offer = got(fetch, found["credential_offer_uri"])
    else:
        try:
            offer = strict_json.loads_object(found["credential_offer"].encode())
        except FormatError as error:
            raise ForeignServiceError("the offer cannot be read") from error
    issuer, ids, grants = offer.get("credential_issuer"), offer.get("credential_configuration_ids"), offer.get("grants")
    if not isinstance(issuer, str) or not isinstance(ids, list) or not ids or not isinstance(grants, dict | None):
        raise ForeignServiceError("the offer is not one")
    if not all(isinstance(one, str) for one in ids) or len(set(ids)) != len(ids):
        raise ForeignServiceError("the offer is not one")
    grants = {AUTHORIZATION_CODE: {}} if grants is None else grants
    return Offered(issuer, tuple(ids), {name: one for name, one in grants.items() if isinstance(one, dict)})


def discover(name: str, grant: Mapping[str, Any], fetch: Fetch) -> Issuer:
    """Return an issuer's metadata and its authorization server's; each must be about whom it was asked for."""
    metadata = got(fetch, _well_known(name, "openid-credential-issuer"))
    if metadata.get("credential_issuer") != name:
        raise ForeignServiceError("the issuer's metadata is another's")
    servers = metadata.get("authorization_servers", [name])
    if not isinstance(servers, list) or not servers or not all(isinstance(one, str) for one in servers):
        raise ForeignServiceError("the issuer names no authorization server")
    wanted = grant.get("authorization_server", servers[0])
    if wanted not in servers:
        raise ForeignServiceError("the offer names an authorization server that the issuer does not")
    server = got(fetch, _well_known(wanted, "oauth-authorization-server"))
    if server.get("issuer") != wanted or not isinstance(server.get("token_endpoint"), str):
        raise ForeignServiceError("the authorization server's metadata is another's")
    return Issuer(name, metadata, server)


def got(fetch: Fetch, url: str) -> dict[str, Any]:
    """Return the JSON object at an address."""
    return good(fetch("GET", url, headers={"Accept": "application/json"})).json()


def by_locale(display: object) -> dict[str, str]:
    """Return the names of a `display` list by locale; one without locale under an empty one."""
    found: dict[str, str] = {}
    for one in display if isinstance(display, list) else []:
        if isinstance(one, Mapping) and isinstance(one.get("name"), str):
            locale = one.get("locale")
            found.setdefault(locale if isinstance(locale, str) else "", one["name"][:128])
    return found


def _well_known(identifier: str, name: str) -> str:
    """Return where an identifier's metadata is: between host and path (RFC 8414 section 3.1)."""
    if not hostname(identifier):
        raise ForeignServiceError("the issuer's identifier is no address")
    parts = urlsplit(identifier)
    if parts.query or parts.fragment:
        raise ForeignServiceError("the issuer's identifier is no address")
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path.rstrip('/')}"
