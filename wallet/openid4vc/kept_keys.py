"""Private keys as text, to be sealed with what they belong to: they never lie anywhere in clear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from credentials import base64url
from keys.encryption import key_bytes, key_of


def sealable(key: EllipticCurvePrivateKey) -> str:
    """Return a private key as text; whoever calls this seals it."""
    return base64url.encode(key_bytes(key))


def opened(text: str) -> EllipticCurvePrivateKey:
    """Return the private key of a text."""
    return key_of(base64url.decode(text))


@dataclass(frozen=True, slots=True)
class IssuanceKeys:
    """The keys of one issuance: DPoP, and the instance that the wallet attests."""

    dpop: EllipticCurvePrivateKey
    instance: EllipticCurvePrivateKey

    @classmethod
    def opened(cls, kept: Mapping[str, Any]) -> "IssuanceKeys":
        """Return the keys of what `sealable` made."""
        return cls(opened(kept["dpop"]), opened(kept["instance"]))

    def sealable(self) -> dict[str, str]:
        """Return the keys as text; whoever calls this seals it."""
        return {"dpop": sealable(self.dpop), "instance": sealable(self.instance)}
