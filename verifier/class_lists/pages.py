"""What a class list's link leads to: for a wallet a fresh request, for a person a page that opens their wallet."""

from collections.abc import Callable
from html import escape

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from keys.auth import Clock
from keys.pages import page, said
from verifier.class_lists.class_lists import LINKS, ClassLists
from verifier.errors import VerifierError


def routes(lists: ClassLists, *, words: Callable[[str], str], clock: Clock) -> APIRouter:
    """Return the route; `words` are what a refusal's code means, zh and en."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{LINKS}/{{secret}}")
    def follow(request: Request, secret: str) -> Response:
        """Open a request for whoever follows the link: JSON for a wallet, a page for a person."""
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"link": lists.follow(secret, now=clock()).link}, headers={"Cache-Control": "no-store"})
        try:
            found = lists.follow(secret, now=clock())
        except VerifierError as error:
            return page(f"<h1>链接已失效 · The link is over</h1>{said(words(error.code))}", 410)
        who, what = found.question.counter.name, found.question.item.names
        return page(
            f"<h1>{escape(what['zh'])} · {escape(what['en'])}</h1>"
            f"<p>{escape(who['zh'])} · {escape(who['en'])}</p>"
            "<p>请用您的电子证照钱包出示所需证照；出示前可看到对方要看什么。</p>"
            "<p>Show what is needed with your wallet; you see what is asked for before anything leaves.</p>"
            f"<p><a class=button href='{escape(found.link, quote=True)}'>打开钱包 · Open the wallet</a></p>"
            "<p>也可把本页地址粘贴到钱包中。 · Or paste this page's address into your wallet.</p>"
        )

    return router
