"""What may be renewed: a valid licence, for its holder, from today on."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from credentials.claim_values import Fault
from credentials.licence_type import CITY_TIME, ClaimsRefusedError, LicenceType
from issuers import store
from issuers.errors import LicenceRevokedError, WrongStateError
from issuers.lists import store as lists_store
from issuers.models import SUPERSEDED, LicenceRow, LicenceState

LAST_VERSION = 999  # three digits (GB/T 36904)


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a renewal is held against: whom it is about (keyed digest), its first day, who asks, when."""

    subject: str
    first_day: date
    actor: str
    now: datetime


def check_renewable(old: LicenceRow, kind: LicenceType, renewal: Renewal) -> None:
    """Raise unless `old` may be renewed: renewing must not lift a suspension, nor move a licence to another person."""
    if old.state == LicenceState.REVOKED:
        raise LicenceRevokedError(old.cause)
    if old.state != LicenceState.VALID:
        raise WrongStateError("only a valid licence is renewed; reinstate a suspended one first")
    if old.type_key != kind.key:
        raise WrongStateError("a renewal is of the same licence type")
    if old.version >= LAST_VERSION:
        raise WrongStateError(f"there is no version after {LAST_VERSION}")
    if old.subject != renewal.subject:
        raise ClaimsRefusedError([Fault("/holder/code", "other_holder", "a renewal is for the same holder")])
    if renewal.first_day > renewal.now.astimezone(CITY_TIME).date():
        raise ClaimsRefusedError([Fault("/valid_from", "wrong_date", "a renewal begins today")])


def supersede(session: Session, old: LicenceRow, now: datetime) -> bool:
    """Put a renewed licence out of force; False if it is valid no more."""
    before, after = [LicenceState.VALID], LicenceState.REVOKED
    if not store.move(session, old, before=before, after=after, now=now, cause=SUPERSEDED):
        return False
    lists_store.note_states(session, [old.licence_id])
    return True
