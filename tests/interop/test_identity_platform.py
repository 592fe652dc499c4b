"""Citizens sign in at a certified OpenID Connect provider (npm's oidc-provider), in a process of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app import catalogue
from app.cli.demo_server import environment, first_token, free_port, server
from credentials.jwk import export_public
from tests.foreign import new_key
from tests.interop.conftest import stranger

ACCOUNT = "zhang"


def person(acr: str = "loa3", **more: Any) -> dict[str, Any]:
    """What the platform says of a citizen."""
    found = next(one for one in catalogue.read("people")["natural"] if one["key"] == "zhang_san")
    return {"citizen_number": found["code"], "name": found["name"], "verified": True, "acr": acr, **more}


PEOPLE = {
    ACCOUNT: person(),
    "low": person("loa1"),
    "unverified": person(verified=False),
    "nameless": {"acr": "loa3", "verified": True},
}


@pytest.fixture(scope="module", params=["secret", "key"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service and its citizens' platform; by a secret, or by a key of the service's."""
    place, port, platform_port = tmp_path_factory.mktemp("platform"), free_port(), free_port()
    env = environment(place, port)
    client: dict[str, Any] = {"id": "licence-wallet", "secret": "a-secret-of-this-run"}
    env |= {"LICENCE_OIDC_CLIENT_SECRET": client["secret"]}
    if request.param == "key":
        del env["LICENCE_OIDC_CLIENT_SECRET"]
        key, path = new_key(), Path(place) / "client.pem"
        path.touch(mode=0o600)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        env["LICENCE_OIDC_CLIENT_KEY_FILE"] = str(path)
        client = {"id": "licence-wallet", "jwk": export_public(key)}
    env |= {
        "LICENCE_OIDC_ISSUER": f"http://127.0.0.1:{platform_port}",
        "LICENCE_OIDC_CLIENT_ID": client["id"],
        "LICENCE_OIDC_LEVELS": "loa3",
        "LICENCE_OIDC_SCOPE": "openid",
        "LICENCE_OIDC_CODE_CLAIM": "citizen_number",
        "LICENCE_OIDC_VERIFIED_CLAIM": "verified",
    }
    first_token(env)
    redirect = f"http://127.0.0.1:{port}/wallet/sign-in/callback"
    with (
        stranger("platform.mjs", port=platform_port, client=client, redirect=redirect, people=PEOPLE),
        server(place, env, port) as url,
    ):
        yield url


def browse(url: str, account: str) -> httpx2.Response:
    """A citizen's browser, from our sign-in page through the platform's and back; what we say at the end.

    Whoever gives no account turns back there.
    """
    with httpx2.Client(trust_env=False, follow_redirects=False, timeout=30) as browser:
        here, answer = f"{url}/wallet/sign-in?return_to=/wallet/sessions", None
        for _ in range(20):
            answer = browser.get(here) if answer is None else answer
            if answer.status_code in {302, 303}:
                here, answer = urljoin(here, answer.headers["location"]), None
            elif "/interaction/" in here:
                answer = browser.post(here, data={"login": account})
            else:
                return answer
    raise AssertionError("the browser goes round in circles")


def test_a_citizen_signs_in(service: str) -> None:
    """From our page to the platform's, and back to the page that was asked for, signed in."""
    answer = browse(service, ACCOUNT)
    assert answer.status_code == 200, answer.text
    (session,) = [one for one in answer.json()["items"] if one["this"]]
    assert session["label"].startswith("python-httpx2")


@pytest.mark.parametrize(
    ("account", "words"),
    [("low", "重新登录"), ("unverified", "尚未核实"), ("nameless", "尚未核实")],
)
def test_who_is_not_signed_in(service: str, account: str, words: str) -> None:
    """Too low a level, a number that is not verified, no number at all."""
    answer = browse(service, account)
    assert answer.status_code == 403
    assert words in answer.text


def test_a_citizen_turns_back(service: str) -> None:
    """Who gives up at the platform is told so here, and can begin anew."""
    answer = browse(service, "")
    assert answer.status_code == 403
    assert "重新登录" in answer.text
