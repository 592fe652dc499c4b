"""Pictures of QR codes: the one door to zxing-cpp."""

from io import BytesIO
from threading import BoundedSemaphore

import zxingcpp
from PIL import Image

from verifier.errors import PictureUnreadableError

MAX_PIXELS = 12_500_000  # a phone's photo; a picture bomb is larger
AT_ONCE = BoundedSemaphore(2)  # a large picture takes a hundred megabytes while it is read
Image.MAX_IMAGE_PIXELS = None  # our own, lower limit is looked at before anything is decoded
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def read(picture: bytes) -> str:
    """Return the text of the one QR code in a picture; none, several or no picture raise `PictureUnreadableError`."""
    try:
        with AT_ONCE, Image.open(BytesIO(picture), formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise PictureUnreadableError("the picture is too large")
            grey = opened.convert("L")
    except PictureUnreadableError:
        raise
    except Exception as error:
        raise PictureUnreadableError("not a picture") from error
    found = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    texts = {str(one.text) for one in found}  # one code may be found twice, at two scales
    if len(texts) != 1:
        raise PictureUnreadableError(f"{len(texts)} QR codes in the picture, one is wanted")
    return texts.pop()
