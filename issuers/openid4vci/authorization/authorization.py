"""From a pushed request to a code (RFC 9126, RFC 7636, RFC 9207; VCI section 5), as a numbered story.

A wallet that says who it is pushes what it wants; the holder, signed in on our page, agrees or declines; the browser
goes back with a code that lives a minute, for that wallet's instance and key alone. A pushed request may be looked at
again while the holder reads; it is decided once.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from sqlmodel import Session

from credentials import base64url
from issuers import store as issuers_store
from issuers.errors import AuthorizationOverError
from issuers.issuer import Issuer
from issuers.openid4vci import store
from issuers.openid4vci.clients import Client
from issuers.openid4vci.details import details
from issuers.openid4vci.models import Authorization, Offer
from issuers.openid4vci.offers import hashed
from keys.oauth.errors import OAuthError
from keys.trust_list import issuer_url
from records import audit
from records.database import Database

REQUEST_LIFE = timedelta(minutes=9)  # FAPI 2.0: less than ten
CODE_LIFE = timedelta(seconds=60)  # FAPI 2.0: a minute at most
REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
SECRET_BYTES, ID_BYTES = 32, 12
MAX_STATE = 512  # characters
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a holder is asked to agree to."""

    wallet: str
    host: str
    type_keys: Sequence[str]


class Authorizations:
    """The verbs of authorization by code."""

    def __init__(
        self,
        *,
        database: Database,
        issuer: Issuer,
        base_url: str,
        signs_in: bool,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._issuer = issuer
        self._base_url = base_url
        self.signs_in = signs_in
        """Whether holders can sign in at all."""
        self._randomness = randomness

    def push(
        self, agency: str, form: Mapping[str, str], client: Client, jkt: str | None, *, now: datetime
    ) -> dict[str, object]:
        """Take a pushed request (RFC 9126 section 2); `jkt` is the DPoP key that came with it."""
        # 1. It is a request for a code, with nothing by reference.
        if "request_uri" in form or "request" in form:
            raise OAuthError("invalid_request", "a pushed request holds its parameters themselves")
        if form.get("response_type") != "code":
            raise OAuthError("unsupported_response_type", "only code")
        # 2. Where the browser goes back to; the wallet is authenticated, so it may name its own (section 2.4).
        redirect_uri = _redirect_uri(form.get("redirect_uri"))
        # 3. PKCE with S256 (FAPI 2.0 section 5.3.2.2).
        challenge = form.get("code_challenge", "")
        if form.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
            raise OAuthError("invalid_request", "code_challenge with S256 is needed")
        # 4. The key that the code is bound to (RFC 9449 section 10).
        named = form.get("dpop_jkt")
        if named is not None and (not _THUMBPRINT.fullmatch(named) or jkt not in {None, named}):
            raise OAuthError("invalid_dpop_proof", "dpop_jkt is not the key of the proof")
        # 5. What of: by scope or by details, within what this agency signs for foreign wallets.
        type_keys, by_details = self._types(agency, form, now)
        offer = self._offer(agency, form.get("issuer_state"), type_keys, now)
        if len(form.get("state", "")) > MAX_STATE:
            raise OAuthError("invalid_request", "state is too long")
        secret = self._token(SECRET_BYTES)
        row = Authorization(
            authorization_id=self._token(ID_BYTES),
            agency=agency,
            request_hash=hashed(secret),
            client_id=client.client_id,
            client_name=client.name,
            instance=client.instance,
            jkt=named or jkt,
            redirect_uri=redirect_uri,
            state=form.get("state"),
            code_challenge=challenge,
            type_keys=type_keys,
            by_details=by_details,
            offer_id=offer.offer_id if offer else None,
            expires_at=now + REQUEST_LIFE,
        )
        with self._database.write() as session:
            session.add(row)
        return {"request_uri": REQUEST_URI + secret, "expires_in": int(REQUEST_LIFE.total_seconds())}

    def look(self, agency: str, client_id: str, request_uri: str, *, now: datetime) -> Wanted:
        """Return what a pushed request wants; one that is over raises `AuthorizationOverError`."""
        row = self._open(agency, client_id, request_uri, now)
        return Wanted(row.client_name, urlsplit(row.redirect_uri).hostname or row.redirect_uri, row.type_keys)

    def decide(self, agency: str, client_id: str, request_uri: str, holder: str | None, *, now: datetime) -> str:
        """Return where the browser goes: with a code if a `holder` agrees, who is signed in; declined if None."""
        row = self._open(agency, client_id, request_uri, now)
        code = self._token(SECRET_BYTES)
        with self._database.write() as session:
            # 1. The request is decided once.
            if not store.decide(session, row, now):
                raise AuthorizationOverError
            # 2. Which licences of theirs; the code is for this instance and key, for a minute.
            licences = self._licences(session, row, holder, now) if holder is not None else None
            kept = session.get(Authorization, row.authorization_id, populate_existing=True)
            assert kept is not None  # noqa: S101 - it was just decided
            if licences is not None:
                kept.licences, kept.code_hash, kept.code_until = licences, hashed(code), now + CODE_LIFE
            self._audit(session, row, "authorization.given" if licences is not None else "authorization.refused", now)
        # 3. The answer says who gives it (RFC 9207).
        told = {"code": code} if licences is not None else {"error": "access_denied"}
        told |= {"state": row.state} if row.state is not None else {}
        told["iss"] = issuer_url(self._base_url, agency)
        return f"{row.redirect_uri}{'&' if '?' in row.redirect_uri else '?'}{urlencode(told)}"

    def _open(self, agency: str, client_id: str, request_uri: str, now: datetime) -> Authorization:
        with self._database.read() as session:
            row = store.authorization(session, agency, hashed(request_uri.removeprefix(REQUEST_URI)))
        if row is None or row.client_id != client_id or row.decided_at is not None or now >= row.expires_at:
            raise AuthorizationOverError
        return row

    def _types(self, agency: str, form: Mapping[str, str], now: datetime) -> tuple[list[str], bool]:
        offered = self._issuer.offered_types(agency, now=now)
        if "authorization_details" in form:
            named = details(form["authorization_details"], offered, issuer_url(self._base_url, agency))
            return [str(one["credential_configuration_id"]) for one in named], True
        scopes = list(dict.fromkeys(form.get("scope", "").split()))
        if not scopes or not set(scopes) <= set(offered):
            raise OAuthError("invalid_scope", "a scope of the issuer's metadata is needed")
        return scopes, False

    def _offer(self, agency: str, state: str | None, type_keys: Sequence[str], now: datetime) -> Offer | None:
        if state is None:
            return None
        with self._database.read() as session:
            offer = store.offer_by_issuer_state(session, agency, hashed(state))
        over = offer is None or offer.redeemed_at is not None or now >= offer.expires_at
        if offer is None or over or list(type_keys) != [offer.type_key]:
            raise OAuthError("invalid_request", "the offer is unknown, over, or of another licence")
        return offer

    def _licences(self, session: Session, row: Authorization, holder: str, now: datetime) -> dict[str, str] | None:
        """Return the holder's valid licences that are wanted, None if one is missing: there is nothing to agree to."""
        if row.offer_id is not None:
            return {} if self._redeemed(session, row.offer_id, holder, now) else None
        found: dict[str, str] = {}
        for key in row.type_keys:
            licence = issuers_store.valid_licence_of(session, row.agency, key, holder)
            if licence is None:
                return None
            found[key] = licence.licence_id
        return found

    def _redeemed(self, session: Session, offer_id: str, holder: str, now: datetime) -> bool:
        """Use an offer up if it is this holder's: its licence is in their wallet, or its order waits for the agency."""
        offer = session.get(Offer, offer_id)
        if offer is None:
            return False
        if offer.licence_id is not None:
            licence = issuers_store.licence(session, offer.agency, offer.licence_id)
            if licence is None or licence.holder_ref != holder:
                return False
        return store.redeem(session, offer_id, now)

    def _audit(self, session: Session, row: Authorization, act: str, now: datetime) -> None:
        audit.record(
            session, stream=f"issuers/{row.agency}", actor="holder", act=act, subject=row.authorization_id, now=now,
            detail={"client_id": row.client_id, "types": row.type_keys},
        )  # fmt: skip

    def _token(self, size: int) -> str:
        return base64url.encode(self._randomness(size))


def _redirect_uri(uri: str | None) -> str:
    """Return a redirect address: https, loopback, or a scheme that an app owns (RFC 8252 section 7); no fragment."""
    try:
        parts = urlsplit(uri or "")
    except ValueError as error:
        raise OAuthError("invalid_request", "redirect_uri is no address") from error
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"})
    own = "." in parts.scheme or parts.scheme in WALLET_SCHEMES
    if uri is None or parts.fragment or "#" in uri or not ((safe and parts.hostname) or own):
        raise OAuthError("invalid_request", "redirect_uri is https, loopback, or an app's own scheme, with no fragment")
    return uri


WALLET_SCHEMES: Collection[str] = frozenset({"openid-credential-offer", "haip-vci", "eudi-openid4ci"})
"""Schemes without a dot that wallets register."""
