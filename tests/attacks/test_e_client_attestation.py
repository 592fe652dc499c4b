"""Attack: a wallet says it is another, or that somebody vouched for it (Attestation-Based Client Authentication)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from credentials.jwk import export_public
from keys.models import KeyPurpose
from tests.foreign import CLIENT_ID, Authority, ForeignWallet, new_key, refused
from tests.world import BASE_URL, World


@pytest.fixture
def wallet(world: World, tmp_path: Path) -> ForeignWallet:
    """An honest wallet to bend."""
    attester = Authority("Attester", world.now)
    world.restart(attesters_file=attester.pem(tmp_path / "attesters.pem"))
    world.issue()
    return ForeignWallet(world, attester=attester)


def _late(wallet: ForeignWallet) -> int:
    return int(wallet.world.now.timestamp()) - 61


def _soon(wallet: ForeignWallet) -> int:
    return int(wallet.world.now.timestamp()) + 11


BENT: dict[str, Callable[[ForeignWallet], dict[str, Any]]] = {
    "another attester": lambda one: {"x5c": Authority("Nobody", one.world.now).leaf(one.attester_key, CLIENT_ID)},
    "signed by another key": lambda one: {"signer": new_key(), "x5c": one.attester.leaf(one.attester_key, CLIENT_ID)},
    "over": lambda _: {"attestation": {"exp": 1}},
    "without end": lambda _: {"attestation": {"exp": None}},
    "of the future": lambda one: {"attestation": {"iat": _soon(one)}},
    "not yet": lambda one: {"attestation": {"nbf": _soon(one)}},
    "without a key": lambda _: {"attestation": {"cnf": None}},
    "with a private key": lambda one: {
        "attestation": {"cnf": {"jwk": {**export_public(one.instance_key), "d": "AAAA"}}}
    },
    "without a name": lambda _: {"attestation": {"sub": None}},
    "a proof by another key": lambda _: {"pop_key": new_key()},
    "a proof for another server": lambda _: {"pop": {"aud": f"{BASE_URL}/issuers/school1"}},
    "a proof for two servers": lambda _: {"pop": {"aud": [f"{BASE_URL}/issuers/police"]}},
    "a proof of another wallet": lambda _: {"pop": {"iss": "https://other.example"}},
    "an old proof": lambda one: {"pop": {"iat": _late(one)}},
    "a proof of the future": lambda one: {"pop": {"iat": _soon(one)}},
    "a proof without a time": lambda _: {"pop": {"iat": None}},
    "a proof without a name": lambda _: {"pop": {"jti": None}},
    "a proof with an endless name": lambda _: {"pop": {"jti": "x" * 129}},
}


@pytest.mark.parametrize("how", BENT)
def test_a_bent_attestation_is_refused(wallet: ForeignWallet, how: str) -> None:
    """Whatever is bent: invalid_client, 401; and the honest one passes."""
    refused(wallet.push(headers=wallet.attested(**BENT[how](wallet))), "invalid_client", 401)
    assert wallet.push().status == 201


def test_nobody_and_two_of_them(wallet: ForeignWallet) -> None:
    """Without headers it is invalid_client; with one of the two, or one twice, invalid_request."""
    refused(wallet.push(headers={}), "invalid_client", 401)
    honest = wallet.attested()
    for name in honest:
        refused(wallet.push(headers={name: honest[name]}), "invalid_request")
    twice = [*honest.items(), ("OAuth-Client-Attestation", honest["OAuth-Client-Attestation"])]
    answer = wallet.world.http.post("/issuers/police/par", data=wallet.request(), headers=twice)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_proof_counts_once(wallet: ForeignWallet) -> None:
    """The same proof a second time is refused, here and at the token endpoint."""
    honest = wallet.attested()
    assert wallet.push(headers=honest).status == 201
    refused(wallet.push(headers=honest), "invalid_client", 401)


def test_a_challenge_is_ours_and_young(wallet: ForeignWallet) -> None:
    """A proof may answer our challenge; another, or an old one, is told which to use."""
    challenge = wallet.post("challenge")["attestation_challenge"]
    assert wallet.push(headers=wallet.attested(challenge=challenge)).status == 201
    answer = wallet.push(headers=wallet.attested(challenge="made-up"))
    refused(answer, "use_attestation_challenge")
    fresh = answer.headers["oauth-client-attestation-challenge"]
    assert wallet.push(headers=wallet.attested(challenge=fresh)).status == 201
    nonce = wallet.nonce()  # a nonce for another purpose is no challenge
    refused(wallet.push(headers=wallet.attested(challenge=nonce)), "use_attestation_challenge")
    wallet.world.wait(300)
    refused(wallet.push(headers=wallet.attested(challenge=challenge)), "use_attestation_challenge")


@pytest.mark.parametrize("owner", ["agency", "counter"])
def test_our_own_authority_vouches_for_our_wallet_alone(wallet: ForeignWallet, owner: str) -> None:
    """An agency's or counter's certificate is under the operator's authority, and attests nothing all the same."""
    house, now = wallet.world.house, wallet.world.now
    if owner == "agency":
        subject, purpose, uri = "police", KeyPurpose.LICENCE, f"{BASE_URL}/issuers/police"
    else:
        wallet.world.counter()
        subject, purpose, uri = (
            "counter/school2_office",
            KeyPurpose.REQUEST,
            f"{BASE_URL}/verifier/counters/school2_office",
        )
        house.vault.create(subject, purpose, actor="test", now=now)
    key = house.certificates.signer(subject, purpose, name={"en": "x"}, uri=uri, now=now)
    rows = [row for row in house.vault.key_rows(subject, purpose) if row.kid == key.kid]
    headers = wallet.attested(signer=house.vault._private(rows[0]), x5c=key.x5c)
    refused(wallet.push(headers=headers), "invalid_client", 401)
