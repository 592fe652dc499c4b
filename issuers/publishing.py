"""Publishing status lists: signed when asked for, if something changed or the list grew old.

The ledger is the truth; a token is made from it, re-read and counted before anybody sees it. A change of
status publishes at once, and a reader that comes between finds the change too: the version says so.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlmodel import Session

from credentials import jws, status_list
from issuers import store
from issuers.errors import ListsBehindError, StatusListUnsoundError, UnknownAgencyError
from issuers.lists import packing
from issuers.lists import store as lists_store
from issuers.lists.packing import Bits, Kept
from issuers.lists.store import Listed
from issuers.models import Agency, LicenceRow, LicenceState, ListKind, StatusListRow
from keys.certificates import Certificates
from keys.errors import CustodyError, NoSigningKeyError
from keys.models import KeyPurpose
from keys.trust_list import issuer_url
from keys.vault import Vault
from records import audit
from records.database import Database
from records.rows import store as rows_store

LIST_SIZE = 2**17  # entries: large, so that the number of licences does not show
LIST_BITS = 2  # valid, revoked, suspended
DECOYS = 64  # entries of a list that say revoked and are nobody's
LIST_LIFE = timedelta(hours=24)
TIME_TO_LIVE = timedelta(seconds=60)  # how long a verifier elsewhere may keep its copy
RESIGN_AFTER = timedelta(minutes=5)  # an unchanged list is signed anew this often
WHOLE_AFTER = timedelta(minutes=5)  # and made of the whole ledger this often, not of its last version and the changes
CHANGES_KEPT = 1000  # versions of a list that can be made of an earlier one
FORGET_EVERY = 100  # versions after which older changes are forgotten
MAX_KEPT = 1024  # lists that a worker keeps the bits of

Held = Callable[[Session], None]
"""Raises unless whoever publishes may still do so; nobody takes that away before the transaction ends."""


class StatusPublisher:
    """Keeps every status list true and fresh."""

    def __init__(self, *, database: Database, vault: Vault, certificates: Certificates, base_url: str) -> None:
        self._database = database
        self._vault = vault
        self._certificates = certificates
        self._base_url = base_url
        self._kept: dict[str, Kept] = {}

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
            return [self.uri(row.list_id) for row in lists_store.all_published(session, agency)]

    def behind(self, agency: str) -> list[str]:
        """Return an agency's lists whose publication is behind the ledger."""
        with self._database.read() as session:
            rows = lists_store.all_published(session, agency)
        return [row.list_id for row in rows if row.version != row.published_version]

    def lists_of(self, licence_id: str) -> list[str]:
        """Return the lists that hold a licence and its copies."""
        with self._database.read() as session:
            return lists_store.lists_of(session, licence_id)

    def token(self, list_id: str, *, now: datetime) -> str:
        """Return the list's signed token; unknown lists raise `UnknownAgencyError`.

        If its key cannot sign now, the old one serves to its end, but for one that a change is not in yet.
        """
        with self._database.read() as session:
            listed = lists_store.published(session, list_id)
        if listed is None:
            raise UnknownAgencyError
        if self._fresh(listed, now):
            return self._stored(listed)
        try:
            return self.publish(list_id, now=now)
        except (CustodyError, StatusListUnsoundError):
            over = listed.issued_at + LIST_LIFE.total_seconds() <= now.timestamp()
            if over or listed.version != listed.published_version or listed.kid != listed.signs:
                raise
            return self._stored(listed)

    def _stored(self, row: Listed) -> str:
        """Return a list's token as it is stored: this worker's own, while that is the one."""
        kept = self._kept.get(row.list_id)
        if kept is not None and (kept.version, kept.issued_at) == (row.published_version, row.issued_at):
            return kept.token
        with self._database.read() as session:
            stored = session.get(StatusListRow, row.list_id)
        return stored.token if stored is not None else ""

    def publish_due(self, *, now: datetime, held: Held = lambda _session: None) -> int:
        """Publish every list that is behind the ledger, grew old or was signed with another key; returns how many.

        So that whoever asks for a list finds it ready. One that cannot be is left for whoever asks, and when the others
        are done `ListsBehindError` names it. `held` raises, in each transaction that publishes, if another worker does
        this by now.
        """
        with self._database.read() as session:
            rows = lists_store.all_published(session)
        done, behind = 0, dict[str, str]()
        for row in rows:
            if not self._fresh(row, now):
                try:
                    self.publish(row.list_id, now=now, held=held)
                    done += 1
                except (CustodyError, StatusListUnsoundError) as error:
                    behind[row.list_id] = error.code
        if behind:
            raise ListsBehindError(behind)
        return done

    def _fresh(self, row: Listed, now: datetime) -> bool:
        """Whether a list says what the ledger says, and was signed lately, with the key that signs by now."""
        young = row.issued_at + RESIGN_AFTER.total_seconds() > now.timestamp()
        return young and row.version == row.published_version and row.kid == row.signs

    def publish(self, list_id: str, *, now: datetime, held: Held = lambda _session: None) -> str:
        """Sign the list as the ledger stands and return the token; never replaces a later one."""
        row, bits = self._bits(list_id, now)
        agency, version, issued_at = row.agency, row.version, max(int(now.timestamp()), row.issued_at)
        kid, signer, x5c = self._key(row, now)
        kept = self._kept.get(list_id)
        lst, blocks = packing.compressed(bits.data, kept.blocks if kept else None)
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
        header = {"x5c": x5c} if x5c else {"kid": kid}
        token = jws.sign(jws.STATUS_LIST, claims, signer, more=header)
        with self._database.write() as session:
            held(session)
            stored = store.store_list(session, list_id, version=version, token=token, kid=kid, issued_at=issued_at)
            if version // FORGET_EVERY != row.published_version // FORGET_EVERY:
                lists_store.forget_changes(session, list_id, version - CHANGES_KEPT)
            later = None if stored else session.get(StatusListRow, list_id, populate_existing=True)
        if later is not None:
            return later.token
        if len(self._kept) >= MAX_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[list_id] = Kept(version, bits, blocks, issued_at, token)
        return token

    def _bits(self, list_id: str, now: datetime) -> tuple[Listed, Bits]:
        """Return a list's row and its bits; unknown ones raise `UnknownAgencyError`.

        They are made of the last ones and what changed since, if all of that is there; at times of the whole ledger.
        Preparations whose time is over are burnt first.
        """
        while True:
            with self._database.read() as session:
                listed = lists_store.to_publish(session, list_id, now)
                if listed is None:
                    raise UnknownAgencyError
                if not listed.overdue:
                    return listed, self._bits_of(session, listed, now)
                late = lists_store.overdue(session, list_id, now)
            self._burn(late, now)

    def _bits_of(self, session: Session, row: Listed, now: datetime) -> Bits:
        list_id, kept = row.list_id, self._kept.get(row.list_id)
        ours = kept is not None and (kept.version, kept.issued_at) == (row.published_version, row.issued_at)
        if kept is not None and ours and timedelta(0) <= now - kept.bits.whole_at < WHOLE_AFTER:
            changes = lists_store.changes(session, list_id, kept.version, row.version)
            with suppress(StatusListUnsoundError):  # then it is made of the ledger, and counted
                if changes is not None:
                    return packing.changed(kept.bits, row.bits, changes)
        full = session.get(StatusListRow, list_id)
        assert full is not None  # noqa: S101 - it was there a moment ago, and lists are never deleted
        return packing.whole(full, lists_store.listed_statuses(session, list_id, now), now)

    def _key(self, row: Listed, now: datetime) -> tuple[str, jws.Signer, list[str]]:
        """Return name and signer of a list's key; with its chain if the list is of foreign wallets' copies."""
        if row.kind != ListKind.NATIVE:
            with self._database.read() as session:
                agency = session.get(Agency, row.agency)
            name = agency.name if agency else {}
            uri = issuer_url(self._base_url, row.agency)
            found = self._certificates.signer(row.agency, KeyPurpose.STATUS_LIST, name=name, uri=uri, now=now)
            return found.kid, found.signer, found.x5c
        signer = self._vault.signer(row.signs) if row.signs is not None else None
        if row.signs is None or signer is None:
            raise NoSigningKeyError
        return row.signs, signer, []

    def _burn(self, late: Sequence[LicenceRow], now: datetime) -> None:
        """Burn preparations whose time is over: what a list once said of them stays true if the clock goes back."""
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
        if rows_store.insert_unless_taken(session, row):
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
    lists_store.note_states(session, [row.licence_id])
    audit.record(
        session, stream=f"issuers/{row.agency}", actor=actor, act="licence.burnt", subject=row.licence_id, now=now
    )


def publish_now_or_later(publisher: StatusPublisher, lists: Iterable[str], *, now: datetime) -> None:
    """Publish a change that is in the ledger, in every list that has to say so.

    If no key can sign now, whoever asks for a list next publishes it.
    """
    for list_id in lists:
        with suppress(CustodyError):
            publisher.publish(list_id, now=now)
