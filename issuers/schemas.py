"""JSON in and out of the agencies' room. Inputs forbid unknown members."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from credentials import base64url
from credentials.claim_values import Fault, FaultsError
from credentials.errors import MalformedError
from credentials.licence_type import Holder
from credentials.text import clean
from issuers.models import LicenceRow, LicenceState
from issuers.orders import CardBy, Order
from keys.schemas import Cleaned, Input, example


def _day(value: object) -> date:
    """Take a JSON date, and nothing that only resembles one."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("must be a date as 2026-01-31")
    return date.fromisoformat(value)


Day = Annotated[date, BeforeValidator(_day)]
CURSOR = r"^(1\.2\.156\.[0-9A-Z.]+)?$"  # what a page ended with: a licence's identifier
PERSON: dict[str, Any] = {"code_type": "111", "code": "440199198708220021", "name": "李样本"}
PERMIT: dict[str, Any] = {
    "licence_type": "residence_permit",
    "holder": PERSON,
    "claims": {
        "sex": "女",
        "ethnicity": "汉",
        "birth_date": "1987-08-22",
        "hukou_address": "示例省示例县示例路1号",
        "current_address": "示例市天河区示例路2号",
        "residence_district": "440106",
        "first_issue_date": "2024-03-01",
        "continuous_months": 32,
        "endorsed_until": "2027-03-01",
    },
    "reference": "JZZ-2026-000123",
}


class HolderIn(Input):
    """A person or company: kind of code (GB/T 36903 Annex A), code with its check digit, name."""

    code_type: str = Field(pattern=r"^[0-9]{3}$", description="111 citizen number, 001 social credit code, …")
    code: str = Field(min_length=4, max_length=32)
    name: str = Field(min_length=1, max_length=512)

    model_config = example(PERSON)

    def holder(self) -> Holder:
        """Return the holder, the name in NFC; an unclean name stays as it is and is refused with the claims."""
        try:
            return Holder(self.code_type, self.code, clean(self.name))
        except MalformedError:
            return Holder(self.code_type, self.code, self.name)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must be a text that is not blank")
    return text


Reference = Annotated[str, Cleaned, AfterValidator(_not_blank)]


class IssueIn(Input):
    """A licence to be signed."""

    licence_type: str = Field(min_length=1, max_length=64)
    holder: HolderIn
    claims: dict[str, Any]
    guardian: HolderIn | None = Field(default=None, description="Who may show a minor's licence.")
    guardians: list[HolderIn] = Field(default=[], max_length=2, description="Likewise, both parents.")
    representative: HolderIn | None = Field(default=None, description="Who may show a company's licence.")
    valid_from: Day | None = Field(default=None, description="First day, in the city's time; today if left out.")
    valid_until: Day | None = Field(default=None, description="Last day; as the type says if left out.")
    reference: Reference | None = Field(default=None, max_length=128, description="The agency's own case number.")
    card_by: CardBy | None = Field(default=None, description="How a card comes besides.")

    model_config = example(PERMIT)

    def order(self) -> Order:
        """Return what the issuer's verbs take."""
        return Order(
            licence_type=self.licence_type,
            holder=self.holder.holder(),
            claims=self.claims,
            entrusted=tuple((pointer, one.holder()) for pointer, one in self._entrusted()),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            reference=self.reference,
            card_by=self.card_by,
        )

    def _entrusted(self) -> Iterator[tuple[str, HolderIn]]:
        if self.guardian is not None:
            yield "/guardian", self.guardian
        yield from ((f"/guardians/{at}", one) for at, one in enumerate(self.guardians))
        if self.representative is not None:
            yield "/representative", self.representative


class Nothing(Input):
    """An empty body, or none."""

    model_config = example({})


class FindIn(Input):
    """Whose licences: kind of number (GB/T 36903 Annex A) and number."""

    code_type: str = Field(pattern=r"^[0-9]{3}$")
    code: str = Field(min_length=4, max_length=32)
    cursor: str = Field(default="", max_length=128, pattern=CURSOR)
    limit: int = Field(default=50, ge=1, le=200)

    model_config = example({"code_type": "111", "code": "440199198708220021"})


class CauseIn(Input):
    """Why a licence is suspended or revoked, from its type's list."""

    cause: str = Field(min_length=1, max_length=64)

    model_config = example({"cause": "moved_away"})


class SignatureIn(Input):
    """An agency's ES256 signature over the prepared bytes: r‖s, 64 bytes, base64url."""

    signature: str = Field(min_length=86, max_length=86)

    model_config = example({"signature": "A" * 86})

    def signature_bytes(self) -> bytes:
        """Return the 64 bytes; raises `FaultsError` unless they are spelt canonically."""
        try:
            return base64url.decode(self.signature)
        except MalformedError as error:
            raise FaultsError([Fault("/signature", "wrong_value", "64 bytes in canonical base64url")]) from error


LICENCE: dict[str, Any] = {
    "licence_id": "1.2.156.3005.2.1144019900DEM0015H002.1144019900DEM0023C.202600000002.001.R",
    "agency": "police",
    "licence_type": "residence_permit",
    "state": "valid",
    "cause": None,
    "state_since": "2026-11-23T08:00:00Z",
    "version": 1,
    "supersedes": None,
    "reference": "JZZ-2026-000123",
    "valid_from": "2026-11-23",
    "valid_until": "2027-03-01",
    "created_at": "2026-11-23T08:00:00Z",
    "kid": "3xYJ0yBv4dU",
    "delivered": True,
}


class LicenceOut(BaseModel):
    """A licence as its agency's ledger has it."""

    licence_id: str
    agency: str
    licence_type: str
    state: LicenceState
    cause: str | None
    state_since: datetime
    version: int
    supersedes: str | None
    reference: str | None
    card_by: str | None = None
    valid_from: date
    valid_until: date | None
    created_at: datetime
    kid: str = Field(description="The key that signs it.")
    delivered: bool

    model_config = example(LICENCE)


class PreparedOut(LicenceOut):
    """A licence waiting for the agency's own signature."""

    signing_input: str = Field(description="The exact ASCII bytes to sign with ES256.")
    prepared_until: datetime

    model_config = example(
        LICENCE
        | {
            "state": "prepared",
            "signing_input": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImRjK3NkLWp3dCJ9.eyJpc3Mi…",
            "prepared_until": "2026-11-23T08:10:00Z",
            "delivered": False,
        }
    )


class LicencePage(BaseModel):
    """A page of licences; `next_cursor` is None on the last."""

    items: list[LicenceOut]
    next_cursor: str | None

    model_config = example({"items": [], "next_cursor": None})


def licence_out(row: LicenceRow) -> LicenceOut:
    """Return a ledger row as JSON."""
    return LicenceOut(**_common(row))


def prepared_out(row: LicenceRow) -> PreparedOut:
    """Return a ledger row as JSON, with the bytes to sign."""
    return PreparedOut(**_common(row), signing_input=row.signing_input, prepared_until=row.prepared_until)


def _common(row: LicenceRow) -> Mapping[str, Any]:
    return {
        "licence_id": row.licence_id,
        "agency": row.agency,
        "licence_type": row.type_key,
        "state": row.state,
        "cause": row.cause,
        "state_since": row.state_since,
        "version": row.version,
        "supersedes": row.supersedes,
        "reference": row.reference,
        "card_by": row.card_by,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "created_at": row.created_at,
        "kid": row.kid,
        "delivered": row.signature is not None and row.undelivered is None,
    }
