"""Signing in at the city's identity platform (OpenID Connect): who comes back, and everything that is not believed."""

from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError

from app.setting_values import SettingsError
from credentials import base64url
from tests.browsing import Browser
from tests.foreign import new_key
from tests.platform import CLIENT_ID, ISSUER, SETTINGS, Platform, rsa_key
from tests.records.tables import counts, findings
from tests.world import BASE_URL, OTHER_PARENT, PARENT, Answer, World


@pytest.fixture
def platform(world: World) -> Platform:
    """The service where citizens sign in at a platform."""
    world.restart(**SETTINGS)
    made = Platform(world)
    world.strangers[ISSUER] = made
    return made


def sent(browser: Browser, address: str = "/wallet/sign-in") -> str:
    """Where a browser is sent to sign in."""
    answer = browser.get(address)
    assert answer.status == 303, answer.body
    return str(answer.headers["location"])


def signed_in(browser: Browser, platform: Platform, **bends: Any) -> Answer:
    """What the service answers a browser that comes back from the platform."""
    return browser.get(platform.sign_in(sent(browser), **bends))


def test_a_citizen_signs_in(world: World, platform: Platform) -> None:
    """PKCE, nonce, state, level and age are asked for; the browser comes back to its wallet, and to nobody else's."""
    world.issue()
    browser = Browser(world)
    address = sent(browser, "/wallet/sign-in?return_to=/wallet/licences")
    asked = dict(parse_qsl(urlsplit(address).query))
    assert address.startswith(f"{ISSUER}/authorize?")
    assert (asked["client_id"], asked["response_type"], asked["scope"]) == (CLIENT_ID, "code", "openid profile")
    assert (asked["code_challenge_method"], asked["acr_values"], asked["max_age"]) == ("S256", "loa3 loa4", "3600")
    assert len(asked["state"]) == len(asked["nonce"]) == len(asked["code_challenge"]) == 43
    back = browser.get(platform.sign_in(address))
    assert (back.status, back.headers["location"]) == (303, "/wallet/licences")
    (form,) = [one["data"] for one in platform.sent]
    challenge = base64url.encode(sha256(form["code_verifier"].encode()).digest())
    assert (challenge, form["redirect_uri"]) == (asked["code_challenge"], f"{BASE_URL}/wallet/sign-in/callback")
    assert platform.sent[0]["headers"]["Authorization"].startswith("Basic ")
    (licence,) = browser.get("/wallet/licences")["items"]
    assert licence["licence_type"] == "residence_permit"
    assert findings(world) == []


def test_the_doctor_asks_the_platform(world: World, platform: Platform) -> None:
    """One that does not answer, is another or names no door is a finding, however lately it was well."""
    check = "citizens can sign in"
    assert findings(world) == []
    for bend in (
        {"status": 503},
        {"metadata": {"issuer": "https://other.example"}},
        {"metadata": {"token_endpoint": None}},
    ):
        world.strangers[ISSUER] = Platform(world, **bend)
        ((name, said),) = findings(world)
        assert (name, said.startswith(f"{ISSUER}: ")) == (check, True)
    world.strangers[ISSUER] = platform
    assert findings(world) == []


def test_the_session_s_cookie(world: World, platform: Platform) -> None:
    """It is not for scripts, not for other sites, and with TLS it is this host's alone; its secret is kept hashed."""
    browser = Browser(world)
    cookie = next(one for one in signed_in(browser, platform).headers.get_list("set-cookie") if "session=" in one)
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {one.strip() for one in cookie.split(";")}
    world.restart(**SETTINGS, base_url="https://wallet.city.example", demo=False)
    cookie = next(one for one in Browser(world).get("/wallet/sign-in").headers.get_list("set-cookie"))
    assert cookie.startswith("__Host-signing-in=")
    assert "Secure" in cookie


def test_the_first_sign_in_makes_a_wallet(world: World, platform: Platform) -> None:
    """Who has no wallet yet gets one, the same on the next sign-in and the one that agencies deliver to."""
    first, again = Browser(world), Browser(world)
    assert signed_in(first, platform).status == 303
    assert first.get("/wallet/licences")["items"] == []
    world.issue()
    assert signed_in(again, platform).status == 303
    assert len(again.get("/wallet/licences")["items"]) == len(first.get("/wallet/licences")["items"]) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"}, {"iss": None}, {"iss": f"{ISSUER}/"}, {"iss": [ISSUER]},
        {"aud": "another-client"}, {"aud": None}, {"aud": []}, {"aud": [CLIENT_ID, "another-client"]},
        {"azp": "another-client"}, {"sub": None}, {"sub": 7},
        {"nonce": "another"}, {"nonce": None},
        {"exp": 1}, {"exp": None}, {"exp": "9999999999"}, {"exp": True}, {"exp": [9999999999]},
        {"iat": 9999999999}, {"iat": None}, {"nbf": 9999999999},
        {"acr": "loa1"}, {"acr": None}, {"acr": ["loa3"]},
        {"auth_time": 1}, {"auth_time": None}, {"auth_time": 9999999999}, {"auth_time": "1"}, {"auth_time": True},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=str,
)  # fmt: skip
def test_a_bent_id_token_signs_nobody_in(world: World, platform: Platform, claims: dict[str, Any]) -> None:
    """Each is refused in both languages, with a way to try again; no session, no wallet."""
    platform.claims = claims
    browser, before = Browser(world), counts(world)
    answer = signed_in(browser, platform)
    assert answer.status == 403
    assert "重新登录" in answer.body
    assert "session" not in browser.jar
    assert {**counts(world), "sign_in_attempt": 0} == {**before, "sign_in_attempt": 0}


def test_forged_id_tokens(world: World, platform: Platform) -> None:
    """Another key, `none`, the public key as a secret, another kid: nobody is signed in."""
    browser = Browser(world)
    platform.key = rsa_key()
    assert signed_in(browser, platform).status == 403
    platform.key = Platform(world).key
    for algorithm in ("HS256", "HS512"):
        platform.algorithm = algorithm
        assert signed_in(browser, platform).status == 403
    platform.algorithm = "RS256"
    platform.head = {"kid": "another"}
    assert signed_in(browser, platform).status == 403
    platform.head = {}
    for id_token in (None, 7, "", "a.b.c", jwt.encode({"sub": "x"}, "", "none")):
        platform.answer = {"id_token": id_token}
        assert signed_in(browser, platform).status == 403
    platform.answer = {}
    assert signed_in(browser, platform).status == 303


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"citizen_number": None}, "尚未核实"),
        ({"citizen_number": "440199198708220022"}, "尚未核实"),
        ({"citizen_number": 440199198708220021}, "尚未核实"),
        ({"name": None}, "尚未核实"),
        ({"number_verified": False}, "尚未核实"),
        ({"number_verified": "true"}, "尚未核实"),
        ({"number_verified": None}, "尚未核实"),
    ],
    ids=str,
)
def test_who_is_not_verified_there_has_no_wallet_here(
    world: World, platform: Platform, claims: dict[str, Any], words: str
) -> None:
    """An account without a verified national number is told to verify it first."""
    platform.claims = claims
    answer = signed_in(Browser(world), platform)
    assert answer.status == 403
    assert words in answer.body


def test_an_account_stays_one_person_s(world: World, platform: Platform) -> None:
    """An account that suddenly is another person is refused, and told to whom to turn."""
    assert signed_in(Browser(world), platform).status == 303
    other = world.people[OTHER_PARENT]
    platform.claims = {"citizen_number": other["code"], "name": other["name"]}
    before = counts(world)
    answer = signed_in(Browser(world), platform)
    assert answer.status == 403
    assert "联系运营方" in answer.body
    assert counts(world)["holder"] == before["holder"]


def test_an_answer_counts_once_and_in_its_own_browser(world: World, platform: Platform) -> None:
    """Login forgery: another browser's, a used, a made-up and a late answer sign nobody in."""
    victim, thief = Browser(world), Browser(world)
    address = platform.sign_in(sent(thief))
    assert victim.get(address).status == 403
    sent(victim)
    assert victim.get(address).status == 403
    assert thief.get(address).status == 303
    assert thief.get(address).status == 403
    assert victim.get("/wallet/sign-in/callback?code=x&state=y").status == 403
    late = platform.sign_in(sent(victim))
    world.wait(600)
    assert victim.get(late).status == 403
    assert "session" not in victim.jar


@pytest.mark.parametrize(
    "bends",
    [
        {"iss": "https://evil.example"}, {"iss": None}, {"state": "other"}, {"state": None}, {"code": None},
        {"code": "unknown"}, {"error": "access_denied"}, {"code": "", "error": "login_required"},
    ],
    ids=str,
)  # fmt: skip
def test_a_bent_answer_signs_nobody_in(world: World, platform: Platform, bends: dict[str, str]) -> None:
    """Mix-up, another's state, no code, an unknown one, or the platform's no."""
    browser = Browser(world)
    assert signed_in(browser, platform, **bends).status == 403
    assert "session" not in browser.jar


def test_a_member_that_comes_twice(world: World, platform: Platform) -> None:
    """Two states or codes in one answer mean nothing."""
    browser = Browser(world)
    address = platform.sign_in(sent(browser))
    assert browser.get(f"{address}&code=other").status == 403


@pytest.mark.parametrize(
    "bend",
    [
        {"metadata": {"issuer": "https://other.example"}},
        {"metadata": {"jwks_uri": None}},
        {"metadata": {"authorization_endpoint": None}},
        {"metadata": {"authorization_endpoint": 7}},
        {"status": 500},
        {"status": 404},
    ],
    ids=str,
)
def test_a_broken_platform(world: World, platform: Platform, bend: dict[str, Any]) -> None:
    """The page says that signing in does not work now; nobody is sent anywhere."""
    for name, value in bend.items():
        setattr(platform, name, value)
    answer = Browser(world).get("/wallet/sign-in")
    assert answer.status == 502
    assert "class=said" in answer.body


def test_nobody_waits_anew_for_a_platform_that_is_down(world: World, platform: Platform) -> None:
    """For half a minute after it failed it is not asked again; then it is, and signing in works."""
    platform.status = 500
    assert Browser(world).get("/wallet/sign-in").status == 502
    platform.status = 200
    assert Browser(world).get("/wallet/sign-in").status == 502
    world.wait(30)
    assert signed_in(Browser(world), platform).status == 303


def test_a_platform_that_breaks_midway(world: World, platform: Platform) -> None:
    """The code is not exchanged: said so, and the next try works."""
    browser = Browser(world)
    address = platform.sign_in(sent(browser))
    platform.status = 500
    assert browser.get(address).status == 403
    platform.status = 200
    assert signed_in(browser, platform).status == 303


def test_claims_from_userinfo(world: World, platform: Platform) -> None:
    """Where the ID token has no number the userinfo endpoint tells it, of the same person only."""
    platform.metadata = {"userinfo_endpoint": f"{ISSUER}/userinfo"}
    platform.claims = {"citizen_number": None, "name": None, "number_verified": None}
    person = world.people[PARENT]
    platform.userinfo = {"citizen_number": person["code"], "name": person["name"], "number_verified": True}
    assert signed_in(Browser(world), platform).status == 303
    platform.userinfo |= {"sub": "somebody-else"}
    assert signed_in(Browser(world), platform).status == 403


def test_keys_are_asked_for_again_when_one_is_new(world: World, platform: Platform) -> None:
    """A token by a key that is not known makes the keys be fetched anew, but not more than once a minute."""
    assert signed_in(Browser(world), platform).status == 303
    platform.head = {"kid": "another"}
    before = len(world.fetched)
    for _ in range(5):
        assert signed_in(Browser(world), platform).status == 403
    assert [one for one in world.fetched[before:] if "jwks" in one] == []
    world.wait(61)
    for _ in range(5):
        assert signed_in(Browser(world), platform).status == 403
    assert len([one for one in world.fetched[before:] if "jwks" in one]) == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "evil", "",
        "/%0d%0aSet-Cookie:x=y\r\n", "/wallet/é", "javascript:alert(1)", "/" + "x" * 2048,
    ],
    ids=str,
)  # fmt: skip
def test_nobody_is_sent_elsewhere(world: World, platform: Platform, address: str) -> None:
    """A return address that is not one of our pages becomes the wallet's home."""
    browser = Browser(world)
    first = browser.call("GET", "/wallet/sign-in", params={"return_to": address})
    if first.status == 422:
        return
    back = browser.get(platform.sign_in(first.headers["location"]))
    assert (back.status, back.headers["location"]) == (303, "/w")


def test_signing_in_anew_ends_the_session_before(world: World, platform: Platform) -> None:
    """No fixation: a session never becomes another's, and the one that this browser had is over."""
    browser = Browser(world)
    signed_in(browser, platform)
    first = dict(browser.jar)
    browser.jar.clear()
    address = sent(browser)
    browser.jar |= first
    assert browser.get(platform.sign_in(address)).status == 303
    assert browser.jar["session"] != first["session"]
    assert Browser(world, jar=first).get("/wallet/licences").status == 401
    assert browser.get("/wallet/licences").status == 200


def test_private_key_jwt_at_the_platform(world: World, tmp_path: Path) -> None:
    """Instead of a secret the service may sign in to the platform with a key of its own."""
    key, path = new_key(), tmp_path / "client.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    world.restart(**{**SETTINGS, "oidc_client_secret": None, "oidc_client_key_file": path})
    platform = Platform(world)
    world.strangers[ISSUER] = platform
    assert signed_in(Browser(world), platform).status == 303
    form = platform.sent[0]["data"]
    assert form["client_assertion_type"].endswith("jwt-bearer")
    loose = {"verify_iat": False, "verify_exp": False}  # by the test's clock
    told = jwt.decode(form["client_assertion"], key.public_key(), ["ES256"], audience=f"{ISSUER}/token", options=loose)
    assert told["iss"] == told["sub"] == CLIENT_ID
    assert told["exp"] - told["iat"] == 60


def test_settings_that_are_not_whole(world: World, tmp_path: Path) -> None:
    """A platform without client, claim or one way to authenticate does not start; nor one without TLS."""
    for change in (
        {"oidc_client_id": ""}, {"oidc_code_claim": ""}, {"oidc_client_secret": None},
        {"oidc_client_key_file": tmp_path / "x"}, {"oidc_issuer": "http://id.city.example"},
    ):  # fmt: skip
        with pytest.raises((ValidationError, SettingsError)):
            world.build(**{**SETTINGS, **change})
