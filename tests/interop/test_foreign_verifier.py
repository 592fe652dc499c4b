"""Our wallet answers a third party's verifier (@openid4vc, dcql, @sd-jwt with status lists), which checks everything."""

from typing import Any

import pytest

from app.cli.client import CallRefusedError
from tests.interop.conftest import Service

CARD = "resident_id_card"


def _query(service: Service, *names: str, **more: Any) -> dict[str, Any]:
    vct = f"{service.url}/issuers/types/{CARD}"
    claims = [{"path": [name]} for name in names]
    return {
        "credentials": [{"id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, "claims": claims, **more}]
    }


def _asked(service: Service, query: dict[str, Any], **how: Any) -> dict[str, Any]:
    return service.stranger("POST", f"{service.verifier}/control/ask", json={"query": query, **how})


def _result(service: Service, asked: dict[str, Any]) -> dict[str, Any]:
    return service.stranger("GET", f"{service.verifier}/control/result", params={"id": asked["id"]})


def _answered(service: Service, asked: dict[str, Any], *, agree: bool = True) -> dict[str, Any]:
    holder = service.holder()
    seen = holder.post("/wallet/requests", {"link": asked["link"]})
    assert (seen["verifier_name"], seen["signed"]) == ("Example Bank", True)
    onward = holder.post(f"/wallet/requests/{seen['request_id']}/answer", {"agree": agree})
    return {"seen": seen, "onward": onward["redirect_uri"]}


@pytest.mark.parametrize(
    "how", [{}, {"post": False}, {"mode": "direct_post"}], ids=["encrypted", "fetched by GET", "plain"]
)
def test_shows_a_licence(service: Service, how: dict[str, Any]) -> None:
    """Seen, agreed, sent: the verifier finds signature, status, holder binding, nonce, audience and query all in order."""
    service.issue(CARD)
    asked = _asked(service, _query(service, "holder_name", "age_over_18"), **how)
    answered = _answered(service, asked)
    result = _result(service, asked)
    assert result["state"] == "answered", result
    assert result["encrypted"] == (how.get("mode") != "direct_post")
    shown = result["shown"]["card"]
    assert (shown["holder_name"], shown["age_over_18"]) == ("张示例", True)
    assert "address" not in shown
    assert "holder_code" not in shown
    assert answered["onward"].startswith(f"{service.verifier}/done?response_code=")
    (part,) = answered["seen"]["parts"]
    assert set(part["claims"]) >= {"holder_name", "age_over_18"}
    assert "address" in part["kept_back"]


def test_shows_what_it_took_from_a_stranger(service: Service) -> None:
    """A third party's credential, taken by our wallet, answers another third party: only the nested claims asked for."""
    holder = service.holder()
    link = service.stranger("GET", f"{service.issuer}/control/offer", params={"grant": "pre"})["link"]
    holder.post("/wallet/offers/take", {"link": link})
    vct = f"{service.issuer}/types/library-card"
    claims = [{"path": ["reader"], "values": ["李样本", "other"]}, {"path": ["address", "town"]}]
    query = {"credentials": [{"id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, "claims": claims}]}
    asked = _asked(service, query)
    _answered(service, asked)
    result = _result(service, asked)
    assert result["state"] == "answered", result
    assert result["shown"]["card"]["reader"] == "李样本"
    assert result["shown"]["card"]["address"] == {"town": "示例"}
    assert "books" not in result["shown"]["card"]


def test_certified_copies_by_authority(service: Service) -> None:
    """Asked for by `aki`, the copy with a certificate answers, and its status list is signed with one too."""
    holder = service.holder()
    holder.post("/wallet/offers/take", {"link": service.offer(CARD, service.issue(CARD))["link"]})
    desk = service.ask(certified=True, service_item="ride_hailing_driver")
    assert desk["client_id"].startswith("x509_hash:")
    asked = _asked(service, _query(service, "holder_name"))
    answered = _answered(service, asked)
    assert answered["seen"]["parts"][0]["licence_id"].startswith("foreign-")
    assert _result(service, asked)["state"] == "answered"


def test_declines(service: Service) -> None:
    """The verifier is told access_denied with its state."""
    service.issue(CARD)
    asked = _asked(service, _query(service, "holder_name"))
    _answered(service, asked, agree=False)
    assert _result(service, asked) == {"state": "declined", "error": "access_denied", "sameState": True}


def test_a_revoked_licence_is_seen_as_revoked(service: Service) -> None:
    """The verifier reads our signed status list and refuses; our wallet passes its refusal on."""
    licence_id = service.issue(CARD)
    asked = _asked(service, _query(service, "holder_name"))
    holder = service.holder()
    seen = holder.post("/wallet/requests", {"link": asked["link"]})
    shown = seen["parts"][0]["licence_id"]
    police = service.agencies["police"]
    police.post(f"/issuers/police/licences/{licence_id}/revoke", {"cause": "lost"})
    with pytest.raises(CallRefusedError, match="invalid_request"):
        holder.post(f"/wallet/requests/{seen['request_id']}/answer", {"agree": True})
    assert shown == licence_id
    assert "status 1" in _result(service, asked)["error"]


def test_another_clients_name_is_refused(service: Service) -> None:
    """A verifier that calls itself by another certificate's hash is refused before anything is shown."""
    asked = _asked(
        service, _query(service, "holder_name"), clientId="x509_hash:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    )
    holder = service.holder()
    with pytest.raises(CallRefusedError, match="invalid_client"):
        holder.post("/wallet/requests", {"link": asked["link"]})
