"""HTTP routes of the operator: take in agencies and counters, give and take tokens, rotate keys."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from app.house import House
from credentials import licence_type
from credentials.claim_values import Fault, FaultsError
from credentials.licence_type import ClaimsRefusedError, Holder
from issuers.agencies import NewAgency
from issuers.errors import UnknownTypeError
from keys.access import SCOPES, Caller, Role
from keys.auth import Clock
from keys.models import KeyPurpose
from keys.schemas import SHORT_NAME, Input

SLUG = f"^{SHORT_NAME}$"
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
NAME_EXAMPLE: dict[str, Any] = {"zh": "示例市公安局", "en": "Demo City Public Security Bureau"}


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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "key": "police", "name": NAME_EXAMPLE, "kind": "public_security", "uscc": "1144019900DEM0023C",
                    "region": "440199", "domain": "公安", "may_sign": ["residence_permit"],
                }
            ]
        }
    )  # fmt: skip


class CounterIn(Input):
    """A counter to enrol."""

    key: str = Field(pattern=SLUG)
    agency: str = Field(pattern=SLUG)
    name: NameIn
    channel: str = Field(pattern="^(hall_counter|kiosk|online)$")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "key": "school2_office", "agency": "school2", "channel": "hall_counter",
                    "name": {"zh": "示例市第二小学教务处", "en": "School office, No.2 Primary School"},
                }
            ]
        }
    )  # fmt: skip


class HolderIn(Input):
    """A person or company that gets a wallet."""

    code_type: str = Field(pattern=r"^[0-9]{3}$")
    code: str = Field(min_length=4, max_length=32)
    name: str = Field(min_length=1, max_length=512)

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"code_type": "111", "code": "440199198708220021", "name": "李样本"}]}
    )


class TokenIn(Input):
    """An access token to give."""

    role: str = Field(pattern="^(agency|counter|operator)$")
    subject: str = Field(pattern=SLUG)
    scopes: list[str] = Field(default=[], max_length=16)
    life_days: int = Field(default=30, ge=1, le=90)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"role": "agency", "subject": "police", "scopes": ["licences:issue"], "life_days": 30}]
        }
    )


class RightIn(Input):
    """From when to when an agency may sign a type; from now on and without end where left out."""

    valid_from: AwareDatetime | None = Field(default=None, strict=False, ge=datetime(2000, 1, 1, tzinfo=UTC), le=LATEST)
    valid_until: AwareDatetime | None = Field(default=None, strict=False, le=LATEST)

    model_config = ConfigDict(json_schema_extra={"examples": [{"valid_until": "2027-12-31T23:59:59+08:00"}]})


class RotateIn(Input):
    """A key to rotate."""

    owner: str = Field(pattern=SLUG)
    purpose: KeyPurpose = Field(strict=False)

    model_config = ConfigDict(json_schema_extra={"examples": [{"owner": "police", "purpose": "licence"}]})


class KeyIn(Input):
    """The public half of a key that an agency keeps."""

    owner: str = Field(pattern=SLUG)
    jwk: dict[str, Any]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"owner": "univ", "jwk": {"kty": "EC", "crv": "P-256", "x": "f83O…", "y": "x_FE…"}}]
        }
    )


class CompromiseIn(Input):
    """A key never to be believed again."""

    since: AwareDatetime = Field(
        strict=False, description="RFC 3339, with zone.", ge=datetime(2000, 1, 1, tzinfo=UTC), le=LATEST
    )

    model_config = ConfigDict(json_schema_extra={"examples": [{"since": "2026-11-20T00:00:00+08:00"}]})


class Made(BaseModel):
    """What was made: its name and, once, its secret."""

    key: str
    secret: str | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"key": "police", "secret": "lw_agency_…"}]})


def routes(  # noqa: C901, PLR0915 - a list of routes, one after another, with nothing to decide
    house: House, *, caller_of: Callable[..., Caller], clock: Clock
) -> APIRouter:
    """Return the operator's routes."""

    def operator(caller: Annotated[Caller, Depends(caller_of)]) -> str:
        caller.must(Role.OPERATOR, "operate")
        return caller.name

    router = APIRouter(prefix="/admin", tags=["operator"])
    Operator = Annotated[str, Depends(operator)]  # noqa: N806 - a type

    @router.post("/agencies", status_code=201)
    def add_agency(actor: Operator, body: AgencyIn) -> Made:
        """Take an agency in: ledger, keys, and the types it may sign."""
        new = NewAgency(**{**body.model_dump(), "name": body.name.model_dump()})
        return Made(key=house.agencies.add(new, actor=actor, now=clock()).key)

    @router.post("/counters", status_code=201)
    def add_counter(actor: Operator, body: CounterIn) -> Made:
        """Enrol a counter of an agency of the catalogue or of one that was taken in."""
        house.must_be_an_agency(body.agency)
        row = house.counters.add(
            body.key, agency=body.agency, name=body.name.model_dump(), channel=body.channel, actor=actor, now=clock()
        )
        return Made(key=row.key)

    @router.post("/counters/{counter}/suspend", status_code=204, response_class=Response)
    def suspend_counter(actor: Operator, counter: str) -> None:
        """Stop a counter from verifying; its next call is refused."""
        house.counters.suspend(counter, suspended=True, actor=actor, now=clock())

    @router.post("/counters/{counter}/resume", status_code=204, response_class=Response)
    def resume_counter(actor: Operator, counter: str) -> None:
        """Let a suspended counter verify again."""
        house.counters.suspend(counter, suspended=False, actor=actor, now=clock())

    @router.post("/keys", status_code=201)
    def register_key(actor: Operator, body: KeyIn) -> Made:
        """Take in the next public key of an agency that keeps its own; `rotate` puts it to use."""
        house.issuer.agency(body.owner)
        return Made(key=house.vault.register(body.owner, KeyPurpose.LICENCE, body.jwk, actor=actor, now=clock()))

    @router.post("/holders", status_code=201)
    def add_holder(actor: Operator, body: HolderIn) -> Made:
        """Make a wallet for a person or company; the same code again gives the same wallet."""
        holder = Holder(body.code_type, body.code, body.name)
        if faults := licence_type.check_identity(holder, ""):
            raise ClaimsRefusedError(faults)
        return Made(key=house.accounts.add(holder, actor=actor, now=clock()))

    if house.settings.demo:

        @router.post("/holders/{holder_id}/sign-in-link", status_code=201)
        def sign_in_link(actor: Operator, holder_id: str) -> Made:
            """Make a one-time sign-in link for a holder (demonstration only)."""
            return Made(key=holder_id, secret=house.accounts.sign_in_link(holder_id, actor=actor, now=clock()))

    @router.post("/tokens", status_code=201)
    def grant(actor: Operator, body: TokenIn) -> Made:
        """Give an access token; the secret is told this once."""
        house.must_exist(Role(body.role), body.subject)
        if unknown := [place for place, one in enumerate(body.scopes) if one not in SCOPES[Role(body.role)]]:
            allowed = f"one of: {', '.join(sorted(SCOPES[Role(body.role)]))}"
            raise FaultsError([Fault(f"/scopes/{place}", "unknown_scope", allowed) for place in unknown])
        secret = house.access.grant(
            Role(body.role), body.subject, scopes=body.scopes, life=timedelta(days=body.life_days), actor=actor,
            now=clock(),
        )  # fmt: skip
        return Made(key=house.access.caller(secret, now=clock()).token_id, secret=secret)

    @router.delete("/tokens/{token_id}", status_code=204, response_class=Response)
    def revoke_token(actor: Operator, token_id: str) -> None:
        """Take an access token back; its next call is refused."""
        if not house.access.revoke(token_id, actor=actor, now=clock()):
            raise HTTPException(404)

    @router.put("/agencies/{agency}/types/{licence_type_key}", status_code=204, response_class=Response)
    def give_right(actor: Operator, agency: str, licence_type_key: str, body: RightIn) -> None:
        """Let an agency sign a licence type, from when to when; given again, the end is the new one."""
        if licence_type_key not in house.types:
            raise UnknownTypeError
        since, vct = body.valid_from or clock(), house.issuer.vct(licence_type_key)
        if body.valid_until is not None and body.valid_until <= since:
            raise FaultsError([Fault("/valid_until", "wrong_date", "must lie after valid_from")])
        if not house.registry.grant(agency, vct, since=since, until=body.valid_until, actor=actor, now=clock()):
            raise HTTPException(404)

    @router.delete("/agencies/{agency}/types/{licence_type_key}", status_code=204, response_class=Response)
    def withdraw_right(actor: Operator, agency: str, licence_type_key: str) -> None:
        """End an agency's right to sign a licence type, as of now."""
        if not house.registry.withdraw(agency, house.issuer.vct(licence_type_key), actor=actor, now=clock()):
            raise HTTPException(404)

    @router.post("/keys/rotate")
    def rotate(actor: Operator, body: RotateIn) -> Made:
        """Retire an owner's active key; the next one signs from now on."""
        return Made(key=house.vault.rotate(body.owner, body.purpose, actor=actor, now=clock()))

    @router.post("/keys/{kid}/compromise", status_code=204, response_class=Response)
    def compromise(actor: Operator, kid: str, body: CompromiseIn) -> None:
        """Mark a key as never to be believed again."""
        house.vault.compromise(kid, since=body.since, actor=actor, now=clock())

    return router
