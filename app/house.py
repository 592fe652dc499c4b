"""The house: every room, built by `building.py`, and what concerns several of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import catalogue
from app.database import EngineDatabase
from app.settings import Settings
from credentials.licence_type import LicenceType
from issuers import forgetting as issuers_forgetting
from issuers.agencies import Agencies
from issuers.batch.batches import Batches
from issuers.batch.working import BatchWorker
from issuers.copies import Copies
from issuers.errors import StatusListUnsoundError
from issuers.issuer import Issuer
from issuers.lists import store as lists_store
from issuers.mass.mass_changes import MassChanges
from issuers.openid4vci.api import Doors
from issuers.publishing import StatusPublisher
from issuers.status_changes import StatusChanges
from keys import forgetting as keys_forgetting
from keys.access import Access, Role
from keys.auth import Browser
from keys.certificates import Certificates
from keys.errors import CustodyError, KeySealBrokenError
from keys.four_eyes import FourEyes
from keys.key_encryption import Root
from keys.models import KeyPurpose
from keys.oauth.client_credentials import ClientCredentials
from keys.oauth.clients import OAuthClients
from keys.oauth.dpop_gate import DpopGate
from keys.passkeys.passkeys import Passkeys
from keys.registry import TrustRegistry
from keys.transparency import TransparencyLog
from keys.trust_list import OPERATOR
from keys.vault import Vault
from records import idempotency, traces
from records.outbox.outbox import Outbox
from verifier import forgetting as verifier_forgetting
from verifier.asks.asks import Asks
from verifier.class_lists.class_lists import ClassLists
from verifier.counters import Counters
from verifier.file_copies.file_copies import FileCopies
from verifier.openid4vp.exchange import Exchange
from verifier.receipts_reused import Reuse
from verifier.reported import Reported
from verifier.service_items import ServiceItem
from verifier.verifier import Verifier
from wallet import forgetting as wallet_forgetting
from wallet.accounts import Accounts
from wallet.cases.cases import Cases
from wallet.consents.consents import Consents
from wallet.mandates.mandates import Mandates
from wallet.openid4vc.answering import Answering
from wallet.openid4vc.taking import Taking
from wallet.sign_in.signing_in import SigningIn
from wallet.uses import Uses
from wallet.wallet import Wallet

REMINDERS = "reminders"
"""Under whose idempotency keys stands which holders were reminded: once each."""
MAKES_A_LICENCE = ("issue", "prepare", "renew ", "prepare renewal ")
"""How the operations begin that make a licence: under which key it was made is known as long as the licence (I6)."""


@dataclass(frozen=True)
class House:
    """Every room, built."""

    settings: Settings
    database: EngineDatabase
    types: Mapping[str, LicenceType]
    items: Mapping[str, ServiceItem]
    root: Root
    vault: Vault
    registry: TrustRegistry
    certificates: Certificates
    log: TransparencyLog
    browser: Browser
    gate: DpopGate
    access: Access
    passkeys: Passkeys
    four_eyes: FourEyes
    clients: OAuthClients
    client_credentials: ClientCredentials
    publisher: StatusPublisher
    agencies: Agencies
    issuer: Issuer
    batches: Batches
    batch_worker: BatchWorker
    copies: Copies
    openid4vci: Doors
    changes: StatusChanges
    mass_changes: MassChanges
    accounts: Accounts
    mandates: Mandates
    signing_in: SigningIn | None
    wallet: Wallet
    uses: Uses
    counters: Counters
    verifier: Verifier
    outbox: Outbox
    consents: Consents
    cases: Cases
    asks: Asks
    class_lists: ClassLists
    reuse: Reuse
    reported: Reported
    file_copies: FileCopies
    exchange: Exchange
    taking: Taking
    answering: Answering

    def other_address(self) -> str | None:
        """Return the address that the database's licences name, where it is another than the settings'."""
        theirs = self.registry.address()
        return None if theirs == self.settings.base_url else theirs

    def trust_bundle(self, now: datetime) -> dict[str, Any]:
        """Return all that verifying without a network needs."""
        with self.database.read() as session:
            lists = [row.list_id for row in lists_store.all_published(session)]
        keys = self.registry.operator_keys().items()
        return {
            "made_at": now.isoformat(),
            "base_url": self.settings.base_url,
            "operator_keys": {"keys": [{**key.jwk, "kid": kid} for kid, key in keys]},
            "trust_list": self.registry.token(now=now),
            "status_lists": dict(self._published(lists, now)),
            "licence_types": catalogue.read("licence_types"),
            "service_items": catalogue.read("service_items"),
        }

    def _published(self, lists: Sequence[str], now: datetime) -> Iterator[tuple[str, str]]:
        for one in lists:
            with suppress(CustodyError, StatusListUnsoundError):  # that agency's licences will read "cannot confirm"
                yield self.publisher.uri(one), self.publisher.token(one, now=now)

    def must_be_an_agency(self, key: str) -> None:
        """Raise `UnknownAgencyError` unless `key` is an agency of the catalogue or one that was taken in."""
        if key not in catalogue.agencies():
            self.issuer.agency(key)

    def must_exist(self, role: Role, subject: str) -> None:
        """Raise unless there is such an agency or counter: a later one of that name must not inherit a token."""
        if role in {Role.AGENCY, Role.CLERK}:
            self.issuer.agency(subject)
        if role == Role.COUNTER:
            self.counters.get(subject)

    def finish_what_a_crash_left(self, *, now: datetime) -> dict[str, int]:
        """Burn the copies of licences that were recorded and never signed; returns how many."""
        return {"burnt": self.copies.burn_unsigned(now=now)}

    def forget_what_is_over(self, *, now: datetime) -> dict[str, int]:
        """Forget what is over in every room, each by its rule (`forgetting.py`); audit, ledger and receipts stay."""
        told = {
            "batches": self.batches.forget(now=now),
            "copies": self.file_copies.forget(now=now),
            "events": self.outbox.forget(now=now),
            "requests": self.exchange.forget(now=now),
        }
        with self.database.write() as session:
            traces.forget(session, now)
            told["keys"] = idempotency.forget(session, callers=[REMINDERS], operations=MAKES_A_LICENCE, now=now)
        for room in (issuers_forgetting, keys_forgetting, verifier_forgetting, wallet_forgetting):
            told |= room.forget(self.database, now=now)
        return told

    def found_city(self, *, now: datetime) -> None:
        """Make the operator's keys if there are none yet, and sign what says for which address."""
        with suppress(KeySealBrokenError):  # under a wrong key verifying goes on, and whatever signs says so
            self.root.open()
        for purpose in (KeyPurpose.TRUST_LIST, KeyPurpose.RECEIPT):
            if not self.vault.key_rows(OPERATOR, purpose):
                self.vault.create(OPERATOR, purpose, actor=OPERATOR, now=now)
        self.certificates.anchor(now=now)
        if self.registry.address() is None:
            with suppress(CustodyError):
                self.registry.token(now=now)
