"""OpenID4VP at our counters: signed requests, encrypted answers, everything re-checked, each refused with its reason."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from credentials import base64url, jwe, jws, key_binding, sd_jwt
from credentials import x509 as chains
from credentials.jwk import export_public, import_public
from tests.foreign import PRE_AUTHORIZED, ForeignWallet, new_key, query_of
from tests.issuers.claims_of_types import SENT
from tests.records.tables import findings
from tests.world import BASE_URL, Answer, World

ITEM = "ride_hailing_driver"
ABOUT = {"sex": "女", "birth_date": "1987-08-22"}
AGENCIES = {"resident_id_card": "police", "driving_licence": "traffic_police"}


@dataclass
class Driver:
    """A foreign wallet that holds what a driver shows, each for a key of its own."""

    world: World
    held: dict[str, tuple[str, EllipticCurvePrivateKey]] = field(default_factory=dict)
    licences: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, agency in AGENCIES.items():
            claims = SENT[kind].claims | ABOUT
            self.licences[kind] = self.world.issue(kind, by=agency, claims=claims)
            body = {"licence_id": self.licences[kind], "qr": "none"}
            offer = self.world.agency(agency).post(f"/issuers/{agency}/offers", body)
            wallet, key = ForeignWallet(self.world, agency=agency), new_key()
            wallet.redeem(wallet.grants(offer.body)[PRE_AUTHORIZED]["pre-authorized_code"])
            taken = wallet.take(key, configuration=kind)
            self.held[kind] = (taken["credentials"][0]["credential"], key)

    def presented(self, asked: dict[str, Any], kind: str, **bend: Any) -> str:
        """A presentation of one licence with what the query asks for; `bend` bends it."""
        text, key = self.held[bend.get("of", kind)]
        query = next(one for one in asked["dcql_query"]["credentials"] if one["id"] == kind)
        names = [
            claim["path"][0] for claim in query.get("claims", []) if claim["path"][0] not in bend.get("without", ())
        ]
        return key_binding.bind(
            sd_jwt.select(sd_jwt.parse(text), [*names, *bend.get("more", ())]),
            jws.es256(bend.get("key", key)),
            audience=bend.get("audience", asked["client_id"]),
            nonce=bend.get("nonce", asked["nonce"]),
            now=self.world.now + timedelta(seconds=bend.get("seconds", 0)),
            transaction_data=bend.get("transaction_data", asked.get("transaction_data", ()) if kind in bend.get("signs", AGENCIES) else ()),
        )  # fmt: skip

    def answer(self, asked: dict[str, Any], **bend: Any) -> dict[str, list[str]]:
        """A whole `vp_token`."""
        return {kind: [self.presented(asked, kind, **bend)] for kind in bend.get("kinds", AGENCIES)}


def ask(world: World, **how: Any) -> dict[str, Any]:
    """A counter's request."""
    made = world.counter().post("/verifier/presentation-requests", {"service_item": ITEM, "qr": "none", **how})
    assert made.status == 201, made.body
    return dict(made.body)


def fetched(world: World, request: dict[str, Any], wallet_nonce: str | None = None) -> dict[str, Any]:
    """What the signed request says, its signature verified under its certificate."""
    path = query_of(request["link"])["request_uri"].removeprefix(BASE_URL)
    form = {"wallet_nonce": wallet_nonce} if wallet_nonce else None
    got = world.anybody.call("POST", path, data=form) if form else world.anybody.get(path)
    assert got.status == 200, got.body
    assert got.headers["content-type"] == "application/oauth-authz-req+jwt"
    token = jws.parse(got.body, jws.REQUEST)
    certified = chains.verify_chain(
        chains.parse_chain(token.header["x5c"]), [world.house.certificates.anchor(now=world.now)], at=world.now
    )
    return jws.verify(token, certified.key).payload()


def send(world: World, asked: dict[str, Any], payload: dict[str, Any], enc: str = "A256GCM") -> Answer:
    """Post an answer the way it was asked for."""
    path = asked["response_uri"].removeprefix(BASE_URL)
    if asked["response_mode"] == "direct_post":
        form = {name: one if isinstance(one, str) else json.dumps(one) for name, one in payload.items()}
        return world.anybody.call("POST", path, data=form)
    (recipient,) = asked["client_metadata"]["jwks"]["keys"]
    text = jwe.encrypt(
        json.dumps(payload).encode(), recipient, enc=enc, ephemeral=new_key(), randomness=lambda size: bytes(size)
    )
    return world.anybody.call("POST", path, data={"response": text})


def verdict(world: World, request: dict[str, Any]) -> dict[str, Any]:
    """The verdict that the counter is told."""
    state = world.counter().get(f"/verifier/presentation-requests/{request['request_id']}")
    assert state["state"] == "answered", state.body
    return dict(state["verdict"])


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_a_haip_request_and_its_answer(world: World, enc: str) -> None:
    """x509_hash, signed, encrypted with either algorithm: accepted; the counter is told once; the doctor is content."""
    driver, request = Driver(world), ask(world)
    asked = fetched(world, request, "a-nonce-of-the-wallet")
    assert asked["client_id"] == request["client_id"] == query_of(request["link"])["client_id"]
    assert asked["client_id"].startswith("x509_hash:")
    assert asked["wallet_nonce"] == "a-nonce-of-the-wallet"
    assert (asked["response_type"], asked["response_mode"]) == ("vp_token", "direct_post.jwt")
    assert asked["aud"] == "https://self-issued.me/v2"
    assert "redirect_uri" not in asked
    metadata = asked["client_metadata"]
    assert metadata["encrypted_response_enc_values_supported"] == ["A128GCM", "A256GCM"]
    assert {one["alg"] for one in metadata["jwks"]["keys"]} == {"ECDH-ES"}
    answer = send(world, asked, {"vp_token": driver.answer(asked), "state": asked["state"]}, enc)
    assert (answer.status, answer.body) == (200, {}), answer.body
    told = verdict(world, request)
    assert told["verdict"] == "accepted", told
    again = world.counter().get(f"/verifier/presentation-requests/{request['request_id']}")
    assert again.body == {"state": "told", "verdict": None}
    assert findings(world) == []


def test_every_request_has_a_key_a_nonce_and_a_state_of_its_own(world: World) -> None:
    """Two requests share none of them; fetched again, a request is the same."""
    one, two = ask(world), ask(world)
    first, second, again = fetched(world, one), fetched(world, two), fetched(world, one)
    for path in (("nonce",), ("state",), ("response_uri",), ("client_metadata", "jwks", "keys")):
        a, b, c = ({} | each for each in (first, second, again))
        for step in path:
            a, b, c = a[step], b[step], c[step]
        assert a != b
        assert a == c
    key = first["client_metadata"]["jwks"]["keys"][0]
    assert import_public({name: key[name] for name in ("kty", "crv", "x", "y")}).thumbprint == key["kid"]


BENT: dict[str, tuple[dict[str, Any], str]] = {
    "for another verifier": ({"audience": "x509_hash:AAAA"}, "wrong_audience"),
    "for the counter's address": ({"audience": f"{BASE_URL}/verifier/counters/school2_office"}, "wrong_audience"),
    "for another request": ({"nonce": "another-nonce-altogether"}, "wrong_nonce"),
    "by another key": ({"key": new_key()}, "holder_binding_invalid"),
    "a minute and a second old": ({"seconds": -61}, "presentation_stale"),
    "of the future": ({"seconds": 11}, "clock_differs"),
    "without one licence": ({"kinds": ["driving_licence"]}, "query_unmet"),
    "without one claim": ({"without": ["holder_code"]}, "query_unmet"),
    "another licence in its place": ({"of": "driving_licence"}, "licence_not_requested"),
}


@pytest.mark.parametrize("how", BENT)
def test_a_bent_answer_is_refused(world: World, how: str) -> None:
    """The wallet is told 400, the counter the reason; the request is spent."""
    bend, reason = BENT[how]
    driver, request = Driver(world), ask(world)
    asked = fetched(world, request)
    answer = send(world, asked, {"vp_token": driver.answer(asked, **bend), "state": asked["state"]})
    assert (answer.status, answer["error"]) == (400, "invalid_request")
    told = verdict(world, request)
    outcome = "cannot_confirm" if reason == "clock_differs" else "refused"
    assert (told["verdict"], told["reason"]) == (outcome, reason)
    assert told["licences"] == []
    honest = send(world, asked, {"vp_token": driver.answer(asked), "state": asked["state"]})
    assert (honest.status, honest["error"]) == (400, "invalid_request")


PAYLOADS: dict[str, tuple[Any, str]] = {
    "no vp_token": ({"vp_token": None}, "malformed"),
    "an empty vp_token": ({"vp_token": {}}, "malformed"),
    "a text for a list": ({"vp_token": {"driving_licence": "x"}}, "malformed"),
    "an empty list": ({"vp_token": {"driving_licence": []}}, "malformed"),
    "a number": ({"vp_token": {"driving_licence": [5]}}, "malformed"),
    "junk": ({"vp_token": {"driving_licence": ["x"]}}, "malformed"),
    "too many": ({"vp_token": {"driving_licence": ["x"] * 17}}, "malformed"),
    "another state": ({"state": "another"}, "wrong_nonce"),
    "no state": ({"state": None}, "wrong_nonce"),
}


@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
@pytest.mark.parametrize("how", PAYLOADS)
def test_payloads_that_are_none(world: World, mode: str, how: str) -> None:
    """What is no answer is refused in either mode, with its reason."""
    change, reason = PAYLOADS[how]
    driver, request = Driver(world), ask(world, response_mode=mode)
    asked = fetched(world, request)
    payload = {"vp_token": driver.answer(asked), "state": asked["state"]} | change
    answer = send(world, asked, {name: one for name, one in payload.items() if one is not None})
    assert (answer.status, answer["error"]) == (400, "invalid_request")
    assert verdict(world, request)["reason"] == reason


def test_the_mode_that_was_asked_for(world: World) -> None:
    """A plain answer to a request for an encrypted one is refused; so is one encrypted to another key."""
    driver, request = Driver(world), ask(world)
    asked = fetched(world, request)
    plain = asked | {"response_mode": "direct_post"}
    assert send(world, plain, {"vp_token": driver.answer(asked), "state": asked["state"]}).status == 400
    assert verdict(world, request)["reason"] == "encryption_refused"
    request = ask(world)
    asked, other = fetched(world, request), fetched(world, ask(world))
    stolen = asked | {"client_metadata": other["client_metadata"]}
    assert send(world, stolen, {"vp_token": driver.answer(asked), "state": asked["state"]}).status == 400
    assert verdict(world, request)["reason"] == "encryption_refused"


@pytest.mark.parametrize(
    "change",
    [
        {"enc": []},
        {"enc": {}},
        {"alg": []},
        {"apu": 5},
        {"apv": []},
        {"apu": "="},
        {"epk": []},
        {"epk": None},
        {"kid": 5},
    ],
    ids=str,
)
def test_encryption_headers_that_are_none(world: World, change: dict[str, Any]) -> None:
    """Whatever stands in the header of an encrypted answer, it is refused, and the counter is told so."""
    request = ask(world)
    fetched(world, request)
    head = {"alg": "ECDH-ES", "enc": "A128GCM", "epk": export_public(new_key())} | change
    protected = base64url.encode(json.dumps({name: one for name, one in head.items() if one is not None}).encode())
    text = ".".join([protected, "", base64url.encode(bytes(12)), "AAAA", base64url.encode(bytes(16))])
    path = f"/verifier/presentation-requests/{request['request_id']}/response"
    answer = world.anybody.call("POST", path, data={"response": text})
    assert (answer.status, answer["error"]) == (400, "invalid_request")
    assert verdict(world, request)["reason"] == "encryption_refused"


def test_on_one_device_a_refusal_is_told_without_a_code(world: World) -> None:
    """A wallet that is refused is sent nowhere, so the counter needs no response code to read why."""
    driver, request = Driver(world), ask(world, return_to="https://hall.example/matter")
    asked = fetched(world, request)
    answer = send(
        world, asked, {"vp_token": driver.answer(asked, nonce="another-nonce-altogether"), "state": asked["state"]}
    )
    assert (answer.status, answer["error"]) == (400, "invalid_request")
    assert verdict(world, request)["reason"] == "wrong_nonce"


def test_the_same_claims_a_second_time(world: World) -> None:
    """One query, one credential: two presentations for it are refused unless the query says `multiple`."""
    driver, request = Driver(world), ask(world)
    asked = fetched(world, request)
    vp_token = driver.answer(asked)
    vp_token["driving_licence"] *= 2
    assert send(world, asked, {"vp_token": vp_token, "state": asked["state"]}).status == 400
    assert verdict(world, request)["reason"] == "query_unmet"


def test_more_than_was_asked_for(world: World) -> None:
    """A licence under an id that was not asked for is refused; claims beyond the query are not read into the verdict."""
    driver, request = Driver(world), ask(world)
    asked = fetched(world, request)
    vp_token = driver.answer(asked) | {"other": [driver.presented(asked, "driving_licence")]}
    assert send(world, asked, {"vp_token": vp_token, "state": asked["state"]}).status == 400
    assert verdict(world, request)["reason"] in {"query_unmet", "licence_not_requested"}
    request = ask(world)
    asked = fetched(world, request)
    answer = send(world, asked, {"vp_token": driver.answer(asked, more=["address"]), "state": asked["state"]})
    told = verdict(world, request)
    assert answer.status in {200, 400}
    assert "示例路" not in json.dumps(told, ensure_ascii=False)


def test_refusals_of_wallets(world: World) -> None:
    """A wallet's error, in clear or encrypted, ends the request as declined; the wallet is thanked."""
    for encrypted in (False, True):
        request = ask(world)
        asked = fetched(world, request)
        told = {"error": "access_denied", "state": asked["state"]}
        sent = send(world, asked if encrypted else asked | {"response_mode": "direct_post"}, told)
        assert (sent.status, sent.body) == (200, {})
        assert verdict(world, request)["reason"] == "declined"


def test_a_refusal_needs_the_state_too(world: World) -> None:
    """Who does not know the state cannot decline in a holder's place."""
    request = ask(world)
    asked = fetched(world, request)
    plain = asked | {"response_mode": "direct_post"}
    assert send(world, plain, {"error": "access_denied", "state": "x"}).status == 400
    assert verdict(world, request)["reason"] == "wrong_nonce"


def test_transaction_data_is_signed(world: World) -> None:
    """What the holder agrees to beside is hashed as it was sent, by one presentation; else refused."""
    driver = Driver(world)
    data = [{"type": "urn:example:consent", "text": "同意核验"}]
    request = ask(world, transaction_data=data)
    asked = fetched(world, request)
    (sent,) = asked["transaction_data"]
    opened = json.loads(base64url.decode(sent))
    assert (opened["type"], opened["text"]) == ("urn:example:consent", "同意核验")
    assert set(opened["credential_ids"]) >= set(AGENCIES)
    good = driver.answer(asked, signs=["driving_licence"])
    assert send(world, asked, {"vp_token": good, "state": asked["state"]}).status == 200
    assert verdict(world, request)["verdict"] == "accepted"
    for signed in ((), [base64url.encode(base64url.decode(sent) + b" ")], [sent, sent]):
        request = ask(world, transaction_data=data)
        asked = fetched(world, request)
        vp_token = driver.answer(asked, signs=["driving_licence"], transaction_data=signed)
        assert send(world, asked, {"vp_token": vp_token, "state": asked["state"]}).status == 400
        assert verdict(world, request)["reason"] == "transaction_data_unmatched"


def test_a_request_is_over_after_five_minutes(world: World) -> None:
    """Then it is fetched no more, answered no more, and the counter reads that it expired."""
    driver, request = Driver(world), ask(world)
    asked = fetched(world, request)
    world.wait(300)
    path = query_of(request["link"])["request_uri"].removeprefix(BASE_URL)
    gone = world.anybody.get(path)
    assert (gone.status, gone["error"]) == (410, "invalid_request")
    late = send(world, asked, {"vp_token": driver.answer(asked), "state": asked["state"]})
    assert late.status == 400
    state = world.counter().get(f"/verifier/presentation-requests/{request['request_id']}")
    assert state.body == {"state": "expired", "verdict": None}


def test_unknown_and_other_counters_requests(world: World) -> None:
    """Another counter's request and one that never was do not exist."""
    request = ask(world)
    other = world.counter("school1_office")
    assert other.get(f"/verifier/presentation-requests/{request['request_id']}").status == 404
    assert world.counter().get("/verifier/presentation-requests/none").status == 404
    for path in ("none/request-object", "none/response"):
        answer = world.anybody.call("POST", f"/verifier/presentation-requests/{path}", data={"vp_token": "{}"})
        assert (answer.status, answer["error"]) == (404, "invalid_request")


@pytest.mark.parametrize(
    "content", [b"", b"vp_token=a&vp_token=b", b"\xff", b"response=x", b"response=a.b.c.d.e", b"x"]
)
def test_bodies_that_are_no_answers(world: World, content: bytes) -> None:
    """Never a 500, never a problem document."""
    request = ask(world)
    asked = fetched(world, request)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = world.anybody.call("POST", asked["response_uri"].removeprefix(BASE_URL), content=content, headers=headers)
    assert (answer.status, answer["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "return_to", ["http://evil.example/", "https://a@b/", "https://x/#f", "javascript:alert(1)", "x"]
)
def test_return_addresses(world: World, return_to: str) -> None:
    """Only https without user and fragment, or loopback."""
    made = world.counter().post("/verifier/presentation-requests", {"service_item": ITEM, "return_to": return_to})
    assert (made.status, made["code"]) == (422, "invalid_request")


def test_only_certified_licences(world: World) -> None:
    """A counter may ask for licences under the operator's authority alone: `aki` is in the query, and re-checked."""
    driver = Driver(world)
    request = ask(world, certified=True)
    asked = fetched(world, request)
    authorities = [one["trusted_authorities"] for one in asked["dcql_query"]["credentials"]]
    assert all(one[0]["type"] == "aki" and len(one[0]["values"]) == 1 for one in authorities)
    answer = send(world, asked, {"vp_token": driver.answer(asked), "state": asked["state"]})
    assert answer.status == 200
    assert verdict(world, request)["verdict"] == "accepted"
    request = ask(world, certified=True)
    seen = world.holder().post("/wallet/requests", {"link": request["link"]})
    assert seen["code"] == "nothing_to_show"  # ours name their key by kid


def test_an_online_case_belongs_to_its_session(world: World) -> None:
    """An online counter names its page's session; whoever does not name it again is told nothing, not even once."""
    driver = Driver(world)
    online = world.counter("web", "online")
    body = {"service_item": ITEM, "qr": "none"}
    refused = online.post("/verifier/presentation-requests", body)
    assert (refused.status, refused["faults"][0]["pointer"]) == (422, "/session")
    request = online.post("/verifier/presentation-requests", body | {"session": "a-session-of-the-page"})
    assert request.status == 201, request.body
    asked = fetched(world, request.body)
    payload = {"vp_token": driver.answer(asked), "state": asked["state"]}
    assert send(world, asked, payload).status == 200
    path = f"/verifier/presentation-requests/{request['request_id']}"
    for headers in ({}, {"Page-Session": "another-session-of-it"}):
        got = online.get(path, headers=headers)
        assert (got.status, got["code"]) == (403, "session_differs")
    told = online.get(path, headers={"Page-Session": "a-session-of-the-page"})
    assert (told["state"], told["verdict"]["verdict"]) == ("answered", "accepted")
