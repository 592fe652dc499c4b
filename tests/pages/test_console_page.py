"""A clerk's day in a real browser: sign in, issue by the type's own form, find, suspend, reinstate, revoke, answer."""

from typing import Any

import pytest

from tests.pages.conftest import LiveWorld, check, opened, shot
from tests.world import CLAIMS, PARENT


def signed_in(page: Any, city: LiveWorld, agency: str = "police") -> None:
    page.goto("/console")
    page.wait_for_selector("#sign-in:not([hidden])")
    check(page)
    page.fill("#token", str(city.agency(agency).token))
    page.click("#by-token button")
    page.wait_for_selector("#work:not([hidden])")


def fill(page: Any, city: LiveWorld) -> None:
    """A residence permit for the mother, field by field."""
    form = "form[data-type=residence_permit]"
    page.select_option("#type", "residence_permit")
    person = city.person(PARENT)
    page.fill(f"{form} [name='holder.code']", person["code"])
    page.fill(f"{form} [name='holder.name']", person["name"])
    for name, value in CLAIMS["residence_permit"].items():
        field = page.locator(f"{form} [name='claims.{name}']")
        if field.count() == 0:  # the service works it out itself
            continue
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(str(value))
        else:
            field.fill(str(value))
    page.fill(f"{form} [name=reference]", "JZZ-1")


@pytest.mark.parametrize(("language", "width"), [("zh", 1280), ("en", 360)])
def test_issued_found_changed(city: LiveWorld, chromium: Any, language: str, width: int) -> None:
    """A wrong number is refused in the person's language; mended, it is issued once, found, and changed with a cause."""
    with opened(chromium, city, width=width, language=language) as page:
        signed_in(page, city)
        fill(page, city)
        check(page)
        shot(page, f"console-issue-{language}-{width}")
        page.fill("form[data-type=residence_permit] [name='holder.code']", "440199198708220022")
        page.click("form[data-type=residence_permit] button.primary")
        page.wait_for_selector("#said:not([hidden]):not(.good)")
        check(page)
        page.fill("form[data-type=residence_permit] [name='holder.code']", city.person(PARENT)["code"])
        page.click("form[data-type=residence_permit] button.primary")
        page.wait_for_selector("#said.good")
        (held,) = city.holder().get("/wallet/licences")["items"]
        assert held["licence_type"] == "residence_permit"
        page.click(".tabs a[href='#find']")
        page.fill("#reference", "JZZ-1")
        page.click("#search button")
        page.wait_for_selector("#found article")
        check(page)
        shot(page, f"console-find-{language}-{width}")
        for state, place in (("suspended", 0), ("valid", 0), ("revoked", 1)):
            page.click(f"#found article button >> nth={place}")
            page.wait_for_selector("#change[open]")
            check(page)
            page.click("#change button[value=yes]")
            page.wait_for_selector("#said.good")
            page.wait_for_timeout(300)
            made = city.agency("police").get("/issuers/police/licences", params={"reference": "JZZ-1"})
            assert made["items"][0]["state"] == state


def test_a_correction_is_answered(city: LiveWorld, chromium: Any) -> None:
    """What a holder asks is read and answered in words; nothing there says so."""
    licence_id = city.issue()
    with opened(chromium, city, width=1280) as page:
        signed_in(page, city)
        page.click(".tabs a[href='#cases']")
        page.wait_for_selector("#cases-none:not([hidden])")
        case = city.holder().post(
            "/wallet/cases", {"kind": "correction", "about": licence_id, "text": "<b>地址</b>有误"}
        )
        page.goto("/console#find")
        page.click(".tabs a[href='#cases']")
        page.wait_for_selector("#case-list article")
        assert "<b>地址</b>有误" in page.inner_text("#case-list")
        check(page)
        page.fill("#case-list textarea", "已更正")
        page.click("#case-list button >> nth=1")
        page.wait_for_selector("#cases-none:not([hidden])")
        seen = city.holder().get(f"/wallet/cases/{case['case_id']}")
        assert (seen["state"], seen["timeline"][-1]["text"]) == ("upheld", "已更正")


def test_who_is_no_agency(city: LiveWorld, chromium: Any) -> None:
    """A holder's or counter's token opens nothing here, and is forgotten at once."""
    city.counter()
    with opened(chromium, city, width=1280) as page:
        page.goto("/console")
        page.fill("#token", str(city.counter().token))
        page.click("#by-token button")
        page.wait_for_selector("#said:not([hidden])")
        assert page.is_hidden("#work")
        assert page.evaluate("sessionStorage.getItem('token')") is None
