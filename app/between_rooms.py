"""What one room needs of another, in the form in which it asks for it."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from credentials import base64url, jws, status_list
from credentials.errors import FormatError, StatusListInvalidError
from credentials.sd_jwt_vc import UnverifiedLicence
from issuers import store as issuers_store
from issuers.errors import StatusListUnsoundError, UnknownAgencyError
from issuers.publishing import StatusPublisher
from keys import trust_list
from keys.errors import CustodyError
from keys.schemas import SHORT_NAME
from records import store as records_store
from records.database import Database
from records.outbox.models import OutboxEvent
from verifier.asks.asks import Word
from verifier.checking import Logged
from verifier.errors import RefusalError
from verifier.file_copies.file_copies import FileCopies
from verifier.models import Counter
from verifier.obtaining import HolderSide
from verifier.receipts_reused import Permission
from verifier.recording import Question
from verifier.service_items import OF_PRINCIPAL, ServiceItem
from wallet.claiming import Asker
from wallet.consents.consents import Consents
from wallet.consents.models import State
from wallet.errors import CodeError
from wallet.matters import Matter, Wanted
from wallet.uses import Uses
from wallet.wallet import Wallet

CHANGES = frozenset({"licence.suspended", "licence.reinstated", "licence.revoked"})


def own_lists(publisher: StatusPublisher, base_url: str) -> Callable[[str, datetime], str]:
    """Return the way to this house's own status lists; no other address is ever looked at."""

    own = re.compile(re.escape(trust_list.issuer_url(base_url, "")) + f"({SHORT_NAME})/status/([cx]?[1-9][0-9]{{0,8}})")

    def fetch(uri: str, now: datetime) -> str:
        found = own.fullmatch(uri)
        if found is None:
            raise RefusalError("status_unavailable")
        try:
            return publisher.token(f"{found[1]}/{found[2]}", now=now)
        except (UnknownAgencyError, StatusListUnsoundError, CustodyError) as error:
            raise RefusalError("status_unavailable") from error
        except FormatError as error:
            raise StatusListInvalidError("the stored list is broken") from error

    return fetch


def holder_side(wallet: Wallet) -> HolderSide:
    """Return the way to a holder's answer to a scanned code."""

    def obtain(
        scanned: str, question: Question, *, audience: str, nonce: str, now: datetime
    ) -> tuple[Mapping[str, Sequence[str]], Mapping[str, bool]]:
        counter, item = question.counter, question.item
        asker = Asker(counter.key, counter.name, item.key, item.listed)
        try:
            made = wallet.redeem(scanned, asker, audience=audience, nonce=nonce, now=now)
        except CodeError as error:
            raise RefusalError(error.code, at=error.at.isoformat() if error.at else None) from error
        return made.texts, made.by_mandate

    return obtain


class AskedWallet:
    """The wallet as a counter's questions reach it."""

    def __init__(
        self,
        consents: Consents,
        agency_name: Callable[[str], Mapping[str, str]],
        asks_first: Callable[[str], bool],
    ) -> None:
        self._consents = consents
        self._agency_name = agency_name
        self.asks_first = asks_first

    def open(
        self, scanned: str, question: Question, *, audience: str, nonce: str, now: datetime
    ) -> tuple[str, datetime]:
        """Use a code up to ask its holder."""
        counter, item = question.counter, question.item
        asker = Asker(counter.key, counter.name, item.key, item.listed, item.copied_for(counter.channel))
        try:
            made = self._consents.open(
                scanned, asker, self._agency_name(counter.agency), audience=audience, nonce=nonce, now=now
            )
        except CodeError as error:
            raise RefusalError(error.code, at=error.at.isoformat() if error.at else None) from error
        return made.consent_id, made.expires_at

    def word(self, consent_id: str, *, now: datetime) -> Word:
        """Return what the holder said so far."""
        row = self._consents.state(consent_id)
        said = None if row.state == State.WAITING else row.state
        return Word(said, over=now >= row.expires_at)

    def withdraw(self, consent_id: str, *, now: datetime) -> bool:
        """Take a question back; False if it waits no more."""
        return self._consents.withdraw(consent_id, now=now)

    def take(self, consent_id: str, *, now: datetime) -> Mapping[str, Sequence[str]] | None:
        """Return the presentations of a yes, once."""
        return self._consents.take(consent_id, now=now)


def matter_of(item: ServiceItem) -> Matter:
    """Return a service item as holders see it."""
    wanted = [
        Wanted(
            one.licence_type, one.claims, one.why, one.required, one.either or f"#{at}", one.where,
            of_principal=one.role in OF_PRINCIPAL, multiple=one.multiple,
        )
        for at, one in enumerate(item.needs)
    ]  # fmt: skip
    return Matter(item.names, wanted, item.replaces)


class Relied:
    """The wallets whose receipts somebody wants to rely on."""

    def __init__(
        self,
        uses: Uses,
        good: Callable[[Sequence[str], datetime], Mapping[str, str]],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._uses = uses
        self._good = good
        self._randomness = randomness

    def permission(self, digests: Sequence[str], now: datetime) -> Permission:
        """Return what every holder of the receipt's licences permits."""
        found = self._uses.of_presentations(digests)
        untils = [self._uses.permitted_until(one, now=now) for one in found]
        licences = [(row["licence_type"], row["licence_id"]) for one in found for row in one.licences]
        states = self._good([licence_id for _, licence_id in licences], now)
        return Permission(
            until=min(one for one in untils if one) if found and all(untils) else None,
            withdrawn=any(one.reuse_withdrawn_at is not None for one in found),
            licences=[(kind, states.get(licence_id, "unknown")) for kind, licence_id in licences],
        )

    def relied(self, digests: Sequence[str], counter: str, name: Mapping[str, str], item: str, at: datetime) -> None:
        """Tell the holders."""
        self._uses.relied_on(digests, counter, name, item, base64url.encode(self._randomness(6)), now=at)


def relying(uses: Uses) -> Callable[[OutboxEvent], Collection[str]]:
    """Return who relied on a licence that is suspended, reinstated or revoked, and is told with the holder's word."""

    def told(event: OutboxEvent) -> Collection[str]:
        return uses.notified(event.subject, event.at) if event.type in CHANGES else ()

    return told


def agency_of_counter(database: Database) -> Callable[[str], str | None]:
    """Return the way to the agency whose counter something was; None if it is no counter of this house."""

    def agency(counter: str) -> str | None:
        with database.read() as session:
            row = session.get(Counter, counter)
        return row.agency if row is not None else None

    return agency


def whose_licence(database: Database) -> Callable[[Sequence[OutboxEvent]], Mapping[str, Mapping[str, Any]]]:
    """Return what tells whose licences agencies' events are about: the wallet's name for them, and nothing else."""

    def about(events: Sequence[OutboxEvent]) -> Mapping[str, Mapping[str, Any]]:
        rooms = {one.event_id: one.stream.split("/")[0] for one in events}
        licences = [one.subject for one in events if rooms[one.event_id] == "issuers"]
        with database.read() as session:
            holders = issuers_store.holders_of(session, licences) if licences else {}
        said = {one.event_id: holders[one.subject] for one in events if one.subject in holders}
        said |= {one.event_id: one.stream.partition("/")[2] for one in events if rooms[one.event_id] == "wallet"}
        return {event_id: {"holder": holder} for event_id, holder in said.items()}

    return about


def copy_of(copies: FileCopies) -> Callable[[str, datetime], bytes]:
    """Return the way from a receipt to the copy that its counter keeps."""

    def drawn(receipt: str, now: datetime) -> bytes:
        return copies.drawn(str(jws.parse(receipt, jws.RECEIPT).unverified_payload()["jti"]), now=now)

    return drawn


def logged_before(database: Database, base_url: str) -> Logged:
    """Return the check that the ledger's log held a licence before its key was compromised.

    It is this very licence, byte for byte of what was signed, under a checkpoint that was signed before that second.
    """
    start = trust_list.issuer_url(base_url, "")

    def logged(unverified: UnverifiedLicence, before: int) -> bool:
        agency = unverified.issuer.removeprefix(start)
        reference = status_list.reference(unverified.token.unverified_payload().get("status"))
        signing_input = unverified.token.signing_input.decode("ascii")
        list_id = reference.uri.removeprefix(start).replace("/status/", "/", 1)
        with database.read() as session:
            act = issuers_store.recorded_as(session, list_id, reference.index, signing_input)
            entry = records_store.act(session, f"issuers/{agency}", act[1], act[0]) if act else None
            held = records_store.last_checkpoint(session, before=datetime.fromtimestamp(before, UTC))
        if entry is None or entry.log_index is None or held is None:
            return False
        return entry.log_index < held.size

    return logged
