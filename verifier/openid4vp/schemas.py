"""JSON in and out of the counters' side of OpenID4VP. What wallets send is OAuth's, read in `api.py`."""

from datetime import datetime
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, model_validator

from keys.schemas import Input, example
from verifier.openid4vp.request import Prefix, ResponseMode
from verifier.schemas import Operator, VerdictOut


class AboutIn(Input):
    """Something the holder agrees to with the presentation: its kind and a sentence (OpenID4VP section 8.4)."""

    type: str = Field(min_length=1, max_length=256)
    text: str = Field(min_length=1, max_length=1024)


class PresentationRequestIn(Input):
    """Ask any wallet for a service item's licences. One device: say where its browser is sent back to."""

    service_item: str = Field(min_length=1, max_length=64)
    operator: Operator | None = None
    client_id_prefix: Prefix = Field(default=Prefix.X509_HASH, strict=False)
    response_mode: ResponseMode = Field(default=ResponseMode.DIRECT_POST_JWT, strict=False)
    return_to: str | None = Field(default=None, max_length=512, description="https address of the page that asked.")
    session: str | None = Field(
        default=None, min_length=16, max_length=128, description="The asking page's session; an online counter's must."
    )
    certified: bool = Field(default=False, description="Only licences certified under the operator's authority.")
    transaction_data: list[AboutIn] = Field(default=[], max_length=4)
    qr: Literal["svg", "png", "none"] = "svg"

    model_config = example({"service_item": "school_transfer"})

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.return_to is not None:
            parts = urlsplit(self.return_to)
            if parts.scheme not in {"https", "http"} or not parts.hostname or parts.fragment or parts.username:
                raise ValueError("return_to is an http(s) address without user and fragment")
            if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1"}:
                raise ValueError("return_to is https unless it is loopback")
        return self


class PresentationRequestOut(BaseModel):
    """A request: show the QR code, or send the phone's browser to the link."""

    request_id: str
    client_id: str
    link: str
    qr: str | None
    expires_at: datetime

    model_config = example(
        {
            "request_id": "u1C8mB0dQ2yWkz5e",
            "client_id": "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
            "link": "openid4vp://?client_id=x509_hash%3A…&request_uri=https%3A%2F%2F…&request_uri_method=post",
            "qr": "<svg…",
            "expires_at": "2026-11-23T08:05:00Z",
        }
    )


class PresentationState(BaseModel):
    """Where a request stands; the verdict comes with the first reading after the answer, and only then."""

    state: Literal["waiting", "answered", "told", "expired"]
    verdict: VerdictOut | None

    model_config = example({"state": "waiting", "verdict": None})


def about(rows: list[AboutIn]) -> list[dict[str, Any]]:
    """Return transaction data entries as they are signed."""
    return [row.model_dump() for row in rows]
