"""Who a wallet is: client attestation and its proof of possession (OAuth Attestation-Based Client Authentication -07).

The attester vouches for the wallet, the wallet's instance key signs a proof for this authorization server. Drafts from
-08 on left `iss` out of both; it is checked where it stands.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from credentials import dpop, jws
from credentials.errors import FormatError, ProofRefusedError
from issuers.openid4vci.attestation import Attesters
from keys.oauth.errors import OAuthError
from keys.oauth.nonces import CHALLENGE, Nonces
from records.database import Database

CHALLENGE_HEADER = "OAuth-Client-Attestation-Challenge"
JTI = "client_jti"
MAX_JTI_LENGTH = 128  # characters


@dataclass(frozen=True, slots=True)
class Client:
    """A wallet that an attester vouched for: its identifier, its name, the thumbprint of this instance's key."""

    client_id: str
    name: str
    instance: str


class Clients:
    """Authenticates wallets."""

    def __init__(
        self, *, database: Database, attesters: Attesters, nonces: Nonces, issuer_url: Callable[[str], str]
    ) -> None:
        self._database = database
        self._attesters = attesters
        self._nonces = nonces
        self._issuer_url = issuer_url

    def authenticate(
        self, agency: str, attestation: list[str], proof: list[str], client_id: str | None, *, now: datetime
    ) -> Client | None:
        """Return the wallet that both headers name, None if there are none; anything else is refused.

        `client_id` is the form's: it must be the attested one.
        """
        if not attestation and not proof:
            return None
        if len(attestation) != 1 or len(proof) != 1:
            raise OAuthError("invalid_request", "one attestation and one proof of it")
        try:
            client, challenge = self._client(agency, attestation[0], proof[0], now)
        except FormatError as error:
            raise OAuthError("invalid_client", error.detail, status=401) from error
        if challenge is not None and not self._nonces.check(CHALLENGE, agency, challenge, now=now):
            raise self._other_challenge(agency, now)
        if client_id is not None and client_id != client.client_id:
            raise OAuthError("invalid_client", "client_id is not the attested one", status=401)
        return client

    def must(self, client: Client | None) -> Client:
        """Return the wallet; one that did not say who it is is refused (HAIP section 4.4.1)."""
        if client is None:
            raise OAuthError("invalid_client", "say who you are by client attestation", status=401)
        return client

    def challenge(self, agency: str, *, now: datetime) -> str:
        """Return a fresh challenge."""
        return self._nonces.make(CHALLENGE, agency, now=now)

    def _client(self, agency: str, attestation: str, proof: str, now: datetime) -> tuple[Client, object]:
        attested, key = self._attesters.client(attestation, now=now)
        payload = jws.verify(jws.parse(proof, jws.CLIENT_ATTESTATION_POP), key).payload()
        client_id, jti = jws.required_text(attested, "sub"), jws.required_text(payload, "jti")
        if payload.get("aud") != self._issuer_url(agency):
            raise ProofRefusedError("the proof is for another authorization server")
        if payload.get("iss", client_id) != client_id or len(jti) > MAX_JTI_LENGTH:
            raise ProofRefusedError("the proof is another wallet's")
        dpop.check_time(jws.required_date(payload, "iat"), now=now)
        with self._database.write() as session:
            self._spend(session, f"{key.thumbprint} {jti}", now)
        name = attested.get("wallet_name")
        return Client(client_id, name[:64] if isinstance(name, str) else client_id, key.thumbprint), payload.get(
            "challenge"
        )

    def _spend(self, session: Session, value: str, now: datetime) -> None:
        if not self._nonces.spend(session, JTI, value, now=now):
            raise ProofRefusedError("the proof was used before")

    def _other_challenge(self, agency: str, now: datetime) -> OAuthError:
        headers = {CHALLENGE_HEADER: self.challenge(agency, now=now)}
        return OAuthError("use_attestation_challenge", "use the challenge of the header", headers=headers)
