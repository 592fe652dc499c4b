"""The city's identity platform: an OpenID Connect provider of whatever make. The only door to Authlib.

Its metadata and keys are fetched from the configured issuer, over the guarded way out. An ID token is believed once its
signature, issuer, audience, nonce, times, level (`acr`) and age of the sign-in (`auth_time`) were checked
(OpenID Connect Core 1.0 section 3.1.3.7).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from wallet.errors import ForeignServiceError, SignInFailedError, WalletError
from wallet.openid4vc.fetching import Fetch, Fetched, good

ALGORITHMS = ["ES256", "PS256", "RS256", "Ed25519", "EdDSA"]  # what providers sign ID tokens with; never `none` or HS*
LEEWAY = timedelta(seconds=60)  # of the provider's clock
KEEP = timedelta(minutes=5)  # how long metadata and keys are believed without asking again
WAIT_AFTER_FAILURE = timedelta(
    seconds=30
)  # from when it was asked; while the platform is down nobody waits for it anew
OTHERS_WAIT_SECONDS = 1.0
ASSERTION_SECONDS = 60  # how long this service's own assertion lives (RFC 7523)
ASK_AGAIN = timedelta(minutes=1)  # at most this often because of a key that is not known


@dataclass(frozen=True, slots=True)
class Registration:
    """This service as the provider knows it, and what is asked of a sign-in."""

    issuer: str
    client_id: str
    client_secret: str | None
    client_key: str | None
    redirect_uri: str
    scope: str
    levels: tuple[str, ...]
    max_age: timedelta


@dataclass(frozen=True, slots=True)
class _Known:
    metadata: Mapping[str, Any]
    keys: KeySet
    at: datetime


class Provider:
    """Sends browsers to the provider, and learns who came back."""

    def __init__(self, registration: Registration, fetch: Fetch) -> None:
        self.issuer = registration.issuer
        self._as = registration
        self._fetch = fetch
        self._known: _Known | None = None
        self._failed: datetime | None = None
        self._one_asks = Lock()

    def must_answer(self, now: datetime) -> None:
        """Ask anew for metadata and keys; raises `WalletError` if nobody could sign in by them."""
        self._learn(now)
        for name in ("authorization_endpoint", "token_endpoint"):
            self._endpoint(name, now)

    def authorization_url(self, *, state: str, nonce: str, code_verifier: str, now: datetime) -> str:
        """Return where a browser goes to sign in (Core section 3.1.2.1; RFC 7636)."""
        asked: dict[str, Any] = {"max_age": int(self._as.max_age.total_seconds())}
        asked |= {"acr_values": " ".join(self._as.levels)} if self._as.levels else {}
        endpoint = self._endpoint("authorization_endpoint", now)
        url, _ = self._client(now).create_authorization_url(
            endpoint, state=state, code_verifier=code_verifier, nonce=nonce, **asked
        )
        return str(url)

    def claims(
        self, code: str, *, issuer: str | None, nonce: str, code_verifier: str, now: datetime
    ) -> Mapping[str, Any]:
        """Exchange a code and return who signed in, as verified; anything amiss raises `SignInFailedError`.

        `issuer` is the answer's `iss` (RFC 9207), None if it had none.
        """
        metadata = self._metadata(now).metadata
        promised = metadata.get("authorization_response_iss_parameter_supported") is True
        if issuer != self.issuer and (issuer is not None or promised):
            raise SignInFailedError("the answer is another provider's")
        try:
            token = self._client(now).fetch_token(
                self._endpoint("token_endpoint", now), grant_type="authorization_code", code=code,
                code_verifier=code_verifier,
            )  # fmt: skip
        except OAuth2Error as error:
            raise SignInFailedError(f"the provider refuses the code: {error.error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise SignInFailedError("the provider's answer cannot be read") from error
        id_token, access_token = token.get("id_token"), token.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise SignInFailedError("the provider answered without an ID token")
        found = self._verified(id_token, access_token, nonce, now)
        return self._told(access_token, metadata, str(found["sub"])) | found

    def _verified(self, id_token: str, access_token: str, nonce: str, now: datetime) -> dict[str, Any]:
        """Return the claims of an ID token (Core section 3.1.3.7)."""
        try:
            token = jwt.decode(id_token, lambda one: self._keys(one.headers().get("kid"), now), algorithms=ALGORITHMS)
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._as.client_id},
                },
                params={"nonce": nonce, "client_id": self._as.client_id, "access_token": access_token},
            )
            claims.validate(now=int(now.timestamp()), leeway=int(LEEWAY.total_seconds()))
        except (JoseError, OAuth2Error, ValueError, TypeError, KeyError, AttributeError) as error:
            raise SignInFailedError(f"the ID token is refused: {getattr(error, 'error', 'malformed')}") from error
        if self._as.levels and claims.get("acr") not in self._as.levels:
            raise SignInFailedError("signed in at too low a level")
        self._check_age(claims.get("auth_time"), now)
        return dict(claims)

    def _check_age(self, auth_time: object, now: datetime) -> None:
        """Raise unless the holder signed in within the age that was asked for (Core section 3.1.2.1, `max_age`)."""
        if type(auth_time) is not int:
            raise SignInFailedError("the provider does not say when the holder signed in")
        age = now.timestamp() - auth_time
        if not -LEEWAY.total_seconds() <= age <= (self._as.max_age + LEEWAY).total_seconds():
            raise SignInFailedError("signed in too long ago")

    def _told(self, access_token: str, metadata: Mapping[str, Any], subject: str) -> dict[str, Any]:
        """Return what the userinfo endpoint says, if there is one; it must be of the same person (Core 5.3.2)."""
        if not isinstance(metadata.get("userinfo_endpoint"), str):
            return {}
        bearer = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        told = good(self._fetch("GET", metadata["userinfo_endpoint"], headers=bearer)).json()
        if told.get("sub") != subject:
            raise SignInFailedError("the provider tells of somebody else")
        return told

    def _keys(self, kid: object, now: datetime) -> KeySet:
        """Return the provider's keys; asked for anew if a token names one that is not among them, once a minute."""
        known = self._metadata(now)
        if kid is not None and all(key.kid != kid for key in known.keys.keys) and now - known.at >= ASK_AGAIN:
            known = self._asked(known, now)
        return known.keys

    def _metadata(self, now: datetime) -> _Known:
        known = self._known
        if known is not None and now - known.at < KEEP:
            return known
        return self._asked(known, now)

    def _asked(self, known: _Known | None, now: datetime) -> _Known:
        """Learn anew what was `known`: one request at a time, others wait a second for it, none while it is down."""
        if not self._one_asks.acquire(timeout=OTHERS_WAIT_SECONDS):
            raise ForeignServiceError("it is being asked, and has not answered yet")
        try:
            if self._known is not None and self._known is not known:
                return self._known  # another request has just learnt it
            if self._failed is not None and now - self._failed < WAIT_AFTER_FAILURE:
                raise ForeignServiceError("it did not answer a moment ago")
            try:
                return self._learn(now)
            except WalletError:
                self._failed = now
                raise
        finally:
            self._one_asks.release()

    def _learn(self, now: datetime) -> _Known:
        """Fetch metadata and keys (OpenID Connect Discovery 1.0 section 4)."""
        json = {"Accept": "application/json, application/jwk-set+json"}
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        metadata = good(self._fetch("GET", url, headers=json)).json()
        if metadata.get("issuer") != self.issuer:
            raise SignInFailedError("the provider's metadata is another's")
        if not isinstance(metadata.get("jwks_uri"), str):
            raise SignInFailedError("the provider names no keys")
        keys = good(self._fetch("GET", metadata["jwks_uri"], headers=json)).json()
        try:
            made = KeySet.import_key_set(keys)  # type: ignore[arg-type]
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise SignInFailedError("the provider's keys cannot be read") from error
        self._known = _Known(metadata, made, now)
        return self._known

    def _endpoint(self, name: str, now: datetime) -> str:
        found = self._metadata(now).metadata.get(name)
        if not isinstance(found, str):
            raise SignInFailedError(f"the provider names no {name}")
        return found

    def _client(self, now: datetime) -> OAuth2Client:
        secret: str | ECKey | None = self._as.client_secret
        if self._as.client_key is not None:
            secret = ECKey.import_key(self._as.client_key)
        second = int(now.timestamp())
        assertion = PrivateKeyJWT(claims={"iat": second, "exp": second + ASSERTION_SECONDS}, alg="ES256")
        made = OAuth2Client(
            _Session(self._fetch), client_id=self._as.client_id, client_secret=secret,
            token_endpoint_auth_method="private_key_jwt" if self._as.client_key else None, scope=self._as.scope,
            redirect_uri=self._as.redirect_uri,
            code_challenge_method="S256",
        )  # fmt: skip
        made.register_client_auth_method(assertion)
        return made


class _Session:
    """The guarded way out, as Authlib calls it."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> "_Answer":
        """Send a form, authenticated as the client."""
        url, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        sent.pop("Content-Type", None)
        return _Answer(self._fetch("POST", url, headers=sent, form=dict(parse_qsl(body))))


class _Answer:
    """An answer, as Authlib reads it."""

    def __init__(self, answer: Fetched) -> None:
        self.status_code = answer.status
        self._answer = answer

    def json(self) -> dict[str, Any]:
        """Return the answer's JSON object."""
        return self._answer.json()

    def raise_for_status(self) -> None:
        """Raise if the provider is broken."""
        if self.status_code >= 400:
            raise ForeignServiceError(self._answer.error())
