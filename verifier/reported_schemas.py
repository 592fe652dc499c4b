"""JSON of verdicts that a counter's own machine reports."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from keys.schemas import Input, example
from verifier.reasons import Outcome
from verifier.reported import OfflineVerdict

AT_ONCE = 100
LATEST = datetime.fromisoformat("2200-01-01T00:00:00+00:00")


class CheckIn(Input):
    """One step of a verification, as verdicts tell it."""

    number: int = Field(ge=0, le=8)
    step: str = Field(max_length=32)
    outcome: str = Field(pattern="^(passed|failed|skipped)$")
    reason: str | None = Field(default=None, max_length=64)
    licence: str | None = Field(default=None, max_length=64)


class OfflineVerdictIn(Input):
    """What was made of one pass while the line was down; of the licence nothing but the presentation's digest."""

    verification_id: str = Field(pattern="^offline-[A-Za-z0-9_-]{16}$")
    verdict: Outcome = Field(strict=False)
    reason: str = Field(max_length=64)
    checks: list[CheckIn] = Field(max_length=32)
    at: AwareDatetime = Field(strict=False, le=LATEST)
    service_item: str = Field(min_length=1, max_length=64)
    operator: str | None = Field(default=None, max_length=64)
    digests: list[Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43}$")]] = Field(max_length=1)

    def told(self) -> OfflineVerdict:
        """Return it as the room wants it."""
        checks: list[dict[str, Any]] = [one.model_dump(exclude_none=True) for one in self.checks]
        return OfflineVerdict(**self.model_dump(exclude={"checks"}), checks=checks)


class OfflineVerdictsIn(Input):
    """Verdicts, oldest first."""

    items: list[OfflineVerdictIn] = Field(min_length=1, max_length=AT_ONCE)

    model_config = example(
                {
                    "items": [
                        {
                            "verification_id": "offline-x0T4bV9sLr2pNq7a", "verdict": "accepted", "reason": "accepted",
                            "checks": [{"number": 0, "step": "claim", "outcome": "passed"}],
                            "at": "2026-11-23T08:00:30Z", "service_item": "school_transfer", "operator": "clerk-07",
                            "digests": ["n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"],
                        }
                    ]
                }
            )  # fmt: skip


class RefusedOut(BaseModel):
    """One that cannot be, and why."""

    verification_id: str
    code: str


class ReportedOut(BaseModel):
    """How many of them were new here, and which cannot be."""

    recorded: int
    refused: list[RefusedOut]

    model_config = example(
        {"recorded": 1, "refused": [{"verification_id": "offline-x0T4bV9sLr2pNq7a", "code": "wrong_date"}]}
    )
