"""JSON in and out of the wallet. Inputs forbid unknown members."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from keys.schemas import Input, example
from wallet.wallet import Choice

LICENCE_ID = "1.2.156.3005.2.1144019900DEM0015H002.1144019900DEM0023C.202600000002.001.R"
SENSITIVE = "Yes, too, to what is of a child under fourteen."
Picture = Literal["none", "svg", "png"]
Language = Annotated[Literal["zh", "en"], Field(description="Language of names and labels.")]


class ChoiceIn(Input):
    """One licence and the claims of it to show."""

    licence_id: str = Field(max_length=128)
    claims: list[str] = Field(max_length=64)


class WhatToShow(Input):
    """Licences and claims picked one by one, or a service item's whole set: one of the two."""

    licences: list[ChoiceIn] | None = Field(default=None, min_length=1, max_length=16)
    service_item: str | None = Field(default=None, max_length=64)
    principal: str | None = Field(default=None, max_length=64, description="For whom, where one acts for several.")
    sensitive: bool = Field(default=False, description=SENSITIVE)

    @model_validator(mode="after")
    def _one_of_two(self) -> "WhatToShow":
        if [self.licences is not None, self.service_item is not None, getattr(self, "ask", False)].count(True) != 1:
            raise ValueError("name either licences or a service_item")
        named = [one.licence_id for one in self.licences or []]
        if len(named) != len(set(named)):
            raise ValueError("name each licence once, with all its claims")
        return self

    def choice(self, by_item: Callable[[str], Choice]) -> Choice:
        """Return what to show; `by_item` finds a service item's set in the wallet."""
        if getattr(self, "ask", False):
            return {}
        if self.service_item is not None:
            return by_item(self.service_item)
        return {one.licence_id: one.claims for one in self.licences or []}


class ShowIn(WhatToShow):
    """Make a show code; with `ask` nothing is chosen, and whoever scans it asks."""

    qr: Picture = "svg"
    ask: bool = False

    model_config = example({"service_item": "school_transfer", "qr": "svg"})


class PresentationIn(WhatToShow):
    """Answer a verifier's request: its client_id and nonce, as it gave them."""

    audience: str = Field(min_length=1, max_length=512)
    nonce: str = Field(min_length=16, max_length=128)

    model_config = example(
        {
            "licences": [{"licence_id": LICENCE_ID, "claims": ["residence_district"]}],
            "audience": "http://127.0.0.1:8080/verifier/counters/school2_office",
            "nonce": "c2l4dGVlbi1ieXRlcy1vci1tb3Jl",
        }
    )


class PassIn(Input):
    """Make an offline pass of one licence."""

    licence_id: str = Field(max_length=128)
    claims: list[str] = Field(max_length=64)
    sensitive: bool = Field(default=False, description=SENSITIVE)
    life_seconds: int = Field(default=300, ge=30, le=300)
    qr: Picture = "svg"

    model_config = example(
        {"licence_id": LICENCE_ID, "claims": ["residence_district"], "life_seconds": 300, "qr": "png"}
    )


class SignInIn(Input):
    """A one-time sign-in link's secret (demonstration only)."""

    link: str = Field(min_length=8, max_length=128)

    model_config = example({"link": "kq3V0yq8Zt1LmH2s…"})


class SignInOut(BaseModel):
    """A holder's access token."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a kind, not a secret
    expires_in_seconds: int

    model_config = example({"access_token": "lw_holder_…", "token_type": "Bearer", "expires_in_seconds": 3600})


class LicenceView(BaseModel):
    """A licence as its holder sees it, labels in one language."""

    licence_id: str
    principal: dict[str, str] | None
    """Whose it is, where it is not one's own: holder_id and name."""
    licence_type: str
    name: str
    issuer: str
    state: str
    issued_at: datetime | None
    expires_at: datetime | None
    claims: list[dict[str, Any]]

    model_config = example(
        {
            "licence_id": LICENCE_ID,
            "principal": None,
            "licence_type": "residence_permit",
            "name": "居住证",
            "issuer": "http://127.0.0.1:8080/issuers/police",
            "state": "valid",
            "issued_at": "2026-11-23T08:00:00Z",
            "expires_at": "2027-03-01T15:59:59Z",
            "claims": [
                {
                    "name": "residence_district",
                    "label": "现居住地行政区划代码",
                    "value": "440106",
                    "selective": True,
                }
            ],
        }
    )


class LicenceList(BaseModel):
    """A wallet's licences."""

    items: list[LicenceView]

    model_config = example({"items": []})


class ShowOut(BaseModel):
    """A fresh show code. `typed_code` is for reading out; `qr` is an SVG document, or a PNG in base64url."""

    show_id: str
    url: str
    typed_code: str
    expires_at: datetime
    qr: str | None

    model_config = example(
        {
            "show_id": "0n8Qd1Tz3m5PZK2v",
            "url": "http://127.0.0.1:8080/s#5ZK8Q2M4X7T9R1C3V6B0N8P2GH",
            "typed_code": "7K2M9QX4",
            "expires_at": "2026-11-23T08:01:00Z",
            "qr": "<svg …>",
        }
    )


class PresentationOut(BaseModel):
    """A `vp_token` (OpenID4VP section 8.1): presentations by licence type."""

    vp_token: dict[str, list[str]]

    model_config = example({"vp_token": {"residence_permit": ["eyJhbGciOiJFUzI1NiIs…~WyJ…~eyJ…"]}})


class PassOut(BaseModel):
    """An offline pass: the QR's text, and the QR."""

    text: str
    expires_at: datetime
    qr: str | None

    model_config = example({"text": "EL1:6BF…", "expires_at": "2026-11-23T08:05:00Z", "qr": "iVBORw0…"})


class UseOut(BaseModel):
    """One use of licences: `holder_id`'s, shown by `actor`."""

    use_id: str
    holder_id: str
    holder_name: str
    actor: str
    actor_name: str
    at: datetime
    channel: str
    verifier: str
    verifier_name: dict[str, str]
    service_item: str | None
    licences: list[dict[str, Any]]
    verdict: str | None
    reason: str | None
    receipt: str | None
    reusable_until: datetime | None
    reuse_withdrawn_at: datetime | None

    model_config = example(
        {
            "use_id": "1795507200000-hB9c2mK1xQ0d",
            "holder_id": "q8VwTQ3vS0eX0mXq",
            "holder_name": "张小例",
            "actor": "u1C8mB0dQ2yWkz5e",
            "actor_name": "李样本",
            "at": "2026-11-23T08:00:30Z",
            "channel": "show_code",
            "verifier": "school2_office",
            "verifier_name": {"zh": "示例市第二小学教务处", "en": "School office, No.2 Primary School"},
            "service_item": "school_transfer",
            "licences": [{"licence_type": "residence_permit", "claims": ["endorsed_until", "residence_district"]}],
            "verdict": "accepted",
            "reason": "accepted",
            "receipt": "eyJ…",
            "reusable_until": None,
            "reuse_withdrawn_at": None,
        }
    )


class ReuseIn(Input):
    """Until when other counters may rely on a use's receipt."""

    until: AwareDatetime = Field(strict=False, description="RFC 3339, with zone; within a year.")

    model_config = example({"until": "2026-12-31T23:59:59+08:00"})


class UsePage(BaseModel):
    """A page of uses, newest first; `next_cursor` is None on the last."""

    items: list[UseOut]
    next_cursor: str | None

    model_config = example({"items": [], "next_cursor": None})
