"""The README's three pictures, taken of the real pages: `make screenshots` puts them into docs/pictures."""

from typing import Any

from PIL import Image

from tests.issuers.claims_of_types import SENT, order
from tests.pages.conftest import SHOTS, LiveWorld, opened, sign_in
from tests.pages.test_console_page import signed_in
from tests.wallet.test_wallet_mandates import certificate
from tests.world import COUNTER, ITEM, PARENT

COLOURS = 128


def family(city: LiveWorld) -> None:
    """What a school transfer needs, in the mother's wallet."""
    certificate(city, PARENT)
    city.issue()
    about = {"sex": "女", "birth_date": "1987-08-22"}
    city.issue("resident_id_card", claims=SENT["resident_id_card"].claims | about)
    birth = order(city, "birth_certificate", guardians=[city.person(PARENT)])
    made = city.agency("hospital").post("/issuers/hospital/licences", birth)
    assert made.status == 201, made.body


def take(page: Any, name: str) -> None:
    """A small picture of what is seen."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(500)
    file = SHOTS / f"{name}.png"
    page.screenshot(path=file)
    Image.open(file).convert("RGB").quantize(COLOURS).save(file, optimize=True)


def test_the_wallet_asks(city: LiveWorld, chromium: Any) -> None:
    """A phone: who asks, for what, why, and what would leave."""
    family(city)
    with opened(chromium, city, width=390) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        sign_in(page, city)
        page.click("#show-code")
        page.wait_for_selector("#code[open]")
        page.wait_for_selector("#typed:not(:empty)")
        typed = page.inner_text("#typed").replace(" ", "").replace("-", "")
        asked = city.counter().post("/verifier/asks", {"scanned": typed, "service_item": ITEM, "operator": "clerk-07"})
        assert asked.status == 202, asked.body
        page.wait_for_url("**/w/asked/*")  # it goes there by itself: whoever sends it there may meet it on the way
        page.wait_for_selector("#confirm")
        take(page, "wallet")


def test_the_counter_accepts(city: LiveWorld, chromium: Any) -> None:
    """A desk: one word, one icon, what the matter needs and no more."""
    family(city)
    city.counter()
    with opened(chromium, city, width=1180) as page:
        page.goto("/c")
        page.fill("#enrol-code", city.operator.post(f"/admin/counters/{COUNTER}/enrolment-codes")["code"])
        page.click("#enrol button")
        page.wait_for_selector("#desk:not([hidden])")
        page.fill("#operator", "clerk-07")
        page.select_option("#item", ITEM)
        page.fill("#scanned", city.show()["url"])
        page.click("#scan button.primary")
        page.wait_for_selector("#verdict.accepted:not([hidden])")
        page.evaluate("scrollTo(0, 0)")
        take(page, "counter")


def test_the_console_finds(city: LiveWorld, chromium: Any) -> None:
    """A clerk's screen: licences, and what may be done with each."""
    family(city)
    for number in range(2):
        city.issue(reference=f"JZZ-2026-{number:04}")
    with opened(chromium, city, width=1180) as page:
        signed_in(page, city)
        page.click(".tabs a[href='#find']")
        page.wait_for_selector("#found article")
        take(page, "console")
