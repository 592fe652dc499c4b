"""Copies for the file: made with the holder's word where the item allows one, the same bytes each time, proving themselves."""

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from credentials import base64url, strict_json
from credentials.errors import FormatError
from tests.journeys.test_ask_and_consent import answer, ask, question, say
from tests.records.tables import alter, findings
from tests.world import OTHER_PARENT, PARENT, World
from verifier import offline
from verifier.errors import CopyChangedError, CopyIncomparableError, CopyOverError
from verifier.file_copies import file_copies, pdf
from verifier.models import Verification
from verifier.picture import read as read_picture
from wallet import qr

ITEM = "ride_hailing_driver"


def kept(world: World) -> Any:
    """The verdict of an ask for an item whose counter keeps a copy."""
    world.issue()
    asked = ask(world, item=ITEM)
    seen = question(world)
    assert seen["copy_days"] == 365
    assert say(world, seen, "confirm").status == 204
    verdict = answer(world, asked)
    assert verdict["verdict"] == "accepted", verdict.body
    return verdict


def fetched(world: World, path: str, who: str = "counter") -> bytes:
    caller = world.counter() if who == "counter" else world.holder(who)
    got = caller.http.get(path, headers={"Authorization": f"Bearer {caller.token}"})
    assert (got.status_code, got.headers["content-type"]) == (200, "application/pdf"), got.text
    return got.content


def drawn(world: World, verdict: Any) -> bytes:
    return fetched(world, f"/verifier/verifications/{verdict['verification_id']}/copy")


def test_a_copy_says_what_was_disclosed_for_what(world: World) -> None:
    """The pages hold the disclosed claims, matter, counter, date and font; the QR code leads to the receipt."""
    verdict = kept(world)
    assert verdict["copy_until"] == "2027-11-23T04:00:00+00:00"
    data = drawn(world, verdict)
    (page,) = PdfReader(BytesIO(data)).pages
    text = page.extract_text().replace("\0", "")
    for said in (
        "网络预约出租汽车",
        "教务处",
        "2026-11-23T12:00:00+08:00",
        "440106",
        "2027-03-01",
        "居住证",
        "仅用于",
        "clerk-07",
    ):
        assert said in text, said
    assert "示例路2号" not in text, "what was not asked for is on no page"
    (font,) = page["/Resources"]["/Font"].values()
    assert "/FontFile3" in font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
    (image,) = page.images
    png = BytesIO()
    image.image.save(png, "PNG")
    assert read_picture(png.getvalue()).endswith(f"/receipts/{verdict['verification_id']}")


def test_the_same_receipt_gives_the_same_bytes(world: World) -> None:
    """Counter, holder and another worker draw the very same file."""
    verdict = kept(world)
    data = drawn(world, verdict)
    world.wait(600)
    assert drawn(world, verdict) == data
    assert world.build().file_copies.drawn(verdict["verification_id"], now=world.now) == data
    (use,) = world.holder().get("/wallet/uses")["items"]
    assert fetched(world, f"/wallet/uses/{use['use_id']}/copy", PARENT) == data


def test_a_copy_proves_itself(world: World) -> None:
    """With the trust bundle alone the file is checked; each altered byte of content or pages is found."""
    data = drawn(world, kept(world))
    bundle = offline.open_bundle(world.bundle())
    said = file_copies.check(data, bundle.trust, qr.png, now=world.now)
    assert (said["receipt"]["verdict"], said["copied"]["operator"], said["over"]) == ("accepted", "clerk-07", False)
    assert file_copies.check(data, bundle.trust, qr.png, now=world.now.replace(year=2028))["over"] is True
    with pytest.raises(CopyChangedError):
        file_copies.check(data.replace(b"/Title", b"/Titel", 1), bundle.trust, qr.png, now=world.now)
    head, mark, line = data.rpartition(pdf.MARK)
    held = strict_json.loads_object(base64url.decode(line.strip().decode()))
    for change in ("matter", "until", "licences"):
        other = {**held, "document": {**held["document"], change: [] if change == "licences" else "2099"}}
        forged = head + mark + base64url.encode(strict_json.canonical(other)).encode()
        with pytest.raises(FormatError, match="another copy"):
            file_copies.check(forged, bundle.trust, qr.png, now=world.now)
    for nonsense in (b"", b"%PDF-1.3", pdf.MARK, pdf.MARK + b"e30", head + mark + b"!", data + b"x" * pdf.MAX_BYTES):
        with pytest.raises(FormatError, match="not a copy"):
            file_copies.check(nonsense, bundle.trust, qr.png, now=world.now)


def test_a_copy_is_checked_at_another_counter(world: World) -> None:
    """Who is brought a file posts it; a changed one is refused with its own code."""
    data, other = drawn(world, kept(world)), world.counter("hall")
    headers = {"Authorization": f"Bearer {other.token}", "Content-Type": "application/pdf"}
    made = other.http.post("/verifier/copies/check", content=data, headers=headers)
    assert (made.status_code, made.json()["receipt"]["verdict"]) == (200, "accepted")
    changed = other.http.post("/verifier/copies/check", content=data.replace(b"/Title", b"/Titel", 1), headers=headers)
    assert (changed.status_code, changed.json()["code"]) == (422, "copy_changed")
    assert other.http.post("/verifier/copies/check", content=b"%PDF", headers=headers).json()["code"] == "malformed"


def test_the_code_on_the_page_leads_to_the_receipt(world: World) -> None:
    """Anybody sees which counter verified what, when; no claim, no name of the holder."""
    verdict = kept(world)
    told = world.anybody.get(f"/verifier/receipts/{verdict['verification_id']}")
    assert (told["verdict"], told["matter"]["zh"], told["counter"]["zh"]) == (
        "accepted",
        "网络预约出租汽车驾驶员证核发",
        "教务处",
    )
    page = world.anybody.get(f"/receipts/{verdict['verification_id']}")
    for shown in (str(told.body), page.body):
        assert "教务处" in shown
        assert not any(secret in shown for secret in ("440106", "李样本", "440199198708220021"))
    assert world.anybody.get("/receipts/nothing").status == 404
    assert world.anybody.get("/verifier/receipts/nothing")["code"] == "not_found"


def test_no_copy_without_the_holder_s_word(world: World) -> None:
    """A code that was shown unasked, an item that allows none, a refusal: no copy is made, no claim kept."""
    world.issue()
    shown = world.scan(world.show(licences=_permit(world))["url"], item=ITEM)
    asked = ask(world)
    say(world, question(world), "confirm", {"sensitive": True})
    transfer = answer(world, asked)
    for verdict in (shown, transfer.body):
        assert (verdict["verdict"], verdict["copy_until"]) == ("accepted", None)
        refused = world.counter().get(f"/verifier/verifications/{verdict['verification_id']}/copy")
        assert (refused.status, refused["code"]) == (410, "copy_over")
    assert alter(world, "UPDATE file_copy SET until = until") == 0


def test_others_get_no_copy(world: World) -> None:
    """Another counter, another holder, nobody signed in: it is not there for them."""
    verdict = kept(world)
    path = f"/verifier/verifications/{verdict['verification_id']}/copy"
    assert world.counter("hall").get(path).status == 404
    assert world.anybody.get(path).status == 401
    (use,) = world.holder().get("/wallet/uses")["items"]
    assert world.holder(OTHER_PARENT).get(f"/wallet/uses/{use['use_id']}/copy").status == 404


def test_a_copy_ends(world: World) -> None:
    """At rest it is sealed; when its time is over it is gone, and the receipt stays."""
    verdict = kept(world)
    with world.house.database.read() as session:
        sealed = session.connection().exec_driver_sql("SELECT sealed FROM file_copy").scalar_one()
    assert b"440106" not in bytes(sealed)
    world.now = world.now.replace(year=2027)
    assert world.house.forget_what_is_over(now=world.now)["copies"] == 1
    with pytest.raises(CopyOverError):
        world.house.file_copies.drawn(verdict["verification_id"], now=world.now)
    assert findings(world) == []


def _permit(world: World) -> list[dict[str, Any]]:
    (held,) = world.holder().get("/wallet/licences")["items"]
    return [{"licence_id": held["licence_id"], "claims": ["residence_district"]}]


def test_a_copy_of_another_version_is_not_believed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that cannot be made again here are not accepted, whatever stands on them."""
    data = drawn(world, kept(world))
    bundle = offline.open_bundle(world.bundle())
    monkeypatch.setattr(pdf, "MADE_WITH", "fpdf2 99")
    _, mark, line = data.rpartition(pdf.MARK)
    for one in (data, b"%PDF forged" + mark + line):
        with pytest.raises(CopyIncomparableError):
            file_copies.check(one, bundle.trust, qr.png, now=world.now)


def test_a_character_without_a_glyph_is_spelt(world: World) -> None:
    """What the font lacks is seen as its code point, not as nothing."""
    verdict = kept(world)
    with world.house.database.read() as session:
        receipt = session.get(Verification, verdict["verification_id"]).receipt
    _, said = world.house.file_copies._kept(verdict["verification_id"], world.now)
    said["licences"][0]["claims"][0]["text"] = "张\U0002a6a5 \u0633"
    (page,) = PdfReader(BytesIO(pdf.render(said, receipt, qr.png))).pages
    assert "张[U+2A6A5] [U+0633]" in page.extract_text().replace("\0", "")


@pytest.mark.parametrize("long", ["label", "text"])
def test_a_label_and_what_it_labels_stay_on_one_page(world: World, long: str) -> None:
    """Whichever of the two takes more lines; each is whole on one page, and on the same."""
    _, said = world.house.file_copies._kept(kept(world)["verification_id"], world.now)

    def words(kind: str, number: int) -> str:
        return f"{kind}{number}a " + "很长的一段 " * (20 if kind == long else 1) + f"{kind}{number}z"

    said["licences"][0]["claims"] = [
        {"label": {"zh": words("label", number), "en": words("label", number)}, "text": words("text", number)}
        for number in range(100, 120)
    ]
    pages = [one.extract_text().replace("\0", "") for one in PdfReader(BytesIO(pdf.render(said, "-", qr.png))).pages]
    assert len(pages) > 2
    for number in range(100, 120):
        ends = [f"{kind}{number}{end}" for kind in ("label", "text") for end in "az"]
        assert [sum(all(one in page for one in ends) for page in pages)] == [1], number


def test_a_helper_s_copy_ends_with_the_mandate(world: World) -> None:
    """Whose licences they were alone sees the copy; who showed them sees it while they may still act."""
    world.issue()
    helper = world.holder("graduate")
    body = {"agent": world.person("graduate"), "kind": "helper", "ends_at": "2026-12-31T23:59:59+08:00"}
    mandate = world.holder().post("/wallet/mandates", body)
    code = helper.post("/wallet/shows", {"ask": True, "qr": "none"})["url"]
    asked = world.counter().post("/verifier/asks", {"scanned": code, "service_item": ITEM, "operator": "clerk-07"})
    seen = question(world, "graduate", principal=world.holder().subject)
    assert say(world, seen, "confirm", {"principal": world.holder().subject}, "graduate").status == 204
    assert answer(world, asked)["verdict"] == "accepted"
    (use,) = world.holder().get("/wallet/uses")["items"]
    path = f"/wallet/uses/{use['use_id']}/copy"
    assert fetched(world, path, PARENT) == fetched(world, path, "graduate")
    world.holder().delete(f"/wallet/mandates/{mandate['mandate_id']}")
    assert helper.get(path).status == 404
    assert fetched(world, path, PARENT)


def test_a_kiosk_keeps_nothing(world: World) -> None:
    """The holder is told so, and there is no copy."""
    world.issue()
    world.counter("kiosk_1", "kiosk")
    code = world.holder().post("/wallet/shows", {"ask": True, "qr": "none"})
    asked = world.counter("kiosk_1").post("/verifier/asks", {"scanned": code["url"], "service_item": ITEM})
    seen = question(world)
    assert seen["copy_days"] == 0
    assert say(world, seen, "confirm").status == 204
    verdict = answer(world, asked, by="kiosk_1")
    assert (verdict["verdict"], verdict["copy_until"]) == ("accepted", None)
    path = f"/verifier/verifications/{verdict['verification_id']}/copy"
    assert world.counter("kiosk_1").get(path)["code"] == "copy_over"
