"""Signing in at the city's identity platform (OpenID Connect, authorization code with PKCE), as a numbered story.

An account there is known by `(iss, sub)`; the first time, a claim that the settings name says which person it is, and
from then on it must stay that person.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from credentials import base64url, strict_json
from credentials.claim_values import Fault
from credentials.licence_type import Holder, check_identity
from keys.encryption import Seal
from records import audit
from records.database import Database
from records.rows import store as rows_store
from wallet.accounts import Accounts, stream
from wallet.errors import IdentityChangedError, IdentityUnverifiedError, SignInFailedError, SignInOverError
from wallet.sign_in import store
from wallet.sign_in.models import Identity, SignInAttempt
from wallet.sign_in.provider import Provider

ATTEMPT_LIFE = timedelta(minutes=10)
SECRET_BYTES = 32
MAX_RETURN = 2048  # characters
HOME, SIGN_IN = "/w", "/wallet/sign-in"


@dataclass(frozen=True, slots=True)
class WhoIsWho:
    """Which claims of the provider say who somebody is: code and name; `verified` must be true where it is named."""

    code_type: str
    code: str
    name: str
    verified: str | None = None

    def holder(self, claims: Mapping[str, Any]) -> Holder:
        """Return the person that verified claims are about, or raise `IdentityUnverifiedError`."""
        code, name = claims.get(self.code), claims.get(self.name)
        if self.verified is not None and claims.get(self.verified) is not True:
            raise IdentityUnverifiedError
        if not isinstance(code, str) or not isinstance(name, str):
            raise IdentityUnverifiedError
        found = Holder(self.code_type, code, name)
        faults: list[Fault] = check_identity(found, "")
        if faults:
            raise IdentityUnverifiedError
        return found


@dataclass(frozen=True, slots=True)
class Started:
    """Where a browser goes, and what it must bring back in its cookie."""

    url: str
    browser: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who came back, and where on our pages they were going."""

    holder_id: str
    return_to: str


class SigningIn:
    """The verbs of signing in at the provider."""

    def __init__(
        self,
        *,
        database: Database,
        seal: Seal,
        accounts: Accounts,
        provider: Provider,
        who: WhoIsWho,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._seal = seal
        self._accounts = accounts
        self.provider = provider
        self._who = who
        self._randomness = randomness

    def start(self, return_to: str, *, now: datetime) -> Started:
        """Begin a sign-in, good for ten minutes in one browser."""
        state, browser, nonce, verifier = (self._token() for _ in range(4))
        url = self.provider.authorization_url(state=state, nonce=nonce, code_verifier=verifier, now=now)
        kept = strict_json.dumps({"nonce": nonce, "verifier": verifier, "return_to": own_page(return_to)})
        state_hash = _hash(state)
        row = SignInAttempt(
            state_hash=state_hash,
            browser_hash=_hash(browser),
            sealed=self._seal.close(kept, f"sign-in {state_hash}"),
            expires_at=now + ATTEMPT_LIFE,
        )
        with self._database.write() as session:
            store.forget_attempts(session, now - ATTEMPT_LIFE)
            session.add(row)
        return Started(url, browser)

    def finish(self, answer: Mapping[str, str], browser: str | None, *, now: datetime) -> SignedIn:
        """Take the provider's answer and return who signed in; whatever is amiss raises, and signs nobody in."""
        # 1. The answer is to a question that this very browser was sent to ask, and is taken once.
        state_hash = _hash(answer.get("state", ""))
        with self._database.write() as session:
            attempt = store.claim_attempt(session, state_hash, _hash(browser or ""), now)
        if attempt is None:
            raise SignInOverError
        kept = strict_json.loads_object(self._seal.open(attempt.sealed, f"sign-in {state_hash}"))
        # 2. It is a code (RFC 6749 section 4.1.2), or the provider's no.
        if "error" in answer or not answer.get("code"):
            raise SignInFailedError("the provider signed nobody in")
        # 3. The code says who: see `provider.py`.
        claims = self.provider.claims(
            answer["code"], issuer=answer.get("iss"), nonce=kept["nonce"], code_verifier=kept["verifier"], now=now
        )
        # 4. Which person that account is.
        return SignedIn(self._holder(str(claims["sub"]), claims, now), kept["return_to"])

    def _holder(self, subject: str, claims: Mapping[str, Any], now: datetime) -> str:
        """Return whose account it is; one that turns into another person's is refused."""
        person = self._who.holder(claims)
        with self._database.read() as session:
            known = session.get(Identity, (self.provider.issuer, subject))
        if known is not None:
            was = self._accounts.get(known.holder_id)
            if (was.code_type, was.code) != (person.code_type, person.code):
                raise IdentityChangedError
        holder_id = self._accounts.must_be(person, actor="sign-in", now=now)
        with self._database.write() as session:
            known = session.get(Identity, (self.provider.issuer, subject))
            if known is None:
                row = Identity(issuer=self.provider.issuer, subject=subject, holder_id=holder_id, linked_at=now)
                if not rows_store.insert_unless_taken(session, row):
                    known = session.get(Identity, (self.provider.issuer, subject))
            if known is not None and known.holder_id != holder_id:
                raise IdentityChangedError
            act = "holder.identity_linked" if known is None else "holder.signed_in"
            audit.record(
                session, stream=stream(holder_id), actor=f"holder:{holder_id}", act=act, subject=holder_id, now=now,
                detail={"at": self.provider.issuer},
            )  # fmt: skip
        return holder_id

    def _token(self) -> str:
        return base64url.encode(self._randomness(SECRET_BYTES))


def own_page(path: str) -> str:
    """Return an address of this service to go on to: anything that might lead elsewhere becomes the sign-in page."""
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if ours and len(path) <= MAX_RETURN and path.isascii() and path.isprintable() else HOME


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
