"""Our wallet takes from a third party's issuer (@openid4vc, @sd-jwt): both grants, PAR, DPoP with nonces, attestations."""

from urllib.parse import urlsplit

import httpx2
import pytest

from tests.interop.conftest import Service


def _offer(service: Service, grant: str, **more: str) -> str:
    return str(service.stranger("GET", f"{service.issuer}/control/offer", params={"grant": grant, **more})["link"])


def _read(service: Service, licence_id: str) -> dict[str, object]:
    holder = service.holder()
    view = holder.get(f"/wallet/licences/{licence_id}", params={"language": "en"})
    return dict(view)


@pytest.mark.parametrize("tx_code", ["", "4711"])
def test_takes_by_pre_authorized_code(service: Service, tx_code: str) -> None:
    """Client attestation, DPoP with the server's nonce, an attested key proof: the card is in the wallet, by its names."""
    holder = service.holder()
    link = _offer(service, "pre", **({"tx": "1"} if tx_code else {}))
    seen = holder.post("/wallet/offers/look", {"link": link})
    assert seen["issuer_name"] == {"en": "Town library"}
    assert seen["tx_code"] == ({"input_mode": "numeric", "length": 4} if tx_code else None)
    taken = holder.post("/wallet/offers/take", {"link": link} | ({"tx_code": tx_code} if tx_code else {}))
    (licence_id,) = taken["licence_ids"]
    view = _read(service, licence_id)
    assert view["name"] == "Library card"
    claims = {one["label"]: one["value"] for one in view["claims"]}  # type: ignore[attr-defined]
    assert claims == {"Reader": "李样本", "address": {"street": "示例路", "town": "示例"}, "books": ["a", "b"]}
    assert service.stranger("GET", f"{service.issuer}/control/events")["list"][-1] == "credential_accepted"


def test_takes_by_authorization_code(service: Service) -> None:
    """PAR, PKCE, the issuer's page, `iss` in the response, DPoP-bound code: taken."""
    holder = service.holder()
    started = holder.post("/wallet/offers/start", {"link": _offer(service, "code")})
    answer = httpx2.get(started["authorization_url"], trust_env=False)
    assert answer.status_code == 302
    address = answer.headers["location"]
    assert urlsplit(address).path == "/wallet/authorized"
    taken = holder.post("/wallet/offers/finish", {"redirected_to": address})
    assert _read(service, taken["licence_ids"][0])["name"] == "Library card"


def test_a_wrong_transaction_code_takes_nothing(service: Service) -> None:
    """The issuer refuses; the wallet says so and keeps nothing."""
    holder = service.holder()
    before = len(holder.get("/wallet/licences")["items"])
    with pytest.raises(Exception, match=r"invalid_grant|invalid_request"):
        holder.post("/wallet/offers/take", {"link": _offer(service, "pre", tx="1"), "tx_code": "0000"})
    assert len(holder.get("/wallet/licences")["items"]) == before
