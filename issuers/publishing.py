"""Publishing status lists: signed when asked for, if something changed or the list grew old.

The ledger is the truth; a token is made from it, re-read and counted before anybody sees it. A change of
status publishes at once, and a reader that comes between finds the change too: the version says so.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from sqlmodel import Session

from credentials import jws, status_list
from credentials.status_list import Status
from issuers import store
from issuers.errors import StatusListUnsoundError, UnknownAgencyError
from issuers.models import Agency, LicenceRow, LicenceState, ListKind, StatusListRow
from keys.certificates import Certificates, CertifiedSigner
from keys.errors import CustodyError, NoSigningKeyError
from keys.models import KeyPurpose
from keys.trust_list import issuer_url
from keys.vault import Vault
from records import audit
from records import store as records_store
from records.database import Database

LIST_SIZE = 2**17  # entries: large, so that the number of licences does not show
LIST_BITS = 2  # valid, revoked, suspended
DECOYS = 64  # entries of a list that say revoked and are nobody's
LIST_LIFE = timedelta(hours=24)
TIME_TO_LIVE = timedelta(seconds=60)  # how long a verifier elsewhere may keep its copy
RESIGN_AFTER = timedelta(minutes=5)  # an unchanged list is signed anew this often


class StatusPublisher:
    """Keeps every status list true and fresh."""

    def __init__(self, *, database: Database, vault: Vault, certificates: Certificates, base_url: str) -> None:
        self._database = database
        self._vault = vault
        self._certificates = certificates
        self._base_url = base_url

    def uri(self, list_id: str) -> str:
        """Return where a list is published; `list_id` is `{agency}/{number}`, the kind's letter before the number.

        Nothing in the address needs escaping or a query, so that it is byte for byte the same behind any proxy.
        """
        agency, number = list_id.split("/")
        return f"{issuer_url(self._base_url, agency)}/status/{number}"

    def aggregation_uri(self, agency: str) -> str:
        """Return where an agency names all its lists (Token Status List section 9)."""
        return f"{issuer_url(self._base_url, agency)}/status"

    def uris(self, agency: str) -> list[str]:
        """Return where all of an agency's lists are, for nightly prefetch."""
        with self._database.read() as session:
            return [self.uri(row.list_id) for row in store.lists(session, agency)]

    def behind(self, agency: str) -> list[str]:
        """Return an agency's lists whose publication is behind the ledger."""
        with self._database.read() as session:
            rows = store.lists(session, agency)
        return [row.list_id for row in rows if row.version != row.published_version]

    def lists_of(self, licence_id: str) -> list[str]:
        """Return the lists that hold a licence and its copies."""
        with self._database.read() as session:
            return store.lists_of(session, licence_id)

    def token(self, list_id: str, *, now: datetime) -> str:
        """Return the list's signed token; unknown lists raise `UnknownAgencyError`.

        If its key cannot sign now, the old one serves to its end, but for one that a change is not in yet.
        """
        with self._database.read() as session:
            row = session.get(StatusListRow, list_id)
            if row is None:
                raise UnknownAgencyError
            if self._current(row, now):
                return row.token
        try:
            return self.publish(list_id, now=now)
        except (CustodyError, StatusListUnsoundError):
            over = row.issued_at + LIST_LIFE.total_seconds() <= now.timestamp()
            if over or row.version != row.published_version or not self._signed_by_active(row):
                raise
            return row.token

    def publish_due(self, *, now: datetime) -> int:
        """Publish every list that is behind the ledger, grew old or was signed with another key; returns how many.

        So that whoever asks for a list finds it ready. One that no key can sign is left for whoever asks.
        """
        with self._database.read() as session:
            rows = store.lists(session)
        done = 0
        for row in rows:
            if not self._current(row, now):
                with suppress(CustodyError, StatusListUnsoundError):
                    self.publish(row.list_id, now=now)
                    done += 1
        return done

    def _current(self, row: StatusListRow, now: datetime) -> bool:
        fresh = row.issued_at + RESIGN_AFTER.total_seconds() > now.timestamp()
        return fresh and row.version == row.published_version and self._signed_by_active(row)

    def _signed_by_active(self, row: StatusListRow) -> bool:
        """Whether the stored token is by the key that signs now: a rotated or compromised one's is signed anew."""
        return row.kid == self._vault.active_kid(row.agency, KeyPurpose.STATUS_LIST)

    def publish(self, list_id: str, *, now: datetime) -> str:
        """Sign the list as the ledger stands and return the token; never replaces a later one."""
        with self._database.read() as session:
            row = session.get(StatusListRow, list_id)
        if row is None:
            raise UnknownAgencyError
        agency = row.agency
        key = self._key(agency, certified=row.kind != ListKind.NATIVE, now=now)
        self._burn_overdue(list_id, now)
        with self._database.read() as session:
            row = session.get(StatusListRow, list_id)
            if row is None:
                raise UnknownAgencyError
            version, issued_at = row.version, max(int(now.timestamp()), row.issued_at)
            statuses = store.listed_statuses(session, list_id, now)
            lst = _packed(row, statuses)
            if _lost(row, statuses):
                raise StatusListUnsoundError("a revoked bit would return")
        claims = status_list.token_payload(
            issuer=issuer_url(self._base_url, agency),
            uri=self.uri(list_id),
            bits=LIST_BITS,
            lst=lst,
            version=version,
            issued_at=issued_at,
            expires_at=issued_at + int(LIST_LIFE.total_seconds()),
            time_to_live=TIME_TO_LIVE,
            aggregation_uri=self.aggregation_uri(agency),
        )
        header = {"x5c": key.x5c} if key.x5c else {"kid": key.kid}
        token = jws.sign(jws.STATUS_LIST, claims, key.signer, more=header)
        with self._database.write() as session:
            if not store.store_list(session, list_id, version=version, token=token, kid=key.kid, issued_at=issued_at):
                later = session.get(StatusListRow, list_id, populate_existing=True)
                return later.token if later else token
        return token

    def _key(self, agency: str, *, certified: bool, now: datetime) -> CertifiedSigner:
        """Return the key that signs an agency's lists; with a chain for the lists of foreign wallets' copies."""
        if certified:
            with self._database.read() as session:
                row = session.get(Agency, agency)
            name = row.name if row else {}
            uri = issuer_url(self._base_url, agency)
            return self._certificates.signer(agency, KeyPurpose.STATUS_LIST, name=name, uri=uri, now=now)
        key = self._vault.active(agency, KeyPurpose.STATUS_LIST)
        if key.signer is None:
            raise NoSigningKeyError
        return CertifiedSigner(key.kid, key.signer, [])

    def _burn_overdue(self, list_id: str, now: datetime) -> None:
        """Burn preparations whose time is over: what a list once said of them stays true if the clock goes back."""
        with self._database.read() as session:
            late = store.overdue(session, list_id, now)
        for row in late:
            with self._database.write() as session:
                burn(session, row, before=LicenceState.PREPARED, actor="publisher", now=now)

    def open_list(
        self,
        session: Session,
        agency: str,
        kind: ListKind,
        *,
        after: StatusListRow | None,
        randomness: Callable[[int], bytes],
    ) -> StatusListRow:
        """Open an agency's next list of a kind, or return the one somebody else just opened."""
        number = after.number + 1 if after else 1
        list_id = f"{agency}/{kind}{number}"
        decoys = {int.from_bytes(randomness(4), "big") % LIST_SIZE for _ in range(DECOYS)}
        row = StatusListRow(
            list_id=list_id, agency=agency, kind=kind, number=number, size=LIST_SIZE, bits=LIST_BITS,
            decoys=sorted(decoys),
        )  # fmt: skip
        if records_store.insert_unless_taken(session, row):
            return row
        found = session.get(StatusListRow, list_id, populate_existing=True)
        if found is None:
            raise StatusListUnsoundError
        return found


def burn(session: Session, row: LicenceRow, *, before: LicenceState, actor: str, now: datetime) -> None:
    """Burn a licence that was never finished: its index says revoked for ever, its disclosures are dropped."""
    if not store.move(session, row, before=[before], after=LicenceState.BURNT, now=now, cause=None):
        return
    burnt = store.licence(session, row.agency, row.licence_id)
    if burnt is not None:
        burnt.undelivered = None
    store.raise_versions(session, row.licence_id)
    audit.record(
        session, stream=f"issuers/{row.agency}", actor=actor, act="licence.burnt", subject=row.licence_id, now=now
    )


def publish_now_or_later(publisher: StatusPublisher, licence_id: str, *, now: datetime) -> None:
    """Publish a licence's change that is in the ledger, in every list that it or a copy of it is in.

    If no key can sign now, whoever asks for a list next publishes it.
    """
    for list_id in publisher.lists_of(licence_id):
        with suppress(CustodyError):
            publisher.publish(list_id, now=now)


def _lost(row: StatusListRow, statuses: Mapping[int, int]) -> bool:
    """Whether a bit that the last publication said was revoked is revoked no more: never so in an honest ledger."""
    if not row.token:
        return False
    published = jws.parse(row.token, jws.STATUS_LIST).unverified_payload()["status_list"]
    before = status_list.unpack(published["lst"], published["bits"])
    per_byte = 8 // before.bits
    return any(
        before.read(index) == Status.REVOKED and statuses.get(index) != Status.REVOKED
        for at, byte in enumerate(before.data)
        if byte
        for index in range(at * per_byte, (at + 1) * per_byte)
    )


def _packed(row: StatusListRow, statuses: Mapping[int, int]) -> str:
    """Pack, then read back and count: a list that lost a bit is never published."""
    lst = status_list.compress(status_list.pack(row.size, row.bits, statuses))
    again = status_list.unpack(lst, row.bits)
    if any(again.read(index) != status for index, status in statuses.items()):
        raise StatusListUnsoundError
    return lst
