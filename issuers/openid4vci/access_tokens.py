"""What an access token lets a wallet take (RFC 6750, RFC 9449 section 7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from issuers.openid4vci import store
from issuers.openid4vci.models import Grant, Offer
from issuers.openid4vci.offers import hashed
from keys.oauth.dpop_gate import DpopGate
from keys.oauth.errors import OAuthError, invalid_token
from keys.trust_list import issuer_url
from records.database import Database


@dataclass(frozen=True, slots=True)
class Entitled:
    """A grant, and what may be taken with it: type → licence, None where the agency has yet to approve."""

    grant: Grant
    licences: Mapping[str, str | None]
    denied: bool = False

    @property
    def agency(self) -> str:
        """Whose licences these are."""
        return self.grant.agency


class AccessTokens:
    """Reads access tokens."""

    def __init__(self, *, database: Database, gate: DpopGate, base_url: str) -> None:
        self._database = database
        self._gate = gate
        self._base_url = base_url

    def entitled(
        self, agency: str, authorization: str | None, proof: str | None, endpoint: str, *, now: datetime
    ) -> Entitled:
        """Return what an Authorization header stands for at a protected endpoint, or refuse with 401."""
        scheme, _, secret = (authorization or "").partition(" ")
        scheme = {"bearer": "Bearer", "dpop": "DPoP"}.get(scheme.lower(), "")
        if not scheme or not secret or not secret.isascii():
            raise OAuthError("invalid_token", status=401, headers={"WWW-Authenticate": 'DPoP algs="ES256"'})
        with self._database.read() as session:
            grant = store.grant_by_access(session, hashed(secret))
            found = _entitled(session, grant) if grant else None
        if grant is None or found is None or grant.agency != agency or now >= grant.access_until:
            raise invalid_token(scheme, "the access token is unknown or over")
        if (grant.jkt is None) != (scheme == "Bearer"):
            raise invalid_token(scheme, "the access token is for the other scheme")
        if grant.jkt is not None:
            url = f"{issuer_url(self._base_url, agency)}/{endpoint}"
            if self._gate.proven(agency, proof, url, access_token=secret, now=now) != grant.jkt:
                raise invalid_token(scheme, "the proof is by another key")
        return found


def _entitled(session: Session, grant: Grant) -> Entitled | None:
    if grant.offer_id is None:
        return Entitled(grant, dict(grant.licences or {}))
    offer = session.get(Offer, grant.offer_id)
    return Entitled(grant, {offer.type_key: offer.licence_id}, offer.denied) if offer else None
