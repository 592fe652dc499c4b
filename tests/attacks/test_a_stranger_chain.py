"""Attack: a licence, or a status list, carries a certificate that vouches for nothing here (HAIP section 6.1.1)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from credentials import base64url, jws, sd_jwt
from credentials import x509 as chains
from credentials.jwk import export_public
from keys.models import KeyPurpose
from tests.foreign import PRE_AUTHORIZED, Authority, ForeignWallet, new_key
from tests.tokens import HOLDER, es256, refused
from tests.tokens import shown as present
from tests.verifier.forge import CLAIMS
from tests.world import BASE_URL, World

TYPE = "residence_permit"
ISSUER = f"{BASE_URL}/issuers/police"


@pytest.fixture
def copy(world: World) -> str:
    """A copy of a permit, bound to the tests' holder key."""
    offer = world.agency("police").post("/issuers/police/offers", {"licence_id": world.issue(), "qr": "none"})
    wallet = ForeignWallet(world)
    wallet.redeem(wallet.grants(offer.body)[PRE_AUTHORIZED]["pre-authorized_code"])
    return str(wallet.take(HOLDER)["credentials"][0]["credential"])


def verdict(world: World, text: str) -> tuple[str, str]:
    """Verdict and reason on a licence that its holder presents honestly."""
    request = world.ask(item="points_household")
    parts = sd_jwt.select(sd_jwt.parse(text), [])
    second = int(world.now.timestamp())
    shown = present(parts, key=HOLDER, iat=second, aud=request["client_id"], nonce=request["nonce"])
    told = world.answer(request, {TYPE: [shown]})
    return told["verdict"], told["reason"]


def bent(copy: str, key: Any, x5c: object, **changes: Any) -> str:
    """The copy again, signed by `key` with another chain."""
    parts = sd_jwt.parse(copy)
    payload = jws.parse(parts.jwt, jws.LICENCE).unverified_payload() | changes
    text = jws.sign(jws.LICENCE, payload, es256(key), more={"x5c": x5c})
    return "~".join([text, *(one.text for one in parts.disclosures), ""])


def test_the_honest_copy_is_accepted(world: World, copy: str) -> None:
    """The copy as it was issued: its chain ends in the operator's authority, its list is signed the same way."""
    assert verdict(world, copy) == ("accepted", "accepted")


def _own_leaf(world: World, owner: str, purpose: KeyPurpose, uri: str) -> tuple[Any, list[str]]:
    house = world.house
    if not house.vault.key_rows(owner, purpose):
        house.vault.create(owner, purpose, actor="test", now=world.now)
    made = house.certificates.signer(owner, purpose, name={"en": "x"}, uri=uri, now=world.now)
    row = next(one for one in house.vault.key_rows(owner, purpose) if one.kid == made.kid)
    return house.vault._private(row), made.x5c


def _stranger(world: World) -> tuple[Any, list[str]]:
    key = new_key()
    return key, Authority("Stranger", world.now).leaf(key, ISSUER)


def _self_signed(world: World) -> tuple[Any, list[str]]:
    made = Authority("Itself", world.now)
    return made.key, chains.header([made.certificate.public_bytes(Encoding.DER)])


def _with_anchor(world: World) -> tuple[Any, list[str]]:
    key, x5c = _own_leaf(world, "police", KeyPurpose.LICENCE, ISSUER)
    anchor = world.house.certificates.anchor(now=world.now)
    return key, [*x5c, *chains.header([anchor.public_bytes(Encoding.DER)])]


def _other_agency(world: World) -> tuple[Any, list[str]]:
    world.agency("school1")
    return _own_leaf(world, "school1", KeyPurpose.LICENCE, f"{BASE_URL}/issuers/school1")


def _list_key(world: World) -> tuple[Any, list[str]]:
    return _own_leaf(world, "police", KeyPurpose.STATUS_LIST, ISSUER)


def _counter(world: World) -> tuple[Any, list[str]]:
    world.counter()
    uri = f"{BASE_URL}/verifier/counters/school2_office"
    return _own_leaf(world, "counter/school2_office", KeyPurpose.REQUEST, uri)


def _not_listed(world: World) -> tuple[Any, list[str]]:
    """A leaf of the operator's authority in the police's name, for a key that the trust list does not have."""
    house, key = world.house, new_key()
    anchor = house.certificates.anchor(now=world.now)
    kid = house.vault.active_kid("operator", KeyPurpose.AUTHORITY)
    row = next(one for one in house.vault.key_rows("operator", KeyPurpose.AUTHORITY) if one.kid == kid)
    authority = Authority("x", world.now, house.vault._private(row))
    authority.subject = anchor.subject
    return key, authority.leaf(key, ISSUER)


LEAVES: dict[str, tuple[Callable[[World], tuple[Any, list[str]]], str]] = {
    "a stranger's authority": (_stranger, "certificate_refused"),
    "a self-signed leaf": (_self_signed, "certificate_refused"),
    "the anchor in the chain": (_with_anchor, "certificate_refused"),
    "another agency's leaf": (_other_agency, "certificate_refused"),
    "a counter's leaf": (_counter, "certificate_refused"),
    "the agency's key for lists": (_list_key, "key_unknown"),
    "a leaf of a key that is not listed": (_not_listed, "key_unknown"),
}


@pytest.mark.parametrize("how", LEAVES)
def test_a_certificate_that_vouches_for_nothing(world: World, copy: str, how: str) -> None:
    """Well signed, under a chain that is not what it must be: refused with its reason."""
    make, reason = LEAVES[how]
    key, x5c = make(world)
    assert verdict(world, bent(copy, key, x5c)) == ("refused", reason)


CHAINS: dict[str, object] = {
    "nothing": [], "no list": "x", "numbers": [1], "not base64": ["!!!"], "not a certificate": ["AAAA"],
    "five": ["AAAA"] * 5, "endless": ["A" * 20_000],
}  # fmt: skip


@pytest.mark.parametrize("how", CHAINS)
def test_chains_that_are_none(world: World, copy: str, how: str) -> None:
    """What is no chain is refused, and nothing breaks."""
    made, reason = verdict(world, bent(copy, new_key(), CHAINS[how]))
    assert (made, reason) in {
        ("refused", "certificate_refused"),
        ("refused", "header_refused"),
        ("refused", "malformed"),
    }


def test_a_certificate_ends(world: World, copy: str) -> None:
    """What a leaf signed is good until the leaf ends: the copy says so itself, and the second after it is refused."""
    leaf = chains.parse_chain(jws.parse(sd_jwt.parse(copy).jwt, jws.LICENCE).header["x5c"])[0]
    last = int(leaf.not_valid_after_utc.timestamp())
    claims = jws.parse(sd_jwt.parse(copy).jwt, jws.LICENCE).unverified_payload()
    assert claims["exp"] <= last
    key, x5c = _own_leaf(world, "police", KeyPurpose.LICENCE, ISSUER)
    long = bent(copy, key, x5c, exp=last + 1000)
    assert verdict(world, long) == ("accepted", "accepted")
    with pytest.raises(Exception, match="outside its dates"):
        chains.verify_chain(
            [leaf], [world.house.certificates.anchor(now=world.now)], at=leaf.not_valid_after_utc + timedelta(seconds=1)
        )


def test_a_compromised_authority_and_key(world: World, copy: str) -> None:
    """A compromised agency key's copies are refused although the certificate is in order."""
    kid = world.house.vault.active_kid("police", KeyPurpose.LICENCE)
    since = world.now.isoformat()
    assert world.operator.post(f"/admin/keys/{kid}/compromise", {"since": since}).status == 204
    assert verdict(world, copy) == ("refused", "key_compromised")


def _critical(authority: Authority, key: Any) -> x509.Certificate:
    builder = authority._builder(x509.Name([]), key).add_extension(
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), critical=True
    )
    return builder.sign(authority.key, SHA256())


def test_authorities_and_leaves_that_are_none(world: World) -> None:
    """A leaf that is an authority, one with an unknown critical extension, one under a leaf: refused."""
    authority, key = Authority("One", world.now), new_key()
    anchors = [authority.certificate]
    with refused("certificate_refused"):
        chains.verify_chain([_critical(authority, key)], anchors, at=world.now)
    leaf = chains.parse_chain(authority.leaf(key, ISSUER))
    under = Authority("Two", world.now, key)
    under.subject = leaf[0].subject
    below = chains.parse_chain(under.leaf(new_key(), ISSUER))
    with refused("certificate_refused"):
        chains.verify_chain([*below, *leaf], anchors, at=world.now)
    sub = Authority("Three", world.now)
    with refused("certificate_refused"):
        chains.verify_chain([sub.certificate], [sub.certificate], at=world.now)
    for at in (world.now - timedelta(days=2), world.now + timedelta(days=366)):
        with refused("certificate_refused"):
            chains.verify_chain(leaf, anchors, at=at)
    assert chains.verify_chain(leaf, anchors, at=world.now).uris == [ISSUER]


@pytest.fixture
def certified(world: World) -> Iterator[str]:
    """A permit whose type is configured for certificates alone: the wallet's own licence carries one."""
    kind = world.house.types[TYPE]
    world.house.types[TYPE] = replace(kind, key_by=frozenset({"x5c"}), offline_pass=False)
    yield world.issue()
    world.house.types[TYPE] = kind


def test_a_type_by_certificate_alone(world: World, certified: str) -> None:
    """Its licence has `x5c` and no `kid`, stands in a list of its own that is signed likewise, and verifies."""
    row = world.house.issuer.read("police", certified)
    assert row.status_list_id == "police/c1"
    header = jws.parse(f"{row.signing_input}.{row.signature}", jws.LICENCE).header
    assert header.keys() == {"alg", "typ", "x5c"}
    token = world.anybody.get("/issuers/police/status/c1").body
    assert "x5c" in jws.parse(token, jws.STATUS_LIST).header
    shown = world.show(licences=[{"licence_id": certified, "claims": ["residence_district"]}])
    told = world.scan(shown["url"], item="points_household")
    assert told["verdict"] == "accepted", told
    world.change("revoke", certified, "fraud")
    shown = world.show(licences=[{"licence_id": certified, "claims": ["residence_district"]}])
    assert world.scan(shown["url"], item="points_household")["reason"] == "revoked"


def test_an_agency_that_keeps_its_key_signs_with_a_certificate(world: World) -> None:
    """Prepared with `x5c` for the agency's own key, signed by the agency, complete and verified."""
    key = new_key()
    kind = world.house.types["graduation_certificate"]
    world.house.types["graduation_certificate"] = replace(kind, key_by=frozenset({"x5c"}), offline_pass=False)
    univ = world.agency("univ", licence_key=export_public(key))
    order = world.order("graduation_certificate", "graduate", claims=CLAIMS)
    prepared = univ.post("/issuers/univ/licences/prepare", order)
    assert prepared.status == 201, prepared.body
    signature = base64url.encode(es256(key)(prepared["signing_input"].encode()))
    done = univ.post(f"/issuers/univ/licences/{prepared['licence_id']}/complete", {"signature": signature})
    assert done.status == 200, done.body
    row = world.house.issuer.read("univ", prepared["licence_id"])
    leaf = chains.parse_chain(jws.parse(f"{row.signing_input}.{row.signature}", jws.LICENCE).header["x5c"])[0]
    assert leaf.public_key() == key.public_key()
