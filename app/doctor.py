"""`licence doctor`: can the service do its work, and with `--deep`, do the invariants hold?

I1 every signature has a ledger row · I2 one index, one licence · I3 an acknowledged change is in every list
published later · I4 lists only grow · I5 the audit chain verifies · I6 one idempotency key, one result.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from app import migrations
from app.house import House
from credentials import base64url, jws
from credentials.errors import FormatError
from issuers import store as issuers_store
from issuers.models import LicenceRow, LicenceState
from keys.errors import CustodyError
from keys.models import KeyState
from keys.trust_list import issuer_url
from records import audit
from records.errors import AuditBrokenError
from records.models import AuditEntry, IdempotencyKey
from verifier.checking import read_status_list

Finding = tuple[str, str]
"""What was checked, and what is wrong; an empty text is good news."""


def examine(house: House, *, deep: bool, now: datetime) -> list[Finding]:
    """Return every check and its finding."""
    checks: list[tuple[str, Callable[[House, datetime], Iterator[str]]]] = [
        ("database answers", _database),
        ("schema is of this version", _schema),
        ("keys open", _keys),
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
            wrong = [f"the database refuses: {type(error).__name__}"]
        findings += [(name, sentence) for sentence in wrong] or [(name, "")]
    return findings


def _database(house: House, _now: datetime) -> Iterator[str]:
    house.database.ping()
    return iter(())


def _schema(house: House, _now: datetime) -> Iterator[str]:
    if not migrations.is_current(house.database.engine):
        yield "run `licence migrate`"


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
        key, _ = house.vault.by_kid(row.kid)
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
    trust = house.verifier.trust(now)
    with house.database.read() as session:
        rows = [(row.list_id, row.agency, row.issued_at) for row in issuers_store.lists(session)]
    for list_id, agency, issued_at in rows:
        token = house.publisher.token(list_id, now=now)
        issuer = trust.issuers[issuer_url(house.settings.base_url, agency)]
        published = read_status_list(token, house.publisher.uri(list_id), issuer)
        with house.database.read() as session:
            owed = issuers_store.listed_statuses(session, list_id, now)
        wrong = [index for index, status in owed.items() if published.list.read(index) != status]
        if wrong:
            yield f"{list_id} lacks {len(wrong)} changes"
        if published.issued_at < issued_at:
            yield f"{list_id} went back in time"


def _audit(house: House, _now: datetime) -> Iterator[str]:
    with house.database.read() as session:
        try:
            audit.verify(session)
        except AuditBrokenError as error:
            yield f"the chain breaks at {error}"
        told = session.exec(select(AuditEntry.subject).where(AuditEntry.act == "licence.prepared")).all()
        rows = session.exec(select(LicenceRow.licence_id)).all()
    if unaudited := set(rows) - set(told):
        yield f"{len(unaudited)} licences have no audit entry"


def _idempotency(house: House, _now: datetime) -> Iterator[str]:
    with house.database.read() as session:
        known = set(session.exec(select(LicenceRow.licence_id)).all())
        query = select(IdempotencyKey.result).where(col(IdempotencyKey.caller).startswith("agency:"))
        lost = [result for result in session.exec(query) if result not in known]
    if lost:
        yield f"{len(lost)} idempotency keys name no licence"
