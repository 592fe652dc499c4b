"""JSON in and out of the agencies' side of offers. What foreign wallets send is OAuth's, read in `api.py`."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from issuers.schemas import PERMIT, IssueIn
from keys.schemas import Input

LICENCE_ID = "1.2.156.3005.2.1144019900DEM0015H002.1144019900DEM0023C.202600000002.001.R"


class OfferIn(Input):
    """Offer a licence that was issued, or an order that you approve later; one of the two."""

    licence_id: str | None = Field(default=None, max_length=128)
    order: IssueIn | None = None
    tx_code: bool = Field(default=False, description="Make a six-digit code that the holder types into the wallet.")
    qr: Literal["svg", "png", "none"] = "svg"

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"licence_id": LICENCE_ID, "tx_code": True}, {"order": PERMIT}]}
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.licence_id is None) == (self.order is None):
            raise ValueError("name a licence, or an order to approve later")
        return self


class OfferOut(BaseModel):
    """A credential offer. Link, address and transaction code are told this once."""

    offer_id: str
    credential_offer_uri: str
    link: str = Field(description="For a wallet on the same device, and what the QR code holds.")
    tx_code: str | None = Field(description="Tell the holder by another way than the offer.")
    expires_at: datetime
    qr: str | None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "offer_id": "n3Jx…",
                    "credential_offer_uri": "https://…/issuers/police/credential-offers/u8…",
                    "link": "openid-credential-offer://?credential_offer_uri=https%3A%2F%2F…",
                    "tx_code": "493536",
                    "expires_at": "2026-11-23T08:10:00Z",
                    "qr": "<svg…",
                }
            ]
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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "offer_id": "n3Jx…",
                    "licence_type": "residence_permit",
                    "licence_id": LICENCE_ID,
                    "state": "ready",
                    "redeemed_at": None,
                    "expires_at": "2026-11-23T08:10:00Z",
                }
            ]
        }
    )
