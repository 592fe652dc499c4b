"""A pass before a camera: the pupil's certificate with three claims, at four pixels a module, turned, tilted, blurred."""

import random
from io import BytesIO

import pytest
from PIL import Image, ImageFilter

from credentials.offline_pass import PREFIX
from tests.world import World, png_bytes
from verifier import picture
from wallet.qr import MODULE_PIXELS, QUIET_ZONE

CLAIMS = ["holder_name", "grade", "student_status_no"]
CAMERA_PIXELS = 4  # a module
LARGEST = 25  # version, at error correction M
BLUR, NOISE = 1.0, 6.0  # standard deviations: pixels, grey levels


@pytest.fixture
def shown(world: World) -> tuple[str, Image.Image]:
    """The pass's text and its picture."""
    body = {"licence_id": world.issue_certificate(), "claims": CLAIMS, "qr": "png", "sensitive": True}
    made = world.holder().post("/wallet/passes", body)
    assert made.status == 201, made.body
    return made["text"], Image.open(BytesIO(png_bytes(made["qr"]))).convert("L")


def modules(drawn: Image.Image) -> int:
    """How many modules a picture's side has, without the quiet zone."""
    return drawn.width // MODULE_PIXELS - 2 * QUIET_ZONE


def through_a_camera(drawn: Image.Image, degrees: float, tilt: float, seed: int) -> bytes:
    """What a camera makes of it: turned, tilted (a share of its width), at four pixels a module, blurred, noisy."""
    noise = random.Random(seed)
    side = drawn.width * CAMERA_PIXELS // MODULE_PIXELS
    wide = side * 3 // 2
    canvas = Image.new("L", (wide * 2, wide * 2), 230)
    place = (canvas.width - drawn.width) // 2
    canvas.paste(drawn, (place, place))
    turned = canvas.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=230)
    small = turned.resize((wide, wide), Image.Resampling.LANCZOS)
    shift = tilt * wide
    corners = (0, 0, -shift / 2, wide, wide + shift / 2, wide, wide, 0)
    tilted = small.transform((wide, wide), Image.Transform.QUAD, corners, Image.Resampling.BICUBIC, fillcolor=230)
    soft = tilted.filter(ImageFilter.GaussianBlur(BLUR))
    grainy = Image.frombytes(
        "L", soft.size, bytes(min(255, max(0, round(one + noise.gauss(0, NOISE)))) for one in soft.tobytes())
    )
    stored = BytesIO()
    grainy.save(stored, "PNG")
    return stored.getvalue()


def test_the_pupils_pass_is_small_enough(shown: tuple[str, Image.Image]) -> None:
    """Three claims of the certificate fit version 25 at level M, prefix and all."""
    text, drawn = shown
    assert text.startswith(PREFIX)
    assert len(text) <= 1_451  # the alphanumeric capacity of version 25 at M
    assert (modules(drawn) - 17) // 4 <= LARGEST


@pytest.mark.parametrize("degrees", [-8, -3, 0, 5, 8])
@pytest.mark.parametrize("tilt", [0.0, 0.04])
def test_a_camera_reads_it(shown: tuple[str, Image.Image], degrees: float, tilt: float) -> None:
    """Turned to eight degrees either way, with four per cent of perspective, blur 1.0 and noise: read, letter by letter."""
    text, drawn = shown
    for seed in range(3):
        assert picture.read(through_a_camera(drawn, degrees, tilt, seed)) == text


def test_a_worse_camera_does_not(shown: tuple[str, Image.Image]) -> None:
    """The simulation does bite: at one pixel a module nothing is read."""
    _, drawn = shown
    tiny = drawn.resize((drawn.width // MODULE_PIXELS,) * 2, Image.Resampling.LANCZOS)
    blurred = BytesIO()
    tiny.filter(ImageFilter.GaussianBlur(BLUR)).save(blurred, "PNG")
    with pytest.raises(Exception, match="0 QR codes"):
        picture.read(blurred.getvalue())
