"""The page that another issuer sends the holder's browser back to: the wallet itself goes on from its address."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

CALLBACK = "/wallet/authorized"
TEXT = (
    "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>电子证照钱包 · Licence Wallet</title>"
    "<h1>请回到钱包 · Go back to your wallet</h1>"
    "<p lang=zh-CN>发证方已答复。请把本页地址交给您的钱包以继续。</p>"
    "<p lang=en>The issuer has answered. Give this page's address to your wallet to go on.</p>"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def routes() -> APIRouter:
    """Return the page's route."""
    router = APIRouter()

    @router.get(CALLBACK, include_in_schema=False)
    def authorized() -> HTMLResponse:
        """Say that the wallet goes on; the code in the address is of no use without it."""
        return HTMLResponse(TEXT, headers=HEADERS)

    return router
