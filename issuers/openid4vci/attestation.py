"""Key attestations (VCI appendix D), believed only from attesters whose certificate ends in a configured anchor."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from cryptography import x509

from credentials import jws
from credentials import x509 as chains
from credentials.errors import ProofRefusedError
from credentials.jwk import PublicKey, import_public

MAX_KEYS = 32  # attested keys in one attestation


class Attesters:
    """The wallet providers that the operator believes; none configured means none believed."""

    def __init__(self, anchors: Collection[x509.Certificate]) -> None:
        self._anchors = anchors

    def keys(self, text: str, *, now: datetime) -> tuple[list[PublicKey], Mapping[str, Any]]:
        """Verify a key attestation and return its keys and payload; raises `FormatError` otherwise."""
        token = jws.parse(text, jws.KEY_ATTESTATION)
        certified = chains.verify_chain(chains.parse_chain(token.header.get("x5c")), self._anchors, at=now)
        payload = jws.verify(token, certified.key).payload()
        second = int(now.timestamp())
        expires = jws.numeric_date(payload, "exp")
        if jws.required_date(payload, "iat") > second + 10 or (expires is not None and second >= expires):
            raise ProofRefusedError("the key attestation is outside its dates")
        listed = payload.get("attested_keys")
        if not isinstance(listed, list) or not 0 < len(listed) <= MAX_KEYS:
            raise ProofRefusedError("attested_keys is a list of keys")
        return [import_public(one) for one in listed], payload
