"""Many wallets at once: one pre-authorized code, nonce, authorization code, pushed request or presentation, one success."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browsing import signed_in
from tests.foreign import (
    CALLBACK,
    CLIENT_ID,
    PRE_AUTHORIZED,
    VERIFIER,
    Authority,
    ForeignWallet,
    new_key,
)
from tests.races.test_many_at_once import at_once
from tests.records.tables import findings
from tests.verifier.test_verifier_openid4vp import Driver, ask, fetched, send, verdict
from tests.world import Answer, Caller, World

TYPE = "residence_permit"
MANY = 16


def told(answers: list[Answer]) -> Counter[tuple[int, str]]:
    """How often each status and error came."""
    return Counter((one.status, one.body.get("error", "") if isinstance(one.body, dict) else "") for one in answers)


@pytest.fixture
def wallet(world: World, tmp_path: Path) -> ForeignWallet:
    """A stranger's wallet whose attester the operator believes."""
    attester = Authority("Attester", world.now)
    world.restart(attesters_file=attester.pem(tmp_path / "attesters.pem"))
    world.issue()
    return ForeignWallet(world, attester=attester)


def with_token(wallet: ForeignWallet) -> ForeignWallet:
    """The wallet with a token for an offered permit."""
    world = wallet.world
    offer = world.agency("police").post("/issuers/police/offers", {"licence_id": world.issue(), "qr": "none"})
    answer = wallet.redeem(wallet.grants(offer.body)[PRE_AUTHORIZED]["pre-authorized_code"])
    assert answer.status == 200, answer.body
    return wallet


def test_one_pre_authorized_code(world: World, wallet: ForeignWallet) -> None:
    """Sixteen redemptions of one code at once: one token."""
    offer = world.agency("police").post("/issuers/police/offers", {"licence_id": world.issue(), "qr": "none"})
    code = wallet.grants(offer.body)[PRE_AUTHORIZED]["pre-authorized_code"]
    wallet.nonce()
    form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code}
    proofs = [wallet.proof("token") for _ in range(MANY)]
    calls: list[Callable[[], Answer]] = [
        lambda proof=proof: wallet.post("token", data=form, headers={"DPoP": proof}) for proof in proofs
    ]
    assert told(at_once(calls)) == {(200, ""): 1, (400, "invalid_grant"): MANY - 1}
    assert findings(world) == []


def test_one_nonce(world: World, wallet: ForeignWallet) -> None:
    """Sixteen credential requests with one c_nonce at once: one credential."""
    with_token(wallet)
    nonce, secret = wallet.nonce(), wallet.token["access_token"]
    sent = [
        (
            {"Authorization": f"DPoP {secret}", "DPoP": wallet.proof("credential", secret)},
            {"credential_configuration_id": TYPE, "proofs": {"jwt": [wallet.key_proof(new_key(), nonce)]}},
        )
        for _ in range(MANY)
    ]
    calls: list[Callable[[], Answer]] = [
        lambda headers=headers, body=body: wallet.post("credential", headers=headers, json=body)
        for headers, body in sent
    ]
    assert told(at_once(calls)) == {(200, ""): 1, (400, "invalid_nonce"): MANY - 1}
    assert findings(world) == []


def test_one_dpop_proof(world: World, wallet: ForeignWallet) -> None:
    """The very same proof sixteen times at once: one passes."""
    with_token(wallet)
    wallet.nonce()
    secret = wallet.token["access_token"]
    headers = {"Authorization": f"DPoP {secret}", "DPoP": wallet.proof("notification", secret)}
    body = {"notification_id": "x", "event": "credential_accepted"}
    answers = at_once([lambda: wallet.post("notification", headers=headers, json=body)] * MANY)
    assert told(answers) == {(400, "invalid_notification_id"): 1, (401, "invalid_dpop_proof"): MANY - 1}


def test_one_holder_key(world: World, wallet: ForeignWallet) -> None:
    """Eight requests for credentials for one key at once: one credential, no key twice in the ledger."""
    with_token(wallet)
    key, secret = new_key(), wallet.token["access_token"]
    sent = [
        (
            {"Authorization": f"DPoP {secret}", "DPoP": wallet.proof("credential", secret)},
            {"credential_configuration_id": TYPE, "proofs": {"jwt": [wallet.key_proof(key, nonce)]}},
        )
        for nonce in [wallet.nonce() for _ in range(8)]
    ]
    calls: list[Callable[[], Answer]] = [
        lambda headers=headers, body=body: wallet.post("credential", headers=headers, json=body)
        for headers, body in sent
    ]
    assert told(at_once(calls)) == {(200, ""): 1, (400, "invalid_proof"): 7}
    assert findings(world) == []


def test_one_pushed_request(world: World, wallet: ForeignWallet) -> None:
    """Sixteen decisions on one pushed request at once: one redirect with one code."""
    request_uri, browser = wallet.push()["request_uri"], signed_in(world)
    page = browser.get(f"/issuers/police/authorize?{urlencode({'client_id': CLIENT_ID, 'request_uri': request_uri})}")
    calls: list[Callable[[], Answer]] = [
        lambda: browser.send(page, "/issuers/police/authorize", decision="agree") for _ in range(MANY)
    ]
    answers = at_once(calls)
    assert Counter(one.status for one in answers) == {303: 1, 400: MANY - 1}
    (location,) = [one.headers["location"] for one in answers if one.status == 303]
    assert "code=" in location


def test_one_authorization_code(world: World, wallet: ForeignWallet) -> None:
    """Sixteen exchanges of one code at once: one token, and it works."""
    code = wallet.agree(wallet.push()["request_uri"], signed_in(world))["code"]
    wallet.nonce()
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": CALLBACK}
    sent = [{"DPoP": wallet.proof("token"), **wallet.attested()} for _ in range(MANY)]
    calls: list[Callable[[], Answer]] = [
        lambda headers=headers: wallet.post("token", data=form, headers=headers) for headers in sent
    ]
    answers = at_once(calls)
    assert told(answers) == {(200, ""): 1, (400, "invalid_grant"): MANY - 1}
    wallet.token = next(dict(one.body) for one in answers if one.status == 200)
    assert wallet.take().status == 200
    assert findings(world) == []


def test_one_deferred_credential(world: World, wallet: ForeignWallet) -> None:
    """Sixteen collections of one approved credential at once: one credential."""
    offer = world.agency("police").post("/issuers/police/offers", {"order": world.order(), "qr": "none"})
    wallet.redeem(wallet.grants(offer.body)[PRE_AUTHORIZED]["pre-authorized_code"])
    transaction = {"transaction_id": wallet.take()["transaction_id"]}
    world.agency("police").post(f"/issuers/police/offers/{offer['offer_id']}/approve")
    secret = wallet.token["access_token"]
    proofs = [wallet.proof("deferred-credential", secret) for _ in range(MANY)]
    calls: list[Callable[[], Answer]] = [
        lambda proof=proof: wallet.post(
            "deferred-credential", headers={"Authorization": f"DPoP {secret}", "DPoP": proof}, json=transaction
        )
        for proof in proofs
    ]
    assert told(at_once(calls)) == {(200, ""): 1, (400, "invalid_transaction_id"): MANY - 1}


def test_one_presentation(world: World) -> None:
    """Sixteen answers to one request at once: one accepted, one verdict."""
    driver, request = Driver(world), ask(world)
    asked = fetched(world, request)
    payloads: list[dict[str, Any]] = [{"vp_token": driver.answer(asked), "state": asked["state"]} for _ in range(MANY)]
    calls: list[Callable[[], Answer]] = [lambda payload=payload: send(world, asked, payload) for payload in payloads]
    answers = at_once(calls)
    assert told(answers) == {(200, ""): 1, (400, "invalid_request"): MANY - 1}
    assert verdict(world, request)["verdict"] == "accepted"
    assert findings(world) == []


def test_one_verdict_is_told_once(world: World) -> None:
    """Sixteen readers of one verdict at once: one is told."""
    driver, request = Driver(world), ask(world)
    asked = fetched(world, request)
    assert send(world, asked, {"vp_token": driver.answer(asked), "state": asked["state"]}).status == 200
    path = f"/verifier/presentation-requests/{request['request_id']}"
    states = Counter(one["state"] for one in at_once([lambda: world.counter().get(path)] * MANY))
    assert states == {"answered": 1, "told": MANY - 1}


def test_one_answer_of_our_wallet(world: World) -> None:
    """Sixteen agreements of one holder to one request at once: one answer leaves."""
    Driver(world)
    seen = world.holder().post("/wallet/requests", {"link": ask(world)["link"]})
    path = f"/wallet/requests/{seen['request_id']}/answer"
    statuses = Counter(one.status for one in at_once([lambda: world.holder().post(path, {"agree": True})] * MANY))
    assert statuses == {200: 1, 422: MANY - 1}
    assert len(world.holder().get("/wallet/uses")["items"]) == 1


def test_an_order_is_decided_once(world: World) -> None:
    """Of clerks and a system who approve or deny at once, one decides: one licence, or none, and everybody is told which."""
    system = world.agency("police")
    people = [system, *(world.caller("clerk", "police", person=name) for name in ("wang", "zhao"))]
    for number in range(6):
        offer = system.post("/issuers/police/offers", {"order": world.order(reference=f"n{number}"), "qr": "none"})
        path, before = f"/issuers/police/offers/{offer['offer_id']}", _licences(system)
        words = ["approve"] * 3 if number % 2 == 0 else ["approve", "deny", "deny"]
        calls = [partial(who.post, f"{path}/{word}") for who, word in zip(people, words, strict=True)]
        answers = at_once(calls)
        assert {one.status for one in answers} <= {200, 409}, [one.body for one in answers]
        made, state = _licences(system) - before, system.get(path)
        assert (state["state"], len(made)) in {("ready", 1), ("denied", 0)}
        assert {one["licence_id"] for one in answers if one.status == 200} <= {state.body.get("licence_id")}
        assert made <= {state.body.get("licence_id")}
    assert findings(world) == []


def _licences(agency: Caller) -> set[str]:
    return {one["licence_id"] for one in agency.get("/issuers/police/licences")["items"]}
