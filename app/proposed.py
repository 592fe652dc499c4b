"""What is done only when two people agree, and how: stolen keys, and whom the trust list names for what."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.admin_schemas import AgencyIn, Made
from app.house import House
from issuers.agencies import NewAgency
from keys.access import Role
from keys.errors import ScopeRefusedError, UnknownKeyError, UnknownRightError
from keys.four_eyes import person_of
from keys.models import KeyPurpose, Proposal

COMPROMISE, REGISTER, TOKEN = "key.compromise", "key.register", "token.grant"
ADMIT, GIVE, WITHDRAW = "agency.admit", "right.give", "right.withdraw"
Do = Callable[[House, Mapping[str, Any], str, datetime], Made | None]


def ask(house: House, kind: str, content: Mapping[str, Any], *, actor: str, now: datetime) -> Proposal | None:
    """Do an act at once and return None; where two must agree, return the proposal that somebody else approves."""
    if house.settings.two_must_agree:
        person_of(actor)
        if kind in _THERE:
            _THERE[kind](house, content, now)
        return house.four_eyes.propose(kind, content, actor=actor, now=now)
    act(house, kind, content, actor=actor, now=now)
    return None


def act(house: House, kind: str, content: Mapping[str, Any], *, actor: str, now: datetime) -> Made | None:
    """Do what was asked or proposed; raises what the act itself raises. Returns what is told once, if anything."""
    return _ACTS[kind](house, content, actor, now)


def finish(house: House, *, now: datetime) -> int:
    """Do what was approved before a crash came. A token is not: its secret would be told to nobody."""

    def again(kind: str, content: Mapping[str, Any]) -> None:
        if kind == TOKEN:
            raise ScopeRefusedError("approve it again: its secret was told to nobody")
        act(house, kind, content, actor="four eyes", now=now)

    return house.four_eyes.finish(again, now=now)


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


def _key_is_there(house: House, content: Mapping[str, Any], _now: datetime) -> None:
    if content["kid"] not in {row.kid for row in house.vault.key_rows()}:
        raise UnknownKeyError


def _agency_is_there(house: House, content: Mapping[str, Any], _now: datetime) -> None:
    house.issuer.agency(content["agency"])


def _right_is_there(house: House, content: Mapping[str, Any], now: datetime) -> None:
    if not house.registry.has_right(content["agency"], house.issuer.vct(content["licence_type"]), now=now):
        raise UnknownRightError


_THERE: Mapping[str, Callable[[House, Mapping[str, Any], datetime], None]] = {
    COMPROMISE: _key_is_there, GIVE: _agency_is_there, WITHDRAW: _right_is_there,
}  # fmt: skip
"""What must be there when an act is proposed, or its second person would meet that it is not."""


def _token(house: House, content: Mapping[str, Any], actor: str, now: datetime) -> Made:
    house.must_exist(Role(content["role"]), content["subject"])
    secret = house.access.grant(
        Role(content["role"]), content["subject"], scopes=content["scopes"], person=content["person"],
        life=timedelta(days=content["life_days"]), actor=actor, now=now,
    )  # fmt: skip
    return Made(key=house.access.caller(secret, now=now).token_id, secret=secret)


_ACTS: Mapping[str, Do] = {
    TOKEN: _token,
    COMPROMISE: _compromise,
    REGISTER: _register,
    ADMIT: _admit,
    GIVE: _give,
    WITHDRAW: _withdraw,
}
