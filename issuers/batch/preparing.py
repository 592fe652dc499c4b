"""Recording many licences at once, with the bytes to sign: what `recording.py` does of one, in four statements.

What takes time (keys, salts, digests, seals) is done before the transaction; in it are the status indices, the bytes
that name them, and the rows. Everybody who issues for an agency waits for the same row (`velocity.py`), so that no two
choose the same index; the constraint sees to it all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from credentials import jws
from credentials.identifiers import LicenceId
from credentials.licence_type import ClaimsRefusedError, Holder, LicenceType
from issuers import store as issuers_store
from issuers.batch import store
from issuers.clock_check import must_not_have_gone_back
from issuers.issuer import Issuer
from issuers.models import LicenceRow, LicenceState, ListKind, StatusListRow
from issuers.orders import Draft, Order, check_order
from issuers.publishing import StatusPublisher
from issuers.recording import Recorder
from issuers.velocity import Velocity
from keys.certificates import within
from keys.encryption import Seal
from keys.models import KeyPurpose
from keys.trust_list import issuer_url
from keys.vault import Vault
from records import audit, idempotency
from records import store as records_store
from records.audit import Act
from records.database import Database
from records.idempotency import Attempt
from records.models import IdempotencyKey
from records.rows import store as rows_store

PREPARATION_LIFE = timedelta(days=7)  # a batch may stand still for as long as its key cannot be opened
FULL = 0.5  # share of a list that is given before the next one is opened
OPERATION = "issue many"
BindMany = Callable[[Sequence[tuple[Holder, str]], datetime], Sequence[tuple[str, Mapping[str, str]]]]
"""Returns the wallet's name and a public key for each holder and reference; one reference, one key."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One row that is right: its reference, what was sent, and the order that it means."""

    reference: str
    body: Mapping[str, Any]
    order: Order


@dataclass(slots=True)
class Ready:
    """Licences ready to be recorded, and what of them was recorded before."""

    agency: str
    kind: LicenceType
    actor: str
    now: datetime
    header: dict[str, Any]
    earlier: dict[str, dict[str, Any]] = field(default_factory=dict)
    licences: "list[tuple[Attempt, str, dict[str, Any], dict[str, Any]]]" = field(default_factory=list)
    """Attempt, reference, payload without its status, ledger row without index and bytes."""


class Preparer:
    """Records many licences of one agency and type."""

    def __init__(
        self, *, database: Database, seal: Seal, vault: Vault, issuer: Issuer, publisher: StatusPublisher,
        recorder: Recorder, velocity: Velocity, base_url: str, bind_many: BindMany,
        agent: Callable[..., str], randomness: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        self._database = database
        self._seal = seal
        self._vault = vault
        self._issuer = issuer
        self._publisher = publisher
        self._recorder = recorder
        self._velocity = velocity
        self._base_url = base_url
        self._bind_many = bind_many
        self._agent = agent
        self._randomness = randomness

    def spent(
        self, agency: str, kind: LicenceType, bodies: Mapping[str, Mapping[str, Any]], now: datetime
    ) -> dict[str, Any]:
        """Return why some of many references, each with what was sent, name no licence any more: a fault for each.

        It was issued before with another content, or what was recorded under it was never signed in its time.
        """
        attempts = {reference: _attempt(agency, kind, reference, body) for reference, body in bodies.items()}
        with self._database.read() as session:
            known = records_store.idempotency_keys(session, _caller(agency), [one.key for one in attempts.values()])
            over = store.never_signed(session, [one.result for one in known.values()], now)
        found = {}
        for reference, this in attempts.items():
            row = known.get(this.key)
            if row is not None and (row.operation, row.body_hash) != (this.operation, this.body_hash):
                found[reference] = REUSED
            elif row is not None and row.result in over:
                found[reference] = EXPIRED
        return found

    def ready(self, agency: str, kind: LicenceType, wanted: Sequence[Wanted], *, actor: str, now: datetime) -> Ready:
        """Do what needs no transaction: bind keys, conceal claims, seal disclosures. Writes holders' keys only."""
        kid = self._vault.active(agency, KeyPurpose.LICENCE).kid
        made = Ready(agency, kind, actor, now, self._recorder.header(agency, kid, kind, now))
        attempts = {one.reference: _attempt(agency, kind, one.reference, one.body) for one in wanted}
        with self._database.read() as session:
            known = records_store.idempotency_keys(session, _caller(agency), [one.key for one in attempts.values()])
        fresh = []
        for one in wanted:
            this = attempts[one.reference]
            if (row := known.get(this.key)) is None:
                fresh.append(one)
            elif (row.operation, row.body_hash) == (this.operation, this.body_hash):
                made.earlier[one.reference] = {"licence_id": row.result, "issued_before": True}
            else:
                made.earlier[one.reference] = {"faults": [REUSED]}
        keys = self._bind_many(
            [(one.order.holder, f"{_caller(agency)} {attempts[one.reference].key}") for one in fresh], now
        )
        uscc = self._issuer.agency(agency).uscc
        for one, (holder_ref, jwk) in zip(fresh, keys, strict=True):
            try:
                licence = self._licence(made, one, kid, uscc, holder_ref, jwk)
            except ClaimsRefusedError as error:  # right when it was checked, and wrong today: a day has begun since
                made.earlier[one.reference] = {"faults": [asdict(fault) for fault in error.faults]}
            else:
                made.licences.append((attempts[one.reference], one.reference, *licence))
        return made

    def record(self, session: Session, ready: Ready) -> dict[str, dict[str, Any]]:
        """Write keys, ledger rows and audit in the caller's transaction; returns licence or faults by reference.

        Raises `IntegrityError` if somebody used a reference meanwhile: make it ready again.
        """
        found = dict(ready.earlier)
        if not ready.licences:
            return found
        self._velocity.hold(session, ready.agency, ready.now)
        must_not_have_gone_back(session, ready.agency, ready.now)
        kind = ListKind.CERTIFIED if "x5c" in ready.header else ListKind.NATIVE
        places = self._places(session, ready.agency, kind, len(ready.licences))
        rows = []
        for (_, reference, payload, row), (list_id, index) in zip(ready.licences, places, strict=True):
            entry = {"status_list": {"idx": index, "uri": self._publisher.uri(list_id)}}
            to_sign = jws.signing_input(jws.LICENCE, {**payload, "status": entry}, more=ready.header)
            rows.append(
                {**row, "status_list_id": list_id, "status_index": index, "signing_input": to_sign.decode("ascii")}
            )
            found[reference] = {"licence_id": row["licence_id"]}
        keys = [
            {"caller": this.caller, "key": this.key, "operation": this.operation, "body_hash": this.body_hash,
             "result": row["licence_id"], "created_at": ready.now}
            for this, _, _, row in ready.licences
        ]  # fmt: skip
        rows_store.insert_many(session, IdempotencyKey, keys)
        rows_store.insert_many(session, LicenceRow, rows)
        of = f"issuers/{ready.agency}"
        acts = [Act(of, ready.actor, "licence.prepared", row["licence_id"], ready.now) for row in rows]
        audit.record_many(session, acts)
        return found

    def _licence(
        self, ready: Ready, one: Wanted, kid: str, uscc: str, holder_ref: str, jwk: Mapping[str, str]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a licence's payload without its status, and its ledger row without index and bytes."""
        kind, now, order = ready.kind, ready.now, one.order
        claims, first_day, last_day = check_order(kind, order, now=now)
        agents = [self._agent(person, now=now) for _, person in order.entrusted]
        identifier = LicenceId(kind.type_code, uscc, self._recorder.serial(), 1)
        licence_id = str(identifier)
        draft = Draft(kind, identifier, claims, first_day, last_day, jwk, now, agents)
        issuer = issuer_url(self._base_url, ready.agency)
        payload, disclosures = draft.concealed(issuer, self._issuer.vct(kind.key), self._randomness)
        payload = within(payload, ready.header["x5c"]) if "x5c" in ready.header else payload
        row = {
            "licence_id": licence_id, "agency": ready.agency, "type_key": kind.key, "serial": identifier.serial,
            "version": 1, "reference": one.reference, "card_by": order.card_by, "holder_ref": holder_ref,
            "subject": self._seal.lookup(f"{order.holder.code_type} {order.holder.code}"),
            "state": LicenceState.PREPARED, "state_since": now, "valid_from": first_day, "valid_until": last_day,
            "kid": kid, "undelivered": self._recorder.sealed(licence_id, disclosures, agents), "created_at": now,
            "prepared_until": now + PREPARATION_LIFE,
        }  # fmt: skip
        return payload, row

    def _places(self, session: Session, agency: str, kind: ListKind, wanted: int) -> list[tuple[str, int]]:
        """Return random free indices, of the newest list and of as many new ones as it takes."""
        current: StatusListRow | None = issuers_store.newest_list(session, agency, kind)
        places: list[tuple[str, int]] = []
        while len(places) < wanted:
            if current is not None:
                room = int(current.size * FULL) - store.given(session, current.list_id)
                for index in self._free(session, current, min(room, wanted - len(places))):
                    places.append((current.list_id, index))
            if len(places) < wanted:
                current = self._publisher.open_list(session, agency, kind, after=current, randomness=self._randomness)
        return places

    def _free(self, session: Session, listed: StatusListRow, wanted: int) -> list[int]:
        """Return that many different random free indices of a list that is half empty."""
        found: dict[int, None] = {}
        decoys = set(listed.decoys)
        while len(found) < wanted:
            drawn = self._randomness(8 * (wanted - len(found)) + 64)
            some = {int.from_bytes(drawn[at : at + 4], "big") % listed.size for at in range(0, len(drawn), 4)}
            taken = store.taken_indices(session, listed.list_id, some) | decoys
            found |= dict.fromkeys(one for one in some if one not in taken)
        return list(found)[:wanted]


REUSED = {
    "pointer": "/reference", "code": "idempotency_key_reused",
    "detail": "this reference was issued before with another content: use a new one, or renew the licence",
}  # fmt: skip


EXPIRED = {
    "pointer": "", "code": "preparation_expired", "detail": "no key could sign in time: send it under a new reference",
}  # fmt: skip


def _caller(agency: str) -> str:
    return f"agency:{agency}/batch"


def _attempt(agency: str, kind: LicenceType, reference: str, body: Mapping[str, Any]) -> Attempt:
    return idempotency.attempt(_caller(agency), f"{kind.key} {reference}", OPERATION, body)
