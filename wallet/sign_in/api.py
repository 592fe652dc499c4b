"""HTTP of a holder's sessions: no deciding here."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from keys.access import Access, Caller, Role
from keys.auth import Browser, Clock
from keys.schemas import example
from wallet.accounts import Accounts
from wallet.errors import UnknownSessionError
from wallet.schemas import SignInIn, SignInOut

TOKEN_LIFE = timedelta(hours=1)


class SessionOut(BaseModel):
    """A signed-in browser or app of the holder's; `this` is the one that is asking."""

    session_id: str
    label: str
    signed_in_at: datetime
    last_used_at: datetime | None
    expires_at: datetime
    this: bool


class Sessions(BaseModel):
    """A holder's sessions, newest first."""

    items: list[SessionOut]

    model_config = example(
        {
            "items": [
                {
                    "session_id": "k3V0yq8Zt1Lm",
                    "label": "Mozilla/5.0 (Linux; Android 16) Chrome/144.0",
                    "signed_in_at": "2026-11-23T08:00:00Z",
                    "last_used_at": "2026-11-23T08:04:00Z",
                    "expires_at": "2026-11-23T20:00:00Z",
                    "this": True,
                }
            ]
        }
    )


def routes(
    access: Access,
    accounts: Accounts,
    browser: Browser,
    *,
    caller_of: Callable[..., Caller],
    clock: Clock,
    by_link: bool,
) -> APIRouter:
    """Return the routes; `by_link` only in the demonstration."""
    router = APIRouter(prefix="/wallet", tags=["wallet"])
    Me = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    if by_link:

        @router.post("/sign-in")
        def sign_in(body: SignInIn) -> SignInOut:
            """Use a one-time link up and return an access token (demonstration only)."""
            now = clock()
            holder_id = accounts.sign_in(body.link, now=now)
            token = access.grant(
                Role.HOLDER, holder_id, life=TOKEN_LIFE, label="一次性链接 sign-in link", actor="sign-in link", now=now
            )
            return SignInOut(access_token=token, expires_in_seconds=int(TOKEN_LIFE.total_seconds()))

    @router.get("/sessions")
    def sessions(me: Me) -> Sessions:
        """List where this wallet is open."""
        rows = access.sessions(Role.HOLDER, me.subject, now=clock())
        items = [
            SessionOut(
                session_id=row.token_id, label=row.label or "", signed_in_at=row.created_at, last_used_at=row.used_at,
                expires_at=row.expires_at, this=row.token_id == me.token_id,
            )
            for row in rows
        ]  # fmt: skip
        return Sessions(items=items)

    @router.delete("/sessions/{session_id}", status_code=204, response_class=Response)
    def end_session(me: Me, session_id: str) -> None:
        """Close the wallet there; its next call is refused."""
        if not access.revoke(session_id, actor=me.name, now=clock(), of=(Role.HOLDER, me.subject)):
            raise UnknownSessionError

    @router.post("/sign-out", status_code=204, response_class=Response)
    def sign_out(me: Me) -> Response:
        """Close the wallet here."""
        access.revoke(me.token_id, actor=me.name, now=clock(), signed_out=True)
        response = Response(status_code=204)
        browser.forget(response)
        return response

    return router
