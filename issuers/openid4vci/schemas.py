"""JSON in and out of the agencies' side of offers. What foreign wallets send is OAuth's, read in `api.py`."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from issuers.openid4vci.offers import PRE_AUTHORIZED
from issuers.schemas import PERMIT, IssueIn
from keys.schemas import Input, example

LICENCE_ID = "1.2.156.3005.2.1144019900DEM0015H002.1144019900DEM0023C.202600000002.001.R"


class OfferIn(Input):
    """Offer a licence that was issued, or an order that you approve later; one of the two."""

    licence_id: str | None = Field(default=None, max_length=128)
    order: IssueIn | None = None
    grants: list[Literal["pre-authorized_code", "authorization_code"]] = Field(
        default=["pre-authorized_code"],
        min_length=1,
        max_length=2,
        description="How it is taken: whoever has the link (and code), or the holder after signing in here.",
    )
    tx_code: bool = Field(default=False, description="Make a six-digit code that the holder types into the wallet.")
    qr: Literal["svg", "png", "none"] = "svg"

    model_config = example({"licence_id": LICENCE_ID, "tx_code": True}, {"order": PERMIT})

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.licence_id is None) == (self.order is None):
            raise ValueError("name a licence, or an order to approve later")
        if len(set(self.grants)) != len(self.grants):
            raise ValueError("name each grant once")
        if self.tx_code and "pre-authorized_code" not in self.grants:
            raise ValueError("a transaction code goes with a pre-authorized code")
        return self

    @property
    def ways(self) -> list[str]:
        """The grants by their registered names."""
        return [PRE_AUTHORIZED if one == "pre-authorized_code" else one for one in self.grants]


class OfferOut(BaseModel):
    """A credential offer. Link, address and transaction code are told this once."""

    offer_id: str
    credential_offer_uri: str
    link: str = Field(description="For a wallet on the same device, and what the QR code holds.")
    tx_code: str | None = Field(description="Tell the holder by another way than the offer.")
    expires_at: datetime
    qr: str | None

    model_config = example(
        {
            "offer_id": "n3Jx…",
            "credential_offer_uri": "https://…/issuers/police/credential-offers/u8…",
            "link": "openid-credential-offer://?credential_offer_uri=https%3A%2F%2F…",
            "tx_code": "493536",
            "expires_at": "2026-11-23T08:10:00Z",
            "qr": "<svg…",
        }
    )


class OfferState(BaseModel):
    """What became of an offer."""

    offer_id: str
    licence_type: str
    licence_id: str | None
    state: Literal["waiting", "ready", "denied"]
    redeemed_at: datetime | None
    expires_at: datetime

    model_config = example(
        {
            "offer_id": "n3Jx…",
            "licence_type": "residence_permit",
            "licence_id": LICENCE_ID,
            "state": "ready",
            "redeemed_at": None,
            "expires_at": "2026-11-23T08:10:00Z",
        }
    )
