"""What an offer holds, and what its issuer says of itself (OpenID4VCI sections 4.1 and 12.2; RFC 8414).

Offer and metadata are believed only as far as they agree with each other; nothing here is anybody's word yet.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.x509 import Certificate

from credentials import jws, strict_json, x509
from credentials.errors import CertificateRefusedError, ClaimInvalidError, FormatError
from credentials.text import hostname
from wallet.errors import ForeignServiceError, NotALinkError
from wallet.openid4vc import links
from wallet.openid4vc.fetching import Fetch, good

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
AUTHORIZATION_CODE = "authorization_code"
FORMAT = "dc+sd-jwt"
SIGNED = "application/jwt"
SIGNED_FIRST = f"{SIGNED}, application/json;q=0.9"
AHEAD_SECONDS = 10  # how far an issuer's clock may run ahead


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
    fetched = "credential_offer_uri" in found
    not_one = ForeignServiceError("the offer is not one") if fetched else NotALinkError()
    try:
        offer = (
            got(fetch, found["credential_offer_uri"])
            if fetched
            else strict_json.loads_object(found["credential_offer"].encode())
        )
    except FormatError as error:
        raise not_one from error
    issuer, ids, grants = offer.get("credential_issuer"), offer.get("credential_configuration_ids"), offer.get("grants")
    if not isinstance(issuer, str) or not isinstance(ids, list) or not ids or not isinstance(grants, dict | None):
        raise not_one
    if not all(isinstance(one, str) for one in ids) or len(set(ids)) != len(ids):
        raise not_one
    grants = {AUTHORIZATION_CODE: {}} if grants is None else grants
    return Offered(issuer, tuple(ids), {name: one for name, one in grants.items() if isinstance(one, dict)})


class Discovery:
    """Looks issuers up. `anchors` are the authorities under whose certificates issuers sign what they say."""

    def __init__(self, *, fetch: Fetch, anchors: Callable[[datetime], Collection[Certificate]]) -> None:
        self._fetch = fetch
        self._anchors = anchors

    def offer(self, link: str, *, now: datetime) -> tuple[Offered, Issuer]:
        """Return what an offer's link holds and whose it is; raises if offer and issuer do not agree."""
        offered = read_offer(link, self._fetch)
        grant = offered.grants.get(PRE_AUTHORIZED, offered.grants.get(AUTHORIZATION_CODE, {}))
        issuer = self.issuer(offered.issuer, grant, now=now)
        for one in offered.configurations:
            issuer.configuration(one)
        return offered, issuer

    def issuer(self, name: str, grant: Mapping[str, Any], *, now: datetime) -> Issuer:
        """Return an issuer's metadata and its authorization server's; each must be about whom it was asked for."""
        return _agreed(name, grant, self._metadata(name, now), self._fetch)

    def _metadata(self, name: str, now: datetime) -> dict[str, Any]:
        """Return what an issuer says of itself, signed where it can (section 12.2.2; HAIP section 4.1)."""
        answer = good(
            self._fetch("GET", _well_known(name, "openid-credential-issuer"), headers={"Accept": SIGNED_FIRST})
        )
        if answer.media_type != SIGNED:
            return answer.json()
        try:
            return signed_metadata(answer.body.decode("ascii"), name, self._anchors(now), now=now)
        except (FormatError, UnicodeDecodeError) as error:
            why = getattr(error, "detail", "") or "it cannot be read"
            raise ForeignServiceError(f"the issuer's signed metadata is not to be believed: {why}") from error


def signed_metadata(text: str, name: str, anchors: Collection[Certificate], *, now: datetime) -> dict[str, Any]:
    """Return signed issuer metadata (section 12.2.3), by a certificate of that very issuer; raises `FormatError`."""
    token = jws.parse(text, jws.ISSUER_METADATA)
    certified = x509.verify_chain(x509.parse_chain(token.header.get("x5c")), anchors, at=now)
    claims, second = jws.verify(token, certified.key).payload(), int(now.timestamp())
    issued, expires = jws.required_date(claims, "iat"), jws.numeric_date(claims, "exp")
    if not certified.names(name):
        raise CertificateRefusedError("the certificate is not that issuer's")
    if claims.get("sub") != name or claims.get("iss", name) != name:
        raise ClaimInvalidError("it is about another issuer")
    if issued > second + AHEAD_SECONDS or (expires is not None and second >= expires):
        raise ClaimInvalidError("it is over, or from this machine's future")
    return claims


def _agreed(name: str, grant: Mapping[str, Any], metadata: dict[str, Any], fetch: Fetch) -> Issuer:
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
