"""Our wallet's word for itself and its holders' keys (OAuth Attestation-Based Client Authentication; VCI appendix D).

The operator is the wallet provider: attestations are signed with its wallet key, certified by its authority. Every
issuance has an instance key of its own, so that two issuers cannot compare attestations. Holders' keys are kept in
software, sealed: no `key_storage` level is claimed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from credentials import base64url, jws
from credentials.jwk import export_public

LIFE = timedelta(minutes=10)
PROOF_LIFE = timedelta(minutes=1)
ID_BYTES = 18
WALLET_NAME = "Licence Wallet"


@dataclass(frozen=True, slots=True)
class Provider:
    """The wallet provider's key: signs, and the chain that says whose it is."""

    signer: jws.Signer
    x5c: Sequence[str]


class Attesting:
    """Makes attestations; `client_id` names our wallet to every authorization server."""

    def __init__(
        self, *, client_id: str, provider: Callable[[datetime], Provider], randomness: Callable[[int], bytes]
    ) -> None:
        self.client_id = client_id
        self._provider = provider
        self._randomness = randomness

    def client(
        self, instance: EllipticCurvePrivateKey, server: str, challenge: str | None, *, now: datetime
    ) -> dict[str, str]:
        """Return the two headers that authenticate this wallet at an authorization server (issuer `server`)."""
        provider, second = self._provider(now), int(now.timestamp())
        attested = {
            "iss": self.client_id,
            "sub": self.client_id,
            "iat": second,
            "exp": second + int(LIFE.total_seconds()),
            "cnf": {"jwk": export_public(instance)},
            "wallet_name": WALLET_NAME,
        }
        proof = {
            "iss": self.client_id,
            "aud": server,
            "jti": base64url.encode(self._randomness(ID_BYTES)),
            "iat": second,
            "exp": second + int(PROOF_LIFE.total_seconds()),  # older drafts demand it
        } | ({"challenge": challenge} if challenge is not None else {})
        x5c = {"x5c": list(provider.x5c)}
        return {
            "OAuth-Client-Attestation": jws.sign(jws.CLIENT_ATTESTATION, attested, provider.signer, more=x5c),
            "OAuth-Client-Attestation-PoP": jws.sign(jws.CLIENT_ATTESTATION_POP, proof, jws.es256(instance)),
        }

    def keys(self, jwks: Sequence[Mapping[str, str]], nonce: str | None, *, now: datetime) -> str:
        """Return a key attestation of holders' keys (VCI appendix D.1); with a nonce it is a proof by itself."""
        provider, second = self._provider(now), int(now.timestamp())
        told = {
            "iat": second,
            "exp": second + int(LIFE.total_seconds()),
            "attested_keys": [dict(one) for one in jwks],
        } | ({"nonce": nonce} if nonce is not None else {})
        return jws.sign(jws.KEY_ATTESTATION, told, provider.signer, more={"x5c": list(provider.x5c)})
