"""An officer, a parent of two, a camera that really sees a code, and pages for people who set their machine up otherwise."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.journeys.test_ask_and_consent import answer, ask
from tests.pages.conftest import CHROMIUM, FLAGS, LiveWorld, check, opened, shot, sign_in
from tests.wallet.test_wallet_mandates import CERTIFICATE, shop_licence
from tests.world import COUNTER, ITEM, OTHER_PARENT, PARENT
from wallet import qr

SHOP_ITEM = "open_restaurant"


@pytest.mark.parametrize(("language", "width"), [("zh", 360), ("en", 1280)])
def test_an_officer(city: LiveWorld, chromium: Any, language: str, width: int) -> None:
    """The representative names an agent on her phone; he shows the company's licence; she sees it and takes it back."""
    shop_licence(city)
    agent = city.person(OTHER_PARENT)
    with opened(chromium, city, width=width, language=language) as page:
        sign_in(page, city)
        page.goto("/w/more")
        page.click("details.box summary")
        page.select_option("#kind", "agent")
        page.select_option("#principal", index=1)
        page.fill("#agent-name", agent["name"])
        page.fill("#agent-code", agent["code"])
        page.fill("#until", "2026-12-31") if city.now.year == 2026 else page.fill("#until", f"{city.now.year}-12-31")
        page.check("input[name=types][value=business_licence]")
        check(page)
        page.click("details.box button.primary")
        page.wait_for_selector(f"li.box strong:text('{agent['name']}')")
        with opened(chromium, city, width=width, language=language) as his:
            sign_in(his, city, OTHER_PARENT)
            his.wait_for_selector("text=示例市好样面馆有限公司")
            check(his)
            asked = ask(city, holder=OTHER_PARENT, item=SHOP_ITEM)
            (waiting,) = city.holder(OTHER_PARENT).get("/wallet/consents", params={"state": "waiting"})["items"]
            his.goto(f"/w/asked/{waiting['consent_id']}")
            his.wait_for_selector("#confirm")
            assert "示例市好样面馆有限公司" in his.inner_text("main")
            check(his)
            his.click("#confirm")
            his.wait_for_selector("#said.good")
            made = answer(city, asked)
            assert (made["verdict"], [one["by_mandate"] for one in made["licences"]]) == ("accepted", [True])
        page.goto("/w/uses")
        assert agent["name"] in page.inner_text("main")
        page.goto("/w/more")
        page.on("dialog", lambda one: one.accept())
        page.click(f"li.box:has-text('{agent['name']}') button.danger")
        page.wait_for_timeout(500)
        shot(page, f"wallet-officer-{language}-{width}")
        mandates = city.holder(OTHER_PARENT).get("/wallet/mandates")["items"]
        assert [one["state"] for one in mandates] == ["withdrawn"]


def test_for_which_child(city: LiveWorld, chromium: Any) -> None:
    """A parent of two is asked for whom; what is then shown is that child's alone."""
    about = {"birth_date": "2016-11-12", "student_status_no": "G440199201611120045", "grade": 4}
    guardians = [city.person(PARENT)]
    city.issue(CERTIFICATE, "child_a", "school1", guardians=guardians)
    city.issue(CERTIFICATE, "child_b", "school1", guardians=guardians, claims=about)
    name = city.person("child_b")["name"]
    with opened(chromium, city) as page:
        sign_in(page, city)
        asked = ask(city)
        page.wait_for_timeout(300)
        (waiting,) = city.holder().get("/wallet/consents", params={"state": "waiting"})["items"]
        page.goto(f"/w/asked/{waiting['consent_id']}")
        check(page)
        shot(page, "wallet-for-whom")
        page.click(f"a.button:has-text('{name}')")
        page.wait_for_selector("#confirm")
        assert name in page.inner_text("main")
        assert city.person("child_a")["name"] not in page.inner_text("main")
        page.check("#sensitive")
        page.click("#confirm")
        page.wait_for_selector("#said.good")
        (licence,) = answer(city, asked)["licences"]
        assert (licence["claims"]["holder_name"], licence["by_mandate"]) == (name, True)


def test_a_camera_that_sees_a_code(city: LiveWorld, chromium: Any, tmp_path: Path) -> None:
    """Frames of a real picture, as a camera gives them, are read and verified."""
    city.issue()
    city.counter()
    code = city.operator.post(f"/admin/counters/{COUNTER}/enrolment-codes")["code"]
    frame = Image.new("RGB", (640, 480), "white")
    drawn = Image.open(BytesIO(qr.png(city.show()["url"]))).convert("RGB").resize((400, 400))
    frame.paste(drawn, (120, 40))
    jpeg = BytesIO()
    frame.save(jpeg, "JPEG", quality=90)
    film = tmp_path / "camera.mjpeg"
    film.write_bytes(jpeg.getvalue() * 5)
    browser = chromium.browser_type.launch(
        executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-video-capture={film}"]
    )
    try:
        with opened(browser, city, width=1280) as page:
            page.context.grant_permissions(["camera"])
            page.goto("/c")
            page.fill("#enrol-code", code)
            page.click("#enrol button")
            page.wait_for_selector("#desk:not([hidden])")
            page.fill("#operator", "clerk-07")
            page.select_option("#item", ITEM)
            page.click("#camera-open")
            page.wait_for_selector("#verdict.accepted:not([hidden])", timeout=20000)
            assert page.is_hidden("#camera")
            check(page)
    finally:
        browser.close()


@pytest.mark.parametrize("how", [{"forced_colors": "active"}, {"reduced_motion": "reduce"}])
def test_as_people_set_their_machines(city: LiveWorld, chromium: Any, how: dict[str, str]) -> None:
    """With a system's own few colours every button has an edge; with motion reduced nothing moves, and all works."""
    city.issue()
    with opened(chromium, city, **how) as page:
        sign_in(page, city)
        page.click("#show-code")
        page.wait_for_selector("#typed:not(:empty)")
        check(page)
        moving = page.evaluate("document.getAnimations().filter((one) => one.playState === 'running').length")
        edge = page.evaluate("getComputedStyle(document.getElementById('code-close')).borderTopStyle")
        assert edge == "solid"
        if "reduced_motion" in how:
            assert moving == 0
        shot(page, f"wallet-{next(iter(how))}")
        page.keyboard.press("Escape")
        for address in ("/", "/c", "/console", "/operator", f"/operator/items/{ITEM}", "/s"):
            page.goto(address)
            page.wait_for_selector("h1, h2")
            check(page)


def test_plain_pages_are_of_the_house(city: LiveWorld, chromium: Any) -> None:
    """Signing in, passkeys, a class's link, a copy that is not kept: styled, without a barrier, on the smallest phone."""
    body = {"name": "六（2）班", "service_item": ITEM, "labels": ["07"]}
    made = city.counter().post("/verifier/class-lists", body)
    link = city.counter().post(f"/verifier/class-lists/{made['list_id']}/entries/1/link", {})["link"]
    for dark in (False, True):
        with opened(chromium, city, width=320, dark=dark) as page:
            for name, address in (
                ("sign-in", "/wallet/sign-in"), ("passkeys", "/passkeys/page"), ("class-link", link),
                ("receipt", "/receipts/nothing"), ("authorized", "/wallet/authorized"),
            ):  # fmt: skip
                page.goto(address)
                page.wait_for_selector("h1")
                check(page)
                shot(page, f"plain-{name}-{'dark' if dark else 'light'}")
            page.goto(link)
            page.click("main form button")
            page.wait_for_selector("img")
            check(page)
            shot(page, f"plain-class-link-open-{'dark' if dark else 'light'}")
