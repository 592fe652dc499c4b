"""What a class list's link leads to: for a wallet a fresh request, for a person a page that opens their wallet."""

from base64 import b64encode
from collections.abc import Callable
from html import escape

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from keys.auth import Clock
from keys.pages import page, said
from verifier.class_lists.class_lists import LINKS, ClassLists
from verifier.errors import VerifierError
from verifier.recording import Question

GO_ON = (
    "<form method=post><button class=primary>继续 · Go on</button></form>"
    "<p>也可把本页地址粘贴到钱包中。 · Or paste this page's address into your wallet.</p>"
)


def routes(
    lists: ClassLists, *, words: Callable[[str], str], picture: Callable[[str], bytes], clock: Clock
) -> APIRouter:
    """Return the routes; `words` are what a refusal's code means, zh and en, `picture` draws a QR code (PNG)."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{LINKS}/{{secret}}")
    def look(request: Request, secret: str) -> Response:
        """Say to a person who asks for what; a wallet (JSON) has a request opened at once.

        A page that is only looked at opens nothing: chat programs look at links that people send.
        """
        now = clock()
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"link": lists.follow(secret, now=now).link}, headers={"Cache-Control": "no-store"})
        try:
            return page(_who_asks(lists.led_to(secret, now=now)) + GO_ON)
        except VerifierError as error:
            return _over(words(error.code))

    @router.post(f"{LINKS}/{{secret}}")
    def follow(secret: str) -> Response:
        """Open a request for whoever follows the link, for a wallet on this device or another."""
        try:
            found = lists.follow(secret, now=clock())
        except VerifierError as error:
            return _over(words(error.code))
        drawn = b64encode(picture(found.link)).decode("ascii")
        return page(
            _who_asks(found.question)
            + f"<p><a class='button primary' href='{escape(found.link, quote=True)}'>打开钱包 · Open the wallet</a></p>"
            f"<p><img class=qr alt='二维码 · QR code' src='data:image/png;base64,{drawn}'></p>"
            "<p>也可用手机钱包扫描，五分钟内有效。 · Or scan it with a wallet on your phone, within five minutes.</p>"
        )

    return router


def _who_asks(question: Question) -> str:
    who, what = question.counter.name, question.item.names
    return (
        f"<h1>{escape(what['zh'])} · {escape(what['en'])}</h1>"
        f"<p>{escape(who['zh'])} · {escape(who['en'])}</p>"
        "<p>请用您的电子证照钱包出示所需证照；出示前可看到对方要看什么。</p>"
        "<p>Show what is needed with your wallet; you see what is asked for before anything leaves.</p>"
    )


def _over(why: str) -> Response:
    return page(f"<h1>链接已失效 · The link is over</h1>{said(why)}", 410)
