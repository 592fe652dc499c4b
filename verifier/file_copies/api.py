"""HTTP of copies for the file: no deciding here."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Response
from pydantic import BaseModel

from keys.access import Caller
from keys.auth import Clock
from keys.schemas import example
from keys.trust_list import TrustList
from verifier.file_copies.file_copies import FileCopies
from verifier.reasons import Outcome
from verifier.verifier import Verifier

CENTRE: dict[str, Any] = {"zh": "市政务服务中心", "en": "City service centre"}
PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.3 …"}}}
}
HEADERS = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="licence-copy.pdf"'}


class CopyReceiptOut(BaseModel):
    """What a copy's receipt says, verified just now: no claim, and nothing that names the holder."""

    verification_id: str
    verdict: Outcome
    verified_at: datetime
    kept_until: datetime
    matter: dict[str, str]
    counter: dict[str, str]
    agency: dict[str, str]
    licences: list[dict[str, Any]]
    copy_sha256: str

    model_config = example(
                {
                    "verification_id": "x0T4bV9sLr2pNq7a", "verdict": "accepted",
                    "verified_at": "2026-11-23T16:00:30+08:00", "kept_until": "2027-11-23T16:00:30+08:00",
                    "matter": {"zh": "开办餐饮店", "en": "Opening a restaurant"}, "counter": CENTRE, "agency": CENTRE,
                    "licences": [{"name": {"zh": "营业执照", "en": "Business licence"}, "agency": CENTRE}],
                    "copy_sha256": "9f86d081884c7d65" * 4,
                }
            )  # fmt: skip


class CopyCheckOut(BaseModel):
    """A copy that is what it was: what its receipt says, the copy itself, and whether its time is over."""

    receipt: dict[str, Any]
    copied: dict[str, Any]
    over: bool

    model_config = example({"receipt": {"verdict": "accepted"}, "copied": {"licences": []}, "over": False})


def routes(
    copies: FileCopies,
    verifier: Verifier,
    *,
    caller_of: Callable[..., Caller],
    trust: Callable[[datetime], TrustList],
    clock: Clock,
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/verifier", tags=["verifier"])
    Here = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.get("/verifications/{verification_id}/copy", response_class=Response, responses=PDF)
    def file_copy(here: Here, verification_id: str) -> Response:
        """Get the copy for the file (PDF) of a verification whose holder was asked and whose item allows one."""
        row = verifier.verification(verification_id, here.subject)
        return drawn(copies.drawn(row.verification_id, now=clock()))

    @router.get("/receipts/{verification_id}")
    def copy_receipt(verification_id: str) -> CopyReceiptOut:
        """Verify the receipt of a copy once more: what the QR code on its first page leads to."""
        now = clock()
        return CopyReceiptOut(**copies.receipt(verification_id, trust(now), now=now))

    @router.post("/copies/check", openapi_extra=_PDF_IN)
    def check_copy(_here: Here, data: Annotated[bytes, Body(media_type="application/pdf")]) -> CopyCheckOut:
        """Check a copy that somebody brings: its receipt, its content, and each page against the content."""
        now = clock()
        return CopyCheckOut(**copies.check(data, trust(now), now=now))

    return router


def drawn(data: bytes) -> Response:
    """Return a PDF as a file to keep."""
    return Response(data, media_type="application/pdf", headers=HEADERS)


_PDF_IN: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/pdf": {
                "schema": {"type": "string", "format": "binary"}, "example": "(the file's bytes)"
            }
        },
    }
}  # fmt: skip
