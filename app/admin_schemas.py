"""JSON of the operator's API. Inputs forbid unknown members."""

from datetime import UTC, datetime
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from keys.access import NAMED, Role
from keys.models import KeyPurpose
from keys.schemas import EXAMPLE, SHORT_NAME, Input, ProposalOut, example

SLUG = f"^{SHORT_NAME}$"
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
NAME_EXAMPLE: dict[str, Any] = {"zh": "示例市公安局", "en": "Demo City Public Security Bureau"}

SCOPES_OF = "What it may; none named: all that its role may."


class NameIn(Input):
    """A name in Chinese and English."""

    zh: str = Field(min_length=1, max_length=256)
    en: str = Field(min_length=1, max_length=256)


class AgencyIn(Input):
    """An agency to take in; `licence_key` is the public JWK of a key that it keeps itself."""

    key: str = Field(pattern=SLUG)
    name: NameIn
    kind: str = Field(max_length=64)
    uscc: str = Field(min_length=18, max_length=18)
    region: str = Field(pattern=r"^[1-9][0-9]{5}$")
    domain: str = Field(max_length=16)
    may_sign: list[str] = Field(max_length=256)
    licence_key: dict[str, Any] | None = None

    model_config = example(
                {
                    "key": "police", "name": NAME_EXAMPLE, "kind": "public_security", "uscc": "1144019900DEM0023C",
                    "region": "440199", "domain": "公安", "may_sign": ["residence_permit"],
                }
            )  # fmt: skip


class CounterIn(Input):
    """A counter to enrol."""

    key: str = Field(pattern=SLUG)
    agency: str = Field(pattern=SLUG)
    name: NameIn
    channel: str = Field(pattern="^(hall_counter|kiosk|online)$")
    opened_types: list[str] | None = Field(
        default=None, min_length=1, max_length=64,
        description="Only for banks, landlords, intermediaries: the types they may ask for, always by consent.",
    )  # fmt: skip

    model_config = example(
                {
                    "key": "school2_office", "agency": "school2", "channel": "hall_counter",
                    "name": {"zh": "示例市第二小学教务处", "en": "School office, No.2 Primary School"},
                }
            )  # fmt: skip


class HolderIn(Input):
    """A person or company that gets a wallet."""

    code_type: str = Field(pattern=r"^[0-9]{3}$")
    code: str = Field(min_length=4, max_length=32)
    name: str = Field(min_length=1, max_length=512)

    model_config = example({"code_type": "111", "code": "440199198708220021", "name": "李样本"})


class TokenIn(Input):
    """An access token to give."""

    role: str = Field(pattern="^(agency|clerk|counter|operator|auditor|support)$")
    subject: str = Field(pattern=SLUG)
    person: str | None = Field(default=None, pattern=SLUG, description="Who of the subject's staff it is for.")
    scopes: list[str] = Field(default=[], max_length=16, description=SCOPES_OF)
    life_days: int = Field(default=30, ge=1, le=90)

    @model_validator(mode="after")
    def _people_are_named(self) -> Self:
        if self.person is None and Role(self.role) in NAMED:
            raise ValueError("a clerk's, auditor's or support's token names its person")
        return self

    model_config = example({"role": "agency", "subject": "police", "scopes": ["licences:issue"], "life_days": 30})


class ClientIn(Input):
    """A system that gets its own tokens: by its public key; without one it gets a secret, in the sandbox only."""

    role: str = Field(pattern="^(agency|counter)$")
    subject: str = Field(pattern=SLUG)
    name: str = Field(min_length=1, max_length=120)
    scopes: list[str] = Field(default=[], max_length=16, description=SCOPES_OF)
    jwk: dict[str, Any] | None = None
    dpop: bool = Field(default=False, description="Its tokens are bound to this key, proved with every call.")

    model_config = example(
                {
                    "role": "agency", "subject": "police", "name": "户政系统", "scopes": ["licences:issue"],
                    "jwk": {"kty": "EC", "crv": "P-256", "x": "f83O…", "y": "x_FE…"},
                }
            )  # fmt: skip


class ClientMade(BaseModel):
    """A new client: its identifier and, in the sandbox and once, its secret."""

    client_id: str
    secret: str | None = None

    model_config = example({"client_id": "k3V0yq8Zt1Lm", "secret": None})


class ClientOut(BaseModel):
    """A client of an agency or counter."""

    client_id: str
    name: str
    scopes: list[str]
    key_thumbprint: str | None
    dpop: bool
    created_at: datetime
    suspended_at: datetime | None


class Clients(BaseModel):
    """The clients of an agency or counter."""

    items: list[ClientOut]

    model_config = example(
                {
                    "items": [
                        {
                            "client_id": "k3V0yq8Zt1Lm", "name": "教务处平板 1", "scopes": ["verify"],
                            "key_thumbprint": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "dpop": True,
                            "created_at": "2026-11-23T08:00:00Z", "suspended_at": None,
                        }
                    ]
                }
            )  # fmt: skip


class EnrolmentCodeOut(BaseModel):
    """A one-time code for a counter's device; told this once."""

    code: str
    expires_in_seconds: int

    model_config = example({"code": "7K2M9QX40HTR5B3C", "expires_in_seconds": 600})


class TokenOut(BaseModel):
    """An access token or session, without its secret."""

    token_id: str
    role: str
    subject: str
    person: str | None
    scopes: str
    label: str | None
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime

    model_config = example(
                {
                    "token_id": "k3V0yq8Zt1Lm", "role": "clerk", "subject": "police", "person": "wang", "label": None,
                    "scopes": "licences:issue licences:read", "created_at": "2026-11-23T08:00:00Z", "used_at": None,
                    "expires_at": "2026-12-23T08:00:00Z",
                }
            )  # fmt: skip


class TokensOut(BaseModel):
    """Access tokens, newest first."""

    items: list[TokenOut]

    model_config = example({"items": []})


class RightIn(Input):
    """From when to when an agency may sign a type; from now on and without end where left out."""

    valid_from: AwareDatetime | None = Field(default=None, strict=False, ge=datetime(2000, 1, 1, tzinfo=UTC), le=LATEST)
    valid_until: AwareDatetime | None = Field(default=None, strict=False, le=LATEST)

    model_config = example({"valid_until": "2027-12-31T23:59:59+08:00"})


class RotateIn(Input):
    """A key to rotate."""

    owner: str = Field(pattern=SLUG)
    purpose: KeyPurpose = Field(strict=False)
    retires: str | None = Field(
        default=None, max_length=128, description="The key that signs now; if another does by then, nothing is done."
    )

    model_config = example({"owner": "police", "purpose": "licence"})


class KeyIn(Input):
    """The public half of a key that an agency keeps."""

    owner: str = Field(pattern=SLUG)
    jwk: dict[str, Any]

    model_config = example({"owner": "univ", "jwk": {"kty": "EC", "crv": "P-256", "x": "f83O…", "y": "x_FE…"}})


class CompromiseIn(Input):
    """A key never to be believed again."""

    since: AwareDatetime = Field(
        strict=False, description="RFC 3339, with zone.", ge=datetime(2000, 1, 1, tzinfo=UTC), le=LATEST
    )

    model_config = example({"since": "2026-11-20T00:00:00+08:00"})


class Made(BaseModel):
    """What was made: its name and, once, its secret."""

    key: str
    secret: str | None = None

    model_config = example({"key": "police", "secret": "lw_agency_…"})


class ApprovedOut(ProposalOut):
    """A proposal that was approved and done; `made` is told this once."""

    made: Made | None

    model_config = example({**EXAMPLE, "state": "approved", "made": None})
