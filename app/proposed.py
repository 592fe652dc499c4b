"""What is done only when two people agree, and how: stolen keys, and whom the trust list names for what."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from app.admin_schemas import AgencyIn
from app.house import House
from issuers.agencies import NewAgency
from keys.errors import UnknownRightError
from keys.models import KeyPurpose, Proposal

COMPROMISE, REGISTER = "key.compromise", "key.register"
ADMIT, GIVE, WITHDRAW = "agency.admit", "right.give", "right.withdraw"
Do = Callable[[House, Mapping[str, Any], str, datetime], None]


def ask(house: House, kind: str, content: Mapping[str, Any], *, actor: str, now: datetime) -> Proposal | None:
    """Do an act at once and return None; where two must agree, return the proposal that somebody else approves."""
    if house.settings.two_must_agree:
        return house.four_eyes.propose(kind, content, actor=actor, now=now)
    act(house, kind, content, actor=actor, now=now)
    return None


def act(house: House, kind: str, content: Mapping[str, Any], *, actor: str, now: datetime) -> None:
    """Do what was asked or proposed; raises what the act itself raises."""
    _ACTS[kind](house, content, actor, now)


def new_agency(body: AgencyIn) -> NewAgency:
    """Return an agency to take in as the room wants it."""
    return NewAgency(**{**body.model_dump(), "name": body.name.model_dump()})


def _compromise(house: House, content: Mapping[str, Any], actor: str, now: datetime) -> None:
    house.vault.compromise(content["kid"], since=datetime.fromisoformat(content["since"]), actor=actor, now=now)


def _register(house: House, content: Mapping[str, Any], actor: str, now: datetime) -> None:
    house.issuer.agency(content["owner"])
    house.vault.register(content["owner"], KeyPurpose.LICENCE, content["jwk"], actor=actor, now=now)


def _admit(house: House, content: Mapping[str, Any], actor: str, now: datetime) -> None:
    house.agencies.add(new_agency(AgencyIn.model_validate(content)), actor=actor, now=now)


def _give(house: House, content: Mapping[str, Any], actor: str, now: datetime) -> None:
    since, until = (datetime.fromisoformat(content[one]) if content[one] else None for one in ("since", "until"))
    vct = house.issuer.vct(content["licence_type"])
    if not house.registry.grant(content["agency"], vct, since=since or now, until=until, actor=actor, now=now):
        raise UnknownRightError


def _withdraw(house: House, content: Mapping[str, Any], actor: str, now: datetime) -> None:
    if not house.registry.withdraw(content["agency"], house.issuer.vct(content["licence_type"]), actor=actor, now=now):
        raise UnknownRightError


_ACTS: Mapping[str, Do] = {
    COMPROMISE: _compromise,
    REGISTER: _register,
    ADMIT: _admit,
    GIVE: _give,
    WITHDRAW: _withdraw,
}
