"""The invariants, held against the database as it stands: what `licence doctor --deep` examines.

I1 every signature has a ledger row · I2 one index, one licence · I3 an acknowledged change is in every list
published later · I4 lists only grow · I5 the audit chain verifies, one entry an act · I6 one idempotency key,
one result · I7 one event owed, one row. Each function yields a sentence for every breach; nothing is signed or mended
while looking, and no more is in memory than a page of rows and one status list.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from app.house import MAKES_A_LICENCE, House
from app.invariants import store
from credentials import base64url, jws, status_list, strict_json
from credentials.errors import FormatError
from credentials.jwk import PublicKey, import_public
from credentials.status_list import Status, StatusList
from issuers.batch.batches import OPERATION as BATCH
from issuers.lists import store as lists_store
from issuers.mass.mass_changes import MANY
from issuers.models import StatusListRow
from issuers.openid4vci.offers import DENY
from keys.models import KeyPurpose, SigningKey
from keys.trust_list import issuer_url
from records import store as records_store
from records.errors import AuditBrokenError


def signatures(house: House, _now: datetime) -> Iterator[str]:
    """I1: every licence and copy that was signed or is held has its row, and every row's signature verifies."""
    with house.database.moment() as session:
        for name in store.not_in_the_ledger(session, issuer_url(house.settings.base_url, "")):
            yield f"{name} was signed or is held, and the ledger does not know it"
        for name in store.copies_not_in_the_ledger(session):
            yield f"copy {name} was signed, and the ledger does not know it"
        for name, state in store.without_signature(session):
            yield f"{name} is {state} and has no signature"
        keys = _keys(session)
        for name, kid, to_sign, signature in store.signed(session):
            if not _verifies(to_sign, signature, keys.get(kid)):
                yield f"{name} has a signature that does not verify"


def _keys(session: Session) -> dict[str, PublicKey]:
    """Return the keys that can be read; what one that cannot is said to have signed does not verify."""
    found = {}
    for row in session.exec(select(SigningKey)):
        with suppress(FormatError):
            found[row.kid] = import_public(row.jwk)
    return found


def _verifies(to_sign: str, signature: str, key: PublicKey | None) -> bool:
    """Whether the signature fits; a compromised key's do all the same, it is verifiers that refuse the key."""
    if key is None:
        return False
    try:
        jws.verify(jws.parse(jws.assemble(to_sign.encode(), base64url.decode(signature)), jws.LICENCE), key)
    except FormatError:
        return False
    return True


def indices(house: House, _now: datetime) -> Iterator[str]:
    """I2: no index was given twice, none is a decoy's, and the index in the bytes to sign is the ledger's."""
    with house.database.moment() as session:
        for list_id, index, count in store.given_twice(session):
            yield f"{list_id} index {index} was given {count} times"
        for row in _lists(session):
            for index in store.given_decoys(session, row):
                yield f"{row.list_id} index {index} was given, and is a decoy's"
        for licence_id, list_id, index, to_sign in store.entries(session):
            entry = {"idx": index, "uri": house.publisher.uri(list_id)}
            payload = strict_json.loads_object(base64url.decode(to_sign.split(".")[1]))
            if payload.get("status") != {"status_list": entry}:
                yield f"{licence_id} was signed with another status entry than the ledger's"


def lists(house: House, now: datetime) -> Iterator[str]:
    """I3 and I4: every stored list is signed, says what the ledger says, and never took a revocation back."""
    with house.database.moment() as session:
        for row in _lists(session):
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


def _lists(session: Session) -> Iterator[StatusListRow]:
    """Yield the lists one by one: each has a token as long as it is."""
    for short in lists_store.all_published(session):
        row = session.get(StatusListRow, short.list_id)
        if row is not None:
            yield row
            session.expunge(row)


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
        overdue = {one.status_index for one in lists_store.overdue(session, row.list_id, now)}
        wrong = [one for one in owed.keys() | said.keys() if owed.get(one) != said.get(one)]
        if unsaid := set(wrong) - overdue:
            yield f"{row.list_id} does not say what was acknowledged of {len(unsaid)} licences, as index {min(unsaid)}"


def audited(house: House, _now: datetime) -> Iterator[str]:
    """I5: the chain verifies, and licences, keys, rights, tokens, holders and verifications each have their entry."""
    with house.database.moment() as session:
        try:
            house.log.verify(session, (row.note for row in records_store.checkpoints(session)), [])
        except (AuditBrokenError, FormatError) as error:
            yield f"the chain breaks at {error}"
        for licence_id, state, act in store.told_otherwise(session):
            yield f"{licence_id} is {state}, the audit says {act or 'nothing'}"
        for act, subject in store.untold(session):
            yield f"{subject} is there and the audit does not tell of it ({act})"
        for name in store.gone(session):
            yield f"verification {name} was audited and is gone"
        admitted = {
            (vct, agency)
            for agency, detail in store.admitted(session)
            for vct in strict_json.loads_object(detail.encode()).get("types", [])
        }
        for vct, agency in store.rights(session):
            if (vct, agency) not in admitted:
                yield f"the right of {agency} to sign {vct} was given by nobody"


def idempotency(house: House, _now: datetime) -> Iterator[str]:
    """I6: every key of an agency names a licence of it, and every licence was made under exactly one key."""
    with house.database.moment() as session:
        # The result of a mass change is a proposal, or how many changed; that of a batch is a job; a denial has none.
        for caller, result, agency in store.agency_keys(session, but=(MANY, BATCH, DENY)):
            if agency != caller.partition(":")[2].split("/")[0]:
                yield f"an idempotency key of {caller} names no licence of that agency: {result}"
        for licence_id, count in store.keys_of_licences(session, MAKES_A_LICENCE):
            yield f"{licence_id} was made under {count} idempotency keys"


def owed(house: House, _now: datetime) -> Iterator[str]:
    """I7: every act that others are told of has its one event, and no event is of anything else."""
    with house.database.moment() as session:
        for name, is_act in store.unowed(session):
            yield f"nobody is told of the act {name}" if is_act else f"the event {name} is of no act"
