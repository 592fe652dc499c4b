"""A clerk's day in a real browser: sign in, issue by the type's own form, find, suspend, reinstate, revoke, answer."""

import csv
import io
import time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app import catalogue
from tests.pages.conftest import LiveWorld, check, opened, shot
from tests.world import CLAIMS, OTHER_PARENT, PARENT


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


def test_found_by_whose_and_by_name(city: LiveWorld, chromium: Any) -> None:
    """A holder's number finds what was issued to them alone; an identifier finds that licence."""
    mine = city.issue()
    city.issue(holder=OTHER_PARENT, claims={"sex": "男", "birth_date": "1985-03-15"})
    with opened(chromium, city, width=1280) as page:
        signed_in(page, city)
        page.click(".tabs a[href='#find']")
        page.wait_for_selector("#found article >> nth=1")
        for field, text in (("#whose", city.person(PARENT)["code"]), ("#reference", mine)):
            page.fill("#whose", "")
            page.fill(field, text)
            page.click("#search button")
            page.wait_for_selector("#found article >> nth=1", state="detached")
            assert mine in page.inner_text("#found article")


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
        assert "更正" in page.inner_text("#case-list h3")
        page.click("#case-list button:text('找到此证照')")
        page.wait_for_selector("#found article")
        with page.expect_response("**/cases/*"):  # what is seen already is fetched anew
            page.click(".tabs a[href='#cases']")
        page.wait_for_timeout(300)
        page.fill("#case-list textarea", "已更正")
        page.click("#case-list button:text-is('采纳')")
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


def test_an_agency_that_may_sign_nothing(city: LiveWorld, chromium: Any) -> None:
    """It is told whom to ask; every tab opens all the same, and its name stands above."""
    with opened(chromium, city, width=1280) as page:
        signed_in(page, city, "health")
        page.wait_for_selector("#no-types:not([hidden])")
        assert page.inner_text("#who") == catalogue.agencies()["health"]["name"]["zh"]
        for tab in page.query_selector_all(".tabs a"):
            tab.click()
        assert page.is_hidden("#said")
        check(page)


def test_renewed(city: LiveWorld, chromium: Any) -> None:
    """A renewal begins at the licence, fills the same form, and takes the old one's place."""
    old = city.issue(reference="JZZ-9")
    with opened(chromium, city, width=1280) as page:
        signed_in(page, city)
        page.click(".tabs a[href='#find']")
        page.wait_for_selector("#found article")
        page.click("#found article button >> nth=2")
        page.wait_for_selector("#renewing:not([hidden])")
        fill(page, city)
        check(page)
        page.click("form[data-type=residence_permit] button.primary")
        page.wait_for_selector("#said.good")
        assert page.is_hidden("#renewing")
        states = {
            one["licence_id"]: one["cause"] for one in city.agency("police").get("/issuers/police/licences")["items"]
        }
        assert len(states) == 2
        assert states[old] == "superseded"


def work_on_batches(city: LiveWorld) -> None:
    """Let a worker work until a job is over."""
    for _ in range(100):
        jobs = city.agency("police").get("/issuers/police/batches")["items"]
        if jobs and all(one["state"] == "done" for one in jobs):
            return
        city.house.batch_worker.work(lambda: city.now)
        time.sleep(0.1)
    raise AssertionError(jobs)


def test_many_at_once(city: LiveWorld, chromium: Any, tmp_path: Path) -> None:
    """A template, filled; each row issued or refused with its reason; uploaded again nothing is issued twice."""
    with opened(chromium, city, width=1280, language="en") as page:
        signed_in(page, city)
        page.click(".tabs a[href='#batch']")
        page.select_option("#batch-type", "residence_permit")
        with page.expect_download() as downloading:
            page.click("#batch-template")
        sheet = load_workbook(io.BytesIO(Path(downloading.value.path()).read_bytes())).worksheets[0]
        heads = [cell.value for cell in sheet[1]]
        assert {"reference", "holder.code", "claims.residence_district"} <= set(heads)
        claims = {f"claims.{name}": str(value) for name, value in CLAIMS["residence_permit"].items()}
        rows = []
        for number, holder in enumerate((PARENT, OTHER_PARENT), 1):
            person = {f"holder.{name}": text for name, text in city.person(holder).items()}
            born = {} if holder == PARENT else {"claims.sex": "男", "claims.birth_date": "1985-03-15"}
            rows.append({"reference": f"B-{number}", **claims, **person, **born})
        rows.append({**rows[0], "reference": "B-3", "holder.code": "440199198708220022"})
        file = tmp_path / "filled.csv"
        with file.open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.DictWriter(out, heads, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        for _ in range(2):
            page.set_input_files("#batch-file", file)
            page.click("#batch-run")
            page.wait_for_selector("#batch-box:not([hidden])")
            work_on_batches(city)
            page.wait_for_selector("#batch-report:not([hidden])")
            page.wait_for_selector("#batch-run:not([disabled])")
            assert "3 / 3" in page.inner_text("#batch-said")
            assert "B-3" in page.inner_text("#batch-faults")
            check(page)
            with page.expect_download() as downloading:
                page.click("#batch-report")
            report = list(csv.reader(Path(downloading.value.path()).read_text(encoding="utf-8-sig").splitlines()))
            assert [bool(row[2]) for row in report[1:]] == [True, True, False]
            assert report[3][3].startswith("check_digit")
        page.reload()  # whoever closed the page finds it again
        page.wait_for_selector("#work:not([hidden])")
        page.click("#batch-jobs button >> nth=0")
        page.wait_for_selector("#batch-report:not([hidden])")
        assert ("3 / 3" in page.inner_text("#batch-said"), "B-3" in page.inner_text("#batch-faults")) == (True, True)
        check(page)
        shot(page, "console-batch-en-1280")
        issued = city.agency("police").get("/issuers/police/licences")["items"]
        assert sorted(one["reference"] for one in issued) == ["B-1", "B-2"]


def test_keys_and_figures(city: LiveWorld, chromium: Any) -> None:
    """Nothing waits for agreement and it says so; keys and figures are the agency's own."""
    city.issue()
    with opened(chromium, city, width=360) as page:
        signed_in(page, city)
        for name, until in (
            ("approvals", "#proposal-list p"),
            ("many", "#many-done p"),
            ("keys", "#key-list td"),
            ("figures", "#figure-box svg"),
        ):
            page.click(f".tabs a[href='#{name}']")
            page.wait_for_selector(until)
            check(page)
            shot(page, f"console-{name}-zh-360")
        assert page.get_attribute("#figure-box svg >> nth=0", "aria-label").endswith(": 1")


def states(city: LiveWorld) -> list[str]:
    return sorted(one["state"] for one in city.agency("police").get("/issuers/police/licences")["items"])


@pytest.mark.parametrize(("language", "width"), [("zh", 360), ("en", 1280)])
def test_many_changed_and_undone(city: LiveWorld, chromium: Any, tmp_path: Path, language: str, width: int) -> None:
    """Read from a file, looked at, what cannot change left out, done as one, and undone as a whole."""
    permits = [city.issue() for _ in range(3)]
    city.change("suspend", permits[2], "endorsement_lapsed")
    file = tmp_path / "report.csv"
    file.write_text("row,licence\n" + "".join(f"{at},{one}\n" for at, one in enumerate(permits)))
    with opened(chromium, city, width=width, language=language) as page:
        signed_in(page, city)
        page.click(".tabs a[href='#many']")
        page.click("#many-look")
        page.wait_for_selector("#said:not([hidden]):not(.good)")
        page.select_option("#many-type", "residence_permit")
        page.select_option("#many-cause", "endorsement_lapsed")
        page.set_input_files("#many-file", file)
        page.click("#many-look")
        page.wait_for_selector("#many-left td")
        assert ("2 / 3" in page.inner_text("#many-said"), page.is_disabled("#many-do")) == (True, True)
        assert permits[2] in page.inner_text("#many-left")
        check(page)
        shot(page, f"console-many-{language}-{width}")
        page.click("#many-without")
        page.wait_for_selector("#many-do:not([disabled])")
        page.click("#many-do")
        page.wait_for_selector("#agree[open]")
        assert page.inner_text("#agree-licences").split() == permits[:2]
        check(page)
        shot(page, f"console-many-sure-{language}-{width}")
        page.click("#agree button[value=no]")
        assert states(city) == ["suspended", "valid", "valid"]
        page.click("#many-do")
        page.click("#agree-yes")
        page.wait_for_selector("#said.good")
        assert states(city) == ["suspended"] * 3
        page.click("#many-done button")
        page.wait_for_selector("#many-done button", state="detached")
        assert states(city) == ["suspended", "valid", "valid"]
        check(page)


def test_proposed_and_agreed_by_another(city: LiveWorld, chromium: Any) -> None:
    """One clerk proposes and cannot approve it; another looks at every licence and does; a third proposal is declined."""
    permits = [city.issue(), city.issue()]
    clerks = {name: city.caller("clerk", "police", person=name) for name in ("li", "wang")}
    city.house.mass_changes._two_must_agree = True
    with opened(chromium, city, width=1280, language="en") as page:

        def enter(who: str, tab: str) -> None:
            page.goto("/console")
            page.fill("#token", str(clerks[who].token))
            page.click("#by-token button")
            page.wait_for_selector("#work:not([hidden])")
            page.click(f".tabs a[href='#{tab}']")

        enter("li", "many")
        for _ in range(2):
            page.select_option("#many-change", "revoke")
            page.select_option("#many-type", "residence_permit")
            page.select_option("#many-cause", "moved_away")
            page.fill("#many-licences", "\n".join(permits))
            page.click("#many-look")
            page.click("#many-do")
            page.click("#agree-yes")
            page.wait_for_selector("#said.good")
        page.click(".tabs a[href='#approvals']")
        page.click("#proposal-list button >> nth=0")
        page.click("#agree-yes")
        page.wait_for_selector("#said:not([hidden]):not(.good)")
        assert states(city) == ["valid", "valid"]
        page.click("#sign-out")
        page.wait_for_selector("#sign-in:not([hidden])")
        enter("wang", "approvals")
        page.click("#proposal-list button >> nth=0")
        page.wait_for_selector("#agree[open]")
        assert sorted(page.inner_text("#agree-licences").split()) == sorted(permits)
        check(page)
        shot(page, "console-agree-en-1280")
        page.click("#agree-yes")
        page.wait_for_selector("#said.good")
        assert states(city) == ["revoked", "revoked"]
        page.click("#proposal-list button >> nth=1")
        page.wait_for_selector("#proposal-list button", state="detached")
        assert {one["state"] for one in clerks["wang"].get("/issuers/police/status-changes")["items"]} == {
            "approved",
            "declined",
        }
        check(page)


def test_files_as_spreadsheets_here_save_them(city: LiveWorld, chromium: Any, tmp_path: Path) -> None:
    """GB 18030 is read as what it says; a row whose quotes or cells are wrong is refused by its line, the others go on."""
    person = city.person(PARENT)
    claims = CLAIMS["residence_permit"] | {"current_address": '示例市"天河"区,示例路2号'}
    heads = ["reference", "holder.code_type", "holder.code", "holder.name", *(f"claims.{name}" for name in claims)]
    cells = ["G-1", person["code_type"], person["code"], person["name"], *(str(one) for one in claims.values())]
    out = io.StringIO()
    csv.writer(out).writerows([heads, cells])
    broken = 'G-2,111,"un,closed\r\n'
    short = "G-3,111\r\n"
    file = tmp_path / "gbk.csv"
    file.write_bytes((out.getvalue() + short + broken).encode("gb18030"))
    with opened(chromium, city, width=1280) as page:
        signed_in(page, city)
        page.click(".tabs a[href='#batch']")
        page.select_option("#batch-type", "residence_permit")
        page.set_input_files("#batch-file", file)
        page.click("#batch-run")
        work_on_batches(city)
        page.wait_for_selector("#batch-report:not([hidden])")
        assert "3 / 3" in page.inner_text("#batch-said")
        assert "G-3" in page.inner_text("#batch-faults")
    (held,) = city.holder().get("/wallet/licences")["items"]
    told = {one["name"]: one["value"] for one in held["claims"]}
    assert (told["holder_name"], told["current_address"]) == (person["name"], claims["current_address"])


def test_the_next_clerk_finds_nothing(city: LiveWorld, chromium: Any) -> None:
    """Signed out, what was typed and found is gone with the page."""
    city.issue(reference="JZZ-7")
    with opened(chromium, city, width=1280) as page:
        signed_in(page, city)
        fill(page, city)
        page.click(".tabs a[href='#find']")
        page.wait_for_selector("#found article")
        page.click("#sign-out")
        page.wait_for_selector("#sign-in:not([hidden])")
        assert page.locator("#found article").count() == 0
        assert page.input_value("form[data-type=residence_permit] [name='holder.code']") == ""
