"""Attack: a QR code with something else in it, held before a counter's scanner."""

import pytest

from tests.verifier.forge import failed
from tests.world import BASE_URL, World

CODE = "0123456789ABCDEFGHJKMNPQRS"
HOSTILE = {
    "script": "javascript:alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "file": "file:///etc/passwd#" + CODE,
    "wireless": "WIFI:T:WPA;S:free;P:free;;",
    "telephone": "tel:+8612345678901",
    "another scheme with a code": "ftp://127.0.0.1/s#" + CODE,
    "markup": "<img src=x onerror=alert(1)>",
    "markup as a code": "<script>" + CODE + "</script>",
    "four kB": "A" * 4096,
    "four kB of URL": f"{BASE_URL}/s#" + "A" * 4096,
    "bidi": "\u202e" + CODE,
    "bidi in the URL": f"{BASE_URL}/\u202es#{CODE}",
    "zero width": "\u200b".join(CODE),
    "full width": "ＡＢＣＤＥＦＧＨ",
    "hanzi": "某某某某",
    "pass prefix alone": "EL1:",
    "pass of markup": "EL1:<script>",
    "pass of hanzi": "EL1:证照",
    "pass of nothing": "EL1:" + "0" * 4000,
    "lower case prefix": "el1:ABC",
    "offer": "openid-credential-offer://?credential_offer_uri=http://169.254.169.254/",
    "SQL": "' OR 1=1; --",
    "path": "../../s#" + CODE,
    "another path": f"{BASE_URL}/admin/tokens#{CODE}",
    "health certificate": "HC1:6BFOXN*TS0BI$ZD4N9:9S6RCVN5",
    "line ends": "\r\n\r\n\r\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_not_a_licence_code(world: World, name: str) -> None:
    """Whatever else a QR code holds, the counter is told that this is not a licence code, and nothing else happens."""
    made = world.scan(HOSTILE[name])
    assert (made["verdict"], made["reason"]) == ("refused", "not_a_licence_code")
    assert failed(made) == [(0, "not_a_licence_code")]
    assert HOSTILE[name] not in str(made)


def test_hostile_content_is_never_green(world: World) -> None:
    """Whatever it is called, hostile content is refused at the first step, with nothing told and no error."""
    for text in HOSTILE.values():
        made = world.scan(text)
        assert (made["verdict"], made["licences"]) == ("refused", [])
        assert failed(made) == [(0, made["reason"])]
        assert made["reason"] in {"not_a_licence_code", "code_unknown"}


def test_another_hosts_code_is_not_ours(world: World) -> None:
    """A code behind another host's address is not looked up here: a phishing page's QR is not a licence code."""
    world.issue()
    code = world.show()["url"].split("#")[1]
    for address in (
        "https://evil.example/s#",
        "http://127.0.0.1:8080.evil.example/s#",
        "http://user@127.0.0.1:8080/s#",
    ):
        made = world.scan(address + code)
        assert (made["verdict"], made["reason"]) == ("refused", "not_a_licence_code")


@pytest.mark.parametrize("text", ["", "A" * 8193])
def test_texts_past_the_limits_are_faults_of_the_request(world: World, text: str) -> None:
    """An empty scan and one past 8 kB never reach the verifier."""
    answer = world.counter().post("/verifier/verifications", {"scanned": text, "service_item": "school_transfer"})
    assert (answer.status, answer["code"], answer["faults"][0]["pointer"]) == (422, "invalid_request", "/scanned")
