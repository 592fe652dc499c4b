"""The page behind the QR code on a copy for the file: its receipt, verified once more."""

from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from keys.auth import Clock
from keys.errors import CustodyError
from keys.pages import page, said
from keys.trust_list import TrustList
from verifier.errors import CopyOverError, VerifierError
from verifier.file_copies.document import both
from verifier.file_copies.file_copies import FileCopies


def routes(
    copies: FileCopies,
    *,
    trust: Callable[[datetime], TrustList],
    words: Callable[[str], str],
    clock: Clock,
) -> APIRouter:
    """Return the page's route; `words` are what a refusal's code means, zh and en."""
    router = APIRouter(include_in_schema=False)

    @router.get("/receipts/{verification_id}")
    def receipt(verification_id: str) -> HTMLResponse:
        """Say what the receipt says: for which matter, at which counter, when; nothing about the holder."""
        now = clock()
        try:
            told = copies.receipt(verification_id, trust(now), now=now)
        except CopyOverError as error:
            return page(f"<h1>无留存副本 · No copy is kept</h1>{said(words(error.code))}", 410)
        except (VerifierError, CustodyError) as error:
            return page(f"<h1>无法确认 · Cannot confirm</h1>{said(words(error.code))}", 404)
        return page(_body(told))

    return router


def _body(told: Mapping[str, Any]) -> str:
    rows = [
        ("事项 · Matter", both(told["matter"])),
        ("受理机构 · Agency", both(told["agency"])),
        ("窗口 · Counter", both(told["counter"])),
        ("核验时间 · Verified", told["verified_at"]),
        ("保存期至 · Kept until", told["kept_until"]),
        *(("证照 · Licence", f"{both(one['name'])}（{both(one['agency'])}）") for one in told["licences"]),
        ("内容摘要 · SHA-256 of the content", told["copy_sha256"]),
    ]
    listed = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in rows)
    return (
        "<h1>回执属实 · The receipt is genuine</h1>"
        f"<dl class='claims box'>{listed}</dl>"
        "<p>本页不显示持证人信息。纸面内容是否被改动，请以电子件核验。</p>"
        "<p>Nothing here is about the holder. Whether the paper was altered shows when the file itself is checked.</p>"
    )
