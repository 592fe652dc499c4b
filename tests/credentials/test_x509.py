"""Certificate chains in `x5c`: one that ends in an anchor is believed, and nothing else (HAIP 1.0 section 6.1.1)."""

from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from credentials import base64url
from credentials import x509 as chains
from tests.tokens import AGENCY, EDWARDS, HOLDER, LIST_SIGNER, NOW, OTHER_AGENCY, STRANGER, later, public, refused

START, END = NOW - timedelta(days=1), NOW + timedelta(days=365)
URI, DNS = "https://licence.example.gov.cn/issuers/police", "licence.example.gov.cn"
P384 = derive_private_key(7, SECP384R1())


@dataclass
class Made:
    """A certificate and the key it is about."""

    certificate: x509.Certificate
    key: Any
    name: str

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign, key_cert_sign=sign, crl_sign=False, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    name: str,
    key: Any,
    issuer: Made | None = None,
    *,
    ca: bool = False,
    path: int | None = None,
    usage: bool | None = None,
    constraints: bool = True,
    key_usage: bool = True,
    start: datetime = START,
    end: datetime = END,
    more: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> Made:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer.name if issuer else name))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if constraints:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path), critical=True)
    if key_usage:
        builder = builder.add_extension(_usage(sign=ca if usage is None else usage), critical=True)
    for extension, critical in more:
        builder = builder.add_extension(extension, critical=critical)
    signer = issuer.key if issuer else key
    return Made(builder.sign(signer, None if isinstance(signer, Ed25519PrivateKey) else SHA256()), key, name)


def _names(*names: x509.GeneralName) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    return ((x509.SubjectAlternativeName(names), False),)


NAMES = _names(x509.UniformResourceIdentifier(URI), x509.DNSName(DNS))
ROOT = _certificate("root", AGENCY, ca=True)
MIDDLE = _certificate("middle", OTHER_AGENCY, ROOT, ca=True, path=0)
LEAF = _certificate("leaf", HOLDER, MIDDLE, more=NAMES)
DIRECT = _certificate("leaf", HOLDER, ROOT, more=NAMES)


def _verify(*chain: Made, anchors: tuple[Made, ...] = (ROOT,), at: datetime = NOW) -> chains.CertifiedKey:
    return chains.verify_chain([one.certificate for one in chain], [one.certificate for one in anchors], at=at)


def _key_identifier(key: Any) -> str:
    return base64url.encode(x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest)


def test_a_chain_that_ends_in_an_anchor_is_believed():
    """The leaf's key, the anchor it ends in, and who vouched for it on the way."""
    found = _verify(LEAF, MIDDLE, anchors=(_certificate("other", STRANGER, ca=True), ROOT))
    assert found.key == public(HOLDER)
    assert (found.leaf, found.anchor) == (LEAF.certificate, ROOT.certificate)
    assert found.authority_key_ids == (_key_identifier(OTHER_AGENCY), _key_identifier(AGENCY))
    direct = _verify(DIRECT)
    assert (direct.key, direct.authority_key_ids) == (public(HOLDER), (_key_identifier(AGENCY),))


def test_what_the_leaf_says_of_itself_is_read():
    """Its addresses, its DNS names, and its hash."""
    found = _verify(DIRECT)
    assert (found.uris, found.dns_names) == ([URI], [DNS])
    digest = urlsafe_b64encode(sha256(DIRECT.der).digest()).rstrip(b"=").decode()
    assert found.leaf_hash == chains.leaf_hash(DIRECT.der) == digest
    nameless = _verify(_certificate("leaf", HOLDER, ROOT))
    assert (nameless.uris, nameless.dns_names) == ([], [])


@pytest.mark.parametrize(
    ("names", "address", "its"),
    [
        ([x509.UniformResourceIdentifier(URI)], URI, True),
        ([x509.UniformResourceIdentifier(URI)], f"{URI}/x", False),
        ([x509.DNSName(DNS)], f"{URI}/x", True),
        ([x509.DNSName(DNS)], "https://other.example/x", False),
        ([x509.DNSName("example.gov.cn")], URI, False),
        ([x509.UniformResourceIdentifier("https://other.example"), x509.DNSName(DNS)], URI, True),
        ([x509.DNSName(DNS)], DNS, False),
        ([x509.DNSName(DNS)], "http://[", False),
    ],
    ids=range(8),
)
def test_an_address_is_the_leaf_s_by_name_or_host(names, address, its):
    """An address among its own is the leaf's, and one whose host is among its DNS names; nothing else is."""
    assert _verify(_certificate("leaf", HOLDER, ROOT, more=_names(*names))).names(address) is its


SELF = _certificate("leaf", HOLDER)
BROKEN = {
    "self-signed": ((SELF,), (SELF,), "self-signed"),
    "the anchor itself": ((ROOT,), (ROOT,), "self-signed"),
    "the anchor in the chain": ((LEAF, MIDDLE, ROOT), (ROOT,), "does not belong in the chain"),
    "an anchor in the middle": ((LEAF, MIDDLE), (ROOT, MIDDLE), "does not belong in the chain"),
    "no anchors": ((DIRECT,), (), "no trusted anchor"),
    "another anchor": ((DIRECT,), (_certificate("root", STRANGER, ca=True),), "no trusted anchor"),
    "a link missing": ((LEAF,), (ROOT,), "no trusted anchor"),
    "in the wrong order": ((MIDDLE, LEAF), (ROOT,), "no trusted anchor"),
    "a stranger's leaf before a good authority": (
        (_certificate("leaf", HOLDER, Made(MIDDLE.certificate, STRANGER, "middle")), MIDDLE),
        (ROOT,),
        "not signed by the next",
    ),
    "a leaf of somebody else's before it": ((DIRECT, MIDDLE), (ROOT,), "not signed by the next"),
    "an authority as leaf": ((_certificate("leaf", HOLDER, ROOT, ca=True),), (ROOT,), "the leaf is an authority"),
}


@pytest.mark.parametrize(("chain", "anchors", "because"), BROKEN.values(), ids=BROKEN)
def test_a_broken_chain_is_refused(chain, anchors, because):
    """Anything but leaf, issuers in order, and an anchor outside the chain."""
    with refused("certificate_refused", because):
        _verify(*chain, anchors=anchors)


ISSUERS = {
    "no authority": ({"ca": False, "usage": True}, "no certificate authority"),
    "may not sign certificates": ({"ca": True, "usage": False}, "no certificate authority"),
    "says nothing of authority": ({"ca": True, "constraints": False}, "no certificate authority"),
    "says nothing of usage": ({"ca": True, "key_usage": False}, "no certificate authority"),
}


@pytest.mark.parametrize(("how", "because"), ISSUERS.values(), ids=ISSUERS)
def test_an_issuer_that_may_not_issue_is_refused(how, because):
    """In the middle of the chain and as the anchor alike: a leaf is no authority (the old basic-constraints attack)."""
    middle = _certificate("middle", OTHER_AGENCY, ROOT, **how)
    with refused("certificate_refused", because):
        _verify(_certificate("leaf", HOLDER, middle), middle)
    anchor = _certificate("anchor", STRANGER, **how)
    with refused("certificate_refused", because):
        _verify(_certificate("leaf", HOLDER, anchor), anchors=(anchor,))


@pytest.mark.parametrize(("path", "good"), [(None, True), (2, True), (1, True), (0, False)])
def test_a_chain_is_as_long_as_its_authority_allows(path, good):
    """`path_length` counts the authorities below (RFC 5280 section 4.2.1.9)."""
    root = _certificate("root", AGENCY, ca=True, path=path)
    middle = _certificate("middle", OTHER_AGENCY, root, ca=True)
    chain = (_certificate("leaf", HOLDER, middle), middle)
    if good:
        assert _verify(*chain, anchors=(root,)).key == public(HOLDER)
        return
    with refused("certificate_refused", "longer than its authority allows"):
        _verify(*chain, anchors=(root,))


def test_two_authorities_below_one_that_allows_one():
    """The whole length below counts, not only the next."""
    root = _certificate("root", AGENCY, ca=True, path=1)
    first = _certificate("first", OTHER_AGENCY, root, ca=True)
    second = _certificate("second", STRANGER, first, ca=True)
    with refused("certificate_refused", "longer than its authority allows"):
        _verify(_certificate("leaf", HOLDER, second), second, first, anchors=(root,))


@pytest.mark.parametrize("at", [START, END, NOW])
def test_the_first_and_the_last_second_count(at):
    """Every certificate is good from its first second to its last."""
    assert _verify(LEAF, MIDDLE, at=at).key == public(HOLDER)


@pytest.mark.parametrize("late", ["leaf", "middle", "root"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_every_certificate_must_be_in_its_dates(late, when):
    """One that is over, or not yet good, spoils the chain: leaf, issuer or anchor."""
    dates = {"start": later(seconds=1)} if when == "before" else {"end": later(seconds=-1)}
    of = {name: dates if name == late else {} for name in ("leaf", "middle", "root")}
    root = _certificate("root", AGENCY, ca=True, **of["root"])
    middle = _certificate("middle", OTHER_AGENCY, root, ca=True, **of["middle"])
    leaf = _certificate("leaf", HOLDER, middle, **of["leaf"])
    with refused("certificate_refused", "outside its dates"):
        _verify(leaf, middle, anchors=(root,))


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.156.3005.99"), b"\x05\x00")
KNOWN = (
    x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.2.156.3005.1")]),
    x509.SubjectAlternativeName([x509.DNSName(DNS)]),
)


def test_a_critical_extension_that_is_unknown_spoils_the_chain():
    """What is critical must be understood (RFC 5280 section 4.2); what is not may say anything."""
    with refused("certificate_refused", "critical extension"):
        _verify(_certificate("leaf", HOLDER, ROOT, more=((UNKNOWN, True),)))
    assert _verify(_certificate("leaf", HOLDER, ROOT, more=((UNKNOWN, False),))).key == public(HOLDER)
    assert _verify(_certificate("leaf", HOLDER, ROOT, more=tuple((one, True) for one in KNOWN))).key == public(HOLDER)


def test_extensions_that_cannot_be_read_spoil_the_chain():
    """A certificate with an extension twice says two things: nobody chooses between them."""
    first, second = (x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.2.156.3005.{at}"), b"") for at in (99, 98))
    der = _certificate("leaf", HOLDER, ROOT, more=((first, False), (second, False))).der
    stem = b"\x2a\x81\x1c\x97\x3d"  # 1.2.156.3005, as DER spells it
    bent = x509.load_der_x509_certificate(der.replace(stem + bytes([98]), stem + bytes([99])))
    with refused("certificate_refused", "cannot be read"):
        chains._check_certificate(bent, NOW)


@pytest.mark.parametrize("key", [P384, EDWARDS], ids=["P-384", "Ed25519"])
def test_a_leaf_of_another_curve_is_refused(key):
    """Licences and requests are signed with P-256."""
    with refused("certificate_refused", "not P-256"):
        _verify(_certificate("leaf", key, ROOT))


def test_a_leaf_that_says_nothing_of_authority_is_a_leaf():
    """Without basic constraints a certificate is no authority: as leaf it is fine."""
    assert _verify(_certificate("leaf", HOLDER, ROOT, constraints=False, key_usage=False)).key == public(HOLDER)


def test_a_header_is_standard_base64_leaf_first():
    """`x5c` is base64 and not base64url (RFC 7515 section 4.1.6), and comes back."""
    made = chains.header([LEAF.der, MIDDLE.der])
    assert made == [b64encode(LEAF.der).decode(), b64encode(MIDDLE.der).decode()]
    assert chains.parse_chain(made) == [LEAF.certificate, MIDDLE.certificate]


@pytest.mark.parametrize("count", [1, 4])
def test_one_to_four_certificates_are_read(count):
    """The limits themselves are allowed."""
    assert len(chains.parse_chain(chains.header([LEAF.der]) * count)) == count


@pytest.mark.parametrize(
    ("x5c", "because"),
    [
        (None, "1 to 4"),
        ([], "1 to 4"),
        (b64encode(LEAF.der).decode(), "1 to 4"),
        (tuple(chains.header([LEAF.der])), "1 to 4"),
        (chains.header([LEAF.der]) * 5, "1 to 4"),
        ([None], "not base64, or too large"),
        ([LEAF.der], "not base64, or too large"),
        ([""], "not base64, or too large"),
        (["%"], "no certificate"),
        (["AAAA"], "no certificate"),
        ([f"{b64encode(LEAF.der).decode()} "], "no certificate"),
        ([base64url.encode(b"\xff\xef" + LEAF.der)], "no certificate"),
        ([*chains.header([LEAF.der]), "AAAA"], "no certificate"),
        ([b64encode(bytes(8 * 1024 + 1)).decode()], "too large"),
        ([b64encode(bytes(8 * 1024)).decode()], "no certificate"),
    ],
    ids=range(15),
)
def test_what_is_no_chain_is_refused(x5c, because):
    """Anything but a list of one to four certificates in base64."""
    with refused("certificate_refused", because):
        chains.parse_chain(x5c)


def test_the_issuers_that_a_chain_names_are_told():
    """Key identifiers as the certificates name them, in order; one that names none is passed over, also without id."""
    aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(AGENCY.public_key())
    empty = x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(_named("root"))], 7)
    first = _certificate("a", HOLDER, ROOT, more=((aki, False),))
    second = _certificate("b", HOLDER, ROOT, more=((empty, False),))
    third = _certificate("c", HOLDER, MIDDLE, more=((x509.AuthorityKeyIdentifier(b"xyz", None, None), False),))
    chain = [one.certificate for one in (LEAF, first, second, third)]
    assert chains.authority_key_ids(chain) == (_key_identifier(AGENCY), base64url.encode(b"xyz"))
    assert chains.authority_key_ids([]) == ()


def test_a_key_identifier_is_the_one_a_certificate_names():
    """Its own word, and of one that says none the identifier of its key."""
    named = _certificate("a", LIST_SIGNER, more=((x509.SubjectKeyIdentifier(b"abc"), False),))
    assert chains.key_id(named.certificate) == base64url.encode(b"abc")
    assert chains.key_id(ROOT.certificate) == _key_identifier(AGENCY)
