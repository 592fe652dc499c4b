"""A holder opens other services' links from the command line: the schemes of OpenID4VCI and OpenID4VP, for real."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli import demo_wallet
from app.cli.demo_city import City
from app.cli.demo_server import environment, first_token, free_port, server
from app.cli.demo_teller import Teller
from credentials import base64url


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The demonstration's city, served; the mother holds a permit."""
    place, port = tmp_path_factory.mktemp("links"), free_port()
    env = environment(place, port)
    token = first_token(env)
    with server(place, env, port) as url:
        made = City(url, token, Teller(as_json=True, quiet=True), place)
        made.found()
        made.issue()
        for agency, licence_type, claims in demo_wallet.LICENCES:
            sent = claims | {"sex": "女", "birth_date": "1987-08-22"}
            body = {"licence_type": licence_type, "holder": made.person("li_si"), "claims": sent}
            made.agencies[agency].post(f"/issuers/{agency}/licences", body)
        (place / "token").write_text(made.parent_token, encoding="ascii")
        yield made
        made.close()


def licence(city: City, *words: str, said: str = "") -> tuple[int, str, str]:
    """Run `licence`: exit code, standard output, standard error."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("LICENCE_")}
    done = subprocess.run(
        [sys.executable, "-m", "app.cli.main", *words],
        input=said, capture_output=True, text=True, check=False, timeout=60,
        env=env | {"LICENCE_URL": city.url, "XDG_DATA_HOME": str(city.place)},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def opened(city: City, link: str, *words: str, said: str = "") -> tuple[int, str, str]:
    """Run `licence open` with the mother's token."""
    return licence(city, "open", link, "--token-file", str(city.place / "token"), *words, said=said)


def offer(city: City, **more: Any) -> dict[str, Any]:
    """The police offer the mother's permit."""
    made: dict[str, Any] = city.agencies["police"].post(
        "/issuers/police/offers", {"licence_id": city.permit, "qr": "png", **more}
    )
    return made


def test_takes_an_offer_from_its_picture(city: City) -> None:
    """Whose offer, of what, then a question; yes takes it, no takes nothing."""
    made = offer(city)
    (city.place / "offer.png").write_bytes(base64url.decode(made["qr"]))
    code, out, told = opened(city, str(city.place / "offer.png"), said="n\n")
    assert (code, out.strip()) == (1, "")
    assert "offers: 居住证" in told
    code, out, _ = opened(city, str(city.place / "offer.png"), said="y\n")
    assert (code, out.split()[-2]) == (0, "taken:")
    code, _, told = opened(city, str(city.place / "offer.png"), said="y\n")
    assert code == 1
    assert told.startswith("foreign_service_refused")


def test_takes_with_a_transaction_code(city: City) -> None:
    """The code is asked for; with --json nothing is asked."""
    made = offer(city, tx_code=True)
    code, out, told = opened(city, made["link"], "--yes", "--json")
    assert (code, out) == (2, "")
    assert "transaction code" in told
    code, out, _ = opened(city, made["link"], "--yes", "--json", "--tx-code", made["tx_code"])
    assert code == 0
    assert len(json.loads(out)["licence_ids"]) == 1


def test_signs_in_at_the_issuers(city: City) -> None:
    """An offer by authorization code sends the holder to the issuer's pages, and asks where they sent her back to."""
    made = offer(city, grants=["authorization_code"])
    code, _, told = opened(city, made["link"], "--yes", said="https://elsewhere.example/?code=x&state=y\n")
    assert code == 1
    assert f"{city.url}/issuers/police/authorize?" in told


def test_answers_or_declines_a_request(city: City) -> None:
    """Who asks for what, then a question: yes shows it, no tells the verifier so; again, it was answered already."""
    told = {"service_item": demo_wallet.ITEM, "qr": "none"}
    declined = city.counter.post("/verifier/presentation-requests", told)
    code, _, told_of = opened(city, declined["link"], said="n\n")
    assert code == 1
    assert "NOBODY VOUCHES" not in told_of
    assert "driving_licence, showing first_issued" in told_of
    state = city.counter.get(f"/verifier/presentation-requests/{declined['request_id']}")
    assert state["verdict"]["reason"] == "declined"
    agreed = city.counter.post("/verifier/presentation-requests", told)
    assert opened(city, agreed["link"], "--yes")[:2] == (0, "shown\n")
    state = city.counter.get(f"/verifier/presentation-requests/{agreed['request_id']}")
    assert state["verdict"]["verdict"] == "accepted"
    code, _, told_of = opened(city, agreed["link"], "--yes")
    assert (code, "answered already" in told_of) == (1, True)


def test_usage(city: City) -> None:
    """No token, no link: said so, with the exit code of wrong usage or of a refusal."""
    assert licence(city, "open", "openid4vp://?client_id=x")[0] == 2
    assert licence(city, "open", "x", "--token-file", str(city.place / "nobody"))[0] == 2
    assert opened(city, "no link at all", "--yes")[0] == 1
    assert opened(city, f"openid4vp://?{'x' * 5000}", "--yes")[0] == 1
    made = offer(city)
    assert opened(city, made["link"], "--json")[0] == 2


def test_registers_for_the_four_schemes(city: City) -> None:
    """The desktop entry names the schemes, quotes what it must, and holds no token."""
    odd = city.place / "a $folder 100%"
    odd.mkdir()
    (odd / "token").write_text(city.parent_token, encoding="ascii")
    (odd / "token").chmod(0o644)
    assert licence(city, "register-links", "--token-file", str(odd / "token"))[0] == 2
    (odd / "token").chmod(0o600)
    code, out, _ = licence(city, "register-links", "--token-file", str(odd / "token"), "--json")
    assert code == 0
    entry = Path(json.loads(out)["file"])
    assert entry == city.place / "applications" / "licence-wallet.desktop"
    lines = dict(line.split("=", 1) for line in entry.read_text(encoding="utf-8").splitlines()[1:])
    assert lines["MimeType"] == (
        "x-scheme-handler/openid-credential-offer;x-scheme-handler/haip-vci;"
        "x-scheme-handler/openid4vp;x-scheme-handler/haip-vp;"
    )
    assert lines["Exec"].endswith(r"/a \\$folder 100%%/token" + '" %u')
    assert city.parent_token not in entry.read_text(encoding="utf-8")


def test_a_system_asks_for_its_token(city: City, tmp_path: Path) -> None:
    """`licence client token` gets one over HTTP, and it works."""
    assert licence(city, "client", "new-key", str(tmp_path / "system.pem"))[0] == 0
    jwk = json.loads((tmp_path / "system.jwk").read_text())
    body = {"role": "agency", "subject": "police", "name": "system", "jwk": jwk}
    client_id = city.operator.post("/admin/clients", body)["client_id"]
    for more in ((), ("--dpop",), ("--scope", "licences:read")):
        code, out, err = licence(
            city,
            "client",
            "token",
            client_id,
            "--key",
            str(tmp_path / "system.pem"),
            "--url",
            city.url,
            "--json",
            *more,
        )
        assert code == 0, err
        assert json.loads(out)["token_type"] == ("DPoP" if more == ("--dpop",) else "Bearer")
    code, _, err = licence(city, "client", "token", "nobody", "--key", str(tmp_path / "system.pem"), "--url", city.url)
    assert code == 1
