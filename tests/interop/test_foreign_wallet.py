"""A third-party wallet takes our licences by offer and shows them to our counter (@openid4vc, @sd-jwt, dcql)."""

import pytest

from credentials import sd_jwt, sd_jwt_vc
from tests.interop.conftest import AGENCIES, Service, node


def _offers(service: Service) -> list[dict[str, str]]:
    return [service.offer(kind, service.issue(kind)) for kind in AGENCIES]


def test_takes_a_batch_by_offer_with_a_transaction_code(service: Service) -> None:
    """Three keys, one transaction code, DPoP: three credentials with keys, salts and status entries of their own."""
    offer = service.offer("driving_licence", service.issue("driving_licence"), tx_code=True)
    taken = node("wallet.mjs", offers=[offer | {"keys": 3}])
    assert taken["ok"], taken
    (one,) = taken["taken"]
    parts = [sd_jwt_vc.parse_licence(text) for text in one["credentials"]]
    payloads = [part.token.unverified_payload() for part in parts]
    assert one["tokenType"] == "DPoP"
    assert [
        sd_jwt.process(payload, part.parts.disclosures)["cnf"]["jwk"]["x"]
        for payload, part in zip(payloads, parts, strict=True)
    ] == [key["x"] for key in one["holderKeys"]]
    assert len({payload["status"]["status_list"]["idx"] for payload in payloads}) == 3
    assert len({disclosure.salt for part in parts for disclosure in part.parts.disclosures}) == sum(
        len(part.parts.disclosures) for part in parts
    )
    assert len({payload["iat"] for payload in payloads}) == 1
    assert all("x5c" in part.token.header and "kid" not in part.token.header for part in parts)


def test_a_wrong_transaction_code_and_a_used_offer_are_refused(service: Service) -> None:
    """The client is told invalid_grant, in OAuth's form."""
    offer = service.offer("driving_licence", service.issue("driving_licence"), tx_code=True)
    wrong = node("wallet.mjs", offers=[offer | {"txCode": "000000" if offer["txCode"] != "000000" else "1"}])
    assert (wrong["ok"], wrong["response"]["error"]) == (False, "invalid_grant")
    assert node("wallet.mjs", offers=[offer])["ok"]
    again = node("wallet.mjs", offers=[offer])
    assert not again["ok"]


def test_takes_with_a_bearer_token(service: Service) -> None:
    """A wallet without DPoP gets a five-minute bearer token and the same credential."""
    offer = service.offer("driving_licence", service.issue("driving_licence"))
    taken = node("wallet.mjs", offers=[offer | {"dpop": False}])
    assert (taken["ok"], taken["taken"][0]["tokenType"]) == (True, "Bearer"), taken


@pytest.mark.parametrize("key_attestation", [False, True], ids=["plain key", "attested key"])
def test_takes_by_authorization_code(service: Service, key_attestation: bool) -> None:
    """Client attestation, PAR, PKCE, `iss`, DPoP with nonces, refresh: as HAIP wants it."""
    licence_id = service.issue("driving_licence")
    offer = service.offer("driving_licence", licence_id, grants=["authorization_code"])
    taken = node(
        "take_by_code.mjs", offer=offer["link"], attester=service.attester, signInLink=service.sign_in_link(),
        keyAttestation=key_attestation,
    )  # fmt: skip
    assert taken["ok"], taken
    assert (taken["iss"], taken["state"]) == (f"{service.url}/issuers/traffic_police", "state-of-the-wallet")
    assert (taken["tokenType"], taken["scope"], taken["refreshed"]) == ("DPoP", "driving_licence", "DPoP")
    part = sd_jwt_vc.parse_licence(taken["credentials"][0])
    assert part.token.unverified_payload()["cnf"]["jwk"]["x"] == taken["key"]["x"]
    assert "x5c" in part.token.header


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"client_id_prefix": "x509_san_dns"},
        {"response_mode": "direct_post"},
        {"client_id_prefix": "redirect_uri", "response_mode": "direct_post"},
    ],
    ids=["haip", "x509_san_dns", "plain answer", "unsigned"],
)
def test_shows_two_licences_of_two_agencies(service: Service, how: dict[str, str]) -> None:
    """One request, two licences, one verdict: accepted, with exactly the claims that the item lists."""
    request = service.ask(**how)
    done = node("wallet.mjs", offers=_offers(service), request=request["link"])
    assert (done["ok"], done.get("answered", {}).get("status")) == (True, 200), done
    told = service.told(request)
    assert (told["state"], told["verdict"]["verdict"]) == ("answered", "accepted"), told
    shown = {one["licence_type"]: set(one["claims"]) for one in told["verdict"]["licences"]}
    assert shown["resident_id_card"] == {"holder_code", "holder_name"}
    assert service.told(request) == {"state": "told", "verdict": None}


def test_on_one_device_only_the_browser_that_asked_is_told(service: Service) -> None:
    """The wallet is sent back with a response code; without it the verdict is not told."""
    request = service.ask(return_to="https://hall.example/matter?id=7")
    done = node("wallet.mjs", offers=_offers(service), request=request["link"])
    address, _, code = done["answered"]["answer"]["redirect_uri"].partition("&response_code=")
    assert address == "https://hall.example/matter?id=7"
    with pytest.raises(Exception, match="response code"):
        service.told(request)
    assert service.told(request, response_code=code)["verdict"]["verdict"] == "accepted"


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"aud": "x509_hash:AAAA"}, "wrong_audience"), ({"nonce": "bm9uY2Utb2Ytc29tZW9uZQ"}, "wrong_nonce")],
)
def test_a_presentation_for_somebody_else_is_refused(service: Service, change: dict[str, str], reason: str) -> None:
    """Another audience or nonce: the wallet gets 400, the counter a refused verdict with the reason."""
    request = service.ask()
    done = node("wallet.mjs", offers=_offers(service), request=request["link"], change=change)
    assert done["answered"]["status"] == 400
    assert service.told(request)["verdict"]["reason"] == reason


def test_a_revoked_licence_is_refused_in_the_foreign_wallet_too(service: Service) -> None:
    """Revoking the licence revokes its copies: the foreign wallet's is refused as revoked."""
    held = {kind: service.issue(kind) for kind in AGENCIES}
    offers = [service.offer(kind, licence_id) for kind, licence_id in held.items()]
    request = service.ask()
    first = node("wallet.mjs", offers=offers, request=request["link"])
    assert first["answered"]["status"] == 200
    credentials = [service.offer(kind, licence_id) for kind, licence_id in held.items()]
    again = service.ask()
    police = service.agencies["traffic_police"]
    path = f"/issuers/traffic_police/licences/{held['driving_licence']}/revoke"
    taken = node(
        "revoke_between.mjs",
        offers=credentials,
        request=again["link"],
        revoke={
            "url": f"{service.url}{path}",
            "token": police._http.headers["Authorization"],
            "cause": "licence_revoked",
        },
    )
    assert taken["answered"]["status"] == 400, taken
    assert service.told(again)["verdict"]["reason"] == "revoked"
