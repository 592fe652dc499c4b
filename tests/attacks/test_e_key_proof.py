"""Attack: a credential for a key that the wallet does not have, or by a proof made for something else (VCI F.4)."""

from typing import Any

import pytest

from credentials import base64url
from credentials.jwk import export_public
from tests.foreign import PRE_AUTHORIZED, ForeignWallet, new_key, refused
from tests.world import World

TYPE = "residence_permit"


@pytest.fixture
def wallet(world: World) -> ForeignWallet:
    """A wallet with a token."""
    licence_id = world.issue()
    offer = world.agency("police").post("/issuers/police/offers", {"licence_id": licence_id, "qr": "none"})
    made = ForeignWallet(world)
    made.redeem(made.grants(offer.body)[PRE_AUTHORIZED]["pre-authorized_code"])
    return made


def _ask(wallet: ForeignWallet, proofs: object) -> Any:
    return wallet.ask("credential", {"credential_configuration_id": TYPE, "proofs": proofs})


KEY = new_key()
BENT: dict[str, tuple[dict[str, Any], str]] = {
    "for another issuer": ({"aud": "http://127.0.0.1:8080/issuers/school1"}, "invalid_proof"),
    "for two issuers": ({"aud": ["http://127.0.0.1:8080/issuers/police"]}, "invalid_proof"),
    "for nobody": ({"aud": None}, "invalid_proof"),
    "without a time": ({"iat": None}, "invalid_proof"),
    "without a nonce": ({"nonce": None}, "invalid_proof"),
    "with a made-up nonce": ({"nonce": "made-up"}, "invalid_nonce"),
    "with a nonce that is no text": ({"nonce": 5}, "invalid_nonce"),
    "with a nonce that is a list": ({"nonce": ["made-up"]}, "invalid_nonce"),
    "signed by another key": ({"signer": new_key()}, "invalid_proof"),
    "with a private key": ({"head": {"jwk": {**export_public(KEY), "d": "AAAA"}}}, "invalid_proof"),
    "with a key by name": ({"head": {"jwk": None, "kid": "x"}}, "invalid_proof"),
    "with a key twice": ({"head": {"kid": "x"}}, "invalid_proof"),
    "with a certificate": ({"head": {"jwk": None, "x5c": ["AAAA"]}}, "invalid_proof"),
    "of another type": ({"head": {"typ": "JWT"}}, "invalid_proof"),
    "unsigned": ({"head": {"alg": "none"}}, "invalid_proof"),
    "with an odd attestation": ({"head": {"key_attestation": "e30.e30.AAAA"}}, "invalid_proof"),
    "with an attestation that is no text": ({"head": {"key_attestation": ["e30"]}}, "invalid_proof"),
}


@pytest.mark.parametrize("how", BENT)
def test_a_bent_proof_is_refused(wallet: ForeignWallet, how: str) -> None:
    """Whatever is bent has its code, nothing is written; the honest proof is taken."""
    changes, error = BENT[how]
    nonce = wallet.nonce()
    arguments = {"nonce": nonce, **changes, "head": dict(changes.get("head", {}))}
    proof = wallet.key_proof(KEY, **arguments)
    refused(_ask(wallet, {"jwt": [proof]}), error)
    assert wallet.take(KEY).status == 200


@pytest.mark.parametrize(("seconds", "error"), [(-61, True), (-60, False), (10, False), (11, True)])
def test_a_proof_is_of_this_minute(wallet: ForeignWallet, seconds: int, error: bool) -> None:
    """A minute back and ten seconds ahead pass, one second more does not."""
    nonce = wallet.nonce()
    proof = wallet.key_proof(new_key(), nonce, iat=int(wallet.world.now.timestamp()) + seconds)
    answer = _ask(wallet, {"jwt": [proof]})
    if error:
        refused(answer, "invalid_proof")
    else:
        assert answer.status == 200


def test_a_nonce_counts_once_and_five_minutes(wallet: ForeignWallet) -> None:
    """A used nonce, an old one, a DPoP nonce and another agency's are invalid_nonce."""
    nonce = wallet.nonce()
    assert _ask(wallet, {"jwt": [wallet.key_proof(new_key(), nonce)]}).status == 200
    refused(_ask(wallet, {"jwt": [wallet.key_proof(new_key(), nonce)]}), "invalid_nonce")
    refused(_ask(wallet, {"jwt": [wallet.key_proof(new_key(), wallet.dpop_nonce)]}), "invalid_nonce")
    wallet.world.agency("school1")
    stranger = str(ForeignWallet(wallet.world, agency="school1").nonce())
    refused(_ask(wallet, {"jwt": [wallet.key_proof(new_key(), stranger)]}), "invalid_nonce")
    bent = base64url.encode(b"\0" * 21) + wallet.nonce()[28:]
    refused(_ask(wallet, {"jwt": [wallet.key_proof(new_key(), bent)]}), "invalid_nonce")
    first, second = wallet.nonce(), wallet.nonce()
    two = [wallet.key_proof(new_key(), first), wallet.key_proof(new_key(), second)]
    refused(_ask(wallet, {"jwt": two}), "invalid_nonce")


@pytest.mark.parametrize(
    "proofs",
    [None, [], {}, {"jwt": []}, {"jwt": "x"}, {"jwt": [1]}, {"jwt": ["x"]}, {"ldp_vp": ["x"]}, {"cwt": ["x"]},
     {"jwt": ["x"], "attestation": ["y"]}, {"attestation": ["x", "y"]}, {"attestation": ["e30.e30.AAAA"]}],
    ids=str,
)  # fmt: skip
def test_proofs_that_are_none(wallet: ForeignWallet, proofs: object) -> None:
    """What is no proof is invalid_proof."""
    refused(_ask(wallet, proofs), "invalid_proof")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b'"x"', b"x" * 70_000])
def test_bodies_that_are_none(wallet: ForeignWallet, content: bytes) -> None:
    """What is no JSON object is invalid_credential_request, never a problem document and never a 500."""
    secret = wallet.token["access_token"]
    wallet.nonce()
    headers = {"Authorization": f"DPoP {secret}", "DPoP": wallet.proof("credential", secret)}
    answer = wallet.post("credential", headers=headers | {"Content-Type": "application/json"}, content=content)
    refused(answer, "invalid_credential_request")
