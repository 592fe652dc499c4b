"""The invariants, held against the database as it stands: what `licence doctor --deep` examines.

I1 every signature has a ledger row · I2 one index, one licence · I3 an acknowledged change is in every list
published later · I4 lists only grow · I5 the audit chain verifies, one entry an act · I6 one idempotency key,
one result · I7 one event owed, one row. Each function yields a sentence for every breach; nothing is signed or mended
while looking.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from app.house import MAKES_A_LICENCE, House
from credentials import base64url, jws, status_list, strict_json
from credentials.errors import FormatError
from credentials.jwk import import_public
from credentials.status_list import Status, StatusList
from issuers import store as issuers_store
from issuers.lists import store as lists_store
from issuers.mass.mass_changes import MANY
from issuers.models import Agency, LicenceCopy, LicenceRow, LicenceState, StatusListRow
from keys.models import AccessToken, Authorisation, KeyPurpose, KeyState, SigningKey
from keys.trust_list import issuer_url
from records import store as records_store
from records.errors import AuditBrokenError
from records.models import AuditEntry, IdempotencyKey
from records.outbox.events import EVENTS
from records.outbox.models import OutboxEvent
from verifier.models import Verification
from wallet.models import HeldLicence, HolderRow

STATE_AFTER = {
    "licence.prepared": "prepared",
    "licence.signed": "valid",
    "licence.suspended": "suspended",
    "licence.reinstated": "valid",
    "licence.revoked": "revoked",
    "licence.burnt": "burnt",
}


def signatures(house: House, now: datetime) -> Iterator[str]:
    """I1: every licence and copy that was signed or is held has its row, and every row's signature verifies."""
    with house.database.moment() as session:
        rows = {row.licence_id: row for row in session.exec(select(LicenceRow))}
        copies = session.exec(select(LicenceCopy)).all()
        signed = session.exec(select(AuditEntry.subject).where(AuditEntry.act == "licence.signed")).all()
        copied = session.exec(select(AuditEntry.subject).where(AuditEntry.act == "licence.copied")).all()
        ours = col(HeldLicence.issuer).startswith(issuer_url(house.settings.base_url, ""))
        held = session.exec(select(HeldLicence.licence_id, HeldLicence.thumbprint).where(ours)).all()
        keys = {row.kid: row for row in session.exec(select(SigningKey))}
    known = {copy.thumbprint for copy in copies}
    for licence_id in sorted({*signed, *(one for one, key in held if key not in known)} - rows.keys()):
        yield f"{licence_id} was signed or is held, and the ledger does not know it"
    for copy_id in sorted({*copied} - {copy.copy_id for copy in copies}):
        yield f"copy {copy_id} was signed, and the ledger does not know it"
    for row in rows.values():
        if row.signature is None and row.state not in {LicenceState.PREPARED, LicenceState.BURNT}:
            yield f"{row.licence_id} is {row.state} and has no signature"
    signed_rows: dict[str, LicenceRow | LicenceCopy] = {**rows, **{f"copy {copy.copy_id}": copy for copy in copies}}
    for name, one in signed_rows.items():
        if one.signature is not None and not _verifies(one, keys):
            yield f"{name} has a signature that does not verify"
    del now


def _verifies(row: LicenceRow | LicenceCopy, keys: Mapping[str, SigningKey]) -> bool:
    """Whether the signature fits; a compromised key's do all the same, it is verifiers that refuse the key."""
    try:
        text = jws.assemble(row.signing_input.encode(), base64url.decode(row.signature or ""))
        jws.verify(jws.parse(text, jws.LICENCE), import_public(keys[row.kid].jwk))
    except (FormatError, KeyError):
        return False
    return True


def indices(house: House, _now: datetime) -> Iterator[str]:
    """I2: no index was given twice, none is a decoy's, and the index in the bytes to sign is the ledger's."""
    with house.database.moment() as session:
        rows: list[LicenceRow | LicenceCopy] = [*session.exec(select(LicenceRow)), *session.exec(select(LicenceCopy))]
        decoys = {(row.list_id, index) for row in issuers_store.lists(session) for index in row.decoys}
    given = Counter((row.status_list_id, row.status_index) for row in rows)
    for (list_id, index), count in given.items():
        if count > 1:
            yield f"{list_id} index {index} was given {count} times"
    for list_id, index in sorted(given.keys() & decoys):
        yield f"{list_id} index {index} was given, and is a decoy's"
    for row in rows:
        entry = {"idx": row.status_index, "uri": house.publisher.uri(row.status_list_id)}
        payload = strict_json.loads_object(base64url.decode(row.signing_input.split(".")[1]))
        if payload.get("status") != {"status_list": entry}:
            yield f"{row.licence_id} was signed with another status entry than the ledger's"


def lists(house: House, now: datetime) -> Iterator[str]:
    """I3 and I4: every stored list is signed, says what the ledger says, and never took a revocation back."""
    with house.database.moment() as session:
        for row in issuers_store.lists(session):
            if row.published_version > row.version:
                yield f"{row.list_id} was published ahead of its own changes"
            if not row.token:
                if row.published_version >= 0:
                    yield f"{row.list_id} lost its token"
                continue
            try:
                payload = _signed(session, row)
            except (FormatError, KeyError):
                yield f"{row.list_id} is not signed by its agency's key"
                continue
            published = status_list.unpack(payload["status_list"]["lst"], payload["status_list"]["bits"])
            yield from _contents(session, row, published, now)
            if len(published.data) * 8 // published.bits < row.size or payload["iat"] != row.issued_at:
                yield f"{row.list_id} shrank, or is not the one that was recorded"


def _signed(session: Session, row: StatusListRow) -> dict[str, Any]:
    token = jws.parse(row.token, jws.STATUS_LIST)
    key = session.get(SigningKey, row.kid)
    if key is None or (key.owner, key.purpose) != (row.agency, KeyPurpose.STATUS_LIST):
        raise KeyError(row.kid)
    return jws.verify(token, import_public(key.jwk)).payload()


def _contents(session: Session, row: StatusListRow, published: StatusList, now: datetime) -> Iterator[str]:
    owed = lists_store.listed_statuses(session, row.list_id, now)
    said = {index: status for index in range(row.size) if (status := published.read(index))}
    for index, status in said.items():
        if status == Status.REVOKED and owed.get(index) != Status.REVOKED:
            yield f"{row.list_id} index {index}: revoked in the published list, not in the ledger"
    if row.version == row.published_version:
        overdue = {one.status_index for one in issuers_store.overdue(session, row.list_id, now)}
        wrong = [one for one in owed.keys() | said.keys() if owed.get(one) != said.get(one)]
        if unsaid := set(wrong) - overdue:
            yield f"{row.list_id} does not say what was acknowledged of {len(unsaid)} licences, as index {min(unsaid)}"


def audited(house: House, _now: datetime) -> Iterator[str]:
    """I5: the chain verifies, and licences, keys, rights, tokens, holders and verifications each have their entry."""
    with house.database.moment() as session:
        yield from _log(house, session)
        entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.stream), col(AuditEntry.sequence))).all()
        yield from _licence_states(session, entries)
        told = {(one.act, one.subject) for one in entries}
        for act, subject in _acts(session):
            if (act, subject) not in told:
                yield f"{subject} is there and the audit does not tell of it ({act})"
        kept = set(session.exec(select(Verification.verification_id)))
        for one in entries:
            if one.act.startswith("verification.") and one.subject not in kept:
                yield f"verification {one.subject} was audited and is gone"
            if one.act == "trust.admitted":
                told |= {(vct, one.subject) for vct in strict_json.loads_object(one.detail.encode()).get("types", [])}
        for right in session.exec(select(Authorisation)):
            if (right.vct, right.agency) not in told:
                yield f"the right of {right.agency} to sign {right.vct} was given by nobody"


def _log(house: House, session: Session) -> Iterator[str]:
    """Every act is chained, the log is what they make, and no checkpoint that was signed says otherwise."""
    try:
        house.log.verify(session, [row.note for row in records_store.checkpoints(session)], [])
    except (AuditBrokenError, FormatError) as error:
        yield f"the chain breaks at {error}"


def _acts(session: Session) -> Iterator[tuple[str, str]]:
    """Yield the act and subject that the audit must tell of, for everything there is."""
    for key in session.exec(select(SigningKey)):
        if key.state == KeyState.COMPROMISED:
            yield "key.compromised", key.kid
    for token in session.exec(select(AccessToken)):
        yield "token.granted", token.token_id
        if token.revoked_at is not None:
            yield "token.revoked", token.token_id
    for agency in session.exec(select(Agency)):
        yield "agency.added", agency.key
    for holder in session.exec(select(HolderRow)):
        yield "holder.added", holder.holder_id
    for held in session.exec(select(HeldLicence.licence_id)):
        yield "licence.received", held
    for row in session.exec(select(Verification)):
        yield f"verification.{row.verdict}", row.verification_id


def _licence_states(session: Session, entries: Sequence[AuditEntry]) -> Iterator[str]:
    told: dict[str, str] = {}
    made: set[str] = set()
    for entry in entries:
        told[entry.subject] = STATE_AFTER.get(entry.act, told.get(entry.subject, ""))
        if entry.act in {"key.active", "key.next"}:
            made.add(entry.subject)
    for licence_id, state in session.exec(select(LicenceRow.licence_id, LicenceRow.state)):
        if told.get(licence_id) != state and not _superseded(session, licence_id, told):
            yield f"{licence_id} is {state}, the audit says {told.get(licence_id) or 'nothing'}"
    for kid in session.exec(select(SigningKey.kid)):
        if kid not in made:
            yield f"key {kid} was made by nobody"


def _superseded(session: Session, licence_id: str, told: Mapping[str, str]) -> bool:
    """Whether a later version was signed, and this one revoked for that."""
    row = session.get(LicenceRow, licence_id)
    query = select(LicenceRow.licence_id).where(LicenceRow.supersedes == licence_id)
    later = [told.get(one) for one in session.exec(query)]
    return (
        row is not None and row.cause == "superseded" and any(one not in {None, "prepared", "burnt"} for one in later)
    )


def idempotency(house: House, _now: datetime) -> Iterator[str]:
    """I6: every key of an agency names a licence of it, and every licence was made under exactly one key."""
    with house.database.moment() as session:
        owner = dict(session.exec(select(LicenceRow.licence_id, LicenceRow.agency)).all())
        callers = col(IdempotencyKey.caller)
        query = select(IdempotencyKey).where(callers.startswith("agency:") | callers.startswith("clerk:"))
        query = query.where(IdempotencyKey.operation != MANY)  # its result is a proposal, or how many changed
        query = query.where(~col(IdempotencyKey.operation).startswith("batch "))  # its result is a job
        keys = session.exec(query).all()
    for key in keys:
        agency = key.caller.partition(":")[2].split("/")[0]
        if owner.get(key.result.split()[0]) != agency:
            yield f"an idempotency key of {key.caller} names no licence of that agency: {key.result}"
    made = Counter(key.result for key in keys if key.operation.startswith(MAKES_A_LICENCE))
    for licence_id in owner:
        if made[licence_id] != 1:
            yield f"{licence_id} was made under {made[licence_id]} idempotency keys"


def owed(house: House, _now: datetime) -> Iterator[str]:
    """I7: every act that others are told of has its one event, and no event is of anything else."""
    with house.database.moment() as session:
        started = session.exec(select(OutboxEvent.at).order_by(col(OutboxEvent.at)).limit(1)).first()
        if started is None:
            return
        acts = select(AuditEntry.hash).where(col(AuditEntry.act).in_(EVENTS), AuditEntry.at > started)
        events = set(session.exec(select(OutboxEvent.event_id)).all())
        missing = set(session.exec(acts).all()) - events
        stray = events - set(session.exec(select(AuditEntry.hash)).all())
    yield from (f"nobody is told of the act {one}" for one in sorted(missing))
    yield from (f"the event {one} is of no act" for one in sorted(stray))
