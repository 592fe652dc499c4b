"""OpenID4VCI by authorization code: pushed requests, the holder's page, codes with PKCE, DPoP and client attestation."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from credentials.jwk import export_public
from tests.browsing import SAME_ORIGIN, Browser, sign_in_link, signed_in
from tests.foreign import (
    CALLBACK,
    CLIENT_ID,
    Authority,
    ForeignWallet,
    new_key,
    payload_of,
    refused,
    thumbprint,
)
from tests.records.tables import findings
from tests.world import BASE_URL, OTHER_PARENT, World

TYPE = "residence_permit"
ISSUER = f"{BASE_URL}/issuers/police"


@pytest.fixture
def wallet(world: World, tmp_path: Path) -> ForeignWallet:
    """A stranger's wallet whose attester the operator believes, and a permit that could be taken."""
    attester = Authority("Attester", world.now)
    world.restart(attesters_file=attester.pem(tmp_path / "attesters.pem"))
    world.issue()
    return ForeignWallet(world, attester=attester)


def pushed(wallet: ForeignWallet, **changes: Any) -> str:
    """The address of a pushed request."""
    answer = wallet.push(**changes)
    assert answer.status == 201, answer.body
    assert answer["expires_in"] < 600
    return str(answer["request_uri"])


def test_a_holder_takes_by_signing_in(world: World, wallet: ForeignWallet) -> None:
    """Push, page, agreement, code with state and `iss`, token bound to DPoP, credential; the doctor is content."""
    request_uri = pushed(wallet)
    page = world.anybody.get(f"/issuers/police/authorize?client_id={CLIENT_ID}&request_uri={request_uri}")
    assert page.status == 200
    assert "居住证" in page.body
    assert "Other &lt;b&gt;wallet&lt;/b&gt;" in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    back = wallet.agree(request_uri, signed_in(world))
    assert (back["state"], back["iss"]) == ("state-of-the-wallet", ISSUER)
    token = wallet.exchange(back["code"])
    assert token.status == 200, token.body
    assert (token["token_type"], token["scope"]) == ("DPoP", TYPE)
    key = new_key()
    got = wallet.take(key)
    assert got.status == 200, got.body
    assert payload_of(got["credentials"][0]["credential"])["cnf"]["jwk"] == export_public(key)
    assert findings(world) == []


def test_asked_by_details(world: World, wallet: ForeignWallet) -> None:
    """`authorization_details` instead of a scope: the token names credential identifiers, and no scope."""
    details = f'[{{"type":"openid_credential","credential_configuration_id":"{TYPE}","locations":["{ISSUER}"]}}]'
    request_uri = pushed(wallet, scope=None, authorization_details=details)
    token = wallet.exchange(wallet.agree(request_uri, signed_in(world))["code"])
    assert token["authorization_details"] == [
        {"type": "openid_credential", "credential_configuration_id": TYPE, "credential_identifiers": [TYPE]}
    ]
    assert "scope" not in token.body
    nonce = wallet.nonce()
    body = {"credential_identifier": TYPE, "proofs": {"jwt": [wallet.key_proof(new_key(), nonce)]}}
    assert wallet.ask("credential", body).status == 200


def test_by_an_offer_with_issuer_state(world: World, wallet: ForeignWallet) -> None:
    """An offer may leave it to the holder to sign in; only who holds the licence can take it, once."""
    licence_id = world.issue()
    body = {"licence_id": licence_id, "qr": "none", "grants": ["authorization_code"]}
    offer = world.agency("police").post("/issuers/police/offers", body)
    grants = wallet.grants(offer.body)
    state = grants["authorization_code"]["issuer_state"]
    assert grants.keys() == {"authorization_code"}
    stranger = wallet.agree(pushed(wallet, issuer_state=state), signed_in(world, OTHER_PARENT))
    assert stranger["error"] == "access_denied"
    token = wallet.exchange(wallet.agree(pushed(wallet, issuer_state=state), signed_in(world))["code"])
    assert token.status == 200
    got = wallet.take()
    assert payload_of(got["credentials"][0]["credential"])["licence_id"] == licence_id
    refused(wallet.push(issuer_state=state), "invalid_request")
    refused(wallet.push(issuer_state="unknown"), "invalid_request")


def test_what_the_holder_does_not_have(world: World, wallet: ForeignWallet) -> None:
    """Who holds no such licence can agree to nothing: the wallet is told access_denied."""
    back = wallet.agree(pushed(wallet), signed_in(world, OTHER_PARENT))
    assert back["error"] == "access_denied"
    assert back["iss"] == ISSUER


def test_declined(world: World, wallet: ForeignWallet) -> None:
    """The holder declines: the wallet is told so, with state and `iss`, and the request is over."""
    request_uri = pushed(wallet)
    back = wallet.agree(request_uri, None)
    assert back == {"error": "access_denied", "state": "state-of-the-wallet", "iss": ISSUER}
    told = {"client_id": CLIENT_ID, "request_uri": request_uri, "decision": "decline"}
    again = wallet.post("authorize", data=told, headers=SAME_ORIGIN)
    assert again.status == 400


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(world: World, wallet: ForeignWallet) -> None:
    """The page offers to sign in and to decline, and comes back to itself; only then can the holder agree."""
    browser, request_uri = Browser(world), pushed(wallet)
    address = f"/issuers/police/authorize?{urlencode({'client_id': CLIENT_ID, 'request_uri': request_uri})}"
    page = browser.get(address)
    assert "value=agree" not in page.body
    (way,) = re.findall(r"href='(/wallet/sign-in[^']+)'", page.body)
    form = browser.get(way)
    done = browser.send(form, "/wallet/sign-in/link", link=sign_in_link(world))
    assert (done.status, done.headers["location"]) == (303, address)
    assert "value=agree" in browser.get(done.headers["location"]).body
    assert wallet.agree(request_uri, browser)["code"]


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, {}),
        ({"Sec-Fetch-Site": "same-site"}, {}),
        ({"Sec-Fetch-Site": "", "Origin": "https://evil.example"}, {}),
        ({"Origin": "null"}, {}),
        ({}, {"form_token": "x"}),
        ({}, {"form_token": "é"}),
        ({}, {"form_token": ""}),
    ],
    ids=str,
)
def test_agreement_forged_from_elsewhere(
    world: World, wallet: ForeignWallet, headers: dict[str, str], fields: dict[str, str]
) -> None:
    """A form that is not this page's own agrees to nothing, though the holder is signed in; the true one still does."""
    browser, request_uri = signed_in(world), pushed(wallet)
    address = f"/issuers/police/authorize?{urlencode({'client_id': CLIENT_ID, 'request_uri': request_uri})}"
    page = browser.get(address)
    forged = browser.send(page, "/issuers/police/authorize", headers=headers, decision="agree", **fields)
    assert forged.status == 403
    assert "请从本页面操作" in forged.body
    assert wallet.agree(request_uri, browser)["code"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "http://wallet.example/callback"}, "invalid_request"),
        ({"redirect_uri": CALLBACK + "#fragment"}, "invalid_request"),
        ({"redirect_uri": "javascript:alert(1)"}, "invalid_request"),
        ({"redirect_uri": "data:text/html,x"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "driving_licence"}, "invalid_scope"),
        ({"scope": f"{TYPE} openid"}, "invalid_scope"),
        ({"authorization_details": "[{}]"}, "invalid_authorization_details"),
        ({"request_uri": "urn:x"}, "invalid_request"),
        ({"request": "e30.e30."}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_dpop_proof"),
        ({"client_id": "https://other.example"}, "invalid_client"),
    ],
    ids=str,
)
def test_pushed_requests_that_are_refused(wallet: ForeignWallet, changes: dict[str, Any], error: str) -> None:
    """Each has its own code."""
    refused(wallet.push(**changes), error, 401 if error == "invalid_client" else 400)


def test_a_pushed_request_is_bound_and_short(world: World, wallet: ForeignWallet) -> None:
    """Another client's, a made-up and an old request open no page; the page may be read again before it is decided."""
    request_uri = pushed(wallet)
    path = f"/issuers/police/authorize?client_id={CLIENT_ID}&request_uri={request_uri}"
    for _ in range(2):
        assert world.anybody.get(path).status == 200
    for other in (path.replace(CLIENT_ID, "https://other.example"), path + "x", "/issuers/police/authorize"):
        assert world.anybody.get(other).status == 400
    world.agency("school1")
    assert world.anybody.get(path.replace("police", "school1")).status == 400
    world.wait(540)
    assert world.anybody.get(path).status == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "y" * 64},
        {"code_verifier": "short"},
        {"redirect_uri": "https://wallet.example/other"},
        {"redirect_uri": None},
    ],
    ids=str,
)
def test_codes_that_do_not_fit(world: World, wallet: ForeignWallet, changes: dict[str, Any]) -> None:
    """Another code, verifier or address: invalid_grant; and the code still works for who knows it all."""
    code = wallet.agree(pushed(wallet), signed_in(world))["code"]
    refused(wallet.exchange(code, **changes), "invalid_grant")
    refused(wallet.exchange("other"), "invalid_grant")
    assert wallet.exchange(code).status == 200


def test_a_code_lives_a_minute_and_works_once(world: World, wallet: ForeignWallet) -> None:
    """A second exchange and a late one are invalid_grant; the token of the first stays good."""
    code = wallet.agree(pushed(wallet), signed_in(world))["code"]
    assert wallet.exchange(code).status == 200
    token = dict(wallet.token)
    refused(wallet.exchange(code), "invalid_grant")
    wallet.token = token
    assert wallet.take().status == 200
    late = wallet.agree(pushed(wallet), signed_in(world))["code"]
    world.wait(60)
    wallet.nonce()
    refused(wallet.exchange(late), "invalid_grant")


def test_a_code_needs_dpop_and_the_same_wallet(world: World, wallet: ForeignWallet) -> None:
    """Without a proof, without attestation, by another instance or with another key than was named: refused."""
    code = wallet.agree(pushed(wallet, dpop_jkt=thumbprint(wallet.dpop_key)), signed_in(world))["code"]
    refused(wallet.exchange(code, headers=wallet.attested()), "invalid_dpop_proof")
    refused(wallet.exchange(code, headers={"DPoP": wallet.proof("token")}), "invalid_client", 401)
    other = {"DPoP": wallet.proof("token", key=new_key()), **wallet.attested()}
    refused(wallet.exchange(code, headers=other), "invalid_grant")
    thief = ForeignWallet(wallet.world, attester=wallet.attester)
    refused(thief.exchange(code), "invalid_grant")
    assert wallet.exchange(code).status == 200


def test_dpop_at_the_push_binds_the_code(world: World, wallet: ForeignWallet) -> None:
    """A proof sent with the push names the key, and must be the key that dpop_jkt names."""
    wallet.nonce()
    headers = {"DPoP": wallet.proof("par"), **wallet.attested()}
    request_uri = wallet.push(headers=headers)["request_uri"]
    code = wallet.agree(request_uri, signed_in(world))["code"]
    other = {"DPoP": wallet.proof("token", key=new_key()), **wallet.attested()}
    refused(wallet.exchange(code, headers=other), "invalid_grant")
    assert wallet.exchange(code).status == 200
    headers = {"DPoP": wallet.proof("par"), **wallet.attested()}
    refused(wallet.push(headers=headers, dpop_jkt=thumbprint(new_key())), "invalid_dpop_proof")


def test_refreshing_needs_the_same_instance(world: World, wallet: ForeignWallet) -> None:
    """A refresh token of an attested wallet works for that instance alone."""
    wallet.exchange(wallet.agree(pushed(wallet), signed_in(world))["code"])
    form = {"grant_type": "refresh_token", "refresh_token": wallet.token["refresh_token"]}
    refused(wallet.post("token", data=form, headers={"DPoP": wallet.proof("token")}), "invalid_grant")
    other = ForeignWallet(wallet.world, attester=wallet.attester)
    headers = {"DPoP": wallet.proof("token"), **other.attested()}
    refused(wallet.post("token", data=form, headers=headers), "invalid_grant")
    headers = {"DPoP": wallet.proof("token"), **wallet.attested()}
    assert wallet.post("token", data=form, headers=headers).status == 200


def test_where_nobody_can_sign_in_the_page_says_so(world: World, tmp_path: Path) -> None:
    """Outside the demonstration, with no identity platform: the page says so, and lets the holder decline."""
    attester = Authority("Attester", world.now)
    world.issue()
    world.restart(attesters_file=attester.pem(tmp_path / "attesters.pem"), demo=False)
    wallet = ForeignWallet(world, attester=attester)
    request_uri = pushed(wallet)
    page = world.anybody.get(f"/issuers/police/authorize?client_id={CLIENT_ID}&request_uri={request_uri}")
    assert "尚未开通登录" in page.body
    assert "value=agree" not in page.body
    assert Browser(world).get("/wallet/sign-in").status == 503
    form = {"client_id": CLIENT_ID, "request_uri": request_uri, "decision": "agree"}
    assert wallet.post("authorize", data=form, headers=SAME_ORIGIN).status == 403
    assert wallet.agree(request_uri, None)["error"] == "access_denied"
