"""Encrypted credential requests and responses (OpenID4VCI section 10), both ways; the foreign side encrypts with jose."""

from typing import Any

import pytest

from app.cli.client import CallRefusedError
from credentials import sd_jwt_vc
from tests.interop.conftest import Service, node

CARD = "driving_licence"


def _taken(service: Service, **how: Any) -> dict[str, Any]:
    offer = service.offer(CARD, service.issue(CARD))
    taken = node("take_sealed.mjs", link=offer["link"], **how)
    assert taken["ok"], taken
    return taken


def _key_of(answer: dict[str, Any]) -> str:
    (one,) = answer["credentials"]
    return str(sd_jwt_vc.parse_licence(one["credential"]).token.unverified_payload()["cnf"]["jwk"]["x"])


@pytest.mark.parametrize(
    ("enc", "answer_enc"), [("A128GCM", "A128GCM"), ("A256GCM", "A256GCM"), ("A256GCM", "A128GCM")]
)
def test_a_foreign_wallet_encrypts_both_ways(service: Service, enc: str, answer_enc: str) -> None:
    """Encrypted to the key of the metadata; the answer is a JWE to the wallet's key with the encryption that it named."""
    taken = _taken(service, enc=enc, answerEnc=answer_enc)
    assert enc in taken["told"]["credential_request_encryption"]["enc_values_supported"]
    assert answer_enc in taken["told"]["credential_response_encryption"]["enc_values_supported"]
    assert (taken["first"]["status"], taken["first"]["encrypted"]) == (200, True)
    header = taken["first"]["header"]
    assert (header["alg"], header["enc"], header["kid"]) == ("ECDH-ES", answer_enc, "of-the-wallet")
    assert _key_of(taken["first"]["answer"]) == taken["holderKey"]["x"]


def test_only_the_request_is_encrypted(service: Service) -> None:
    """Who names no key for the answer gets it in clear."""
    taken = _taken(service, enc="A256GCM", openAnswer=True)
    assert (taken["first"]["status"], taken["first"]["encrypted"]) == (200, False)
    assert _key_of(taken["first"]["answer"]) == taken["holderKey"]["x"]


def test_a_deferred_credential_comes_encrypted(service: Service) -> None:
    """The 202 and the deferred answer are encrypted like their requests."""
    offer = service.offer_order(CARD)
    taken = node("take_sealed.mjs", link=offer["link"], enc="A256GCM", decide=service.decision(CARD, offer, "approve"))
    assert taken["ok"], taken
    assert (taken["first"]["status"], taken["first"]["encrypted"]) == (202, True)
    assert (taken["later"]["status"], taken["later"]["encrypted"]) == (200, True)
    assert _key_of(taken["later"]["answer"]) == taken["holderKey"]["x"]


@pytest.mark.parametrize(
    "how",
    [{"plain": True}, {"otherKey": True}, {"answerEnc": "A256CBC-HS512"}, {"enc": "A256CBC-HS512", "openAnswer": True}],
    ids=["request in clear", "another key", "another encryption of the answer", "another encryption of the request"],
)
def test_what_cannot_be_encrypted_is_refused(service: Service, how: dict[str, Any]) -> None:
    """Each is refused in clear with invalid_encryption_parameters."""
    taken = _taken(service, **{"enc": "A256GCM", **how})
    assert (taken["first"]["status"], taken["first"]["encrypted"]) == (400, False)
    assert taken["first"]["answer"]["error"] == "invalid_encryption_parameters"


def _offer(service: Service, **more: str) -> str:
    asked = {"grant": "pre", **more}
    return str(service.stranger("GET", f"{service.sealed_issuer}/control/offer", params=asked)["link"])


def test_our_wallet_encrypts_where_a_stranger_demands_it(service: Service) -> None:
    """The issuer takes nothing in clear and answers encrypted: the card is in the wallet."""
    holder = service.holder()
    (licence_id,) = holder.post("/wallet/offers/take", {"link": _offer(service)})["licence_ids"]
    assert holder.get(f"/wallet/licences/{licence_id}", params={"language": "en"})["name"] == "Library card"


def test_our_wallet_refuses_an_answer_in_clear(service: Service) -> None:
    """An issuer that demands encryption and then answers in clear has its credential left."""
    holder = service.holder()
    before = len(holder.get("/wallet/licences")["items"])
    with pytest.raises(CallRefusedError, match="encrypted") as refused:
        holder.post("/wallet/offers/take", {"link": _offer(service, clear="1")})
    assert refused.value.problem["code"] == "foreign_service_failed"
    assert len(holder.get("/wallet/licences")["items"]) == before
