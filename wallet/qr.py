"""QR pictures: the one door to the `qrcode` library."""

from io import BytesIO

import qrcode
from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError
from qrcode.image.base import BaseImage
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathImage

from credentials import base64url
from wallet.errors import PassTooLargeError

QUIET_ZONE = 4  # modules (ISO/IEC 18004)
MODULE_PIXELS = 8  # sharp on a phone, and four camera pixels a module at arm's length


def picture(text: str, kind: str, *, dense: bool = False) -> str:
    """Return a QR code of `text`: an SVG document, or a PNG as base64url for `png`."""
    return svg(text, dense=dense) if kind == "svg" else base64url.encode(png(text, dense=dense))


def svg(text: str, *, dense: bool = False) -> str:
    """Return a QR code of `text` as an SVG document; `dense` trades error correction for larger modules."""
    return _drawn(text, SvgPathImage, dense=dense).decode("utf-8")


def png(text: str, *, dense: bool = False) -> bytes:
    """Return a QR code of `text` as a PNG picture."""
    return _drawn(text, PilImage, dense=dense)


def _drawn(text: str, factory: type[BaseImage], *, dense: bool) -> bytes:
    code = qrcode.QRCode(
        error_correction=ERROR_CORRECT_L if dense else ERROR_CORRECT_M, box_size=MODULE_PIXELS, border=QUIET_ZONE
    )
    code.add_data(text)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        raise PassTooLargeError from error
    picture = BytesIO()
    code.make_image(image_factory=factory).save(picture)
    return picture.getvalue()
