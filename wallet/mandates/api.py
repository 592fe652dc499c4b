"""HTTP of mandates: no deciding here."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from credentials import licence_type
from credentials.licence_type import ClaimsRefusedError
from keys.access import Caller
from keys.auth import Attempts, Clock, IdempotencyKey
from wallet.auth import holder_with
from wallet.mandates.mandates import Mandates
from wallet.mandates.models import Mandate
from wallet.mandates.schemas import MandateIn, MandateOut, MandatesOut


def routes(mandates: Mandates, *, caller_of: Callable[..., Caller], attempts: Attempts, clock: Clock) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/wallet/mandates", tags=["wallet"])
    Me = Annotated[str, Depends(holder_with(caller_of))]  # noqa: N806 - a type
    MyCall = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.get("")
    def list_mandates(me: Me) -> MandatesOut:
        """List the mandates one gave and has, and those over whom one represents; ended ones too, newest first."""
        now = clock()
        return MandatesOut(items=[_out(mandates, row, now) for row in mandates.told(me, now=now)])

    @router.post("", status_code=201)
    def give_mandate(me: Me, caller: MyCall, body: MandateIn, key: IdempotencyKey = None) -> MandateOut:
        """Let somebody show one's licences, or a company's that one represents; both see it."""
        grant, now = body.grant(), clock()
        if faults := licence_type.check_identity(grant.agent, "/agent"):
            raise ClaimsRefusedError(faults)
        this = attempts(caller, key, "give mandate", body.model_dump(mode="json"))
        return _out(mandates, mandates.give(me, grant, this, now=now), now)

    @router.delete("/{mandate_id}", status_code=204, response_class=Response)
    def end_mandate(me: Me, mandate_id: str) -> None:
        """End a mandate that one gave, has, or stands above; what was given under it ends too."""
        mandates.withdraw(me, mandate_id, now=clock())

    return router


def _out(mandates: Mandates, row: Mandate, now: datetime) -> MandateOut:
    over = mandates.is_over(row, now=now)
    return MandateOut(
        **row.model_dump(include={"mandate_id", "kind", "principal", "agent", "types", "created_at"}),
        principal_name=mandates.name_of(row.principal),
        agent_name=mandates.name_of(row.agent),
        state="withdrawn" if row.withdrawn_at else "ended" if over else "in_force",
        ends_at=row.ends_at,
        withdrawn_at=row.withdrawn_at,
    )
