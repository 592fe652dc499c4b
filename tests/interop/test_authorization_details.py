"""`authorization_details` instead of `scope`, both ways; the credential identifiers that come back are then used."""

from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from credentials import sd_jwt_vc
from tests.interop.conftest import Service, node

CARD = "driving_licence"
WANTED = {"type": "openid_credential", "credential_configuration_id": CARD}


def _by_code(service: Service, details: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    offer = service.offer(CARD, service.issue(CARD), grants=["authorization_code"])
    return node(
        "take_by_details.mjs", offer=offer["link"], attester=service.attester, signInLink=service.sign_in_link(),
        details=details, **more,
    )  # fmt: skip


def _check(taken: dict[str, Any]) -> None:
    assert (taken["ok"], taken.get("status")) == (True, 200), taken
    assert taken["details"] == [{**WANTED, "credential_identifiers": [CARD]}]
    assert "scope" not in taken
    (one,) = taken["answer"]["credentials"]
    payload = sd_jwt_vc.parse_licence(one["credential"]).token.unverified_payload()
    assert payload["cnf"]["jwk"]["x"] == taken["holderKey"]["x"]


def test_a_foreign_wallet_asks_by_details(service: Service) -> None:
    """Pushed details, agreed to, come back with identifiers and without scope; the identifier gets the credential."""
    _check(_by_code(service, [WANTED]))


def test_details_in_the_token_request(service: Service) -> None:
    """Beside a pre-authorized code they bring identifiers too."""
    offer = service.offer(CARD, service.issue(CARD))
    _check(node("take_by_details.mjs", offer=offer["link"], details=[WANTED]))


def test_another_identifier_is_refused(service: Service) -> None:
    """An identifier that the token response did not give is unknown_credential_identifier."""
    taken = _by_code(service, [WANTED], ask="resident_id_card")
    assert (taken["ok"], taken["status"], taken["answer"]["error"]) == (True, 400, "unknown_credential_identifier")


@pytest.mark.parametrize(
    "change",
    [
        {"type": "payment_initiation"},
        {"credential_configuration_id": "resident_id_card"},
        {"locations": ["https://elsewhere.example"]},
    ],
    ids=["another type", "not of this agency", "at another issuer"],
)
def test_other_details_are_not_pushed(service: Service, change: dict[str, Any]) -> None:
    """The push is refused with invalid_authorization_details."""
    refused = _by_code(service, [WANTED | change])
    assert not refused["ok"]
    assert refused["response"]["error"] == "invalid_authorization_details"


def test_our_wallet_asks_by_details_where_there_is_no_scope(service: Service) -> None:
    """A stranger's configuration without scope: pushed by details, and taken by the identifier that its issuer demands."""
    holder = service.holder()
    asked = {"grant": "code", "of": "detailed_card"}
    link = service.stranger("GET", f"{service.issuer}/control/offer", params=asked)["link"]
    started = holder.post("/wallet/offers/start", {"link": link})
    address = httpx2.get(started["authorization_url"], trust_env=False).headers["location"]
    assert urlsplit(address).path == "/wallet/authorized"
    (licence_id,) = holder.post("/wallet/offers/finish", {"redirected_to": address})["licence_ids"]
    assert holder.get(f"/wallet/licences/{licence_id}", params={"language": "en"})["name"] == "Library card"
