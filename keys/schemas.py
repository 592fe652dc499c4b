"""What rooms' bodies share: strictness, the short names of agencies and counters, proposals that two agree on."""

from datetime import datetime
from typing import Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from credentials.errors import MalformedError
from credentials.text import clean
from keys.models import Proposal

SHORT_NAME = "[a-z][a-z0-9_]{1,31}"  # of agencies and counters, as they stand in addresses


def _clean(sent: str) -> str:
    try:
        return clean(sent)
    except MalformedError as error:
        raise PydanticCustomError("malformed", "{detail}", {"detail": error.detail}) from error


Cleaned = AfterValidator(_clean)
"""Of a text in a body: in NFC, and without what nobody sees, as `credentials.text.clean` has it; else it is a fault."""


def example(*shown: Any) -> ConfigDict:
    """Return the setting of a body that the API reference shows by these examples."""
    return ConfigDict(json_schema_extra={"examples": [*shown]})


class Input(BaseModel):
    """What every request body keeps: no unknown members, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ApproveIn(Input):
    """Agreement to a proposal: the hash of the content that was looked at."""

    content_hash: str = Field(pattern="^[0-9a-f]{64}$")

    model_config = example({"content_hash": "9f86d081884c7d65" * 4})


EXAMPLE: dict[str, Any] = {
    "proposal_id": "k3V0yq8Zt1Lm", "kind": "key.compromise", "content_hash": "9f86d081884c7d65" * 4,
    "content": {"kid": "NzbLsXh8uDC", "since": "2026-11-20T00:00:00+08:00"}, "state": "waiting",
    "proposed_by": "operator:op/wang", "proposed_at": "2026-11-23T08:00:00Z",
    "expires_at": "2026-11-24T08:00:00Z", "decided_by": None, "decided_at": None,
}  # fmt: skip


class ProposalOut(BaseModel):
    """An act that two must agree on: what, who proposed it, and what became of it."""

    proposal_id: str
    kind: str
    content: dict[str, Any]
    content_hash: str
    state: str
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None

    model_config = example(EXAMPLE)


class Proposals(BaseModel):
    """What was proposed, the newest first."""

    items: list[ProposalOut]

    model_config = example({"items": []})


def proposal_out(row: Proposal, now: datetime) -> ProposalOut:
    """Return a proposal as JSON."""
    decided = "approved" if row.approved else "declined"
    state = decided if row.decided_at else "expired" if now >= row.expires_at else "waiting"
    return ProposalOut(**row.model_dump(exclude={"approved", "stream", "done_at"}), state=state)
