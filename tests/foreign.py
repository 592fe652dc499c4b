"""Strangers: an attester, a wallet that is not ours, an issuer and a verifier that are not ours; and their certificates.

The wallet speaks to the service as any HTTP client would and lets a test bend each thing it says. What really is not
ours runs under `make interop`.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from credentials import base64url, dpop, jwe, jws, sd_jwt
from credentials import x509 as chains
from credentials.jwk import export_public, import_public
from tests.browsing import Browser
from tests.world import BASE_URL, Answer, World

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
CLIENT_ID = "https://wallet.example"
CALLBACK = "https://wallet.example/callback"
VERIFIER = "x" * 64  # a code verifier


def new_key() -> EllipticCurvePrivateKey:
    """A new P-256 key."""
    return generate_private_key(SECP256R1())


@dataclass
class Authority:
    """A stranger's certificate authority."""

    name: str
    now: datetime
    key: EllipticCurvePrivateKey = field(default_factory=new_key)

    def __post_init__(self) -> None:
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        self.certificate = (
            self._builder(self.subject, self.key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(ca=True), critical=True)
            .sign(self.key, SHA256())
        )

    def _builder(self, subject: x509.Name, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=1))
            .not_valid_after(self.now + timedelta(days=365))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )

    def leaf(self, key: EllipticCurvePrivateKey, uri: str, organisation: str = "Stranger") -> list[str]:
        """An `x5c` of a leaf for `key`, named by an address."""
        subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)])
        names = [x509.UniformResourceIdentifier(uri), x509.DNSName(urlsplit(uri).hostname or "x")]
        made = (
            self._builder(subject, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self.key, SHA256())
        )
        return chains.header([made.public_bytes(Encoding.DER)])

    def pem(self, path: Path) -> Path:
        """Write the anchor to a file."""
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return path


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca, key_cert_sign=ca, crl_sign=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


@dataclass
class ForeignWallet:
    """A wallet that is not ours, of one attester."""

    world: World
    agency: str = "police"
    attester: Authority | None = None
    dpop_key: EllipticCurvePrivateKey = field(default_factory=new_key)
    instance_key: EllipticCurvePrivateKey = field(default_factory=new_key)
    attester_key: EllipticCurvePrivateKey = field(default_factory=new_key)
    dpop_nonce: str | None = None
    token: dict[str, Any] = field(default_factory=dict)
    jti: int = 0

    @property
    def issuer(self) -> str:
        return f"{BASE_URL}/issuers/{self.agency}"

    def post(self, path: str, *, headers: dict[str, str] | None = None, **how: Any) -> Answer:
        """POST to an address of the agency's."""
        answer = self.world.anybody.call("POST", f"/issuers/{self.agency}/{path}", headers=headers or {}, **how)
        self.dpop_nonce = answer.headers.get("dpop-nonce", self.dpop_nonce)
        return answer

    def nonce(self) -> str:
        """A fresh c_nonce; a DPoP nonce comes with it."""
        return str(self.post("nonce")["c_nonce"])

    def proof(self, path: str, access_token: str | None = None, **changes: Any) -> str:
        """A DPoP proof for an address of the agency's; `changes` bend its claims."""
        self.jti += 1
        key = changes.pop("key", self.dpop_key)
        payload = {
            "jti": f"jti-{id(self)}-{self.jti}",
            "htm": "POST",
            "htu": f"{self.issuer}/{path}",
            "iat": int(self.world.now.timestamp()),
        }
        payload |= {"nonce": self.dpop_nonce} if self.dpop_nonce else {}
        payload |= {"ath": dpop.token_hash(access_token)} if access_token else {}
        payload = {name: value for name, value in {**payload, **changes}.items() if value is not None}
        return jws.sign(jws.DPOP, payload, jws.es256(key), more={"jwk": export_public(key)})

    def attested(self, *, challenge: str | None = None, **changes: Any) -> dict[str, str]:
        """The two client attestation headers; `attestation` and `pop` bend the claims of each."""
        assert self.attester is not None
        second = int(self.world.now.timestamp())
        signer = changes.get("signer", self.attester_key)
        x5c = changes.get("x5c") or self.attester.leaf(signer, CLIENT_ID)
        told = {"iss": "https://attester.example", "sub": CLIENT_ID, "iat": second, "exp": second + 300}
        told |= {"cnf": {"jwk": export_public(self.instance_key)}, "wallet_name": "Other <b>wallet</b>"}
        self.jti += 1
        pop = {"iss": CLIENT_ID, "aud": self.issuer, "jti": f"pop-{id(self)}-{self.jti}", "iat": second}
        pop |= {"challenge": challenge} if challenge else {}
        told = _bent(told, changes.get("attestation", {}))
        pop = _bent(pop, changes.get("pop", {}))
        pop_key = changes.get("pop_key", self.instance_key)
        return {
            "OAuth-Client-Attestation": jws.sign(jws.CLIENT_ATTESTATION, told, jws.es256(signer), more={"x5c": x5c}),
            "OAuth-Client-Attestation-PoP": jws.sign(jws.CLIENT_ATTESTATION_POP, pop, jws.es256(pop_key)),
        }

    # By offer

    def grants(self, offer: dict[str, Any]) -> dict[str, Any]:
        """The grants of an offer, read from its address."""
        path = str(offer["credential_offer_uri"]).removeprefix(BASE_URL)
        document = self.world.anybody.get(path)
        assert document.status == 200, document.body
        return dict(document["grants"])

    def redeem(self, code: str, tx_code: str | None = None, *, bound: bool = True, **form: Any) -> Answer:
        """Exchange a pre-authorized code; the token is kept."""
        if bound and self.dpop_nonce is None:
            self.nonce()
        told = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, **form}
        told |= {"tx_code": tx_code} if tx_code is not None else {}
        headers = {"DPoP": self.proof("token")} if bound else {}
        answer = self.post("token", data=told, headers=headers)
        if answer.status == 200:
            self.token = dict(answer.body)
        return answer

    # By authorization code

    def request(self, **changes: Any) -> dict[str, str]:
        """An authorization request's form."""
        told = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "scope": "residence_permit",
            "state": "state-of-the-wallet",
            "code_challenge": base64url.encode(sha256(VERIFIER.encode()).digest()),
            "code_challenge_method": "S256",
        }
        return _bent(told, changes)

    def push(self, *, headers: dict[str, str] | None = None, **changes: Any) -> Answer:
        """Push an authorization request."""
        return self.post("par", data=self.request(**changes), headers=self.attested() if headers is None else headers)

    def agree(self, request_uri: str, browser: Browser | None) -> dict[str, str]:
        """What a browser is sent back with after its signed-in holder agreed (or nobody did: declined, None)."""
        agency = self.issuer.rsplit("/", 1)[1]
        address = f"/issuers/{agency}/authorize"
        used = browser or Browser(self.world)
        page = used.get(f"{address}?{urlencode({'client_id': CLIENT_ID, 'request_uri': request_uri})}")
        answer = used.send(page, address, decision="agree" if browser else "decline")
        assert answer.status == 303, answer.body
        assert answer.headers["location"].startswith(CALLBACK)
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    def exchange(self, code: str, *, headers: dict[str, str] | None = None, **changes: Any) -> Answer:
        """Exchange an authorization code; the token is kept."""
        if self.dpop_nonce is None:
            self.nonce()
        told = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        told |= {"redirect_uri": CALLBACK, "client_id": CLIENT_ID}
        sent = {"DPoP": self.proof("token"), **self.attested()} if headers is None else headers
        answer = self.post("token", data=_bent(told, changes), headers=sent)
        if answer.status == 200:
            self.token = dict(answer.body)
        return answer

    # The credential

    def key_proof(self, key: EllipticCurvePrivateKey, nonce: str | None, **changes: Any) -> str:
        """A `jwt` key proof; `head` bends its header, other changes its claims."""
        head = changes.pop("head", {})
        signer = changes.pop("signer", key)
        told = {"aud": self.issuer, "iat": int(self.world.now.timestamp())} | ({"nonce": nonce} if nonce else {})
        more = _bent({"jwk": export_public(key)}, head)
        return jws.sign(jws.KEY_PROOF, _bent(told, changes), jws.es256(signer), more=more)

    def key_attestation(self, keys: list[EllipticCurvePrivateKey], nonce: str | None, **changes: Any) -> str:
        """A key attestation of this wallet's attester."""
        assert self.attester is not None
        second = int(self.world.now.timestamp())
        told = {"iat": second, "exp": second + 300, "attested_keys": [export_public(key) for key in keys]}
        told |= {"nonce": nonce} if nonce else {}
        x5c = changes.pop("x5c", None) or self.attester.leaf(self.attester_key, CLIENT_ID)
        return jws.sign(jws.KEY_ATTESTATION, _bent(told, changes), jws.es256(self.attester_key), more={"x5c": x5c})

    def ask(self, path: str, body: object, *, headers: dict[str, str] | None = None, **how: Any) -> Answer:
        """POST to a protected endpoint with the token."""
        secret = self.token["access_token"]
        if headers is None:
            headers = {"Authorization": f"{self.token['token_type']} {secret}"}
            if self.token["token_type"] == "DPoP":
                headers["DPoP"] = self.proof(path, secret)
        if body is not None:
            how["json"] = body
        return self.post(path, headers=headers, **how)

    def take(self, *keys: EllipticCurvePrivateKey, configuration: str = "residence_permit", **more: Any) -> Answer:
        """Ask for a credential for each key, each proved by a `jwt`."""
        nonce = self.nonce()
        proofs = [self.key_proof(key, nonce) for key in keys or (new_key(),)]
        body = {"credential_configuration_id": configuration, "proofs": {"jwt": proofs}, **more}
        return self.ask("credential", {name: value for name, value in body.items() if value is not None})

    def encrypted(self, path: str, body: dict[str, Any], enc: str = "A256GCM") -> tuple[Answer, dict[str, Any] | None]:
        """POST an encrypted request that asks for an encrypted answer; returns the answer, and it opened."""
        told = self.world.anybody.get(f"/.well-known/openid-credential-issuer/issuers/{self.agency}")
        recipient = told["credential_request_encryption"]["jwks"]["keys"][0]
        own = new_key()
        body["credential_response_encryption"] = {"jwk": {**export_public(own), "alg": "ECDH-ES"}, "enc": enc}
        sealed = jwe.encrypt(
            json.dumps(body).encode(), recipient, enc=enc, ephemeral=new_key(), randomness=lambda size: bytes(size)
        )
        secret = self.token["access_token"]
        headers = {"Authorization": f"DPoP {secret}", "DPoP": self.proof(path, secret)}
        answer = self.post(path, headers=headers | {"Content-Type": "application/jwt"}, content=sealed)
        if not answer.headers["content-type"].startswith("application/jwt"):
            return answer, None
        return answer, json.loads(jwe.decrypt(jwe.parse(answer.body), jwe.agreement(own)))


def _bent(told: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**told, **changes}.items() if value is not None}


def payload_of(credential: str) -> dict[str, Any]:
    """What an issued credential says, disclosures put in; its signature is not checked."""
    parts = sd_jwt.parse(credential)
    payload = json.loads(base64url.decode(parts.jwt.split(".")[1]))
    return sd_jwt.process(payload, parts.disclosures)


def refused(answer: Answer, error: str, status: int = 400) -> None:
    """Demand OAuth's refusal: this code, this status, ASCII only, nothing else in it, and no problem document."""
    assert (answer.status, answer.body.get("error")) == (status, error), answer.body
    assert answer.headers["content-type"].startswith("application/json")
    assert set(answer.body) <= {"error", "error_description"}
    said = answer.body.get("error_description", "")
    assert all(" " <= one <= "~" and one not in '"\\' for one in said)
    assert "no-store" in answer.headers["cache-control"]


def thumbprint(key: EllipticCurvePrivateKey) -> str:
    """A key's thumbprint."""
    return import_public(export_public(key)).thumbprint


def query_of(link: str) -> dict[str, str]:
    """A link's parameters."""
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
