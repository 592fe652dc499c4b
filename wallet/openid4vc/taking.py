"""Taking credentials from any conformant issuer (OpenID4VCI 1.0): by pre-authorized code, or by authorization code.

A numbered story. What comes is taken in only if its issuer vouches for it, if it is of the type that was offered and
keeps that type's rules, and if it is bound to the key that was made for it here.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from credentials import base64url, strict_json
from credentials.text import hostname
from keys.encryption import Seal
from records.database import Database
from wallet import codes
from wallet.errors import ForeignRefusalError, ForeignServiceError, UnknownRequestError, WalletError
from wallet.keeping import Keeping
from wallet.openid4vc import credential_request, store
from wallet.openid4vc.attesting import Attesting
from wallet.openid4vc.conversation import Conversation
from wallet.openid4vc.credential_request import Pending
from wallet.openid4vc.credential_vetting import Vetting
from wallet.openid4vc.discovery import AUTHORIZATION_CODE, PRE_AUTHORIZED, Discovery, Issuer, Offered
from wallet.openid4vc.fetching import Fetch
from wallet.openid4vc.kept_keys import IssuanceKeys
from wallet.openid4vc.models import OpenIssuance
from wallet.openid4vc.outcomes import Started, Taken
from wallet.presenting import record

SIGNING_IN = timedelta(minutes=30)  # how long a holder may take at the issuer's own pages
WAITING = timedelta(days=30)  # how long an agency may take to approve
ID_BYTES, SECRET_BYTES, VERIFIER_BYTES = 18, 24, 32


class Taking:
    """The verbs of taking."""

    def __init__(
        self,
        *,
        database: Database,
        seal: Seal,
        fetch: Fetch,
        keeping: Keeping,
        discovery: Discovery,
        vetting: Vetting,
        attesting: Attesting,
        redirect_uri: str,
        make_key: Callable[[], EllipticCurvePrivateKey],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._seal = seal
        self._fetch = fetch
        self._keeping = keeping
        self._discovery = discovery
        self._vetting = vetting
        self._attesting = attesting
        self._redirect_uri = redirect_uri
        self._make_key = make_key
        self._randomness = randomness

    def look(self, link: str, *, now: datetime) -> tuple[Offered, Issuer]:
        """Return what an offer holds and whose it is; nothing is taken.

        Raises `NotALinkError`, or `ForeignServiceError` if offer and issuer do not agree.
        """
        return self._discovery.offer(link, now=now)

    def take(self, holder_id: str, link: str, tx_code: str | None, *, now: datetime) -> Taken:
        """Take all that an offer with a pre-authorized code holds into a wallet."""
        # 1. The offer, and who the issuer says it is (sections 4.1 and 12.2).
        offered, issuer = self.look(link, now=now)
        code = offered.grants.get(PRE_AUTHORIZED, {}).get("pre-authorized_code")
        if not isinstance(code, str):
            raise ForeignServiceError("the offer has no pre-authorized code: start it, and sign in at the issuer's")
        # 2. An access token for the code, bound to a key of this one issuance (section 6; RFC 9449).
        keys = IssuanceKeys(self._make_key(), self._make_key())
        talk = self._talk(issuer, keys, now)
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, "client_id": self._attesting.client_id}
        form |= {"tx_code": tx_code} if tx_code is not None else {}
        token = talk.ask_server("token_endpoint", form).json()
        # 3. One credential for each configuration, each for a key of its own (sections 7 and 8).
        return self._credentials(holder_id, talk, keys, offered.configurations, token, now)

    def start(self, holder_id: str, link: str, *, now: datetime) -> Started:
        """Begin an issuance by authorization code (section 5); it ends with `finish`."""
        # 1. The offer, and who the issuer says it is.
        offered, issuer = self.look(link, now=now)
        if AUTHORIZATION_CODE not in offered.grants:
            raise ForeignServiceError("the offer does not let a holder sign in: take it")
        # 2. The request is pushed (RFC 9126), with PKCE (RFC 7636) and a state of this issuance.
        keys = IssuanceKeys(self._make_key(), self._make_key())
        state, verifier = self._token(SECRET_BYTES), self._token(VERIFIER_BYTES)
        form = self._request(offered, issuer, state, verifier)
        pushed = self._talk(issuer, keys, now).ask_server("pushed_authorization_request_endpoint", form).json()
        # 3. What `finish` needs is kept, sealed; the browser goes to the issuer's pages.
        kept = {"issuer": issuer.name, "configurations": list(offered.configurations), "verifier": verifier}
        kept |= {"server": issuer.server["issuer"]}
        row = self._row(holder_id, kept | keys.sealable(), now + SIGNING_IN, state=codes.hashed(state))
        with self._database.write() as session:
            session.add(row)
            record(session, holder_id, "issuance.started", row.issuance_id, now)
        query = {"client_id": self._attesting.client_id, "request_uri": str(pushed.get("request_uri"))}
        return Started(row.issuance_id, f"{issuer.endpoint('authorization_endpoint')}?{urlencode(query)}")

    def finish(self, holder_id: str, redirected_to: str, *, now: datetime) -> Taken:
        """Go on where the issuer's pages sent the browser back to (section 5.2; RFC 9207), once."""
        if hostname(redirected_to) is None:
            raise UnknownRequestError
        told = dict(parse_qsl(urlsplit(redirected_to).query))
        # 1. The issuance of this holder that the state names, and its issuer anew.
        with self._database.read() as session:
            row = store.by_state(session, holder_id, codes.hashed(told.get("state", "")), now)
        if row is None:
            raise UnknownRequestError
        kept = self._opened(row)
        issuer = self._again(kept, now)
        # 2. It is this server that answers (mix-up: RFC 9207 section 2.4), and it says yes.
        if told.get("iss", issuer.server["issuer"]) != issuer.server["issuer"]:
            raise ForeignServiceError("another authorization server answered")
        if issuer.server.get("authorization_response_iss_parameter_supported") and "iss" not in told:
            raise ForeignServiceError("the authorization server did not say who it is")
        if "code" not in told:
            raise ForeignRefusalError(told.get("error", "no code came back")[:64])
        # 3. It is claimed, so that a second try is none; code and verifier become an access token (section 6).
        with self._database.write() as session:
            if not store.claim_issuance(session, row.issuance_id, now):
                raise UnknownRequestError
        keys = IssuanceKeys.opened(kept)
        talk = self._talk(issuer, keys, now)
        form = {"grant_type": "authorization_code", "code": told["code"], "code_verifier": kept["verifier"]}
        form |= {"redirect_uri": self._redirect_uri, "client_id": self._attesting.client_id}
        token = talk.ask_server("token_endpoint", form).json()
        return self._credentials(holder_id, talk, keys, kept["configurations"], token, now)

    def collect(self, holder_id: str, issuance_id: str, *, now: datetime) -> Taken:
        """Ask again for what an issuer had yet to approve (section 9)."""
        with self._database.read() as session:
            row = session.get(OpenIssuance, issuance_id)
        over = row is not None and (row.done_at is not None or now >= row.expires_at)
        if row is None or row.holder_id != holder_id or row.state_hash is not None or over:
            raise UnknownRequestError
        kept = self._opened(row)
        issuer = self._again(kept, now)
        keys = IssuanceKeys.opened(kept)
        talk, pending = self._talk(issuer, keys, now), Pending(**kept["pending"])
        token = self._fresh_token(talk, kept["token"])
        if token != kept["token"]:
            self._keep_token(row, kept | {"token": dict(token)})
        got = credential_request.ask_again(talk, token, pending, make_key=self._make_key, randomness=self._randomness)
        taken = Taken()
        if not self._keep(holder_id, talk, token, pending, got, now):
            taken.waiting.append(issuance_id)
            return taken
        with self._database.write() as session:
            store.finish_issuance(session, issuance_id, now)
        taken.licence_ids.append(pending.name)
        return taken

    def waiting(self, holder_id: str, *, now: datetime) -> list[str]:
        """Return the issuances of a holder that wait for approval."""
        with self._database.read() as session:
            return [row.issuance_id for row in store.waiting(session, holder_id, now)]

    # Steps that both ways share

    def _credentials(
        self,
        holder_id: str,
        talk: Conversation,
        keys: IssuanceKeys,
        configurations: list[str] | tuple[str, ...],
        token: Mapping[str, Any],
        now: datetime,
    ) -> Taken:
        taken, last = Taken(), None
        for configuration in configurations:
            try:
                self._one(holder_id, talk, keys, configuration, token, taken, now)
            except WalletError as error:
                taken.refused[configuration], last = error.code, error
        if last is not None and not taken.licence_ids and not taken.waiting:
            raise last
        return taken

    def _one(  # noqa: PLR0917 - what the loop above knows
        self,
        holder_id: str,
        talk: Conversation,
        keys: IssuanceKeys,
        configuration: str,
        token: Mapping[str, Any],
        taken: Taken,
        now: datetime,
    ) -> None:
        name = f"foreign-{self._token(ID_BYTES)}"
        signer = self._keeping.key_for(holder_id, name, now=now)
        pending, got = credential_request.ask(
            talk, token, configuration, name, signer, attest=self._attesting.keys, make_key=self._make_key,
            randomness=self._randomness, now=now,
        )  # fmt: skip
        if self._keep(holder_id, talk, token, pending, got, now):
            taken.licence_ids.append(name)
            return
        pending.transaction_id = str(got.get("transaction_id"))
        kept = {"issuer": talk.issuer.name, "server": talk.issuer.server["issuer"], "token": dict(token)}
        kept |= {"pending": pending.kept(), **keys.sealable()}
        row = self._row(holder_id, kept, now + WAITING)
        with self._database.write() as session:
            session.add(row)
            record(session, holder_id, "issuance.waits", row.issuance_id, now)
        taken.waiting.append(row.issuance_id)

    def _keep(
        self,
        holder_id: str,
        talk: Conversation,
        token: Mapping[str, Any],
        pending: Pending,
        got: Mapping[str, Any],
        now: datetime,
    ) -> bool:
        """Vet what came and take it in; False if the issuer has yet to approve it."""
        if "transaction_id" in got and "credentials" not in got:
            return False
        event = "credential_failure"
        try:
            text = credential_request.only_credential(got)
            described = self._vetting.vet(text, talk.issuer, pending.configuration, now=now)
            self._keeping.receive_foreign(holder_id, pending.name, text, described=described, now=now)
            event = "credential_accepted"
        finally:
            credential_request.notify(talk, token, got, event)
        return True

    def _request(self, offered: Offered, issuer: Issuer, state: str, verifier: str) -> dict[str, str]:
        """Return the authorization request (section 5.1): by scope where there is one, else by details."""
        form = {
            "response_type": "code",
            "client_id": self._attesting.client_id,
            "redirect_uri": self._redirect_uri,
            "state": state,
            "code_challenge": base64url.encode(sha256(verifier.encode("ascii")).digest()),
            "code_challenge_method": "S256",
        }
        scopes = [issuer.configuration(one).get("scope") for one in offered.configurations]
        if all(isinstance(one, str) for one in scopes):
            form["scope"] = " ".join(str(one) for one in scopes)
        else:
            details = [
                {"type": "openid_credential", "credential_configuration_id": one}
                | ({"locations": [issuer.name]} if "authorization_servers" in issuer.metadata else {})
                for one in offered.configurations
            ]
            form["authorization_details"] = strict_json.dumps(details).decode("ascii")
        issuer_state = offered.grants[AUTHORIZATION_CODE].get("issuer_state")
        return form | ({"issuer_state": issuer_state} if isinstance(issuer_state, str) else {})

    def _fresh_token(self, talk: Conversation, token: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a new access token where there is a refresh token: the issuer may have taken days."""
        if not isinstance(token.get("refresh_token"), str):
            return token
        form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        form["client_id"] = self._attesting.client_id
        return {**token, **talk.ask_server("token_endpoint", form).json()}

    def _again(self, kept: Mapping[str, Any], now: datetime) -> Issuer:
        """Read an issuer's metadata anew; the authorization server is the one that was chosen then."""
        return self._discovery.issuer(kept["issuer"], {"authorization_server": kept["server"]}, now=now)

    def _talk(self, issuer: Issuer, keys: IssuanceKeys, now: datetime) -> Conversation:
        return Conversation(
            issuer, dpop_key=keys.dpop, instance_key=keys.instance, fetch=self._fetch, attesting=self._attesting,
            randomness=self._randomness, now=now,
        )  # fmt: skip

    def _keep_token(self, row: OpenIssuance, kept: Mapping[str, Any]) -> None:
        """Keep what a refresh gave at once: the old token may be good for nothing now."""
        sealed = self._seal.close(strict_json.dumps(dict(kept)), f"issuance {row.issuance_id} of {row.holder_id}")
        with self._database.write() as session:
            store.keep_sealed(session, row.issuance_id, sealed)

    def _row(self, holder_id: str, kept: Mapping[str, Any], until: datetime, state: str | None = None) -> OpenIssuance:
        name = self._token(ID_BYTES)
        sealed = self._seal.close(strict_json.dumps(dict(kept)), f"issuance {name} of {holder_id}")
        return OpenIssuance(issuance_id=name, holder_id=holder_id, state_hash=state, sealed=sealed, expires_at=until)

    def _opened(self, row: OpenIssuance) -> dict[str, Any]:
        return strict_json.loads_object(self._seal.open(row.sealed, f"issuance {row.issuance_id} of {row.holder_id}"))

    def _token(self, size: int) -> str:
        return base64url.encode(self._randomness(size))
