"""Photos of QR codes at the counter."""

from io import BytesIO

import pytest
from PIL import Image

from tests.world import ITEM, World, png_bytes
from wallet import qr

PATH = f"/verifier/verifications/picture?service_item={ITEM}"


def _saved(picture: Image.Image, kind: str, **how: object) -> bytes:
    kept = BytesIO()
    picture.save(kept, kind, **how)
    return kept.getvalue()


def _shown(world: World) -> tuple[dict, Image.Image]:
    world.issue()
    shown = world.holder().post("/wallet/shows", {"service_item": ITEM, "qr": "png"})
    return shown.body, Image.open(BytesIO(png_bytes(shown["qr"]))).convert("RGB")


def _photo(picture: Image.Image) -> Image.Image:
    """As a phone sees it: on a desk, turned, blurred by scaling."""
    desk = Image.new("RGB", (1200, 900), (180, 170, 150))
    turned = picture.resize((500, 500), Image.Resampling.BILINEAR).rotate(12, expand=True, fillcolor=(180, 170, 150))
    desk.paste(turned, (330, 140))
    return desk


@pytest.mark.parametrize(("kind", "media"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_a_photo_of_a_code_is_verified(world: World, kind: str, media: str) -> None:
    """A photo of the code in each format is verified like a scan."""
    _, drawn = _shown(world)
    answer = world.counter().post(PATH, content=_saved(_photo(drawn), kind), headers={"Content-Type": media})
    assert answer.status == 200, answer.body
    assert (answer["verdict"], answer["reason"], answer["channel"]) == ("accepted", "accepted", "show_code")


def test_a_photo_of_an_offline_pass_is_verified(world: World) -> None:
    """A photo of an offline pass is verified as one."""
    text = world.offline_pass(world.issue(), ["residence_district"])
    answer = world.counter().post(PATH, content=qr.png(text, dense=True), headers={"Content-Type": "image/png"})
    assert (answer["verdict"], answer["channel"], answer["offline"]) == ("accepted", "offline_pass", False)


def _two_codes() -> bytes:
    one, two = (Image.open(BytesIO(qr.png(f"http://127.0.0.1:8080/s#{'0' * 25}{last}"))) for last in "12")
    both = Image.new("L", (one.width * 2, one.height), 255)
    both.paste(one, (0, 0))
    both.paste(two, (one.width, 0))
    return _saved(both, "PNG")


UNREADABLE = {
    "no QR": _saved(Image.new("RGB", (400, 300), (200, 200, 200)), "PNG"),
    "two QRs": _two_codes(),
    "not a picture": b"this is no picture at all",
    "half a PNG": qr.png("http://127.0.0.1:8080/s#" + "0" * 26)[:200],
    "a bomb": _saved(Image.new("1", (30_000, 30_000)), "PNG"),
    "markup": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "PNG signature alone": b"\x89PNG\r\n\x1a\n",
    "PDF": b"%PDF-1.7\n%EOF",
    "NULs": bytes(5000),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_said(world: World, name: str) -> None:
    """No QR code, two of them, no picture, a cut or an enormous one: refused as unreadable, nothing recorded."""
    answer = world.counter().post(PATH, content=UNREADABLE[name], headers={"Content-Type": "image/png"})
    assert (answer.status, answer["code"]) == (400, "picture_unreadable")


def test_an_empty_picture_is_a_problem(world: World) -> None:
    """No bytes at all are refused before anything is read."""
    answer = world.counter().post(PATH, content=b"", headers={"Content-Type": "image/png"})
    assert (answer.status in {400, 422}, answer["code"] in {"picture_unreadable", "invalid_request"}) == (True, True)


def test_a_picture_of_something_else(world: World) -> None:
    """A QR code of something else is not a licence code."""
    for text in ("https://evil.example/s#" + "0" * 26, "WIFI:T:WPA;S:free;P:free;;", "javascript:alert(1)"):
        answer = world.counter().post(PATH, content=qr.png(text), headers={"Content-Type": "image/png"})
        assert (answer.status, answer["verdict"]) == (200, "refused")
        assert answer["reason"] in {"not_a_licence_code", "code_unknown"}


def test_a_picture_past_the_cap(world: World) -> None:
    """More than 8 MiB are refused as too large."""
    answer = world.counter().post(PATH, content=bytes(8 * 1024 * 1024 + 1), headers={"Content-Type": "image/png"})
    assert (answer.status, answer["code"]) == (413, "body_too_large")
