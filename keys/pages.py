"""A plain page of ours for people: a script of ours at most, nothing from elsewhere, never in another site's frame."""

from html import escape
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types worker"
)
"""What pages made of templates may load: scripts, styles and pictures of ours, nothing inline, nothing from text."""


class Render(Protocol):
    """Makes a page of a template in the browser's language."""

    def __call__(self, request: Request, template: str, status: int = 200, **told: Any) -> HTMLResponse:
        """Return the page."""


HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # with `no-referrer` browsers would hide our own forms' origin from us
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "frame-ancestors 'none'",
}


def page(body: str, status: int = 200, *, script: str | None = None) -> HTMLResponse:
    """Return a page around `body`, which is HTML already; `script` is an address of ours."""
    head = (
        "<!doctype html><html lang=zh-CN><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        "<title>电子证照 · Electronic licences</title><link rel=stylesheet href=/static/base.css>"
        "<link rel=icon href=/static/icon.svg>"
    )
    if script is None:
        return HTMLResponse(f"{head}<main id=main>{body}</main></html>", status, HEADERS)
    policy = HEADERS["Content-Security-Policy"] + "; script-src 'self'; connect-src 'self'"
    whole = f"{head}<main id=main>{body}</main><script src={script}></script></html>"
    return HTMLResponse(whole, status, HEADERS | {"Content-Security-Policy": policy})


def said(text: str) -> str:
    """Return a refusal, as a paragraph."""
    return f"<p class=said>{escape(text)}</p>"


def hidden(**fields: str) -> str:
    """Return a form's hidden fields."""
    return "".join(
        f"<input type=hidden name={name} value='{escape(value, quote=True)}'>" for name, value in fields.items()
    )
