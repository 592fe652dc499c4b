"""Attestations of wallets and of their keys (VCI appendices D and E), believed only from configured attesters.

An attester's certificate ends in an anchor that the operator configured. The operator's own authority vouches for our
wallet alone: the other certificates it issues, to agencies and counters, attest nothing.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from cryptography import x509

from credentials import jws
from credentials import x509 as chains
from credentials.errors import CertificateRefusedError, ClaimInvalidError, ProofRefusedError
from credentials.jwk import PublicKey, import_public

MAX_KEYS = 32  # attested keys in one attestation
AHEAD_SECONDS = 10  # how far an honest attester's clock may run ahead


class Attesters:
    """The wallet providers that the operator believes: those configured, and our own wallet."""

    def __init__(
        self, anchors: Collection[x509.Certificate], *, own: Callable[[datetime], x509.Certificate], own_wallet: str
    ) -> None:
        self._anchors = list(anchors)
        self._own = own
        self._own_wallet = own_wallet

    def keys(self, text: str, *, now: datetime) -> tuple[list[PublicKey], Mapping[str, Any]]:
        """Verify a key attestation and return its keys and payload; raises `FormatError` otherwise."""
        payload = self._verified(text, jws.KEY_ATTESTATION, now)
        jws.required_date(payload, "iat")
        listed = payload.get("attested_keys")
        if not isinstance(listed, list) or not 0 < len(listed) <= MAX_KEYS:
            raise ProofRefusedError("attested_keys is a list of keys")
        return [import_public(one) for one in listed], payload

    def client(self, text: str, *, now: datetime) -> tuple[Mapping[str, Any], PublicKey]:
        """Verify a wallet's attestation and return its payload and instance key; raises `FormatError` otherwise."""
        payload = self._verified(text, jws.CLIENT_ATTESTATION, now)
        jws.required_date(payload, "exp")
        cnf = payload.get("cnf")
        if not isinstance(cnf, dict):
            raise ClaimInvalidError("cnf.jwk is missing")
        return payload, import_public(cnf.get("jwk"))

    def _verified(self, text: str, purpose: jws.Purpose, now: datetime) -> Mapping[str, Any]:
        token = jws.parse(text, purpose)
        own = self._own(now)
        certified = chains.verify_chain(chains.parse_chain(token.header.get("x5c")), [*self._anchors, own], at=now)
        if certified.anchor == own and self._own_wallet not in certified.uris:
            raise CertificateRefusedError("that certificate attests nothing")
        payload = jws.verify(token, certified.key).payload()
        second = int(now.timestamp())
        issued, first, last = (jws.numeric_date(payload, name) for name in ("iat", "nbf", "exp"))
        if any(one is not None and one > second + AHEAD_SECONDS for one in (issued, first)):
            raise ProofRefusedError("the attestation is from this machine's future")
        if last is not None and second >= last:
            raise ProofRefusedError("the attestation is over")
        return payload
