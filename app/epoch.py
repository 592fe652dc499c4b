"""After a restore: what happened since the backup is lost here, and not out there. A new epoch of status lists begins.

1. The trust list that was published last says which keys were stolen since: they are not believed again.
2. Lists that were published since are verified with the keys in the restored database; what they say is revoked or
   suspended is so again. An index that no licence here is known to have goes on saying revoked, as a decoy of its list.
3. No list of the backup gives an index any more: each agency goes on with lists whose numbers were never used.
4. Access tokens end: which of them were taken back since, nobody here knows.
5. Every list is signed anew, later than any that was published.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from app import store
from app.house import House
from credentials import jws, status_list, x509
from credentials.errors import FormatError
from credentials.jwk import export_public, import_public
from credentials.status_list import Status, StatusListToken
from issuers import store as issuers_store
from issuers.errors import IssuerError
from issuers.lists import store as lists_store
from issuers.models import Agency, LicenceRow, LicenceState, ListKind, StatusListRow
from issuers.publishing import LIST_BITS, LIST_SIZE, burn
from keys import trust_list
from keys.errors import CustodyError
from keys.models import KeyPurpose, KeyState, SigningKey
from keys.vault import KID_LENGTH, STREAM
from records import audit

ACTOR = "restore"
JUMP = 1000  # list numbers left out at least; the minutes since 1970 leave out more, and grow with each restore
ALIVE = (LicenceState.VALID, LicenceState.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Later:
    """A status list that was published, verified with a key of the restored database."""

    agency: str
    kind: ListKind
    number: int
    token: StatusListToken
    text: str
    kid: str

    @property
    def list_id(self) -> str:
        """The list's name here."""
        return f"{self.agency}/{self.kind}{self.number}"

    @property
    def size(self) -> int:
        """How many entries it has."""
        return len(self.token.list.data) * 8 // self.token.list.bits

    @property
    def order(self) -> tuple[int, int]:
        """When it was published; of two in one second the version tells."""
        return self.token.issued_at, self.token.version


@dataclass(slots=True)
class Report:
    """What a restore brought back, and what is missing."""

    keys_stolen: list[str] = field(default_factory=list)
    agencies_unknown: list[str] = field(default_factory=list)
    lists_published_later: list[str] = field(default_factory=list)
    revoked_again: list[str] = field(default_factory=list)
    suspended_again: list[str] = field(default_factory=list)
    burnt: list[str] = field(default_factory=list)
    suspended_here_valid_there: list[str] = field(default_factory=list)
    indices_of_no_known_licence: dict[str, list[int]] = field(default_factory=dict)
    lists_opened: list[str] = field(default_factory=list)
    lists_not_signed: list[str] = field(default_factory=list)
    tokens_ended: int = 0
    passed_over: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it for a machine."""
        return asdict(self)


def begin(
    house: House, published: Sequence[tuple[str, str]], *, randomness: Callable[[int], bytes], now: datetime
) -> Report:
    """Begin the epoch, on a database that nothing serves; doing it again does no harm."""
    report = Report()
    lists = _believed(house, published, report, now)
    with house.database.write() as session:
        _bring_back(session, lists, report, now)
        _go_on(house, session, report, randomness, now)
        report.tokens_ended = store.end_tokens(session, now)
        store.raise_trust_version_to(session, _minutes(now))
        audit.record(
            session, stream=STREAM, actor=ACTOR, act="database.restored", subject=now.isoformat(), now=now,
            detail={"tokens_ended": report.tokens_ended, "lists_published_later": report.lists_published_later},
        )  # fmt: skip
    _publish(house, report, now)
    return report


# What is believed of what was published


def _believed(house: House, published: Sequence[tuple[str, str]], report: Report, now: datetime) -> list[Later]:
    """Return the status lists that verify; stolen keys first, so that none signed by a thief does."""
    lists: list[tuple[str, str]] = []
    for name, text in published:
        try:
            later = trust_list.read(text, house.registry.operator_keys())
        except CustodyError:
            lists.append((name, text))
            continue
        _stolen(house, later, report, now)
    believed: list[Later] = []
    with house.database.read() as session:
        for name, text in lists:
            try:
                believed.append(_verified(house, session, text))
            except (FormatError, LookupError, ValueError) as error:
                report.passed_over.append(f"{name}: {error}")
    return believed


def _stolen(house: House, later: trust_list.TrustList, report: Report, now: datetime) -> None:
    known = {row.kid: row for row in house.vault.key_rows()}
    for issuer in later.issuers.values():
        for kid, key in issuer.keys.items():
            if key.compromised and kid in known and known[kid].state != KeyState.COMPROMISED:
                since = datetime.fromtimestamp(key.compromised_from or later.issued_at, UTC)
                house.vault.compromise(kid, since=since, actor=ACTOR, now=now)
                report.keys_stolen.append(kid)
    with house.database.read() as session:
        here = {one.key for one in store.agencies(session)}
    gone = {one.agency for one in later.issuers.values()} - here
    report.agencies_unknown = sorted({*report.agencies_unknown, *gone})


def _verified(house: House, session: Session, text: str) -> Later:
    """Return a list whose signature verifies with a key that the database has for it; else raise why not."""
    unverified = jws.parse(text, jws.STATUS_LIST)
    kid = unverified.kid
    if kid is None:
        leaf = x509.parse_chain(unverified.header.get("x5c"))[0].public_key()
        kid = import_public(export_public(leaf)).thumbprint[:KID_LENGTH]  # type: ignore[arg-type]
    key = session.get(SigningKey, kid)
    if key is None or key.purpose != KeyPurpose.STATUS_LIST:
        raise LookupError("signed by a key that this backup does not know")
    if key.state == KeyState.COMPROMISED:
        raise LookupError("signed by a key that was stolen")
    token = status_list.read_token(jws.verify(unverified, import_public(key.jwk)), uri=None)
    at = re.fullmatch(r".*/status/([cx]?)([1-9][0-9]{0,8})", token.uri)
    if at is None or token.uri != house.publisher.uri(f"{key.owner}/{at[1]}{at[2]}"):
        raise LookupError("not one of this service's lists")
    later = Later(key.owner, ListKind(at[1]), int(at[2]), token, text, kid)
    row = session.get(StatusListRow, later.list_id)
    if token.list.bits != LIST_BITS or later.size < (row.size if row else 1):
        raise LookupError("not of the size of this service's lists")
    return later


# What they say, brought back


def _bring_back(session: Session, lists: Sequence[Later], report: Report, now: datetime) -> None:
    """Bring back what was published after the backup, and keep the last publication of each list."""
    newest: dict[str, Later] = {}
    later: dict[str, set[int]] = {}
    for one in sorted(lists, key=lambda one: one.order):
        row = session.get(StatusListRow, one.list_id)
        if row is not None and one.order <= (row.issued_at, row.published_version):
            continue
        newest[one.list_id] = one
        later.setdefault(one.list_id, set()).update(_said(one, Status.REVOKED))  # of all: what was revoked stays so
    report.lists_published_later = sorted(newest)
    for list_id, one in newest.items():
        row = session.get(StatusListRow, list_id)
        _bits(session, one, row, later[list_id], report, now)
        row = row or StatusListRow(
            list_id=list_id, agency=one.agency, kind=one.kind, number=one.number, size=one.size, bits=LIST_BITS,
            decoys=[],
        )  # fmt: skip
        row.decoys = sorted({*row.decoys, *report.indices_of_no_known_licence.get(list_id, [])})
        row.version = max(row.version, one.token.version) + 1
        row.published_version, row.issued_at = one.token.version, one.token.issued_at
        row.token, row.kid = one.text, one.kid
        session.add(row)
        session.flush()


def _bits(
    session: Session, one: Later, row: StatusListRow | None, revoked: set[int], report: Report, now: datetime
) -> None:
    licences, copies = store.places(session, one.list_id)
    suspended = _said(one, Status.SUSPENDED) - revoked
    unknown = (revoked | suspended) - licences.keys() - copies.keys() - set(row.decoys if row else ())
    if unknown:
        report.indices_of_no_known_licence[one.list_id] = sorted(unknown)
    for index in sorted((revoked | suspended) - unknown):
        after = LicenceState.REVOKED if index in revoked else LicenceState.SUSPENDED
        licence, copy = licences.get(index), copies.get(index)
        if copy is not None and copy.signature is None:
            copy.burnt = True
            report.burnt.append(f"copy {copy.copy_id}")
        elif copy is not None:  # a copy has its licence's state
            licence = session.get(LicenceRow, copy.licence_id)
        if licence is not None:
            _change(session, licence, after, one, report, now)
    report.suspended_here_valid_there += [
        licence.licence_id
        for index, licence in licences.items()
        if licence.state == LicenceState.SUSPENDED and index not in revoked | suspended
    ]


def _change(
    session: Session, licence: LicenceRow, after: LicenceState, one: Later, report: Report, now: datetime
) -> None:
    """Do to a licence what was done to it after the backup; one that had been prepared by then is burnt."""
    session.refresh(licence)
    if licence.state == LicenceState.PREPARED:
        burn(session, licence, before=LicenceState.PREPARED, actor=ACTOR, now=now)
        report.burnt.append(licence.licence_id)
        return
    before = ALIVE if after == LicenceState.REVOKED else ALIVE[:1]
    if not issuers_store.move(session, licence, before=before, after=after, now=now, cause=None):
        return
    lists_store.note_states(session, [licence.licence_id])
    audit.record(
        session, stream=f"issuers/{licence.agency}", actor=ACTOR, act=f"licence.{after}", subject=licence.licence_id,
        now=now, detail={"cause": None, "published": one.list_id},
    )  # fmt: skip
    (report.revoked_again if after == LicenceState.REVOKED else report.suspended_again).append(licence.licence_id)


def _said(one: Later, status: Status) -> set[int]:
    """Return the indices of which a list says this; most of a list is bytes of nothing."""
    per_byte = 8 // one.token.list.bits
    return {
        index
        for at, byte in enumerate(one.token.list.data)
        if byte
        for index in range(at * per_byte, (at + 1) * per_byte)
        if one.token.list.read(index) == status
    }


# Going on


def _go_on(house: House, session: Session, report: Report, randomness: Callable[[int], bytes], now: datetime) -> None:
    """Open for every agency and kind the list that takes what it signs next, under a number that was never used."""
    for agency in store.agencies(session):
        for kind in ListKind:
            row = _opened(house, session, agency, kind, randomness, now)
            report.lists_opened.append(row.list_id)


def _opened(
    house: House, session: Session, agency: Agency, kind: ListKind, randomness: Callable[[int], bytes], now: datetime
) -> StatusListRow:
    newest = issuers_store.newest_list(session, agency.key, kind)  # those that were published later are here again
    number = max(_minutes(now), (newest.number if newest else 0) + JUMP)
    before = StatusListRow(
        list_id="", agency=agency.key, kind=kind, number=number - 1, size=LIST_SIZE, bits=LIST_BITS, decoys=[]
    )
    return house.publisher.open_list(session, agency.key, kind, after=before, randomness=randomness)


def _minutes(now: datetime) -> int:
    """Return the minutes since 1970: greater at each restore, and than any number that counts lists."""
    return int(now.timestamp()) // 60


def _publish(house: House, report: Report, now: datetime) -> None:
    """Sign every list that was ever published later than it was."""
    with house.database.read() as session:
        rows = [row for row in issuers_store.lists(session) if row.published_version >= 0]
    for row in rows:
        later = max(now, datetime.fromtimestamp(row.issued_at + 1, UTC))
        try:
            house.publisher.publish(row.list_id, now=later)
        except (CustodyError, IssuerError) as error:
            report.lists_not_signed.append(f"{row.list_id}: {error.code}")
