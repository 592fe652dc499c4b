"""The operator's certificate authority: certificates for the keys of agencies and counters (HAIP 1.0 section 6.1.1).

One level: the authority signs leaves, a chain in `x5c` is the leaf alone, the authority's own certificate is the
anchor that verifiers hold. A certificate carries a key; whether the key is good the trust list says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from credentials import jws
from credentials import x509 as chains
from keys import store
from keys.errors import NoSigningKeyError, OwnerKeepsKeyError
from keys.models import Certificate, KeyPurpose
from keys.trust_list import OPERATOR
from keys.vault import STREAM, Vault
from records import audit
from records import store as records_store
from records.database import Database

AUTHORITY_LIFE = timedelta(days=20 * 365)
LEAF_LIFE = timedelta(days=5 * 365)  # what is signed under a leaf ends with it: `within`
RENEW_BEFORE = timedelta(days=30)  # a leaf this near its end is issued anew
BACKDATED = timedelta(minutes=5)  # for clocks that run behind
SERIAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class CertifiedSigner:
    """A key that signs now, with the chain that goes into its tokens' `x5c`."""

    kid: str
    signer: jws.Signer
    since: datetime
    x5c: list[str]

    @property
    def leaf_hash(self) -> str:
        """Base64url SHA-256 of the leaf: what `x509_hash:` names."""
        return chains.leaf_hash(chains.parse_chain(self.x5c)[0].public_bytes(Encoding.DER))


class Certificates:
    """Issues certificates when they are first needed."""

    def __init__(self, *, database: Database, vault: Vault, base_url: str, randomness: Callable[[int], bytes]) -> None:
        self._database = database
        self._vault = vault
        self._base_url = base_url
        self._randomness = randomness

    def anchor(self, *, now: datetime) -> x509.Certificate:
        """Return the authority's own certificate, making authority and certificate if there are none."""
        if not self._vault.key_rows(OPERATOR, KeyPurpose.AUTHORITY):
            self._vault.create(OPERATOR, KeyPurpose.AUTHORITY, actor=OPERATOR, now=now)
        kid = self._authority()
        if (kept := self._kept(kid, now, timedelta(0))) is not None:
            return kept
        name = _name({"en": "Licence Wallet operator"}, urlsplit(self._base_url).hostname or "")
        builder = (
            self._builder(kid, name, issuer=name, life=AUTHORITY_LIFE, now=now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
        )
        return self._issue(kid, kid, builder, now)

    def anchor_key_id(self, *, now: datetime) -> str:
        """Return the authority's key identifier, base64url: what DCQL's `aki` names."""
        return chains.key_id(self.anchor(now=now))

    def signer(
        self, owner: str, purpose: KeyPurpose, *, name: Mapping[str, str], uri: str, now: datetime
    ) -> CertifiedSigner:
        """Return the active key of `owner` with a certificate for `name` (zh, en) and `uri`.

        An owner without a key raises `NoSigningKeyError`; one that keeps its own `OwnerKeepsKeyError`.
        """
        key = self._vault.active(owner, purpose)
        if key.signer is None:
            raise OwnerKeepsKeyError
        return CertifiedSigner(key.kid, key.signer, key.since, self.chain(key.kid, name=name, uri=uri, now=now))

    def chain(self, kid: str, *, name: Mapping[str, str], uri: str, now: datetime) -> list[str]:
        """Return the `x5c` of a key, also of one that its owner keeps; a certificate is issued when first needed."""
        leaf = self._kept(kid, now, RENEW_BEFORE)
        if leaf is None:
            anchor = self.anchor(now=now)
            names = [x509.UniformResourceIdentifier(uri), x509.DNSName(urlsplit(uri).hostname or "")]
            builder = (
                self._builder(kid, _name(name, uri), issuer=anchor.subject, life=LEAF_LIFE, now=now)
                .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                .add_extension(_usage(authority=False), critical=True)
                .add_extension(x509.SubjectAlternativeName(names), critical=False)
            )
            leaf = self._issue(kid, self._authority(), builder, now)
        return chains.header([leaf.public_bytes(Encoding.DER)])

    def _authority(self) -> str:
        kid = self._vault.active_kid(OPERATOR, KeyPurpose.AUTHORITY)
        if kid is None:
            raise NoSigningKeyError
        return kid

    def _builder(
        self, kid: str, subject: x509.Name, *, issuer: x509.Name, life: timedelta, now: datetime
    ) -> x509.CertificateBuilder:
        public, _ = self._vault.by_kid(kid)
        authority, _ = self._vault.by_kid(self._authority())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(_ec(public.key))
            .serial_number(int.from_bytes(self._randomness(SERIAL_BYTES), "big") >> 1 | 1)
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + life)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(_ec(public.key)), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(_ec(authority.key)), critical=False)
        )

    def _kept(self, kid: str, now: datetime, before: timedelta) -> x509.Certificate | None:
        with self._database.read() as session:
            row = session.get(Certificate, kid)
        return x509.load_der_x509_certificate(row.der) if row is not None and now + before < row.not_after else None

    def _issue(self, kid: str, authority: str, builder: x509.CertificateBuilder, now: datetime) -> x509.Certificate:
        made = self._vault.sign_certificate(authority, builder)
        der = made.public_bytes(Encoding.DER)
        with self._database.write() as session:
            records_store.lock_stream(session, STREAM)
            row = session.get(Certificate, kid)
            if row is not None and now + RENEW_BEFORE < row.not_after:
                return x509.load_der_x509_certificate(row.der)  # somebody else was quicker
            session.merge(Certificate(kid=kid, der=der, not_after=made.not_valid_after_utc))
            session.flush()
            if kid == authority:
                store.raise_trust_version(session)
            audit.record(session, stream=STREAM, actor=OPERATOR, act="certificate.issued", subject=kid, now=now)
        return made


def within(payload: dict[str, Any], x5c: Sequence[str]) -> dict[str, Any]:
    """Return a licence's claims with an `exp` that its certificate outlives: after that no verifier could accept it."""
    last = int(chains.parse_chain(list(x5c))[0].not_valid_after_utc.timestamp())
    return payload | {"exp": min(payload.get("exp", last), last)}


def _ec(key: object) -> EllipticCurvePublicKey:
    assert isinstance(key, EllipticCurvePublicKey)  # noqa: S101 - the vault makes P-256 keys only
    return key


def _name(name: Mapping[str, str], common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name["en"][:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, common[-64:]),
        ]
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=False, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
