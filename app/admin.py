"""HTTP routes of the operator: take in agencies and counters, give and take tokens, rotate keys."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app import proposed
from app.admin_schemas import (
    SLUG,
    AgencyIn,
    ApprovedOut,
    ClientIn,
    ClientMade,
    ClientOut,
    Clients,
    CompromiseIn,
    CounterIn,
    EnrolmentCodeOut,
    HolderIn,
    KeyIn,
    Made,
    RightIn,
    RotateIn,
    TokenIn,
    TokenOut,
    TokensOut,
)
from app.house import House
from credentials import licence_type
from credentials.claim_values import Fault, FaultsError
from credentials.jwk import import_public
from credentials.licence_type import ClaimsRefusedError, Holder
from issuers.errors import UnknownTypeError
from keys.access import SCOPES, Caller, Role
from keys.auth import Clock
from keys.errors import SecondSelfError
from keys.models import KeyPurpose, OAuthClient, Proposal
from keys.oauth.clients import CODE_LIFE
from keys.passkeys.schemas import PasskeyOut, PasskeysOut
from keys.schemas import ApproveIn, ProposalOut, Proposals, proposal_out

TWO: dict[int | str, dict[str, Any]] = {
    202: {"model": ProposalOut, "description": "Two must agree: it waits for somebody else's approval."}
}


def routes(  # noqa: C901, PLR0915 - a list of routes, one after another, with nothing to decide
    house: House, *, caller_of: Callable[..., Caller], clock: Clock
) -> APIRouter:
    """Return the operator's routes."""

    def operator(caller: Annotated[Caller, Depends(caller_of)]) -> str:
        return caller.name

    router = APIRouter(prefix="/admin", tags=["operator"])
    Operator = Annotated[str, Depends(operator)]  # noqa: N806 - a type

    @router.post("/agencies", status_code=201, response_model=Made, responses=TWO)
    def add_agency(actor: Operator, body: AgencyIn) -> Made | Response:
        """Take an agency in: ledger, keys, and the types it may sign. Where two must agree, propose it (202)."""
        house.agencies.check(proposed.new_agency(body), now=clock())
        asked = proposed.ask(house, proposed.ADMIT, body.model_dump(mode="json"), actor=actor, now=clock())
        return Made(key=body.key) if asked is None else _waiting(asked)

    @router.post("/counters", status_code=201)
    def add_counter(actor: Operator, body: CounterIn) -> Made:
        """Enrol a counter of an agency of the catalogue or of one that was taken in."""
        house.must_be_an_agency(body.agency)
        if body.opened_types is not None and not set(body.opened_types) <= house.types.keys():
            raise UnknownTypeError
        row = house.counters.add(
            body.key,
            agency=body.agency,
            name=body.name.model_dump(),
            channel=body.channel,
            opened_types=body.opened_types,
            actor=actor,
            now=clock(),
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

    @router.post("/keys", status_code=201, response_model=Made, responses=TWO)
    def register_key(actor: Operator, body: KeyIn) -> Made | Response:
        """Take in the next public key of an agency that keeps its own. Where two must agree, propose it (202)."""
        house.issuer.agency(body.owner)
        kid = house.vault.kept_key(body.owner, KeyPurpose.LICENCE, body.jwk, now=clock()).kid
        asked = proposed.ask(house, proposed.REGISTER, body.model_dump(mode="json"), actor=actor, now=clock())
        return Made(key=kid) if asked is None else _waiting(asked)

    @router.post("/holders", status_code=201)
    def add_holder(actor: Operator, body: HolderIn) -> Made:
        """Make a wallet for a person or company; the same code again gives the same wallet."""
        holder = Holder(body.code_type, body.code, body.name)
        if faults := licence_type.check_identity(holder, ""):
            raise ClaimsRefusedError(faults)
        return Made(key=house.accounts.must_be(holder, actor=actor, now=clock()))

    if house.settings.demo:

        @router.post("/holders/{holder_id}/sign-in-link", status_code=201)
        def sign_in_link(actor: Operator, holder_id: str) -> Made:
            """Make a one-time sign-in link for a holder (demonstration only)."""
            return Made(key=holder_id, secret=house.accounts.sign_in_link(holder_id, actor=actor, now=clock()))

    _add_clients(router, house, Operator, clock)
    _add_passkeys(router, house, Operator, clock)

    @router.get("/tokens")
    def tokens(
        _actor: Operator,
        role: Annotated[Literal["agency", "clerk", "counter", "operator", "auditor", "support"], Query()],
        subject: Annotated[str, Query(pattern=SLUG)],
    ) -> TokensOut:
        """List the access tokens and sessions of an agency, counter or office that still open, newest first."""
        rows = house.access.sessions(Role(role), subject, now=clock())
        return TokensOut(items=[TokenOut(**row.model_dump(include=set(TokenOut.model_fields))) for row in rows[:200]])

    @router.post("/tokens", status_code=201, response_model=Made, responses=TWO)
    def grant(actor: Operator, body: TokenIn) -> Made | Response:
        """Give an access token; the secret is told this once. Where two must agree, a clerk's is proposed (202)."""
        if body.role == Role.OPERATOR and house.settings.two_must_agree:
            raise SecondSelfError
        house.must_exist(Role(body.role), body.subject)
        _check_scopes(Role(body.role), body.scopes)
        content = body.model_dump(mode="json")
        if body.role == Role.CLERK and house.settings.two_must_agree:  # or one operator could be two clerks
            return _waiting(house.four_eyes.propose(proposed.TOKEN, content, actor=actor, now=clock()))
        return proposed.act(house, proposed.TOKEN, content, actor=actor, now=clock()) or Made(key="")

    @router.delete("/tokens/{token_id}", status_code=204, response_class=Response)
    def revoke_token(actor: Operator, token_id: str) -> None:
        """Take an access token back, and the passkeys registered with it; its next call is refused."""
        if not house.access.revoke(token_id, actor=actor, now=clock()):
            raise HTTPException(404)

    @router.put("/agencies/{agency}/types/{licence_type_key}", status_code=204, response_model=None, responses=TWO)
    def give_right(actor: Operator, agency: str, licence_type_key: str, body: RightIn) -> Response | None:
        """Let an agency sign a licence type, from when to when. Where two must agree, propose it (202)."""
        if licence_type_key not in house.types:
            raise UnknownTypeError
        if body.valid_until is not None and body.valid_until <= (body.valid_from or clock()):
            raise FaultsError([Fault("/valid_until", "wrong_date", "must lie after valid_from")])
        dates = {"since": body.valid_from, "until": body.valid_until}
        content = {name: at.isoformat() if at else None for name, at in dates.items()}
        content |= {"agency": agency, "licence_type": licence_type_key}
        asked = proposed.ask(house, proposed.GIVE, content, actor=actor, now=clock())
        return None if asked is None else _waiting(asked)

    @router.delete("/agencies/{agency}/types/{licence_type_key}", status_code=204, response_model=None, responses=TWO)
    def withdraw_right(actor: Operator, agency: str, licence_type_key: str) -> Response | None:
        """End an agency's right to sign a licence type, as of now. Where two must agree, propose it (202)."""
        content = {"agency": agency, "licence_type": licence_type_key}
        asked = proposed.ask(house, proposed.WITHDRAW, content, actor=actor, now=clock())
        return None if asked is None else _waiting(asked)

    @router.post("/keys/rotate")
    def rotate(actor: Operator, body: RotateIn) -> Made:
        """Retire an owner's active key; the next one signs. With `retires`, once, however often it is sent."""
        return Made(key=house.vault.rotate(body.owner, body.purpose, actor=actor, now=clock(), retires=body.retires))

    @router.post("/keys/{kid}/compromise", status_code=204, response_model=None, responses=TWO)
    def compromise(actor: Operator, kid: str, body: CompromiseIn) -> Response | None:
        """Say that a key was stolen: believed is what the log held before. Where two must agree, propose it (202)."""
        content = {"kid": kid, "since": body.since.isoformat()}
        asked = proposed.ask(house, proposed.COMPROMISE, content, actor=actor, now=clock())
        return None if asked is None else _waiting(asked)

    _add_proposals(router, house, Operator, clock)
    return router


def _add_proposals(router: APIRouter, house: House, operator: Any, clock: Clock) -> None:
    """Add what concerns acts that two must agree on."""

    @router.get("/proposals")
    def proposals(_actor: operator) -> Proposals:
        """List what was proposed, the newest first, with all its content."""
        return Proposals(items=[proposal_out(row, clock()) for row in house.four_eyes.proposals()])

    @router.post("/proposals/{proposal_id}/approve")
    def approve(actor: operator, proposal_id: str, body: ApproveIn) -> ApprovedOut:
        """Approve what somebody else proposed, and do it; `content_hash` is of what was looked at.

        A token's secret is told to whoever approves it, this once.
        """

        made: list[Made | None] = []

        def act(kind: str, content: Mapping[str, Any]) -> None:
            made.append(proposed.act(house, kind, content, actor=actor, now=clock()))

        row = house.four_eyes.approve(proposal_id, body.content_hash, act, actor=actor, now=clock())
        return ApprovedOut(**proposal_out(row, clock()).model_dump(), made=made[0])

    @router.post("/proposals/{proposal_id}/decline")
    def decline(actor: operator, proposal_id: str) -> ProposalOut:
        """Decline a proposal."""
        return proposal_out(house.four_eyes.decline(proposal_id, actor=actor, now=clock()), clock())


def _add_passkeys(router: APIRouter, house: House, operator: Any, clock: Clock) -> None:
    """Add what the operator sees and ends of people's passkeys."""

    @router.get("/passkeys")
    def passkeys(
        _actor: operator,
        role: Annotated[Literal["clerk", "operator", "auditor", "support", "holder"], Query()],
        subject: Annotated[str, Query(max_length=64)],
    ) -> PasskeysOut:
        """List the passkeys of everybody of an agency or office, or of a holder."""
        return PasskeysOut(items=[PasskeyOut.of(row) for row in house.passkeys.of_office(Role(role), subject)])

    @router.delete("/passkeys/{passkey_id}", status_code=204, response_class=Response)
    def take_passkey(actor: operator, passkey_id: str) -> None:
        """Take a passkey away, and close what it opened: its owner left, or lost it."""
        house.passkeys.take_away(passkey_id, actor=actor, now=clock())


def _waiting(row: Proposal) -> Response:
    return JSONResponse(proposal_out(row, row.proposed_at).model_dump(mode="json"), 202)


def _add_clients(router: APIRouter, house: House, operator: Any, clock: Clock) -> None:
    """Add what concerns systems and devices that get their own tokens."""

    @router.post("/clients", status_code=201)
    def add_client(actor: operator, body: ClientIn) -> ClientMade:
        """Take in a system of an agency or verifier: it gets its own tokens by `private_key_jwt` (RFC 7523)."""
        role = Role(body.role)
        house.must_exist(role, body.subject)
        _check_scopes(role, body.scopes)
        made = house.clients.register(
            role, body.subject, name=body.name, scopes=body.scopes, jwk=body.jwk, dpop=body.dpop, actor=actor,
            now=clock(),
        )  # fmt: skip
        return ClientMade(client_id=made.client_id, secret=made.secret)

    @router.get("/clients")
    def clients(
        _actor: operator,
        role: Annotated[Literal["agency", "counter"], Query()],
        subject: Annotated[str, Query(pattern=SLUG)],
    ) -> Clients:
        """List the systems and devices of an agency or counter."""
        return Clients(items=[_client_out(row) for row in house.clients.of(Role(role), subject)])

    @router.post("/clients/{client_id}/suspend", status_code=204, response_class=Response)
    def suspend_client(actor: operator, client_id: str) -> None:
        """Stop a system or a lost device; its next call is refused."""
        house.clients.suspend(client_id, suspended=True, actor=actor, now=clock())

    @router.post("/clients/{client_id}/resume", status_code=204, response_class=Response)
    def resume_client(actor: operator, client_id: str) -> None:
        """Let a suspended system or device in again."""
        house.clients.suspend(client_id, suspended=False, actor=actor, now=clock())

    @router.post("/counters/{counter}/enrolment-codes", status_code=201)
    def enrolment_code(actor: operator, counter: str) -> EnrolmentCodeOut:
        """Make a code with which one device becomes this counter's: once, within ten minutes."""
        house.counters.get(counter)
        code = house.clients.enrolment_code(counter, actor=actor, now=clock())
        return EnrolmentCodeOut(code=code, expires_in_seconds=int(CODE_LIFE.total_seconds()))


def _check_scopes(role: Role, scopes: Sequence[str]) -> None:
    if unknown := [place for place, one in enumerate(scopes) if one not in SCOPES[role]]:
        allowed = f"one of: {', '.join(sorted(SCOPES[role]))}"
        raise FaultsError([Fault(f"/scopes/{place}", "unknown_scope", allowed) for place in unknown])


def _client_out(row: OAuthClient) -> ClientOut:
    return ClientOut(
        client_id=row.client_id, name=row.name, scopes=row.scopes.split(), dpop=row.dpop, created_at=row.created_at,
        suspended_at=row.suspended_at, key_thumbprint=import_public(row.jwk).thumbprint if row.jwk else None,
    )  # fmt: skip
