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

LARGEST_AT_M = 25  # version: 117 modules, half a 1080p camera's height at four pixels each
QUIET_ZONE = 4  # modules (ISO/IEC 18004)
MODULE_PIXELS = 8  # sharp on a phone, and four camera pixels a module at arm's length


def picture(text: str, kind: str, *, dense: bool = False) -> str:
    """Return a QR code of `text`: an SVG document, or a PNG as base64url for `png`."""
    return svg(text, dense=dense) if kind == "svg" else base64url.encode(png(text, dense=dense))


def svg(text: str, *, dense: bool = False) -> str:
    """Return a QR code of `text` as an SVG document; see `_code` for `dense`."""
    return _drawn(text, SvgPathImage, dense=dense).decode("utf-8")


def png(text: str, *, dense: bool = False) -> bytes:
    """Return a QR code of `text` as a PNG picture; see `_code` for `dense`."""
    return _drawn(text, PilImage, dense=dense)


def _drawn(text: str, factory: type[BaseImage], *, dense: bool) -> bytes:
    picture = BytesIO()
    _code(text, dense=dense).make_image(image_factory=factory).save(picture)
    return picture.getvalue()


def _code(text: str, *, dense: bool) -> qrcode.QRCode[BaseImage]:
    """Return the code at level M; a `dense` one that would be larger than version 25 at level L instead.

    Larger modules help a camera more than more correction does: past 117 modules they count first.
    """
    code = _made(text, ERROR_CORRECT_M)
    return code if code is not None and (not dense or code.version <= LARGEST_AT_M) else _fitting(text, dense=dense)


def _fitting(text: str, *, dense: bool) -> qrcode.QRCode[BaseImage]:
    code = _made(text, ERROR_CORRECT_L) if dense else None
    if code is None:
        raise PassTooLargeError
    return code


def _made(text: str, correction: int) -> qrcode.QRCode[BaseImage] | None:
    code: qrcode.QRCode[BaseImage] = qrcode.QRCode(
        error_correction=correction, box_size=MODULE_PIXELS, border=QUIET_ZONE
    )
    code.add_data(text)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError):
        return None
    return code
