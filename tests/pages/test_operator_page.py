"""The operator's day in a real browser: figures, agencies, counters and their codes, keys, four eyes, items, webhooks."""

from datetime import timedelta
from typing import Any

import pytest

from keys.access import Role
from tests.pages.conftest import LiveWorld, check, opened, shot
from tests.world import ITEM


def signed_in(page: Any, city: LiveWorld, role: Role = Role.OPERATOR) -> None:
    """Sign in as one of the operator's people."""
    secret = city.house.access.grant(role, "op", life=timedelta(days=1), person="wang", actor="test", now=city.now)
    page.goto("/operator")
    page.wait_for_selector("#sign-in:not([hidden])")
    page.fill("#token", secret)
    page.click("#by-token button")
    page.wait_for_selector("#work:not([hidden])")


def tab(page: Any, name: str, until: str) -> None:
    page.click(f".tabs a[href='#{name}']")
    page.wait_for_selector(until)


@pytest.mark.parametrize(("language", "width", "dark"), [("zh", 1280, False), ("en", 360, True)])
def test_looked_over(city: LiveWorld, chromium: Any, language: str, width: int, dark: bool) -> None:
    """Every tab says what the API says, in both languages, on a phone too; each is without a barrier."""
    city.issue()
    assert city.scan(city.show()["url"])["verdict"] == "accepted"
    assert city.scan("7K2M9QX4")["verdict"] == "refused"
    city.operator.post(
        "/admin/webhooks",
        {"owner": "agency:police", "url": "https://hooks.police.example/x", "types": ["licence.revoked"]},
    )
    with opened(chromium, city, width=width, language=language, dark=dark) as page:
        page.goto("/operator")
        page.wait_for_selector("#sign-in:not([hidden])")
        check(page)
        signed_in(page, city)
        page.wait_for_selector("#figure-box svg")
        assert page.get_attribute("#figure-box svg >> nth=1", "aria-label").endswith(": 2")
        assert "code_unknown" in page.inner_text("#figure-box")
        for name, until, said in (
            ("figures", "#figure-box svg", "code_unknown"),
            ("agencies", "#agency-list td", "police"),
            ("counters", "#counter-list td", "school2_office"),
            ("keys", "#key-list td", {"zh": "签状态列表", "en": "signs status lists"}[language]),
            ("approvals", "#proposal-list p.empty", ""),
            ("reports", "#report-list p.empty", ""),
            ("items", "#item-list article", "1244019900DEM0066N2000000001000"),
            ("webhooks", "#webhook-list td", "licence.revoked"),
        ):
            tab(page, name, until)
            assert said in page.inner_text(f"#{name}")
            check(page)
            shot(page, f"operator-{name}-{language}-{width}")


def test_a_counter_is_enrolled(city: LiveWorld, chromium: Any) -> None:
    """A counter is made, a device's code is told, a browser enrols with it; suspended, it verifies nothing."""
    city.agency("police")
    with opened(chromium, city, width=1280) as page:
        signed_in(page, city)
        tab(page, "counters", "#counter-list p.empty")
        for field, text in (("key", "police_hall"), ("agency", "police"), ("zh", "公安大厅"), ("en", "Police hall")):
            page.fill(f"#counter-{field}", text)
        page.click("#enrol button.primary")
        page.wait_for_selector("#counter-list td")
        page.click("#counter-list button >> nth=0")
        page.wait_for_selector("#code-box:not([hidden])")
        code = page.inner_text("#code")
        check(page)
        assert len(code) >= 16
        page.on("dialog", lambda one: one.accept())
        page.click("#counter-list button >> nth=1")
        page.wait_for_selector("#said.good")
        counters = city.operator.get("/admin/counters")["items"]
        assert [(one["key"], one["suspended"]) for one in counters] == [("police_hall", True)]


def test_keys_and_rights_change(city: LiveWorld, chromium: Any) -> None:
    """A key is rotated, a right taken back and given again: the trust list says so."""
    city.agency("police")
    with opened(chromium, city, width=1280) as page:
        page.on("dialog", lambda one: one.accept())
        signed_in(page, city)
        tab(page, "keys", "#key-list td")
        row = page.locator("#key-list tr", has_text="police").filter(has_text="签证照").filter(has_text="在用")
        before = row.locator("td >> nth=4").inner_text()
        row.locator("button >> nth=0").click()
        page.wait_for_selector("#said.good")
        states = {one["kid"]: one["state"] for one in city.operator.get("/admin/keys")["items"]}
        assert states[before] == "retired"
        tab(page, "agencies", "#agency-list td")
        page.click("#agency-list button >> nth=0")
        page.wait_for_selector("#said.good")
        (police,) = city.operator.get("/admin/agencies")["items"]
        lost = {kind.key for kind in city.house.types.values() if "police" in kind.issuer_agencies} - {
            *police["may_sign"]
        }
        assert len(lost) == 1
        page.select_option("#give-type", lost.pop())
        page.click("#give button")
        page.wait_for_selector("#said.good")
        assert len(city.operator.get("/admin/agencies")["items"][0]["may_sign"]) == len(police["may_sign"]) + 1


def test_an_item_as_citizens_see_it(city: LiveWorld, chromium: Any) -> None:
    """The preview is the consent page itself, with nobody's values; nothing on it does anything."""
    for language, said in (("zh", "转出校学籍"), ("en", "Enrolment and grade")):
        with opened(chromium, city, language=language) as page:
            page.goto(f"/operator/items/{ITEM}")
            assert said in page.inner_text("main")
            assert "＊＊＊" in page.inner_text("main")
            assert {"zh": "掩码", "en": "masked"}[language] in page.inner_text("main"), "what is always shown, too"
            assert page.locator("nav.bottom").count() == 0
            check(page)
            shot(page, f"operator-preview-{language}")
            page.goto("/operator/items/nothing")
            check(page)


def test_auditors_and_support(city: LiveWorld, chromium: Any) -> None:
    """Each sees their tab alone: the streams and the checkpoint; why a request was refused."""
    city.issue()
    refused = city.agency("police").post("/issuers/police/licences", {"licence_type": "nothing"})
    number = refused["instance"]
    with opened(chromium, city, width=1280) as page:
        signed_in(page, city, Role.AUDITOR)
        page.wait_for_selector("#entry-list td")
        assert page.locator(".tabs a:visible").count() == 1
        page.select_option("#stream", "issuers/police")
        page.wait_for_selector("#entry-list td:text('licence.')")
        check(page)
        shot(page, "operator-audit")
    with opened(chromium, city, width=360) as page:
        signed_in(page, city, Role.SUPPORT)
        page.fill("#number", number)
        page.click("#trace button")
        page.wait_for_selector("#trace-found td")
        assert refused["code"] in page.inner_text("#trace-found")
        check(page)
        page.fill("#number", "nothing")
        page.click("#trace button")
        page.wait_for_selector("#said:not([hidden])")


def test_whoever_is_not_the_operator_s(city: LiveWorld, chromium: Any) -> None:
    """An agency's token opens nothing here."""
    with opened(chromium, city, width=1280) as page:
        page.goto("/operator")
        page.fill("#token", str(city.agency("police").token))
        page.click("#by-token button")
        page.wait_for_selector("#said:not([hidden])")
        assert page.is_hidden("#work")
