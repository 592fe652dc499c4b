"""Empty, waiting, refused, cut off and over: what each page says then, and that it says it well."""

from datetime import timedelta
from typing import Any

import pytest

from keys.access import Role
from tests.journeys.test_ask_and_consent import ask
from tests.pages.conftest import LiveWorld, check, opened, shot, sign_in
from tests.pages.test_counter_page import enrol
from tests.records.tables import alter
from tests.world import ITEM


def test_the_wallet_cut_off_with_a_code_open(city: LiveWorld, chromium: Any) -> None:
    """Nothing new comes when the code's minute is over: it says so and shows none; with the network it goes on."""
    city.issue()
    with opened(chromium, city) as page:
        page.clock.install()
        sign_in(page, city)
        page.click("#show-code")
        page.wait_for_selector("#typed:not(:empty)")
        page.context.set_offline(True)
        page.clock.run_for(56_000)
        page.wait_for_selector("#code-over:not([hidden])")
        assert page.get_attribute("#qr", "src") is None
        check(page)
        shot(page, "state-code-over")
        page.context.set_offline(False)
        page.click("#code-new")
        page.wait_for_selector("#qr[src]")
        assert page.is_hidden("#code-over")


def test_the_wallet_s_questions_run_out(city: LiveWorld, chromium: Any) -> None:
    """Looked at two minutes later a question is over; a yes that comes too late is told why."""
    city.issue()
    with opened(chromium, city) as page:
        sign_in(page, city)
        page.goto("/w/uses")
        assert "还没有" in page.inner_text("main")
        check(page)
        ask(city)
        (waiting,) = city.holder().get("/wallet/consents", params={"state": "waiting"})["items"]
        page.goto(f"/w/asked/{waiting['consent_id']}")
        page.wait_for_selector("#confirm")
        late = "UPDATE consent SET expires_at = '2026-01-01 00:00:00.000000'"
        assert alter(city, late) == 1
        page.click("#confirm")
        page.wait_for_selector("#said:not([hidden])")
        check(page)
        page.reload()
        assert "已超时" in page.inner_text("main")
        check(page)
        shot(page, "state-question-over")


def test_the_wallet_s_links_that_are_none(city: LiveWorld, chromium: Any) -> None:
    """Nonsense and another wallet's link are refused in words."""
    with opened(chromium, city, language="en") as page:
        sign_in(page, city)
        page.goto("/w/open")
        for text in ("nonsense", "https://bank.example/x"):
            page.fill("#link", text)
            page.click("#link-form .primary")
            page.wait_for_selector("#said:not([hidden])")
            check(page)
        shot(page, "state-link-refused")


def test_the_counter_cut_off(city: LiveWorld, chromium: Any) -> None:
    """Without a network it says so at once and turns nothing green."""
    city.counter()
    city.issue()
    with opened(chromium, city, width=1280) as page:
        enrol(page, city)
        code = city.show()["url"]
        page.context.set_offline(True)
        page.fill("#scanned", code)
        page.keyboard.press("Enter")
        page.wait_for_selector("#said:not([hidden])")
        assert page.is_visible("#offline")
        assert page.is_hidden("#verdict")
        check(page)
        shot(page, "state-counter-offline")
        page.context.set_offline(False)
        page.fill("#scanned", code)
        page.keyboard.press("Enter")
        page.wait_for_selector("#verdict.accepted:not([hidden])")


@pytest.mark.parametrize("address", ["/console", "/operator"])
def test_staff_whose_session_is_over(city: LiveWorld, chromium: Any, address: str) -> None:
    """A call that comes too late leads back to signing in; one without a network is told, and what was there stays."""
    role, subject = (Role.AGENCY, "police") if address == "/console" else (Role.OPERATOR, "op")
    city.agency("police")
    secret = city.house.access.grant(role, subject, life=timedelta(hours=1), actor="test", now=city.now)
    with opened(chromium, city, width=1280) as page:
        page.goto(address)
        page.fill("#token", secret)
        page.click("#by-token button")
        page.wait_for_selector("#work:not([hidden])")
        page.context.set_offline(True)
        page.click(".tabs a[href='#keys']")
        page.wait_for_selector("#said:not([hidden])")
        assert page.is_visible("#work")
        check(page)
        page.context.set_offline(False)
        page.click(".tabs a[href='#types']")
        page.click("#types details summary >> nth=0")
        assert "由持证人选择" in page.inner_text("#types")
        check(page)
        shot(page, f"state-types-{address[1:]}")
        alter(city, "UPDATE access_token SET expires_at = '2026-01-01 00:00:00.000000'")
        page.click(".tabs a[href='#figures']")
        page.wait_for_selector("#sign-in:not([hidden])")
        assert page.is_hidden("#work")
        check(page)
        shot(page, f"state-signed-out-{address[1:]}")


def test_the_counter_s_empty_lists(city: LiveWorld, chromium: Any) -> None:
    """No list yet: the picker says to pick, the table is not there."""
    city.counter()
    with opened(chromium, city, width=360, language="en") as page:
        enrol(page, city)
        page.click("#classes summary")
        page.wait_for_selector("#class-list option", state="attached")
        assert page.is_hidden("#class-table")
        check(page)
        assert ITEM in page.eval_on_selector_all("#item option", "all => all.map((one) => one.value)")
