"""The holder's journeys in a real browser: show, be asked, agree, look back, hand over; both languages, both widths."""

from datetime import timedelta
from typing import Any

import pytest

from tests.pages.conftest import LiveWorld, check, opened, shot, sign_in
from tests.wallet.test_wallet_answers import drive
from tests.wallet.test_wallet_mandates import certificate
from tests.world import ITEM, PARENT

LOOKS = [("zh", 360, False), ("en", 360, True), ("en", 1280, False), ("zh", 320, True)]


def shown_code(page: Any) -> str:
    """Tap once; the code is there."""
    page.click("#show-code")
    page.wait_for_selector("#code[open] #qr[src]")
    return str(page.inner_text("#typed")).replace(" ", "")


def ask(city: LiveWorld, code: str, item: str = ITEM) -> str:
    body = {"scanned": code, "service_item": item, "operator": "clerk-07"}
    made = city.counter().post("/verifier/asks", body)
    assert made.status == 202, made.body
    return str(made["ask_id"])


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_asked_and_agreed(city: LiveWorld, chromium: Any, language: str, width: int, dark: bool) -> None:
    """From opening to the verdict: one tap, one question, one yes; every page on the way is fit for everybody."""
    city.issue()
    certificate(city, PARENT)
    name = f"{language}-{width}-{'dark' if dark else 'light'}"
    with opened(chromium, city, width=width, language=language, dark=dark) as page:
        sign_in(page, city)
        check(page)
        shot(page, f"wallet-home-{name}")
        code = shown_code(page)
        check(page)
        shot(page, f"wallet-code-{name}")
        asked = ask(city, code)
        page.wait_for_url("**/w/asked/*")
        check(page)
        shot(page, f"wallet-asked-{name}")
        page.click("#confirm")
        page.wait_for_selector("#said:not(.good):not([hidden])")  # a child's wants its own word
        page.check("#sensitive")
        page.click("#confirm")
        page.wait_for_selector("#said.good")
        check(page)
        assert city.counter().get(f"/verifier/asks/{asked}")["reason"] == "accepted"
        page.goto("/w/uses")
        assert {"zh": "已被接受", "en": "Accepted"}[language] in page.inner_text("main")
        check(page)
        shot(page, f"wallet-uses-{name}")
        for path in ("/w/more", "/w/open", "/w/offline", "/s", "/w/cards/nothing"):
            page.goto(path)
            check(page)
            shot(page, f"wallet{path.replace('/', '-')}-{name}")


def test_optional_left_out_declined_reported(city: LiveWorld, chromium: Any) -> None:
    """Less than all, nothing at all, and a report: each is what the counter hears."""
    city.issue()
    certificate(city, PARENT)
    with opened(chromium, city) as page:
        sign_in(page, city)
        asked = ask(city, shown_code(page))
        page.wait_for_url("**/w/asked/*")
        page.uncheck("[name=part][value=residence_permit]")
        page.check("#sensitive")
        page.click("#confirm")
        page.wait_for_selector("#said.good")
        told = city.counter().get(f"/verifier/asks/{asked}")["licences"]
        assert [one["licence_type"] for one in told] == ["student_status_certificate"]
        page.goto("/w")
        asked = ask(city, shown_code(page))
        page.wait_for_url("**/w/asked/*")
        page.click("#report-open")
        page.click("#report-send")
        page.wait_for_selector("#said:text('哪里不妥')")  # a report that says nothing is none, and nothing is declined
        page.fill("#report", "与转学无关")
        page.click("#report-send")
        page.wait_for_selector("#said.good")
        assert city.counter().get(f"/verifier/asks/{asked}")["reason"] == "declined"
        assert city.holder().get("/wallet/consents")["items"][0]["reported"] == "与转学无关"


def test_chosen_in_advance_and_masked(city: LiveWorld, chromium: Any) -> None:
    """Values are masked until they are asked for; what is ticked is what is shown, once."""
    city.issue()
    with opened(chromium, city) as page:
        sign_in(page, city)
        page.click(".card")
        page.wait_for_url("**/w/cards/*")
        check(page)
        assert "440199198708220021" not in page.inner_text("main")
        page.click("#reveal")
        assert "440199198708220021" in page.inner_text("main")
        page.check("[name=claims][value=residence_district]")
        page.click("#show-chosen")
        page.wait_for_selector("#code[open] #qr[src]")
        code = page.inner_text("#typed").replace(" ", "")
        verdict = city.scan(code)
        assert set(verdict["licences"][0]["claims"]) >= {"residence_district"}
        assert city.scan(code)["reason"] == "already_used"


def test_a_code_dies_with_its_dialog(city: LiveWorld, chromium: Any) -> None:
    """Closed by Escape, the code is taken back; a new one is another."""
    city.issue()
    with opened(chromium, city) as page:
        sign_in(page, city)
        first = shown_code(page)
        page.click("#code-new")
        page.wait_for_selector(f"#typed:not(:text-is('{first[:4]} {first[4:]}'))")
        second = page.inner_text("#typed").replace(" ", "")
        page.keyboard.press("Escape")
        page.wait_for_selector("#code:not([open])", state="attached")
        page.wait_for_timeout(300)
        assert city.scan(second)["reason"] == "code_withdrawn"


def test_by_keyboard_alone(city: LiveWorld, chromium: Any) -> None:
    """No pointer: tab to the button, Enter; the question's yes by Space and Enter."""
    city.issue()
    with opened(chromium, city) as page:
        sign_in(page, city)
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "show-code":
                break
        page.keyboard.press("Enter")
        page.wait_for_selector("#code[open] #qr[src]")
        asked = ask(city, page.inner_text("#typed").replace(" ", ""))
        page.wait_for_url("**/w/asked/*")
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "confirm":
                break
        page.keyboard.press("Enter")
        page.wait_for_selector("#said.good")
        assert city.counter().get(f"/verifier/asks/{asked}")["reason"] == "accepted"


def test_without_a_network(city: LiveWorld, chromium: Any) -> None:
    """The shell opens, says so, and shows the pass that was made before."""
    city.issue()
    with opened(chromium, city) as page:
        sign_in(page, city)
        page.wait_for_timeout(1500)  # the service worker is there
        page.click(".card")
        page.check("[name=claims][value=residence_district]")
        page.click("#make-pass")
        page.wait_for_selector("#pass[open] #pass-qr[src]")
        text = (
            page.inner_text("#pass-text")
            if page.is_visible("#pass-text")
            else page.evaluate("document.getElementById('pass-text').textContent")
        )
        check(page)
        page.context.set_offline(True)
        page.goto("/w")
        page.wait_for_selector("#kept:not([hidden])")
        assert page.evaluate("document.getElementById('pass-text').textContent") == text
        check(page)
        shot(page, "wallet-offline-pass")
        page.context.set_offline(False)
        page.seen.wrong.clear()  # the browser says of each call that there was no network
        assert city.scan(text)["reason"] == "accepted"


def test_hostile_names_do_no_harm(city: LiveWorld, chromium: Any) -> None:
    """Markup and rare hanzi in what others wrote stay text."""
    city.issue()
    hostile = {"zh": "<img src=x onerror=alert(1)>𠮷龘", "en": "<script>alert(1)</script>"}
    body = {"key": "odd_desk", "agency": "school2", "name": hostile, "channel": "hall_counter"}
    assert city.operator.post("/admin/counters", body).status == 201
    desk = city.caller("counter", "odd_desk")
    with opened(chromium, city) as page:
        sign_in(page, city)
        body = {"scanned": shown_code(page), "service_item": ITEM, "operator": "<b>x</b>"}
        assert desk.post("/verifier/asks", body).status == 202
        page.wait_for_url("**/w/asked/*")
        assert "<img src=x" in page.inner_text("main")
        assert page.query_selector("main img") is None


def test_mandates_sessions_cases(city: LiveWorld, chromium: Any) -> None:
    """Hand over and take back, sign another device out, ask for a correction: all by the page."""
    city.issue()
    city.holder("graduate")
    with opened(chromium, city) as page:
        sign_in(page, city)
        page.goto("/w/more")
        page.click("summary")
        person = city.person("graduate")
        page.fill("#agent-name", person["name"])
        page.fill("#agent-code", person["code"])
        page.fill("#until", "2020-01-31")
        page.click("details form button.primary")
        page.wait_for_selector("#said:text('结束日期应在今天之后')")
        page.fill("#until", "2027-01-31")
        page.fill("#agent-code", "123")
        page.click("details form button.primary")
        page.wait_for_selector("#said:text('对方身份证号')")  # the field's own name, and the field itself
        assert page.evaluate("document.activeElement.id") == "agent-code"
        assert page.get_attribute("#agent-code", "aria-invalid") == "true"
        page.fill("#agent-code", person["code"])
        page.click("details form button.primary")
        page.wait_for_selector("#said.good")
        page.wait_for_selector(f"text={person['name']}")
        (mandate,) = city.holder().get("/wallet/mandates")["items"]
        assert (mandate["kind"], mandate["ends_at"]) == ("helper", "2027-01-31T15:59:59Z")
        page.on("dialog", lambda one: one.accept())
        page.click("form[data-call^='DELETE /wallet/mandates'] button")
        page.wait_for_selector("form[data-call^='DELETE /wallet/mandates']", state="detached")
        page.click("form[data-call^='DELETE /wallet/sessions'] button")
        page.wait_for_selector("form[data-call^='DELETE /wallet/sessions']", state="detached")
        page.goto("/w")
        page.click(".card")
        page.click("summary:has-text('内容有误')")
        page.fill("#wrong", "现居住地址有误")
        page.click("details form button")
        page.wait_for_selector("#said.good")
        assert page.input_value("#wrong") == ""  # sent: pressed again it would be sent again
        (case,) = city.agency("police").get("/issuers/police/cases")["items"]
        answer = {"state": "upheld", "text": "已更正，请查收新证照"}
        assert city.agency("police").post(f"/issuers/police/cases/{case['case_id']}/answer", answer).status == 204
        page.goto("/w/more")
        for said in ("示例市公安局", "居住证", "现居住地址有误", "已更正，请查收新证照"):
            assert said in page.inner_text("main")
        check(page)
        shot(page, "wallet-more-case")


def test_what_a_counter_took_is_shown_once(city: LiveWorld, chromium: Any) -> None:
    """A code with what was chosen is used: the phone says so, and draws no other that would disclose it again."""
    city.issue()
    city.counter()
    with opened(chromium, city) as page:
        sign_in(page, city)
        page.click("#licences a, main a[href^='/w/cards/']")
        page.check("[name=claims] >> nth=0")
        page.click("#show-chosen")
        page.wait_for_selector("#typed:not(:empty)")
        code = page.inner_text("#typed").replace(" ", "")
        assert city.scan(code)["verdict"] == "accepted"
        page.wait_for_selector("#said:text('已用过')")
        assert page.locator("#code").is_hidden()


def test_a_link_answered_in_the_wallet(city: LiveWorld, chromium: Any) -> None:
    """A school's link is pasted, looked at, answered."""
    drive(city)
    city.issue()
    body = {"name": "x", "service_item": "ride_hailing_driver", "labels": ["07"]}
    made = city.counter().post("/verifier/class-lists", body)
    link = city.counter().post(f"/verifier/class-lists/{made['list_id']}/entries/1/link", {})["link"]
    with opened(chromium, city) as page:
        sign_in(page, city)
        page.goto("/w/open")
        page.fill("#link", link)
        page.click("#link-form .primary")
        page.wait_for_selector("#request:not([hidden])")
        told = page.inner_text("#request-parts")
        assert "居民身份证" in told
        assert "现居住地行政区划代码" in told
        assert not set(told) & set("_{")
        check(page)
        shot(page, "wallet-request")
        page.click("#agree")
        page.wait_for_selector("#said.good")
    (entry,) = city.counter().get(f"/verifier/class-lists/{made['list_id']}")["entries"]
    assert entry["state"] == "complete"


def test_a_link_answered_for_somebody_whom_one_helps(city: LiveWorld, chromium: Any) -> None:
    """Whoever acts for others says for whom; each licence says whose it is, and theirs is shown."""
    drive(city)
    city.issue()
    body = {"agent": city.person("graduate"), "kind": "helper"}
    made = city.holder().post("/wallet/mandates", body | {"ends_at": (city.now + timedelta(days=30)).isoformat()})
    assert made.status == 201, made.body
    asked = city.counter().post(
        "/verifier/presentation-requests", {"service_item": "ride_hailing_driver", "qr": "none"}
    )
    with opened(chromium, city) as page:
        sign_in(page, city, "graduate")
        page.goto("/w/open")
        page.fill("#link", asked["link"])
        page.goto("/w")
        page.click(".card >> nth=0")
        page.wait_for_selector("#choose")
        assert page.locator("#reveal, .full, #wrong").count() == 0  # whoever helps shows it, and need not read it
        assert city.person(PARENT)["code"] not in page.content()
        page.goto("/w/open")
        page.fill("#link", asked["link"])
        page.select_option("#whom", label="李样本")
        page.click("#link-form .primary")
        page.wait_for_selector("#request:not([hidden])")
        assert page.inner_text("#request-parts").count("代为出示：李样本") == 3
        check(page)
        shot(page, "wallet-request-for-another")
        page.click("#agree")
        page.wait_for_selector("#said.good")
    (use,) = city.holder().get("/wallet/uses")["items"]
    assert (use["reason"], use["holder_name"], use["actor_name"]) == ("accepted", "李样本", "王测试")


def test_empty_gone_signed_out(city: LiveWorld, chromium: Any) -> None:
    """No licence yet, a question that is over, a session that ended: each says what it is and where to go."""
    with opened(chromium, city) as page:
        sign_in(page, city)
        assert "还没有证照" in page.inner_text("main")
        check(page)
        asked = ask(city, shown_code(page))
        page.wait_for_url("**/w/asked/*")
        assert "您没有此证照" in page.inner_text("main")
        check(page)
        page.click("#decline")
        page.wait_for_selector("#said.good")
        page.reload()
        assert "已拒绝" in page.inner_text("main")
        check(page)
        assert city.counter().get(f"/verifier/asks/{asked}")["reason"] == "declined"
        page.goto("/w/more")
        page.click("form[data-call='POST /wallet/sign-out'] button")
        page.wait_for_url("**/wallet/sign-in**")
