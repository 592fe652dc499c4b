"""The key that one response is encrypted to: sealed with its request, used for it alone, dropped with the verdict."""

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from credentials import jwe
from credentials.jwk import export_public, import_public
from keys.encryption import Seal
from verifier.openid4vp.models import PresentationRequest


class ResponseKeys:
    """Seals and opens requests' keys."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def sealed(self, request_id: str, private: EllipticCurvePrivateKey) -> bytes:
        """Return a request's key sealed for its row."""
        return self._seal.close_key(private, _context(request_id))

    def public(self, row: PresentationRequest) -> dict[str, str] | None:
        """Return the key that wallets encrypt to (section 8.3); None where the answer comes in the clear."""
        private = self._private(row)
        if private is None:
            return None
        jwk = export_public(private)
        return {**jwk, "kid": import_public(jwk).thumbprint, "use": "enc", "alg": jwe.ALGORITHM}

    def agree(self, row: PresentationRequest) -> jwe.Agree | None:
        """Return what opens a response encrypted to a request's key."""
        private = self._private(row)
        return jwe.agreement(private) if private else None

    def _private(self, row: PresentationRequest) -> EllipticCurvePrivateKey | None:
        return None if row.sealed_key is None else self._seal.open_key(row.sealed_key, _context(row.request_id))


def _context(request_id: str) -> str:
    return f"response key of {request_id}"
