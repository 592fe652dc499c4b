"""JSON in and out of mandates."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from credentials.errors import MalformedError
from credentials.licence_type import Holder
from credentials.text import clean
from keys.schemas import Input, example
from wallet.mandates.models import Kind
from wallet.mandates.rules import Grant

LATEST = datetime(2100, 1, 1, tzinfo=UTC)
AGENT: dict[str, Any] = {"code_type": "111", "code": "440199200206200055", "name": "王测试"}


class PersonIn(Input):
    """A person: kind of code (GB/T 36903 Annex A), code, name."""

    code_type: str = Field(pattern=r"^[0-9]{3}$")
    code: str = Field(min_length=4, max_length=32)
    name: str = Field(min_length=1, max_length=512)

    model_config = example(AGENT)

    def holder(self) -> Holder:
        """Return the person; an unclean name stays as it is and is refused."""
        try:
            return Holder(self.code_type, self.code, clean(self.name))
        except MalformedError:
            return Holder(self.code_type, self.code, self.name)


class MandateIn(Input):
    """Who may show what until when: one's own licences a helper, a company's (`principal`) managers and agents."""

    agent: PersonIn
    kind: Literal["manager", "agent", "helper"]
    types: list[str] | None = Field(default=None, min_length=1, max_length=64, description="None: all.")
    ends_at: AwareDatetime = Field(strict=False, le=LATEST, description="Within a year.")
    principal: str | None = Field(default=None, max_length=64, description="Whose licences; one's own if left out.")

    model_config = example(
        {"agent": AGENT, "kind": "agent", "types": ["business_licence"], "ends_at": "2026-12-31T23:59:59+08:00"}
    )

    def grant(self) -> Grant:
        """Return it as the room wants it."""
        return Grant(self.agent.holder(), Kind(self.kind), self.types, self.ends_at, self.principal)


class MandateOut(BaseModel):
    """A mandate as both see it: whose licences (`principal`), who shows them (`agent`), since when, until when."""

    mandate_id: str
    kind: Kind
    principal: str
    principal_name: str
    agent: str
    agent_name: str
    types: list[str] | None
    state: Literal["in_force", "ended", "withdrawn"]
    created_at: datetime
    ends_at: datetime | None
    withdrawn_at: datetime | None

    model_config = example(
                {
                    "mandate_id": "k3V0yq8Zt1Lm", "kind": "parent", "principal": "q8VwTQ3vS0eX0mXq",
                    "principal_name": "张小例", "agent": "u1C8mB0dQ2yWkz5e", "agent_name": "李样本", "types": None,
                    "state": "in_force", "created_at": "2026-11-23T08:00:00Z", "ends_at": "2032-08-31T16:00:00Z",
                    "withdrawn_at": None,
                }
            )  # fmt: skip


class MandatesOut(BaseModel):
    """Mandates, newest first."""

    items: list[MandateOut]

    model_config = example({"items": []})
