"""`licence doctor`: can the service do its work, and with `--deep`, do the invariants hold?

I1 every signature has a ledger row · I2 one index, one licence · I3 an acknowledged change is in every list
published later · I4 lists only grow · I5 the audit chain verifies · I6 one idempotency key, one result.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from app import migrations
from app.house import House
from credentials import base64url, jws, status_list
from credentials.errors import FormatError
from credentials.jwk import import_public
from issuers import store as issuers_store
from issuers.errors import IssuerError
from issuers.models import LicenceRow, LicenceState
from keys.errors import CustodyError
from keys.models import KeyState, SigningKey
from records import audit
from records.errors import AuditBrokenError
from records.models import AuditEntry, IdempotencyKey
from verifier.errors import RefusalError

Finding = tuple[str, str]
"""What was checked, and what is wrong; an empty text is good news."""


def examine(house: House, *, deep: bool, now: datetime) -> list[Finding]:
    """Return every check and its finding."""
    checks: list[tuple[str, Callable[[House, datetime], Iterator[str]]]] = [
        ("database answers", _database),
        ("schema fits this version", _schema),
        ("keys open with this key-encryption key", _keys),
        ("trust list is signed", _trust),
        ("nothing waits for delivery", _delivery),
    ]
    if deep:
        checks += [
            ("I1 signatures and ledger rows", _signatures),
            ("I2 status indices", _indices),
            ("I3 and I4 status lists", _lists),
            ("I5 audit chain", _audit),
            ("I6 idempotency keys", _idempotency),
        ]
    findings: list[Finding] = []
    for name, check in checks:
        try:
            wrong = list(check(house, now))
        except SQLAlchemyError as error:
            wrong = [f"the database refuses ({type(error).__name__}): see LICENCE_DATABASE_URL"]
        except (FormatError, CustodyError, IssuerError, RefusalError, KeyError) as error:
            wrong = [f"cannot be examined: {type(error).__name__} {error}"]
        findings += [(name, sentence) for sentence in wrong] or [(name, "")]
    return findings


def _database(house: House, _now: datetime) -> Iterator[str]:
    house.database.ping()
    return iter(())


def _schema(house: House, _now: datetime) -> Iterator[str]:
    if not migrations.is_current(house.database.engine):
        yield "older: run `licence migrate`; newer: run the newer release"


def _keys(house: House, _now: datetime) -> Iterator[str]:
    for row in house.vault.key_rows():
        if row.state != KeyState.COMPROMISED:
            try:
                house.vault.by_kid(row.kid)
            except CustodyError as error:
                yield f"{row.kid} of {row.owner}: {error.code}"


def _trust(house: House, now: datetime) -> Iterator[str]:
    try:
        house.registry.token(now=now)
    except CustodyError as error:
        yield error.code


def _delivery(house: House, _now: datetime) -> Iterator[str]:
    with house.database.read() as session:
        waiting = len(issuers_store.undelivered(session))
    if waiting:
        yield f"{waiting} signed licences have not reached their wallets; restart the service to deliver them"


def _signatures(house: House, now: datetime) -> Iterator[str]:
    with house.database.read() as session:
        for row in session.exec(select(LicenceRow)):
            signed = row.signature is not None
            if row.state == LicenceState.PREPARED and now < row.prepared_until:
                continue
            if not signed and row.state not in {LicenceState.PREPARED, LicenceState.BURNT}:
                yield f"{row.licence_id} is {row.state} and has no signature"
            if signed and not _verifies(house, row):
                yield f"{row.licence_id} has a signature that does not verify"


def _verifies(house: House, row: LicenceRow) -> bool:
    try:
        with house.database.read() as session:
            kept = session.get(SigningKey, row.kid)
        if kept is None:
            return False
        key = import_public(kept.jwk)  # a compromised key's signatures verify all the same; verifiers refuse the key
        text = jws.assemble(row.signing_input.encode(), base64url.decode(row.signature or ""))
        jws.verify(jws.parse(text, jws.LICENCE), key)
    except (FormatError, CustodyError):
        return False
    return True


def _indices(house: House, _now: datetime) -> Iterator[str]:
    with house.database.read() as session:
        given = Counter(session.exec(select(LicenceRow.status_list_id, LicenceRow.status_index)))
    for (list_id, index), count in given.items():
        if count > 1:
            yield f"{list_id} index {index} was given {count} times"


def _lists(house: House, now: datetime) -> Iterator[str]:
    """Examine the lists as they are stored; nothing is signed anew before it was looked at."""
    with house.database.read() as session:
        for row in issuers_store.lists(session):
            if not row.token:
                continue
            payload = jws.parse(row.token, jws.STATUS_LIST).unverified_payload()
            published = status_list.unpack(payload["status_list"]["lst"], payload["status_list"]["bits"])
            owed = issuers_store.listed_statuses(session, row.list_id, now)
            said = {index: status for index in range(row.size) if (status := published.read(index))}
            if returned := [index for index, status in said.items() if status == 1 and owed.get(index) != 1]:
                yield f"{row.list_id} index {returned[0]}: revoked in the published list, not in the ledger"
            if row.version == row.published_version and set(owed) - set(said):
                overdue = {one.status_index for one in issuers_store.overdue(session, row.list_id, now)}
                if lacking := set(owed) - set(said) - overdue:
                    yield f"{row.list_id} lacks {len(lacking)} changes that were acknowledged"
            if len(published.data) * 8 // published.bits < row.size or payload["iat"] != row.issued_at:
                yield f"{row.list_id} shrank, or is not the one that was recorded"


def _audit(house: House, _now: datetime) -> Iterator[str]:
    with house.database.read() as session:
        try:
            audit.verify(session)
        except AuditBrokenError as error:
            yield f"the chain breaks at {error}"
        told: dict[str, str] = {}
        for act, subject in session.exec(select(AuditEntry.act, AuditEntry.subject).order_by(*_IN_ORDER)):
            told[subject] = STATE_AFTER.get(act, told.get(subject, ""))
        for licence_id, state in session.exec(select(LicenceRow.licence_id, LicenceRow.state)):
            if told.get(licence_id) != state and not _superseded(session, licence_id, told):
                yield f"{licence_id} is {state}, the audit says {told.get(licence_id) or 'nothing'}"


_IN_ORDER = (col(AuditEntry.stream), col(AuditEntry.sequence))
STATE_AFTER = {
    "licence.prepared": "prepared",
    "licence.signed": "valid",
    "licence.suspended": "suspended",
    "licence.reinstated": "valid",
    "licence.revoked": "revoked",
    "licence.burnt": "burnt",
}


def _superseded(session: Session, licence_id: str, told: dict[str, str]) -> bool:
    """Whether a later version was signed, and this one revoked for that."""
    row = session.get(LicenceRow, licence_id)
    query = select(LicenceRow.licence_id).where(LicenceRow.supersedes == licence_id)
    later = [told.get(one) for one in session.exec(query)]
    return (
        row is not None and row.cause == "superseded" and any(one not in {None, "prepared", "burnt"} for one in later)
    )


def _idempotency(house: House, _now: datetime) -> Iterator[str]:
    with house.database.read() as session:
        known = set(session.exec(select(LicenceRow.licence_id)).all())
        query = select(IdempotencyKey.result).where(col(IdempotencyKey.caller).startswith("agency:"))
        lost = [result for result in session.exec(query) if result not in known]
    if lost:
        yield f"{len(lost)} idempotency keys name no licence"
