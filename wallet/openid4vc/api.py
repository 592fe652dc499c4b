"""HTTP of our wallet's dealings with other services: no deciding here."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends

from keys.access import Caller
from keys.auth import Clock
from wallet.auth import holder_with
from wallet.openid4vc.answering import Answering
from wallet.openid4vc.schemas import (
    AnsweredOut,
    AnswerIn,
    FinishIn,
    LinkIn,
    OfferView,
    RequestIn,
    RequestView,
    StartedOut,
    TakeIn,
    TakenOut,
    WaitingOut,
    offer_view,
    request_view,
    taken_out,
)
from wallet.openid4vc.taking import Taking
from wallet.schemas import Language


def routes(
    taking: Taking,
    answering: Answering,
    *,
    caller_of: Callable[..., Caller],
    name_of: Callable[[str], str],
    clock: Clock,
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/wallet", tags=["wallet"])
    Me = Annotated[str, Depends(holder_with(caller_of))]  # noqa: N806 - a type

    @router.post("/offers/look")
    def look_at_offer(_me: Me, body: LinkIn) -> OfferView:
        """Look at another issuer's credential offer (OpenID4VCI); nothing is taken yet."""
        return offer_view(*taking.look(body.link, now=clock()))

    @router.post("/offers/take")
    def take_offer(me: Me, body: TakeIn) -> TakenOut:
        """Take all that an offer with a pre-authorized code holds."""
        return taken_out(taking.take(me, body.link, body.tx_code, now=clock()))

    @router.post("/offers/start")
    def start_offer(me: Me, body: LinkIn) -> StartedOut:
        """Begin an offer for which the holder signs in at the issuer's own pages."""
        started = taking.start(me, body.link, now=clock())
        return StartedOut(issuance_id=started.issuance_id, authorization_url=started.authorization_url)

    @router.post("/offers/finish")
    def finish_offer(me: Me, body: FinishIn) -> TakenOut:
        """Go on where the issuer's pages sent the browser back to; once."""
        return taken_out(taking.finish(me, body.redirected_to, now=clock()))

    @router.get("/issuances")
    def waiting_issuances(me: Me) -> WaitingOut:
        """List issuances that wait for their issuer's approval."""
        return WaitingOut(waiting=taking.waiting(me, now=clock()))

    @router.post("/issuances/{issuance_id}/collect")
    def collect(me: Me, issuance_id: str) -> TakenOut:
        """Ask again for what an issuer had yet to approve."""
        return taken_out(taking.collect(me, issuance_id, now=clock()))

    @router.post("/requests", status_code=201)
    def look_at_request(me: Me, body: RequestIn, language: Language = "zh") -> RequestView:
        """Look at a verifier's request (OpenID4VP): who asks for what of which licences; nothing leaves yet."""
        return request_view(answering.look(me, body.link, body.principal, now=clock()), language, me, name_of)

    @router.post("/requests/{request_id}/answer")
    def answer_request(me: Me, request_id: str, body: AnswerIn) -> AnsweredOut:
        """Agree, and what was asked for is sent; or decline, and the verifier is told so. Once, within five minutes."""
        goes_on = answering.answer(
            me, request_id, agree=body.agree, without=body.without, sensitive=body.sensitive, now=clock()
        )
        return AnsweredOut(redirect_uri=goes_on)

    return router
