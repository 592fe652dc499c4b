"""The pages as they are served: signed in or sent to sign in, strict headers, both languages, nobody else's things."""

import re

import pytest

from app.web import rendering
from tests.browsing import Browser, signed_in
from tests.journeys.test_ask_and_consent import ask, question
from tests.wallet.test_wallet_mandates import certificate
from tests.world import OTHER_PARENT, PARENT, World

MINE = ["/w", "/w/uses", "/w/more", "/w/open"]
OPEN = ["/s", "/c", "/console", "/w/offline"]


@pytest.mark.parametrize("path", MINE)
def test_signed_in_or_sent_to_sign_in(world: World, path: str) -> None:
    """Whoever is not signed in is sent to sign in and comes back; whoever is sees the page, in their language."""
    sent = Browser(world).get(path)
    assert (sent.status, sent.headers["location"]) == (303, f"/wallet/sign-in?return_to={path}")
    world.issue()
    certificate(world, PARENT)
    browser = signed_in(world)
    for language, lang in (("zh-CN,zh;q=0.9", "zh-CN"), ("en-GB,en;q=0.8", "en")):
        page = browser.get(path, headers={"Accept-Language": language})
        assert (page.status, f'<html lang="{lang}">' in page.body) == (200, True)
    chosen = browser.get(f"{path}?language=en", headers={"Accept-Language": "zh-CN"})
    assert '<html lang="en">' in chosen.body
    assert '<html lang="en">' in browser.get(path).body


@pytest.mark.parametrize("path", MINE + OPEN)
def test_headers_are_strict(world: World, path: str) -> None:
    """No page may be framed, cached or run what is not ours; each file that it names is there, and may be kept."""
    page = signed_in(world).get(path)
    assert page.status == 200
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    for wanted in (
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ):
        assert wanted in policy
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.body):
        got = world.anybody.get(address)
        assert (got.status, "immutable" in got.headers["cache-control"]) == (200, True)
    assert "http://" not in page.body.replace("http://www.w3.org", "")


def test_static_files(world: World) -> None:
    """Compressed for who takes it; under another version it is asked for anew; what is not there is not there."""
    plain = world.http.get("/static/base.js", headers={"Accept-Encoding": "identity"})
    zipped = world.http.get("/static/base.js", headers={"Accept-Encoding": "gzip"})
    assert plain.content == zipped.content == rendering.assets()["base.js"].plain
    assert (zipped.headers["content-encoding"], plain.headers["cache-control"]) == ("gzip", "no-cache")
    assert world.anybody.get("/static/nothing.js").status == 404
    worker = world.anybody.get("/w/worker.js")
    assert (worker.status, worker.headers["service-worker-allowed"]) == (200, "/w")


def test_one_card_and_nobody_else_s(world: World) -> None:
    """Its own values masked and whole; another holder is told that there is no such thing."""
    licence_id = world.issue()
    page = signed_in(world).get(f"/w/cards/{licence_id}")
    assert "44**********21" in page.body
    assert signed_in(world, OTHER_PARENT).get(f"/w/cards/{licence_id}").status == 404
    assert Browser(world).get(f"/w/cards/{licence_id}").status == 303


def test_a_question_as_a_page(world: World) -> None:
    """Who, where, what, why, and what not; over, it says so; a stranger's is not there."""
    world.issue()
    certificate(world, PARENT)
    ask(world)
    asked = question(world)
    path = f"/w/asked/{asked['consent_id']}"
    page = signed_in(world).get(path)
    for said in ("示例市第二小学", "教务处", "小学生转学", "转出校学籍", "不会出示", asked["seen"], "张小例"):
        assert said in page.body, said
    assert signed_in(world, OTHER_PARENT).get(path).status == 404
    world.wait(120)
    assert "已超时" in signed_in(world).get(path).body


def test_what_others_wrote_stays_text(world: World) -> None:
    """Markup in a counter's name is shown as it was written."""
    world.issue()
    name = {"zh": "<img src=x onerror=alert(1)>", "en": "<script>alert(1)</script>"}
    body = {"key": "odd_desk", "agency": "school2", "name": name, "channel": "hall_counter"}
    assert world.operator.post("/admin/counters", body).status == 201
    world._counters["odd_desk"] = world.caller("counter", "odd_desk")
    ask(world, by="odd_desk")
    page = signed_in(world).get(f"/w/asked/{question(world)['consent_id']}")
    assert "&lt;img src=x" in page.body
    assert "<img src=x" not in page.body
