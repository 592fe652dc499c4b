"""A copy for the file as PDF, drawn by `drawing.py`. The same document and receipt give the same bytes.

Behind the pages stands one more line, which holds document and receipt: who has the file has all it takes to check it,
and makes the pages again to see that they are these.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from threading import BoundedSemaphore
from typing import Any

from credentials import base64url, strict_json
from credentials.errors import FormatError, MalformedError
from verifier.errors import CopyBusyError

Picture = Callable[[str], bytes]
"""Draws a text as a QR code: PNG."""
MADE_WITH = "; ".join(
    f"{name} {version(name)}" for name in ("fpdf2", "fonttools", "noto-cjk-sans-otc", "pillow", "qrcode")
)
"""What the bytes of a page depend on."""
AT_ONCE, PATIENCE_SECONDS = BoundedSemaphore(1), 5.0
"""Drawing takes a processor for half a second and 90 MB: one at a time, and who waits too long is told."""
MARK = b"%licence-copy "
MAX_BYTES, MAX_HELD = 4 * 1024 * 1024, 256 * 1024  # of a file; of what it holds behind its pages


def render(document: Mapping[str, Any], receipt: str, picture: Picture) -> bytes:
    """Return the PDF of a copy whose receipt is `receipt`; raises `CopyBusyError` while too many want theirs."""
    if not AT_ONCE.acquire(timeout=PATIENCE_SECONDS):
        raise CopyBusyError
    try:
        return _rendered(document, receipt, picture)
    finally:
        AT_ONCE.release()


def _rendered(document: Mapping[str, Any], receipt: str, picture: Picture) -> bytes:
    from verifier.file_copies.drawing import Pages  # noqa: PLC0415 - 20 MB, for who draws one

    pages = Pages(document)
    pages.add_page()
    pages.head(picture(str(document["url"])))
    for one in document["licences"]:
        pages.licence(one)
    whole = base64url.encode(strict_json.canonical({"document": dict(document), "receipt": receipt}))
    return bytes(pages.output()) + MARK + whole.encode("ascii") + b"\n"


def read(data: bytes) -> tuple[dict[str, Any], str]:
    """Return the document and receipt that a PDF of ours holds; raises `MalformedError` for any other file.

    Nothing of the pages is looked at: whether they are those of this document shows when they are made again.
    """
    _, mark, line = data.rpartition(MARK)
    if not mark or len(data) > MAX_BYTES or len(line) > MAX_HELD:
        raise MalformedError("not a copy for the file of this service")
    try:
        held = strict_json.loads_object(base64url.decode(line.strip().decode("ascii")))
        document, receipt = held["document"], held["receipt"]
    except (KeyError, ValueError, FormatError) as error:
        raise MalformedError("not a copy for the file of this service") from error
    if not isinstance(document, dict) or not isinstance(receipt, str):
        raise MalformedError("not a copy for the file of this service")
    return document, receipt
