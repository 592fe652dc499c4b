"""HTTP of changing many licences at once: no deciding here."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from issuers.auth import AgencyKey
from issuers.mass.mass_changes import (
    MANY,
    MOST,
    Changed,
    Done,
    MassChange,
    MassChanges,
    undo_until,
)
from issuers.models import LicenceState
from keys.access import Caller
from keys.auth import Attempts, Clock, IdempotencyKey
from keys.schemas import ApproveIn, Input, ProposalOut, Proposals, example, proposal_out

CHANGES: tuple[Literal["suspend", "reinstate", "revoke"], ...] = ("suspend", "reinstate", "revoke")
TO = {"suspend": LicenceState.SUSPENDED, "reinstate": LicenceState.VALID, "revoke": LicenceState.REVOKED}
EXAMPLE = "1.2.156.3005.2.1144019900DEM0015H002.1144019900DEM0023C.202600000002.001.R"


class MassChangeIn(Input):
    """What is to become of which licences; `preview` says what stands against it and does nothing."""

    change: Literal["suspend", "reinstate", "revoke"]
    cause: str | None = Field(default=None, max_length=64, description="Of the type's list; none to reinstate.")
    licences: list[Annotated[str, Field(max_length=128)]] = Field(min_length=1, max_length=MOST)
    preview: bool = False

    model_config = example({"change": "revoke", "cause": "moved_away", "licences": [EXAMPLE]})

    def told(self) -> MassChange:
        """Return it as the room wants it."""
        return MassChange(TO[self.change], self.cause, self.licences)


class MassChangeOut(BaseModel):
    """What became of it; `left` are licences that did not change: their state had. In a preview, what would."""

    state: Literal["preview", "done", "approved", "undone"]
    changed: int
    left: list[dict[str, str]]
    proposal: ProposalOut | None = None
    change_id: str | None = None
    undo_until: datetime | None = None

    model_config = example({"state": "done", "changed": 1, "left": []})


class DoneOut(BaseModel):
    """A change that was done: to how many licences; until when it can be undone as a whole, if it can be still."""

    change_id: str
    change: Literal["suspend", "reinstate", "revoke"]
    cause: str | None
    licences: int
    at: datetime
    undo_until: datetime | None
    undone_at: datetime | None

    model_config = example(
                {
                    "change_id": "k3V0yq8Zt1Lm", "change": "suspend", "cause": "endorsement_lapsed", "licences": 12,
                    "at": "2026-11-27T08:00:00Z", "undo_until": "2026-11-27T09:00:00Z", "undone_at": None,
                }
            )  # fmt: skip


class MassChangesOut(Proposals):
    """What was proposed, and the newest twenty changes that were done, each the newest first."""

    changes: list[DoneOut]

    model_config = example({"items": [], "changes": []})


TWO: dict[int | str, dict[str, Any]] = {
    202: {"model": ProposalOut, "description": "Two must agree: it waits for another clerk's approval."}
}


def routes(changes: MassChanges, *, caller_of: Callable[..., Caller], attempts: Attempts, clock: Clock) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/issuers/{agency}/status-changes", tags=["issuers"])
    Agency = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("", response_model=MassChangeOut, responses=TWO)
    def change(
        agency: AgencyKey, body: MassChangeIn, caller: Agency, key: IdempotencyKey = None
    ) -> MassChangeOut | Response:
        """Suspend, reinstate or revoke up to 3,000 licences as one. Where two must agree, propose it (202)."""
        if body.preview:
            faults = changes.faults(agency, body.told())
            left = [{"licence_id": body.licences[int(one.pointer.split("/")[2])], "code": one.code} for one in faults]
            return MassChangeOut(state="preview", changed=len(body.licences) - len(left), left=left)
        this = attempts(caller, key, MANY, body.model_dump(mode="json"))
        made = changes.ask(agency, body.told(), this, actor=caller.name, now=clock())
        if isinstance(made, Changed):
            return _done("done", made)
        return JSONResponse(proposal_out(made, clock()).model_dump(mode="json"), 202)

    @router.get("")
    def proposals(agency: AgencyKey, _caller: Agency) -> MassChangesOut:
        """List what was proposed and what was done, the newest first; of licences how many, all of them in the one."""
        now = clock()
        rows = [proposal_out(row, now) for row in changes.proposals(agency)]
        for one in rows:
            one.content = {**one.content, "licences": len(one.content["licences"])}
        return MassChangesOut(items=rows, changes=[_done_out(one, now) for one in changes.done(agency)])

    @router.get("/{proposal_id}")
    def proposal(agency: AgencyKey, proposal_id: str, _caller: Agency) -> ProposalOut:
        """Read one proposal, with all its content: what whoever approves it must have looked at."""
        return proposal_out(changes.proposal(agency, proposal_id), clock())

    @router.post("/{proposal_id}/approve")
    def approve(agency: AgencyKey, proposal_id: str, body: ApproveIn, caller: Agency) -> MassChangeOut:
        """Approve what another clerk proposed, and do it; `content_hash` is of what was looked at."""
        row, made = changes.approve(agency, proposal_id, body.content_hash, actor=caller.name, now=clock())
        return _done("approved", made, proposal_out(row, clock()))

    @router.post("/{proposal_id}/decline")
    def decline(agency: AgencyKey, proposal_id: str, caller: Agency) -> ProposalOut:
        """Decline what was proposed; whoever proposed it may, too."""
        return proposal_out(changes.decline(agency, proposal_id, actor=caller.name, now=clock()), clock())

    @router.post("/{change_id}/undo")
    def undo(agency: AgencyKey, change_id: str, caller: Agency) -> MassChangeOut:
        """Undo a suspension of many as a whole, within an hour: what nobody changed since is valid again.

        Sent again it says what came of it.
        """
        return _done("undone", changes.undo(agency, change_id, actor=caller.name, now=clock()))

    return router


def _done_out(one: Done, now: datetime) -> DoneOut:
    until = undo_until(one.to, one.at, now) if one.undone_at is None else None
    change = next(name for name in CHANGES if TO[name] == one.to)
    return DoneOut(
        change_id=one.change_id, change=change, cause=one.cause, licences=one.licences, at=one.at, undo_until=until,
        undone_at=one.undone_at,
    )  # fmt: skip


def _done(
    state: Literal["done", "approved", "undone"], made: Changed, proposal: ProposalOut | None = None
) -> MassChangeOut:
    left = [{"licence_id": one, "code": "wrong_state"} for one in made.left]
    until = datetime.fromisoformat(made.undo_until) if made.undo_until else None
    return MassChangeOut(
        state=state, changed=made.changed, left=left, proposal=proposal, change_id=made.change_id or None,
        undo_until=until,
    )  # fmt: skip
