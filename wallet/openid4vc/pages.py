"""The page that another issuer sends the holder's browser back to: the wallet itself goes on from its address."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from keys.pages import page

CALLBACK = "/wallet/authorized"
TEXT = (
    "<h1>请回到钱包 · Go back to your wallet</h1>"
    "<p>发证方已答复。请把本页地址交给您的钱包以继续。</p>"
    "<p lang=en>The issuer has answered. Give this page's address to your wallet to go on.</p>"
)


def routes() -> APIRouter:
    """Return the page's route."""
    router = APIRouter()

    @router.get(CALLBACK, include_in_schema=False)
    def authorized() -> HTMLResponse:
        """Say that the wallet goes on; the code in the address is of no use without it, and is told to nobody."""
        made = page(TEXT)
        made.headers["Referrer-Policy"] = "no-referrer"
        return made

    return router
