"""Deferred issuance, both ways: a third party's wallet waits for our agency, and our wallet for a third party's issuer."""

from typing import Any

import pytest

from app.cli.client import CallRefusedError
from credentials import sd_jwt_vc
from tests.interop.conftest import Service, node

CARD = "driving_licence"


def _waited(service: Service, verb: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    offer = service.offer_order(CARD)
    taken = node("take_deferred.mjs", link=offer["link"], decide=service.decision(CARD, offer, verb), **more)
    assert taken["ok"], taken
    state = service.agencies["traffic_police"].get(f"/issuers/traffic_police/offers/{offer['offer_id']}")
    return taken, dict(state)


def test_a_foreign_wallet_waits_for_the_agency(service: Service) -> None:
    """Told to wait with 202, asked to wait again, approved: a credential for each key, and the transaction is over."""
    taken, state = _waited(service, "approve", keys=2)
    assert (taken["status"], taken["interval"]) == (202, 5)
    assert taken["early"] == {"status": 202, "transaction_id": taken["transactionId"], "interval": 5}
    assert taken["late"]["status"] == 200
    payloads = [
        sd_jwt_vc.parse_licence(one["credential"]).token.unverified_payload() for one in taken["late"]["credentials"]
    ]
    assert [one["cnf"]["jwk"]["x"] for one in payloads] == [key["x"] for key in taken["holderKeys"]]
    assert taken["late"]["notification_id"]
    assert (taken["again"]["status"], taken["again"]["error"]) == (400, "invalid_transaction_id")
    assert (state["state"], state["licence_type"]) == ("ready", CARD)


def test_a_transaction_of_nobody_is_refused(service: Service) -> None:
    """Another transaction than the wallet's own is invalid_transaction_id, and leaves its own open."""
    taken, _ = _waited(service, "approve")
    assert (taken["strange"]["status"], taken["strange"]["error"]) == (400, "invalid_transaction_id")
    assert taken["late"]["status"] == 200


def test_what_the_agency_denies_is_refused(service: Service) -> None:
    """A denied order ends the waiting with credential_request_denied."""
    taken, state = _waited(service, "deny")
    assert (taken["late"]["status"], taken["late"]["error"]) == (400, "credential_request_denied")
    assert (state["state"], state["licence_id"]) == ("denied", None)


def _waiting(service: Service, issuer: str) -> tuple[dict[str, Any], str, Any]:
    holder = service.holder()
    offer = service.stranger("GET", f"{issuer}/control/offer", params={"grant": "pre", "waits": "1"})
    taken = holder.post("/wallet/offers/take", {"link": offer["link"]})
    assert taken["licence_ids"] == []
    (issuance,) = taken["waiting"]
    assert issuance in holder.get("/wallet/issuances")["waiting"]
    path = f"/wallet/issuances/{issuance}/collect"
    assert holder.post(path) == {"licence_ids": [], "waiting": [issuance], "refused": {}}
    return offer, path, holder


def _decided(service: Service, issuer: str, offer: dict[str, Any], how: str) -> None:
    service.stranger("GET", f"{issuer}/control/decide", params={"offer": offer["offer"], "as": how})


@pytest.mark.parametrize("sealed", [False, True], ids=["in clear", "encrypted"])
def test_our_wallet_waits_for_a_strangers_issuer(service: Service, sealed: bool) -> None:
    """Waiting, asked again and still waiting, then ready: the card is here, the issuer is told, nothing waits any more."""
    issuer = service.sealed_issuer if sealed else service.issuer
    offer, path, holder = _waiting(service, issuer)
    _decided(service, issuer, offer, "ready")
    collected = holder.post(path)
    (licence_id,) = collected["licence_ids"]
    assert collected["waiting"] == []
    assert holder.get(f"/wallet/licences/{licence_id}", params={"language": "en"})["name"] == "Library card"
    assert service.stranger("GET", f"{issuer}/control/events")["list"][-1] == "credential_accepted"
    with pytest.raises(CallRefusedError) as over:
        holder.post(path)
    assert over.value.problem["code"] == "not_found"


def test_a_stranger_denies_what_our_wallet_waits_for(service: Service) -> None:
    """The issuer's credential_request_denied reaches the holder, and no licence comes."""
    offer, path, holder = _waiting(service, service.issuer)
    before = len(holder.get("/wallet/licences")["items"])
    _decided(service, service.issuer, offer, "denied")
    with pytest.raises(CallRefusedError, match="credential_request_denied") as refused:
        holder.post(path)
    assert refused.value.problem["code"] == "foreign_service_refused"
    assert len(holder.get("/wallet/licences")["items"]) == before
