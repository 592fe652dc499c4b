"""Pictures of QR codes: the one door to zxing-cpp."""

from io import BytesIO

import zxingcpp
from PIL import Image, UnidentifiedImageError

from verifier.errors import PictureUnreadableError

MAX_PIXELS = 40_000_000  # a phone's photo; a picture bomb is larger
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def read(picture: bytes) -> str:
    """Return the text of the one QR code in a picture; none, several or no picture raise `PictureUnreadableError`."""
    try:
        with Image.open(BytesIO(picture), formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise PictureUnreadableError("the picture is too large")
            grey = opened.convert("L")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise PictureUnreadableError("not a picture") from error
    found = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    if len(found) != 1:
        raise PictureUnreadableError(f"{len(found)} QR codes in the picture, one is wanted")
    return str(found[0].text)
