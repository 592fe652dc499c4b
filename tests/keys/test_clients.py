"""Systems and devices that get their own tokens: private_key_jwt, client secrets in the sandbox, DPoP, enrolment."""

from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from credentials import dpop, jws
from credentials.jwk import export_public
from tests.browsing import signed_in
from tests.foreign import new_key
from tests.races.test_many_at_once import at_once
from tests.records.tables import counts, findings
from tests.world import BASE_URL, COUNTER, ITEM, OTHER_PARENT, Answer, Caller, World
from wallet.sign_in import pages as sign_in_pages

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN = f"{BASE_URL}/oauth/token"


class System:
    """A system with a key, that asks for tokens as any OAuth client would."""

    def __init__(self, world: World, client_id: str, key: EllipticCurvePrivateKey) -> None:
        self.world, self.client_id, self.key = world, client_id, key
        self.made = 0

    def assertion(self, purpose: jws.Purpose = jws.CLIENT_ASSERTION, **changes: Any) -> str:
        """A client assertion; `changes` bend its claims (None takes one away), `typ` its type."""
        self.made += 1
        second = int(self.world.now.timestamp())
        signer, more = (new_key() if changes.pop("signer", None) else self.key), {"typ": changes.pop("typ", "JWT")}
        told = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": TOKEN,
            "iat": second,
            "exp": second + 60,
            "jti": f"a-{self.made}",
        }
        told = {name: value for name, value in {**told, **changes}.items() if value is not None}
        return jws.sign(purpose, told, jws.es256(signer), more=more if purpose.typ is None else None)

    def ask(self, assertion: str | None = None, *, proof: str | None = None, **form: str) -> Answer:
        """Ask for a token."""
        told = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION,
            "client_assertion": assertion or self.assertion(),
            **form,
        }
        headers = {"DPoP": proof} if proof is not None else {}
        return self.world.anybody.call("POST", "/oauth/token", data=told, headers=headers)

    def proof(self, method: str = "POST", url: str = TOKEN, token: str | None = None, **how: Any) -> str:
        """A DPoP proof of this system's key."""
        self.made += 1
        key = how.pop("key", self.key)
        told = {
            "method": method,
            "url": url,
            "jti": f"p-{self.made}",
            "now": self.world.now,
            "access_token": token,
            **how,
        }
        return dpop.prove(jws.es256(key), export_public(key), **told)


def system(world: World, subject: str = "police", **more: Any) -> System:
    """A system of an agency, registered by its public key."""
    world.agency("police")
    key = new_key()
    body = {"role": "agency", "subject": subject, "name": "户政系统", "jwk": export_public(key), **more}
    made = world.operator.post("/admin/clients", body)
    assert made.status == 201, made.body
    assert made["secret"] is None
    return System(world, made["client_id"], key)


def device(world: World, counter: str = COUNTER) -> System:
    """A tablet enrolled at a counter."""
    world.counter(counter)
    made = System(world, "", new_key())
    enrolled = enrol(world, made, code(world, counter))
    assert enrolled.status == 201, enrolled.body
    assert enrolled["token_endpoint"] == TOKEN
    made.client_id = enrolled["client_id"]
    return made


def code(world: World, counter: str = COUNTER) -> str:
    made = world.operator.post(f"/admin/counters/{counter}/enrolment-codes")
    assert (made.status, made["expires_in_seconds"]) == (201, 600)
    return str(made["code"])


def enrol(world: World, made: System, typed: str, **how: Any) -> Answer:
    headers = {"DPoP": made.proof(url=f"{BASE_URL}/verifier/enrol", **how)}
    return world.anybody.post("/verifier/enrol", {"code": typed, "name": "平板 1"}, headers=headers)


def proved(made: System, method: str, path: str, token: str, body: object = None, **how: Any) -> Answer:
    """A call with a token that is bound to a key."""
    headers = {"Authorization": f"DPoP {token}", "DPoP": made.proof(method, f"{BASE_URL}{path}", token, **how)}
    return made.world.anybody.call(method, path, body, headers=headers)


def test_a_system_gets_its_own_token(world: World) -> None:
    """Ten minutes, its scopes or fewer, and what is done with it names the agency in the audit."""
    made = system(world, scopes=["licences:issue", "licences:read"])
    got = made.ask()
    assert (got.status, got["token_type"], got["expires_in"]) == (200, "Bearer", 600)
    assert (got["scope"], got.headers["cache-control"]) == ("licences:issue licences:read", "no-store")
    police = Caller(world.http, got["access_token"])
    assert police.post("/issuers/police/licences", world.order()).status == 201
    assert police.post("/issuers/police/licences/x/revoke", {"cause": "fraud"})["code"] == "scope_refused"
    less = Caller(world.http, made.ask(scope="licences:read")["access_token"])
    assert less.get("/issuers/police/licences").status == 200
    assert less.post("/issuers/police/licences", world.order())["code"] == "scope_refused"
    world.wait(600)
    assert police.get("/issuers/police/licences")["code"] == "token_refused"
    assert findings(world) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example"}, {"aud": [TOKEN]}, {"aud": None}, {"aud": f"{TOKEN}/"},
        {"iss": "other"}, {"iss": None}, {"sub": "other"}, {"sub": None}, {"sub": 7},
        {"jti": None}, {"jti": ""}, {"jti": "x" * 129}, {"jti": 7},
        {"exp": None}, {"exp": 1}, {"exp": "9999999999"}, {"exp": 9999999999}, {"iat": None}, {"iat": 9999999999},
        {"nbf": 9999999999}, {"nbf": "x"},
        {"typ": "dpop+jwt"}, {"typ": "kb+jwt"}, {"typ": "dc+sd-jwt"}, {"typ": ""},
        {"signer": "another"},
    ],
    ids=str,
)  # fmt: skip
def test_a_bent_assertion_is_nobody_s(world: World, changes: dict[str, Any]) -> None:
    """Each is invalid_client, and no token comes of it."""
    made = system(world)
    before = counts(world)
    got = made.ask(made.assertion(**changes))
    assert (got.status, got["error"]) == (401, "invalid_client"), got.body
    assert counts(world)["access_token"] == before["access_token"]
    assert made.ask().status == 200


def test_a_proof_names_what_was_sent(world: World) -> None:
    """HEAD is answered as GET is; its proof is of HEAD."""
    made = system(world, dpop=True)
    token = made.ask(proof=made.proof())["access_token"]
    path, before = "/issuers/police/licences", made.made
    for named, status in (("HEAD", 200), ("GET", 401)):
        proof = made.proof(named, f"{BASE_URL}{path}", token)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        assert world.anybody.call("HEAD", path, headers=headers).status == status, named
    assert made.made == before + 2


def test_an_assertion_lives_a_minute_and_counts_once(world: World) -> None:
    """A second use and one a minute later are refused; so is one that would live longer."""
    made = system(world)
    once, late = made.assertion(), made.assertion()
    assert made.ask(once).status == 200
    assert made.ask(once)["error"] == "invalid_client"
    long = made.assertion(exp=int(world.now.timestamp()) + 61)
    assert made.ask(long)["error"] == "invalid_client"
    world.wait(60)
    assert made.ask(late)["error"] == "invalid_client"


def test_one_assertion_at_once(world: World) -> None:
    """Sixteen uses of one assertion at once: one token."""
    made = system(world)
    once = made.assertion()
    answers = at_once([lambda: made.ask(once)] * 16)
    assert sorted(one.status for one in answers) == [200] + [401] * 15


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"scope": "operate"}, "invalid_scope"),
        ({"scope": "verify"}, "invalid_scope"),
        ({"client_assertion_type": "x"}, "invalid_request"),
        ({"client_assertion": "x"}, "invalid_client"),
        ({"client_id": "another"}, "invalid_client"),
    ],
    ids=str,
)
def test_requests_that_are_refused(world: World, form: dict[str, str], error: str) -> None:
    """Each has its own code."""
    assert system(world).ask(**form)["error"] == error


def test_suspended_on_its_next_call(world: World) -> None:
    """Every token of a suspended client is over at once, and it gets no new one; resumed, both work again."""
    made = system(world)
    police = Caller(world.http, made.ask()["access_token"])
    assert police.get("/issuers/police/licences").status == 200
    assert world.operator.post(f"/admin/clients/{made.client_id}/suspend").status == 204
    assert police.get("/issuers/police/licences")["code"] == "token_refused"
    assert made.ask()["error"] == "invalid_client"
    (row,) = world.operator.get("/admin/clients?role=agency&subject=police")["items"]
    assert (row["client_id"], row["suspended_at"] is not None) == (made.client_id, True)
    assert world.operator.post(f"/admin/clients/{made.client_id}/resume").status == 204
    assert police.get("/issuers/police/licences").status == 200
    assert made.ask().status == 200
    assert world.operator.post("/admin/clients/nobody/suspend")["code"] == "unknown_client"
    assert findings(world) == []


def test_secrets_are_for_the_sandbox(world: World) -> None:
    """In the demonstration a client may have a secret; elsewhere it must have a key."""
    world.agency("police")
    body = {"role": "agency", "subject": "police", "name": "sandbox"}
    made = world.operator.post("/admin/clients", body)
    form = {"grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["secret"]}
    got = world.anybody.call("POST", "/oauth/token", data=form)
    assert got.status == 200
    for bend in ({"client_secret": "wrong"}, {"client_secret": ""}, {"client_id": "other"}):
        wrong = world.anybody.call("POST", "/oauth/token", data=form | bend)
        assert (wrong.status, wrong["error"]) == (401, "invalid_client")
    world.restart(demo=False)
    refused = world.operator.post("/admin/clients", body)
    assert (refused.status, refused["code"]) == (422, "client_secret_refused")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"jwk": {"kty": "EC"}}, "key_refused"),
        ({"jwk": {"kty": "oct", "k": "AAAA"}}, "key_refused"),
        ({"role": "operator"}, "invalid_request"),
        ({"role": "holder"}, "invalid_request"),
        ({"subject": "nobody"}, "not_found"),
        ({"scopes": ["operate"]}, "invalid_request"),
        ({"name": "\u202e"}, "malformed"),
    ],
    ids=str,
)  # fmt: skip
def test_clients_that_are_not_taken_in(world: World, change: dict[str, Any], code: str) -> None:
    """A key that is none, a role that gets no tokens of its own, an agency that is not there, another's scope."""
    world.agency("police")
    body = {"role": "agency", "subject": "police", "name": "x", "jwk": export_public(new_key())} | change
    refused = world.operator.post("/admin/clients", body)
    assert refused["code"] == code, refused.body
    assert counts(world)["oauth_client"] == 0


def test_a_device_enrols_and_proves_its_key_with_every_call(world: World) -> None:
    """Code, key, token bound to the key; the token alone, another's proof, a proof for another call: refused."""
    world.issue()
    made = device(world)
    assert made.ask()["error"] == "invalid_dpop_proof"
    assert made.ask(proof=made.proof(key=new_key()))["error"] == "invalid_dpop_proof"
    assert made.ask(proof=made.proof(url=BASE_URL))["error"] == "invalid_dpop_proof"
    got = made.ask(proof=made.proof())
    assert (got.status, got["token_type"], got["scope"]) == (200, "DPoP", "verify")
    token, path = got["access_token"], "/verifier/verifications"
    body = {"scanned": world.show()["url"], "service_item": ITEM}
    for headers in (
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"DPoP {token}"},
        {"Authorization": f"DPoP {token}", "DPoP": made.proof(url=f"{BASE_URL}{path}")},
        {"Authorization": f"DPoP {token}", "DPoP": made.proof(url=f"{BASE_URL}{path}", token="other")},
        {"Authorization": f"DPoP {token}", "DPoP": made.proof(url=f"{BASE_URL}{path}", token=token, key=new_key())},
        {"Authorization": f"DPoP {token}", "DPoP": made.proof("GET", f"{BASE_URL}{path}", token)},
        {"Authorization": f"DPoP {token}", "DPoP": made.proof(url=f"{BASE_URL}/verifier/requests", token=token)},
    ):
        refused = world.anybody.post(path, body, headers=headers)
        code = "token_refused" if headers["Authorization"].startswith("Bearer") else "dpop_refused"
        assert (refused.status, refused["code"]) == (401, code), headers
    assert proved(made, "POST", path, token, body)["verdict"] == "accepted"
    assert findings(world) == []


def test_a_proof_counts_once_and_a_minute(world: World) -> None:
    """A proof that was seen, and one that is old, let nobody in."""
    made = device(world)
    token, path = made.ask(proof=made.proof())["access_token"], "/verifier/service-items"
    headers = {"Authorization": f"DPoP {token}", "DPoP": made.proof("GET", f"{BASE_URL}{path}", token)}
    assert world.anybody.get(path, headers=headers).status == 200
    again = world.anybody.get(path, headers=headers)
    assert (again.status, again["code"]) == (401, "dpop_refused")
    assert again.headers["www-authenticate"].startswith('DPoP error="invalid_dpop_proof"')
    assert "生成证明" in again["message"]["zh"]  # and not: get a new token
    old = {"Authorization": f"DPoP {token}", "DPoP": made.proof("GET", f"{BASE_URL}{path}", token)}
    world.wait(61)
    assert world.anybody.get(path, headers=old)["code"] == "dpop_refused"
    assert proved(made, "GET", path, token).status == 200


def test_a_lost_tablet(world: World) -> None:
    """Suspended in one step: its next call is refused, and the other tablet of that counter goes on."""
    lost, other = device(world), device(world)
    tokens = {one: one.ask(proof=one.proof())["access_token"] for one in (lost, other)}
    rows = world.operator.get(f"/admin/clients?role=counter&subject={COUNTER}")["items"]
    assert [row["name"] for row in rows] == ["平板 1"] * 2
    world.operator.post(f"/admin/clients/{lost.client_id}/suspend")
    assert proved(lost, "GET", "/verifier/service-items", tokens[lost])["code"] == "token_refused"
    assert proved(other, "GET", "/verifier/service-items", tokens[other]).status == 200


def test_an_enrolment_code_works_once_for_ten_minutes(world: World) -> None:
    """Used, guessed, late: refused alike. Typed in lower case with dashes, it is the same code."""
    world.counter()
    made, good = System(world, "", new_key()), code(world)
    typed = "-".join(good[at : at + 4] for at in range(0, 16, 4)).lower().replace("0", "o").replace("1", "l")
    assert enrol(world, made, typed).status == 201
    assert enrol(world, made, good)["code"] == "enrolment_refused"
    assert enrol(world, made, "0" * 16)["code"] == "enrolment_refused"
    late = code(world)
    world.wait(600)
    assert enrol(world, made, late)["code"] == "enrolment_refused"
    assert world.operator.post("/admin/counters/nobody/enrolment-codes").status == 404


def test_an_enrolment_code_at_once(world: World) -> None:
    """Sixteen devices with one code at once: one is enrolled."""
    world.counter()
    good = code(world)
    devices = [System(world, "", new_key()) for _ in range(16)]
    answers = at_once([lambda one=one: enrol(world, one, good) for one in devices])
    assert sorted(one.status for one in answers) == [201] + [403] * 15


def test_enrolling_without_a_key(world: World) -> None:
    """No proof of a key, or one made for another address: nothing is enrolled, and the code is still good."""
    world.counter()
    made, good = System(world, "", new_key()), code(world)
    assert world.anybody.post("/verifier/enrol", {"code": good, "name": "x"}).status == 422
    headers = {"DPoP": made.proof(url=f"{BASE_URL}/elsewhere")}
    refused = world.anybody.post("/verifier/enrol", {"code": good, "name": "x"}, headers=headers)
    assert (refused.status, refused["code"]) == (401, "dpop_refused")
    assert enrol(world, made, good).status == 201


def test_dpop_for_a_system(world: World) -> None:
    """A system may bind its token to a key, and one that was registered so must."""
    free, bound = system(world), system(world, dpop=True)
    got = free.ask(proof=free.proof())
    assert got["token_type"] == "DPoP"
    assert proved(free, "GET", "/issuers/police/licences", got["access_token"]).status == 200
    assert bound.ask()["error"] == "invalid_dpop_proof"
    assert bound.ask(proof=bound.proof())["token_type"] == "DPoP"


def test_what_a_server_says_of_itself(world: World) -> None:
    """RFC 8414 metadata for systems: where, how, with which algorithms."""
    told = world.anybody.get("/.well-known/oauth-authorization-server")
    assert (told["issuer"], told["token_endpoint"]) == (BASE_URL, TOKEN)
    assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"{BASE_URL}.evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": BASE_URL},
    ],
    ids=str,
)  # fmt: skip
def test_a_cookie_works_for_our_own_pages_only(world: World, headers: Mapping[str, str]) -> None:
    """A session cookie that another site makes the browser send changes nothing; reading stays possible."""
    world.issue()
    browser = signed_in(world)
    before = counts(world)
    sent = {"Cookie": f"session={browser.jar['session']}", **headers}
    refused = world.anybody.post("/wallet/shows", {"service_item": ITEM, "qr": "none"}, headers=sent)
    assert (refused.status, refused["code"]) == (403, "cross_site_refused")
    bare = {"Cookie": f"session={browser.jar['session']}"}
    refused = world.anybody.post("/wallet/shows", {"service_item": ITEM, "qr": "none"}, headers=bare)
    assert refused["code"] == "cross_site_refused"
    assert counts(world) == before
    assert browser.call("POST", "/wallet/shows", json={"service_item": ITEM, "qr": "none"}).status == 201


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36",
            "Chrome · Android",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) CriOS/150.0 Safari/604.1", "Chrome · iPhone"),
        ("curl/8.0\u202e", "curl/8.0"),
        ("", ""),
    ],
)
def test_a_device_is_called_what_people_call_it(said: str, told: str) -> None:
    """Browser and system; of neither, what it says, without what nobody sees."""
    assert sign_in_pages.device(said) == told


def test_sessions_are_listed_and_ended(world: World) -> None:
    """A holder sees every browser, closes the other one, and signs out of this one; nobody else's is there."""
    phone, kiosk = signed_in(world, agent="phone"), signed_in(world, agent="kiosk")
    items = phone.get("/wallet/sessions")["items"]
    assert {(one["label"], one["this"]) for one in items} == {
        ("kiosk", False),
        ("phone", True),
        ("一次性链接 sign-in link", False),
    }
    (other,) = [one["session_id"] for one in items if one["label"] == "kiosk"]
    stranger = signed_in(world, OTHER_PARENT)
    assert stranger.call("DELETE", f"/wallet/sessions/{other}").status == 404
    assert kiosk.get("/wallet/licences").status == 200
    assert phone.call("DELETE", f"/wallet/sessions/{other}").status == 204
    assert kiosk.get("/wallet/licences")["code"] == "token_refused"
    assert phone.call("DELETE", f"/wallet/sessions/{other}").status in {204, 404}
    secret = phone.jar["session"]
    assert phone.call("POST", "/wallet/sign-out").status == 204
    assert "session" not in phone.jar
    assert world.anybody.get("/wallet/licences", headers={"Cookie": f"session={secret}"})["code"] == "token_refused"
    assert findings(world) == []


def test_a_session_ends_by_itself(world: World) -> None:
    """An hour unused, or twelve hours in all: over; used in between, it stays open."""
    used, idle = signed_in(world), signed_in(world)
    for _ in range(12):
        world.wait(3599)
        assert used.get("/wallet/licences").status == 200
    assert idle.get("/wallet/licences")["code"] == "token_refused"
    world.wait(3599)
    assert used.get("/wallet/licences")["code"] == "token_refused"


def test_two_authorization_headers(world: World) -> None:
    """Two tokens in one request, another scheme, or one that is not ASCII, are nobody's."""
    token = world.holder().token
    for sent in ("Basic abc", "Bearer", "Bearer ", "Digest x", f"DPoP {token}", f"bearer {token} x"):
        assert world.anybody.get("/wallet/licences", headers={"Authorization": sent})["code"] == "token_refused"
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {world.holder(OTHER_PARENT).token}")]
    assert world.http.get("/wallet/licences", headers=twice).status_code == 401
    assert world.anybody.get("/wallet/licences", headers={"Authorization": f"bearer {token}"}).status == 200
