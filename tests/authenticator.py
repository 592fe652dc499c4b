"""An authenticator in software: it makes a passkey and signs with it, as a browser would bring it back (WebAuthn)."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from credentials import base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One security key at one browser; what is named is what a test bends."""

    origin: str
    rp_id: str
    flags: int = PRESENT | VERIFIED
    counts: bool = True
    cross_origin: bool = False
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    passkey_id: bytes = b"a passkey of the tests"
    user_handle: str | None = None
    count: int = 0

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to registration options."""
        self.user_handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.passkey_id).to_bytes(2, "big") + self.passkey_id + cbor2.dumps(cose)
        data = self._data(self.flags | ATTESTED) + attested
        told = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._answer({"clientDataJSON": base64url.encode(client), "attestationObject": base64url.encode(told)})

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to assertion options."""
        self.count += 1 if self.counts else 0
        data, client = self._data(self.flags), self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + sha256(client).digest(), ECDSA(SHA256()))
        answer = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        told: dict[str, Any] = {name: base64url.encode(value) for name, value in answer.items()}
        return self._answer(told | {"userHandle": self.user_handle})

    def _data(self, flags: int) -> bytes:
        return sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps(
            {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin}
        ).encode()

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        name = base64url.encode(self.passkey_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
