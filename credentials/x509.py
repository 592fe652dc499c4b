"""X.509 chains in an `x5c` header (RFC 7515 section 4.1.6), as HAIP 1.0 section 6.1.1 wants them.

The trust anchor stays outside the chain, the leaf is not self-signed, every certificate is signed by the next
and the last by an anchor we were given. Nothing a certificate names is ever fetched; revocation is by the
trust list and short lives.
"""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from credentials import base64url
from credentials.errors import CertificateRefusedError
from credentials.jwk import PublicKey, export_public, import_public
from credentials.text import hostname

MAX_CHAIN = 4  # certificates
MAX_CERTIFICATE_BYTES = 8 * 1024
KNOWN_EXTENSIONS = frozenset(
    {
        x509.BasicConstraints.oid,
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.SubjectAlternativeName.oid,
        x509.SubjectKeyIdentifier.oid,
        x509.AuthorityKeyIdentifier.oid,
    }
)
"""Extensions that may be critical: what they say is checked here or by the caller."""


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """The key of a leaf whose chain ends in an anchor, and what the leaf says of itself."""

    key: PublicKey
    leaf: x509.Certificate
    anchor: x509.Certificate
    authority_key_ids: tuple[str, ...]
    """Base64url key identifiers of every issuer of the chain (DCQL `aki`, OpenID4VP section 6.1.1.1)."""

    @property
    def dns_names(self) -> list[str]:
        """DNS names among the leaf's subject alternative names."""
        return _alternative_names(self.leaf).get_values_for_type(x509.DNSName)

    @property
    def uris(self) -> list[str]:
        """Addresses among the leaf's subject alternative names."""
        return _alternative_names(self.leaf).get_values_for_type(x509.UniformResourceIdentifier)

    def names(self, address: str) -> bool:
        """Whether the leaf is an address's: among its own, or by host among its DNS names."""
        return address in self.uris or hostname(address) in self.dns_names

    @property
    def leaf_hash(self) -> str:
        """Base64url SHA-256 of the leaf's DER: what `x509_hash:` names (OpenID4VP section 5.9.3)."""
        return leaf_hash(self.leaf.public_bytes(Encoding.DER))


def leaf_hash(der: bytes) -> str:
    """Return the base64url SHA-256 of a certificate."""
    return base64url.encode(sha256(der).digest())


def header(chain: Sequence[bytes]) -> list[str]:
    """Return certificates (DER, leaf first) as an `x5c` header: standard base64."""
    return [b64encode(der).decode("ascii") for der in chain]


def parse_chain(x5c: object) -> list[x509.Certificate]:
    """Take an `x5c` header apart; anything but 1 to 4 certificates raises `CertificateRefusedError`."""
    if not isinstance(x5c, list) or not 0 < len(x5c) <= MAX_CHAIN:
        raise CertificateRefusedError(f"x5c holds 1 to {MAX_CHAIN} certificates")
    return [_certificate(one) for one in x5c]


def authority_key_ids(chain: Sequence[x509.Certificate]) -> tuple[str, ...]:
    """Return the base64url key identifiers of the issuers that a chain names; nothing is verified."""
    found = []
    for one in chain:
        try:
            named = one.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        except x509.ExtensionNotFound:
            continue
        found += [base64url.encode(named)] if named is not None else []
    return tuple(found)


def verify_chain(
    chain: Sequence[x509.Certificate], anchors: Collection[x509.Certificate], *, at: datetime
) -> CertifiedKey:
    """Return the leaf's key if the chain ends in one of `anchors` and every certificate is in its dates at `at`.

    Not checked: whether the leaf may do what it is used for; the caller compares names, and asks the trust list.
    """
    leaf = chain[0]
    if leaf.issuer == leaf.subject:
        raise CertificateRefusedError("the leaf is self-signed")
    if any(one in anchors for one in chain):
        raise CertificateRefusedError("the trust anchor does not belong in the chain")
    anchor = next((one for one in anchors if _issued(chain[-1], one)), None)
    if anchor is None:
        raise CertificateRefusedError("the chain ends in no trusted anchor")
    issuers = [*chain[1:], anchor]
    for one, issuer in zip(chain, issuers, strict=True):
        if not _issued(one, issuer):
            raise CertificateRefusedError("a certificate is not signed by the next")
        _check_authority(issuer, below=issuers.index(issuer))
    for one in [*chain, anchor]:
        _check_certificate(one, at)
    if _is_authority(leaf):
        raise CertificateRefusedError("the leaf is an authority")
    key = leaf.public_key()
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise CertificateRefusedError("the leaf's key is not P-256")
    return CertifiedKey(import_public(export_public(key)), leaf, anchor, tuple(key_id(one) for one in issuers))


def _certificate(text: object) -> x509.Certificate:
    try:
        der = b64decode(text, validate=True) if isinstance(text, str) else b""
        if not 0 < len(der) <= MAX_CERTIFICATE_BYTES:
            raise CertificateRefusedError("a certificate of x5c is not base64, or too large")
        return x509.load_der_x509_certificate(der)
    except (Error, ValueError) as error:
        raise CertificateRefusedError("x5c holds something that is no certificate") from error


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _check_authority(issuer: x509.Certificate, *, below: int) -> None:
    """Raise unless `issuer` may sign certificates, with `below` authorities under it (RFC 5280 section 4.2.1.9)."""
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise CertificateRefusedError("an issuer is no certificate authority") from error
    if not constraints.ca or not usage.key_cert_sign:
        raise CertificateRefusedError("an issuer is no certificate authority")
    if constraints.path_length is not None and below > constraints.path_length:
        raise CertificateRefusedError("the chain is longer than its authority allows")


def _check_certificate(one: x509.Certificate, at: datetime) -> None:
    if not one.not_valid_before_utc <= at <= one.not_valid_after_utc:
        raise CertificateRefusedError("a certificate is outside its dates")
    try:
        unknown = [found.oid for found in one.extensions if found.critical and found.oid not in KNOWN_EXTENSIONS]
    except (ValueError, x509.DuplicateExtension) as error:
        raise CertificateRefusedError("a certificate's extensions cannot be read") from error
    if unknown:
        raise CertificateRefusedError("a certificate has a critical extension that is not known here")


def _is_authority(one: x509.Certificate) -> bool:
    try:
        return bool(one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _alternative_names(one: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def key_id(one: x509.Certificate) -> str:
    """Return a certificate's key identifier, base64url; of one that names none the identifier of its key."""
    try:
        found = one.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        found = x509.SubjectKeyIdentifier.from_public_key(one.public_key())
    return base64url.encode(found.digest)
