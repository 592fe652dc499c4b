"""QR pictures: what a phone's camera reads from them is the code, and the code is in the fragment."""

import re
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageDraw

from tests.world import BASE_URL, World, png_bytes
from verifier import picture

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
MODULE = 8  # pixels a millimetre of the drawing


def _png_of(svg: str) -> bytes:
    """Draw an SVG of axis-parallel boxes (all that a QR code is made of) as a PNG."""
    width, height = (float(value) for value in re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', svg).groups())
    drawn = Image.new("L", (round(width * MODULE), round(height * MODULE)), 255)
    pen = ImageDraw.Draw(drawn)
    boxes = re.findall(r"M([0-9.]+),([0-9.]+)H([0-9.]+)V([0-9.]+)H[0-9.]+[zZ]", svg)
    assert len(boxes) > 100
    for box in boxes:
        left, top, right, bottom = (float(value) * MODULE for value in box)
        pen.rectangle((left, top, right - 1, bottom - 1), fill=0)
    kept = BytesIO()
    drawn.save(kept, "PNG")
    return kept.getvalue()


def test_png_reads_back_as_the_url(world: World) -> None:
    """The PNG of a show code decodes to the URL, with the code in the fragment, and the counter accepts it."""
    world.issue()
    shown = world.holder().post("/wallet/shows", {"service_item": "school_transfer", "qr": "png"})
    drawn = png_bytes(shown["qr"])
    assert drawn.startswith(b"\x89PNG")
    read = picture.read(drawn)
    assert read == shown["url"]
    assert world.scan(read)["reason"] == "accepted"


def test_svg_reads_back_as_the_url(world: World) -> None:
    """The SVG, which is what comes if no kind is named, decodes to the URL and asks for nothing from elsewhere."""
    world.issue()
    shown = world.holder().post("/wallet/shows", {"service_item": "school_transfer"})
    assert shown["qr"].lstrip().startswith(("<?xml", "<svg"))
    assert picture.read(_png_of(shown["qr"])) == shown["url"]
    assert set(re.findall(r"https?://[^\"' ]+", shown["qr"])) <= {"http://www.w3.org/2000/svg"}
    assert "<script" not in shown["qr"]


def test_the_code_is_in_the_fragment_and_nowhere_else(world: World) -> None:
    """A code's URL has it behind `#`, so that no server and no proxy's log ever sees it."""
    world.issue()
    parts = urlsplit(world.show()["url"])
    assert f"{parts.scheme}://{parts.netloc}" == BASE_URL
    assert (parts.path, parts.query) == ("/s", "")
    assert CODE.fullmatch(parts.fragment)


def test_no_picture_if_none_is_wanted(world: World) -> None:
    """`none` gives no picture; a kind that is not offered is a fault of the request."""
    world.issue()
    assert world.show()["qr"] is None
    refused = world.holder().post("/wallet/shows", {"service_item": "school_transfer", "qr": "gif"})
    assert (refused.status, refused["code"], refused["faults"][0]["pointer"]) == (422, "invalid_request", "/qr")


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_an_offline_pass_reads_back_from_its_picture(world: World, kind: str) -> None:
    """The picture of an offline pass decodes to its text, character for character."""
    body = {"licence_id": world.issue(), "claims": ["residence_district"], "qr": kind}
    made = world.holder().post("/wallet/passes", body)
    drawn = png_bytes(made["qr"]) if kind == "png" else _png_of(made["qr"])
    assert picture.read(drawn) == made["text"]
