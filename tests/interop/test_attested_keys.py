"""Keys proved by attestation, both ways: the `attestation` proof, and a key attestation in a `jwt` proof's header."""

from datetime import UTC, datetime
from typing import Any

import pytest

from credentials import sd_jwt_vc
from tests.foreign import Authority, new_key
from tests.interop.conftest import Service, node, private_jwk

CARD = "driving_licence"


def _taken(service: Service, kind: str, attester: dict[str, Any] | None = None, **how: Any) -> dict[str, Any]:
    offer = service.offer(CARD, service.issue(CARD))
    return node("take_attested.mjs", link=offer["link"], attester=attester or service.attester, kind=kind, **how)


@pytest.mark.parametrize(("kind", "keys"), [("attestation", 3), ("jwt", 1), ("jwt", 2)])
def test_a_foreign_wallets_attested_keys_are_bound(service: Service, kind: str, keys: int) -> None:
    """One attestation of a believed attester, with the c_nonce: a credential for each attested key, in order."""
    taken = _taken(service, kind, keys=keys)
    assert taken["ok"], taken
    bound = [sd_jwt_vc.parse_licence(one).token.unverified_payload()["cnf"]["jwk"]["x"] for one in taken["credentials"]]
    assert bound == [key["x"] for key in taken["holderKeys"]]
    assert len(bound) == keys


@pytest.mark.parametrize(
    ("kind", "bend", "error"),
    [
        ("attestation", "typ", "invalid_proof"),
        ("attestation", "nonce", "invalid_nonce"),
        ("attestation", "twice", "invalid_proof"),
        ("attestation", "over", "invalid_proof"),
        ("jwt", "typ", "invalid_proof"),
        ("jwt", "nonce", "invalid_proof"),
        ("jwt", "no nonce", "invalid_proof"),
        ("jwt", "other keys", "invalid_proof"),
        ("jwt", "over", "invalid_proof"),
    ],
)
def test_a_bent_attestation_is_refused(service: Service, kind: str, bend: str, error: str) -> None:
    """A draft's `typ`, an unknown nonce, two attestations, an old one, keys that it does not attest: each by its code."""
    refused = _taken(service, kind, bend=bend)
    assert (refused["ok"], refused.get("response", {}).get("error")) == (False, error), refused


@pytest.mark.parametrize("kind", ["attestation", "jwt"])
def test_an_attester_of_nobody_is_refused(service: Service, kind: str) -> None:
    """An attestation under an authority that the operator did not configure proves nothing."""
    key = new_key()
    nobody = Authority("Nobody", datetime.now(UTC))
    attester = {"x5c": nobody.leaf(key, "https://attester.example"), "jwk": private_jwk(key)}
    refused = _taken(service, kind, attester)
    assert (refused["ok"], refused.get("response", {}).get("error")) == (False, "invalid_proof"), refused


def test_our_wallet_attests_keys_where_a_stranger_wants_nothing_else(service: Service) -> None:
    """The issuer knows only the `attestation` proof: it verifies ours, and the card comes bound to the attested key."""
    holder = service.holder()
    asked = {"grant": "pre", "of": "attested_card"}
    link = service.stranger("GET", f"{service.issuer}/control/offer", params=asked)["link"]
    (licence_id,) = holder.post("/wallet/offers/take", {"link": link})["licence_ids"]
    assert holder.get(f"/wallet/licences/{licence_id}", params={"language": "en"})["name"] == "Library card"
