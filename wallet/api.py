"""HTTP routes of the holders: no deciding here."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from keys.access import Caller
from keys.auth import Clock
from wallet import cards
from wallet.auth import holder_with
from wallet.qr import picture
from wallet.schemas import (
    Language,
    LicenceList,
    LicenceView,
    PassIn,
    PassOut,
    PresentationIn,
    PresentationOut,
    ReuseIn,
    ShowIn,
    ShowOut,
    UseOut,
    UsePage,
    WhatToShow,
)
from wallet.uses import Uses
from wallet.views import licence_view, use_out
from wallet.wallet import Choice, Wallet

CARD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 240"><text x="24" y="48">居住证</text></svg>'
SVG: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The card.",
        "content": {"image/svg+xml": {"schema": {"type": "string"}, "example": CARD}},
    }
}
PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.3 …"}}}
}


def routes(
    wallet: Wallet,
    uses: Uses,
    *,
    caller_of: Callable[..., Caller],
    clock: Clock,
    card_template: cards.Template,
    file_copy: Callable[[str, datetime], bytes],
) -> APIRouter:
    """Return the holders' routes; `file_copy` draws what the counter of a receipt keeps of it."""
    router = APIRouter(prefix="/wallet", tags=["wallet"])
    Me = Annotated[str, Depends(holder_with(caller_of))]  # noqa: N806 - a type

    _licences(router, wallet, uses, caller_of, clock, card_template)
    _uses(router, uses, caller_of, clock, file_copy)

    @router.post("/shows", status_code=201)
    def show(me: Me, body: ShowIn) -> ShowOut:
        """Make a show code for chosen claims, or for a service item's set. It lives a minute and works once."""
        now = clock()
        shown = wallet.show(me, _choice(wallet, me, body, now), sensitive=body.sensitive, now=now)
        drawn = None if body.qr == "none" else picture(shown.url, body.qr)
        return ShowOut(
            show_id=shown.show_id, url=shown.url, typed_code=shown.typed, expires_at=shown.expires_at, qr=drawn
        )

    @router.delete("/shows/{show_id}", status_code=204, response_class=Response)
    def withdraw(me: Me, show_id: str) -> None:
        """Take an unused code back."""
        wallet.withdraw(me, show_id, now=clock())

    @router.post("/presentations", status_code=201)
    def present(me: Me, body: PresentationIn) -> PresentationOut:
        """Answer a verifier's request with a `vp_token` bound to it."""
        now = clock()
        choice = _choice(wallet, me, body, now)
        vp_token = wallet.present(
            me, choice, audience=body.audience, nonce=body.nonce, sensitive=body.sensitive, now=now
        )
        return PresentationOut(vp_token=vp_token)

    @router.post("/passes", status_code=201)
    def offline_pass(me: Me, body: PassIn) -> PassOut:
        """Make an offline pass: the presentation itself in a QR code, good for five minutes at most."""
        now, life = clock(), timedelta(seconds=body.life_seconds)
        text = wallet.offline_pass(me, body.licence_id, body.claims, life=life, sensitive=body.sensitive, now=now)
        drawn = None if body.qr == "none" else picture(text, body.qr, dense=True)
        return PassOut(text=text, expires_at=now + life, qr=drawn)

    return router


def _licences(
    router: APIRouter,
    wallet: Wallet,
    uses: Uses,
    caller_of: Callable[..., Caller],
    clock: Clock,
    card_template: cards.Template,
) -> None:
    """Add what reads a holder's licences."""
    Me = Annotated[str, Depends(holder_with(caller_of))]  # noqa: N806 - a type

    @router.get("/licences")
    def licences(me: Me, language: Language = "zh") -> LicenceList:
        """List the licences that this wallet may show, with all their claims: one's own, and those of principals."""
        held = wallet.licences(me, now=clock())
        return LicenceList(items=[licence_view(one, state, language, me, uses.name_of) for one, state in held])

    @router.get("/licences/{licence_id}")
    def licence(me: Me, licence_id: str, language: Language = "zh") -> LicenceView:
        """Read one licence."""
        return licence_view(*wallet.licence(me, licence_id, now=clock()), language, me, uses.name_of)

    @router.get("/licences/{licence_id}/card.svg", response_class=Response, responses=SVG)
    def card(me: Me, licence_id: str) -> Response:
        """Draw one licence as a card: SVG that draws and does nothing else."""
        drawn = cards.card(wallet.licence(me, licence_id, now=clock())[0], card_template)
        return Response(drawn, media_type="image/svg+xml", headers=cards.HEADERS)


def _uses(
    router: APIRouter,
    uses: Uses,
    caller_of: Callable[..., Caller],
    clock: Clock,
    file_copy: Callable[[str, datetime], bytes],
) -> None:
    """Add what a holder sees and says of uses."""
    Me = Annotated[str, Depends(holder_with(caller_of))]  # noqa: N806 - a type

    @router.get("/uses", name="uses")
    def list_uses(
        me: Me,
        cursor: Annotated[str | None, Query(pattern="^[0-9]{13}-[A-Za-z0-9_-]{12}$")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> UsePage:
        """List every use of the wallet's licences: who, when, for what, which claims, what came of it."""
        rows = uses.page(me, before=cursor, limit=limit + 1, now=clock())
        more = rows[limit - 1].use_id if len(rows) > limit else None
        return UsePage(items=[use_out(row, uses.name_of) for row in rows[:limit]], next_cursor=more)

    @router.get("/uses/{use_id}/copy", response_class=Response, responses=PDF)
    def copy_of_use(me: Me, use_id: str) -> Response:
        """Get the copy (PDF) that the counter keeps of this use for its file, page for page."""
        drawn = file_copy(uses.receipt(me, use_id, now=clock()), clock())
        return Response(drawn, media_type="application/pdf", headers={"Cache-Control": "no-store"})

    @router.put("/uses/{use_id}/reuse")
    def permit_reuse(me: Me, use_id: str, body: ReuseIn) -> UseOut:
        """Let other counters rely on this use's receipt until an instant, in place of showing again."""
        return use_out(uses.permit_reuse(me, use_id, body.until, now=clock()), uses.name_of)

    @router.delete("/uses/{use_id}/reuse", status_code=204, response_class=Response)
    def withdraw_reuse(me: Me, use_id: str) -> None:
        """Take that back."""
        uses.withdraw_reuse(me, use_id, now=clock())

    @router.put("/uses/{use_id}/notice", status_code=204, response_class=Response)
    def permit_notice(me: Me, use_id: str, body: ReuseIn) -> None:
        """Let the counter of this use be told, until an instant, when what it relied on is suspended or revoked."""
        uses.permit_notice(me, use_id, body.until, now=clock())

    @router.delete("/uses/{use_id}/notice", status_code=204, response_class=Response)
    def withdraw_notice(me: Me, use_id: str) -> None:
        """Take that back."""
        uses.withdraw_notice(me, use_id, now=clock())


def _choice(wallet: Wallet, me: str, body: WhatToShow, now: datetime) -> Choice:
    return body.choice(lambda item: wallet.choose(me, item, body.principal, now=now))
