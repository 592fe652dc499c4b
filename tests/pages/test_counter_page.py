"""The counter's page in a real browser: enrol once, scan by gun, by typing, by camera, by photo; three outcomes; classes."""

import statistics
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.pages.conftest import LiveWorld, check, opened, shot, sign_in
from tests.wallet.test_wallet_answers import drive
from tests.wallet.test_wallet_mandates import certificate
from tests.world import COUNTER, ITEM, PARENT
from wallet import qr

LOOKS = [("zh", 1280, False), ("en", 360, True), ("zh", 360, False), ("en", 1280, True)]


def enrol(page: Any, city: LiveWorld, counter: str = COUNTER, operator: str | None = "clerk-07") -> None:
    """A fresh device becomes the counter's; from then on it is ready."""
    code = city.operator.post(f"/admin/counters/{counter}/enrolment-codes")["code"]
    page.goto("/c")
    page.fill("#enrol-code", code)
    page.click("#enrol button")
    page.wait_for_selector("#desk:not([hidden])")
    if operator:
        page.fill("#operator", operator)
        page.dispatch_event("#operator", "change")


def code_of(city: LiveWorld, **what: Any) -> dict[str, Any]:
    (held,) = [
        one for one in city.holder().get("/wallet/licences")["items"] if one["licence_type"] == "residence_permit"
    ]
    chosen = [{"licence_id": held["licence_id"], "claims": ["residence_district"]}]
    return city.show(**(what or {"licences": chosen, "sensitive": True, "qr": "none"}))


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_three_outcomes(city: LiveWorld, chromium: Any, language: str, width: int, dark: bool) -> None:
    """Green, red and amber by word, icon and colour; the reason, the age of the status; ready for the next at once."""
    drive(city)
    held = city.holder().get("/wallet/licences")["items"]
    (licence_id,) = [one["licence_id"] for one in held if one["licence_type"] == "residence_permit"]
    city.counter()
    name = f"{language}-{width}-{'dark' if dark else 'light'}"
    said = {
        "zh": {"whole": "可以接受", "accepted": "证照属实，材料未齐", "refused": "不要接受"},
        "en": {"whole": "Accept", "accepted": "Genuine, but not all that is needed", "refused": "Do not accept"},
    }[language]
    with opened(chromium, city, width=width, language=language, dark=dark) as page:
        page.goto("/c")
        page.wait_for_selector("#enrol:not([hidden])")
        check(page)
        enrol(page, city)
        check(page)
        shot(page, f"counter-desk-{name}")
        good, bad = code_of(city)["typed_code"], code_of(city)["typed_code"]
        for outcome, code in (("accepted", good), ("refused", good)):
            page.fill("#scanned", code)
            page.keyboard.press("Enter")
            page.wait_for_selector(f"#verdict.{outcome}")
            assert page.inner_text("#verdict-word") == said[outcome]
            assert page.input_value("#scanned") == ""
            assert page.evaluate("document.activeElement.id") == "scanned"
            check(page)
            shot(page, f"counter-{outcome}-{name}")
        assert page.inner_text("#verdict-why") != ""
        page.select_option("#item", "ride_hailing_driver")
        page.fill("#scanned", city.show(service_item="ride_hailing_driver", qr="none")["typed_code"])
        page.keyboard.press("Enter")
        page.wait_for_selector("#verdict.accepted:not(.incomplete)")
        assert page.inner_text("#verdict-word") == said["whole"]
        check(page)
        shot(page, f"counter-whole-{name}")
        page.select_option("#item", ITEM)
        city.change("suspend", licence_id, "endorsement_lapsed")
        page.fill("#scanned", bad)
        page.keyboard.press("Enter")
        page.wait_for_selector("#verdict.cannot_confirm, #verdict.refused")
        asks = city.show(ask=True, qr="none")["typed_code"]
        page.fill("#scanned", asks)
        page.keyboard.press("Enter")
        page.wait_for_selector("#waiting:not([hidden])")
        check(page)
        page.click("#stop")
        page.wait_for_selector("#waiting", state="hidden")
        page.wait_for_selector("#said.good")  # taken back: nobody can agree to it any more
        assert city.holder().get("/wallet/consents")["items"][0]["state"] == "withdrawn"


def test_what_came_before_is_gone(city: LiveWorld, chromium: Any, tmp_path: Path) -> None:
    """No clerk named: what was scanned stays. A photo that holds no code leaves nothing of the verdict before it."""
    city.issue()
    city.counter()
    nothing = tmp_path / "nothing.png"
    with opened(chromium, city, width=1280) as page:
        enrol(page, city, operator="")
        code = code_of(city)["typed_code"]
        page.fill("#scanned", code)
        page.keyboard.press("Enter")
        page.wait_for_selector("#said:text('经办人')")
        assert page.input_value("#scanned") == code
        assert page.evaluate("document.activeElement.id") == "operator"
        page.fill("#operator", "clerk-07")
        page.click("#scan button.primary")
        page.wait_for_selector("#verdict.accepted")
        page.screenshot(path=nothing, clip={"x": 0, "y": 0, "width": 40, "height": 40})
        page.set_input_files("#photo", nothing)
        page.wait_for_selector("#said:text('没有认出')")
        assert page.locator("#verdict").is_hidden()
        assert page.inner_text("#licences") == ""


def test_a_scanner_gun_whatever_is_in_focus(city: LiveWorld, chromium: Any) -> None:
    """A gun types the code's address and Enter, as fast as guns do, with the item's list in focus."""
    city.issue()
    city.counter()
    with opened(chromium, city, width=1280) as page:
        enrol(page, city)
        page.focus("#item")
        page.keyboard.type(code_of(city)["url"], delay=1)
        page.keyboard.press("Enter")
        page.wait_for_selector("#verdict.accepted")
        assert page.input_value("#item") == ITEM


IME = """text => {
  const codes = {":": ["Semicolon", true], "/": ["Slash", false], ".": ["Period", false], "#": ["Digit3", true]};
  for (const one of text) {
    const [code, shiftKey] = codes[one] || (/[0-9]/.test(one) ? [`Digit${one}`, false] : [`Key${one.toUpperCase()}`, one !== one.toLowerCase()]);
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "Process", code, shiftKey, bubbles: true}));
  }
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", code: "Enter", bubbles: true}));
}"""


def test_a_scanner_gun_under_a_chinese_input_method(city: LiveWorld, chromium: Any) -> None:
    """The input method swallows every character; the code is read by its keys all the same."""
    city.issue()
    city.counter()
    with opened(chromium, city, width=1280) as page:
        enrol(page, city)
        page.evaluate(IME, code_of(city)["url"])
        page.wait_for_selector("#verdict.accepted")


def test_asked_by_one_scan(city: LiveWorld, chromium: Any) -> None:
    """Counter and phone side by side: the scan asks, the phone agrees, the counter turns green by itself."""
    city.issue()
    certificate(city, PARENT)
    city.counter()
    with opened(chromium, city, width=1280) as desk, opened(chromium, city) as phone:
        enrol(desk, city)
        sign_in(phone, city)
        phone.click("#show-code")
        phone.wait_for_selector("#code[open] #qr[src]")
        desk.fill("#scanned", phone.inner_text("#typed"))
        desk.keyboard.press("Enter")
        desk.wait_for_selector("#waiting:not([hidden])")
        phone.wait_for_url("**/w/asked/*")
        phone.check("#sensitive")
        phone.click("#confirm")
        desk.wait_for_selector("#verdict.accepted")
        assert "由他人代为出示" in desk.inner_text("#licences")
        assert "出生医学证明" in desk.inner_text("#missing")
        check(desk)
        shot(desk, "counter-asked")


def test_a_photo_and_the_camera(city: LiveWorld, chromium: Any, tmp_path: Path) -> None:
    """A photo is read by the service; one without a code says so. The camera is opened and closed again."""
    city.issue()
    city.counter()
    with opened(chromium, city, width=1280) as page:
        enrol(page, city)
        picture = tmp_path / "code.png"
        picture.write_bytes(qr.png(code_of(city)["url"]))
        page.set_input_files("#photo", picture)
        page.wait_for_selector("#verdict.accepted")
        Image.new("RGB", (64, 64), "white").save(tmp_path / "none.png")
        page.set_input_files("#photo", tmp_path / "none.png")
        page.wait_for_selector("#said:not([hidden])")
        page.click("#camera-open")
        page.wait_for_selector("#camera:not([hidden])")


def test_enrolled_for_good_and_forgotten(city: LiveWorld, chromium: Any) -> None:
    """Another day the page is ready at once, with its item; suspended it says so; forgotten it asks for a code."""
    city.counter()
    with opened(chromium, city, width=1280) as page:
        page.goto("/c")
        page.fill("#enrol-code", "AAAA-BBBB-CCCC-DDDD")
        page.click("#enrol button")
        page.wait_for_selector("#said:not([hidden])")
        enrol(page, city)
        page.select_option("#item", "points_household")
        page.reload()
        page.wait_for_selector("#desk:not([hidden])")
        assert page.input_value("#item") == "points_household"
        assert page.input_value("#operator") == "clerk-07"
        page.on("dialog", lambda one: one.accept())
        page.click("#forget")
        page.wait_for_selector("#enrol:not([hidden])")


def test_a_kiosk_forgets(city: LiveWorld, chromium: Any) -> None:
    """A kiosk names nobody, and what it showed is gone by itself."""
    city.issue()
    city.counter("kiosk", "kiosk")
    with opened(chromium, city, width=1280) as page:
        enrol(page, city, "kiosk", None)
        assert not page.is_visible("#operator")
        assert not page.is_visible("#classes")
        page.fill("#scanned", code_of(city)["typed_code"])
        page.keyboard.press("Enter")
        page.wait_for_selector("#verdict.accepted")
        page.wait_for_selector("#verdict", state="hidden", timeout=25000)
        assert page.inner_text("#licences") == ""


def test_a_class(city: LiveWorld, chromium: Any) -> None:
    """A list is made, one is scanned, one gets a link; who is complete and who lacks what is seen."""
    city.issue()
    certificate(city, PARENT)
    city.counter()
    with opened(chromium, city, width=1280) as page:
        enrol(page, city)
        page.click("#classes summary")
        page.fill("#class-name", "六（2）班")
        page.fill("#class-labels", "07 号\n12 号")
        page.click("#class-new button")
        page.wait_for_selector("#class-table tbody tr >> nth=1")
        check(page)
        page.click("#class-table tbody tr >> nth=0 >> button >> nth=0")
        page.fill("#scanned", city.show(service_item=ITEM, qr="none", sensitive=True)["typed_code"])
        page.keyboard.press("Enter")
        page.wait_for_selector("#verdict.accepted")
        page.wait_for_selector("#class-table td:has-text('不全')")
        page.click("#class-table tbody tr >> nth=1 >> button >> nth=1")
        page.wait_for_selector("#class-link:not([hidden])")
        assert "/verifier/class-lists/links/" in page.inner_text("#class-link")
        shot(page, "counter-class")


def test_from_scan_to_verdict(city: LiveWorld, chromium: Any, record_testsuite_property: Any) -> None:
    """The median from Enter to the outcome on the screen, beside the API's own: printed, not gated."""
    city.issue()
    city.counter()
    with opened(chromium, city, width=1280) as page:
        enrol(page, city)
        seen, bare = [], []
        for _ in range(9):
            page.fill("#scanned", code_of(city)["typed_code"])
            began = time.perf_counter()
            page.keyboard.press("Enter")
            page.wait_for_selector("#verdict:not([hidden])")
            seen.append(time.perf_counter() - began)
            code = code_of(city)["url"]
            began = time.perf_counter()
            city.scan(code)
            bare.append(time.perf_counter() - began)
            page.evaluate("clear()")
    told = f"{statistics.median(seen) * 1000:.0f} ms, the API alone {statistics.median(bare) * 1000:.0f} ms"
    record_testsuite_property("pages: scan to verdict on screen (median)", told)
    print(f"\nscan to verdict on screen: median {told}")
