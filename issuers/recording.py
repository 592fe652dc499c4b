"""Recording a licence before it is signed: ledger row, status index, idempotency key and audit in one transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from credentials import jws, strict_json
from credentials.licence_type import LicenceType
from credentials.sd_jwt import Disclosure
from issuers import store
from issuers.clock_check import must_not_have_gone_back
from issuers.errors import UnknownLicenceError, WrongStateError
from issuers.holder_side import Signed
from issuers.models import Agency, LicenceRow, ListKind
from issuers.orders import Draft
from issuers.publishing import StatusPublisher
from issuers.status_index import free_places
from issuers.velocity import Velocity
from keys.certificates import Certificates, within
from keys.encryption import Seal
from keys.trust_list import issuer_url
from records import audit, idempotency
from records.database import Database
from records.idempotency import Attempt
from records.rows import store as rows_store

SERIAL_BYTES = 8  # 64 random bits in base 36: serials say nothing about how many there are
ALPHABET36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Recorder:
    """Writes ledger rows."""

    def __init__(
        self,
        *,
        database: Database,
        seal: Seal,
        publisher: StatusPublisher,
        base_url: str,
        certificates: Certificates,
        velocity: Velocity,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._seal = seal
        self._publisher = publisher
        self._base_url = base_url
        self._certificates = certificates
        self._velocity = velocity
        self._randomness = randomness

    def serial(self) -> str:
        """Return a new random serial number, digits and capital letters."""
        number = int.from_bytes(self._randomness(SERIAL_BYTES), "big")
        digits: list[str] = []
        while number or not digits:
            number, digit = divmod(number, 36)
            digits.append(ALPHABET36[digit])
        return "".join(digits).rjust(13, "0")

    def record(self, row: LicenceRow, draft: Draft, this: Attempt, *, actor: str, now: datetime) -> LicenceRow:
        """Write the row with its status index and signing input, or return the row of whoever came first."""
        vct = f"{self._base_url}/issuers/types/{row.type_key}"
        payload, disclosures = draft.concealed(issuer_url(self._base_url, row.agency), vct, self._randomness)
        header = self.header(row.agency, row.kid, draft.kind, draft.now)
        payload = within(payload, header["x5c"]) if "x5c" in header else payload
        row.undelivered = self.sealed(row.licence_id, disclosures, draft.agents)
        with self._velocity.write(row.agency, actor, now) as session:
            if (winner := idempotency.claim(session, this, result=row.licence_id, now=now)) is not None:
                found = store.licence(session, row.agency, winner)
                if found is None:
                    raise UnknownLicenceError
                return found
            must_not_have_gone_back(session, row.agency, now)
            self._velocity.count(session, row.agency, actor, now)
            self._insert_with_index(session, row, payload, header)
            audit.record(
                session, stream=f"issuers/{row.agency}", actor=actor, act="licence.prepared",
                subject=row.licence_id, now=now,
            )  # fmt: skip
        return row

    def sealed(self, licence_id: str, disclosures: Sequence[Disclosure], agents: Sequence[str]) -> bytes:
        """Return what waits for delivery, sealed: disclosures, and whose wallets may show the licence too."""
        waits = {"disclosures": [one.text for one in disclosures], "agents": list(agents)}
        return self._seal.close(strict_json.dumps(waits), f"disclosures of {licence_id}")

    def unsealed(self, row: LicenceRow, signature: str) -> Signed:
        """Return a licence that waits for delivery, with its signature."""
        kept = strict_json.loads(self._seal.open(row.undelivered or b"", f"disclosures of {row.licence_id}"))
        texts, agents = (kept, ()) if isinstance(kept, list) else (kept["disclosures"], kept["agents"])
        text = "~".join([f"{row.signing_input}.{signature}", *texts, ""])
        return Signed(row.holder_ref, row.licence_id, text, agents)

    def header(self, agency: str, kid: str, kind: LicenceType, now: datetime) -> dict[str, Any]:
        """Return how verifiers find the key: by `kid` where the type lets them, else by certificate."""
        if "kid" in kind.key_by:
            return {"kid": kid}
        with self._database.read() as session:
            row = session.get(Agency, agency)
        name, uri = row.name if row else {}, issuer_url(self._base_url, agency)
        return {"x5c": self._certificates.chain(kid, name=name, uri=uri, now=now)}

    def _insert_with_index(
        self, session: Session, row: LicenceRow, payload: dict[str, Any], header: dict[str, Any]
    ) -> None:
        """Give the row a status index and the bytes to sign, and insert it; the constraint decides."""
        kind = ListKind.CERTIFIED if "x5c" in header else ListKind.NATIVE
        for list_id, index in free_places(session, self._publisher, row.agency, kind, self._randomness):
            entry = {"status_list": {"idx": index, "uri": self._publisher.uri(list_id)}}
            to_sign = jws.signing_input(jws.LICENCE, payload | {"status": entry}, more=header)
            row.status_list_id, row.status_index = list_id, index
            row.signing_input = to_sign.decode("ascii")
            if rows_store.insert_unless_taken(session, row):
                return
            if row.supersedes is not None and store.licence(session, row.agency, row.licence_id) is not None:
                raise WrongStateError("this licence is being renewed by another request")
