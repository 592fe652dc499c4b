"""The page on which a person registers a passkey, signs in with it, or shows it once more."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from keys.pages import page

SCRIPT = Path(__file__).with_name("page.js")
ADDRESS, SCRIPT_ADDRESS = "/passkeys/page", "/passkeys/page.js"
BODY = """
<h1>通行密钥 · Passkeys</h1>
<p class=said id=said role=status hidden></p>
<noscript><p class=said>此页需要 JavaScript。 · This page needs JavaScript.</p></noscript>
<section class=box><h2>工作人员登录 · Staff sign in</h2>
<button class=primary id=sign-in>用通行密钥登录 · Sign in with a passkey</button></section>
<section class=box><h2>登记与再次确认 · Register, or confirm once more</h2>
<p><label>访问令牌 · Access token<input id=token type=password autocomplete=off spellcheck=false></label><br>
<small>已在本浏览器登录钱包的，可留空。 · May stay empty where this browser is signed in to a wallet.</small></p>
<p><label>名称 · Name of this passkey<input id=label maxlength=60 autocomplete=off></label></p>
<div class=row><button id=register>登记 · Register</button>
<button id=step-up>出示 · Show a passkey</button></div></section>
"""


def routes() -> APIRouter:
    """Return the page's routes."""
    router = APIRouter(include_in_schema=False)

    @router.get(ADDRESS)
    def passkeys() -> HTMLResponse:
        """Show the page."""
        return page(BODY, script=SCRIPT_ADDRESS)

    @router.get(SCRIPT_ADDRESS)
    def script() -> Response:
        """Return what the page does."""
        return Response(SCRIPT.read_bytes(), media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    return router
