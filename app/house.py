"""The composition root: builds every room and hands each what it needs of another."""

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key

from app import between_rooms, catalogue, custody, doors
from app.database import EngineDatabase
from app.doors import Core
from app.fetcher import Fetcher
from app.settings import Settings
from credentials.licence_type import LicenceType
from issuers import store as issuers_store
from issuers.agencies import Agencies
from issuers.copies import Copies
from issuers.errors import StatusListUnsoundError
from issuers.issuer import Issuer
from issuers.openid4vci.api import Doors
from issuers.publishing import StatusPublisher
from issuers.recording import Recorder as LicenceRecorder
from issuers.status_changes import StatusChanges
from issuers.velocity import Velocity
from keys.access import Access, Role
from keys.auth import Browser
from keys.certificates import Certificates
from keys.encryption import Seal
from keys.errors import CustodyError, KeySealBrokenError
from keys.four_eyes import FourEyes
from keys.key_encryption import Root
from keys.models import KeyPurpose
from keys.oauth.client_credentials import ClientCredentials
from keys.oauth.clients import OAuthClients
from keys.oauth.dpop_gate import DpopGate
from keys.oauth.nonces import Nonces
from keys.passkeys.ceremony import Ceremony
from keys.passkeys.passkeys import Passkeys
from keys.registry import TrustRegistry
from keys.transparency import TransparencyLog
from keys.trust_list import OPERATOR
from keys.vault import Vault
from verifier.counters import Counters
from verifier.errors import UnknownServiceItemError
from verifier.openid4vp.exchange import Exchange
from verifier.recording import Recorder
from verifier.service_items import ServiceItem
from verifier.trust_cache import StatusCache, TrustCache
from verifier.verifier import Verifier
from wallet.accounts import Accounts
from wallet.keeping import Keeping
from wallet.openid4vc.answering import Answering
from wallet.openid4vc.fetching import Fetch
from wallet.openid4vc.taking import Taking
from wallet.presenting import Presenter
from wallet.sign_in.signing_in import SigningIn
from wallet.uses import Uses
from wallet.wallet import Wallet

LOOK_BACK = timedelta(days=7)  # uses older than this whose verdict is missing are left as they are


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
    copies: Copies
    openid4vci: Doors
    changes: StatusChanges
    accounts: Accounts
    signing_in: SigningIn | None
    wallet: Wallet
    uses: Uses
    counters: Counters
    verifier: Verifier
    verdicts: Recorder
    exchange: Exchange
    taking: Taking
    answering: Answering

    def trust_bundle(self, now: datetime) -> dict[str, Any]:
        """Return all that verifying without a network needs."""
        with self.database.read() as session:
            lists = [row.list_id for row in issuers_store.lists(session)]
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
        """Deliver licences and tell verdicts that a crash kept from their holders; returns how many of each."""
        told = [self.verdicts.tell_again(digests) for digests in self.uses.without_verdict(since=now - LOOK_BACK)]
        self.copies.burn_unsigned(now=now)
        return {"delivered": self.issuer.deliver_again(now=now), "told": sum(told)}

    def found_city(self, *, now: datetime) -> None:
        """Make the operator's keys if there are none yet."""
        with suppress(KeySealBrokenError):  # under a wrong key verifying goes on, and whatever signs says so
            self.root.open()
        for purpose in (KeyPurpose.TRUST_LIST, KeyPurpose.RECEIPT):
            if not self.vault.key_rows(OPERATOR, purpose):
                self.vault.create(OPERATOR, purpose, actor=OPERATOR, now=now)
        self.certificates.anchor(now=now)


def build(
    settings: Settings,
    *,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
    make_key: Callable[[], EllipticCurvePrivateKey] = lambda: generate_private_key(SECP256R1()),
    fetch: Fetch | None = None,
) -> House:
    """Build every room over one database; raises `SettingsError` if a secret is missing. `fetch` is the way out."""
    base_url = settings.base_url
    fetch = fetch or Fetcher(hosts=settings.hosts, own_url=base_url, loopback=settings.demo)
    database = EngineDatabase(settings.database_url.get_secret_value())
    root = Root(database=database, custodian=custody.custodian(settings, randomness), randomness=randomness)
    seal = Seal(root.open, randomness=randomness)
    types, items = catalogue.licence_types(), catalogue.items()
    vault = Vault(database=database, seal=seal, make_key=make_key)
    registry = TrustRegistry(database=database, vault=vault, base_url=base_url)
    certificates = Certificates(database=database, vault=vault, base_url=base_url, randomness=randomness)
    publisher = StatusPublisher(database=database, vault=vault, certificates=certificates, base_url=base_url)
    nonces = Nonces(database=database, seal=seal, randomness=randomness)
    gate = DpopGate(database=database, nonces=nonces)
    access = Access(database=database, randomness=randomness)
    clients = OAuthClients(database=database, randomness=randomness, secrets_allowed=settings.demo)
    transparency = TransparencyLog(database=database, vault=vault, base_url=base_url)
    core = Core(settings, database, seal, vault, certificates, make_key, randomness, fetch)
    by_vct = {f"{base_url}/issuers/types/{key}": kind for key, kind in types.items()}

    def states(licence_ids: Sequence[str]) -> Mapping[str, str]:
        return issuer.states(licence_ids)

    def listed(item: str) -> Mapping[str, Collection[str]]:
        if item not in items:
            raise UnknownServiceItemError
        return items[item].listed

    accounts = Accounts(database=database, seal=seal, randomness=randomness)
    velocity = Velocity(
        database=database, per_hour=settings.limit_acts_per_hour, agency_per_hour=settings.limit_agency_acts_per_hour
    )  # fmt: skip
    keeping = Keeping(database=database, seal=seal, accounts=accounts, types=by_vct, make_key=make_key)
    presenter = Presenter(database=database, keeping=keeping, randomness=randomness)
    wallet = Wallet(
        database=database,
        keeping=keeping,
        presenter=presenter,
        base_url=base_url,
        listed_by_item=listed,
        states=states,
        randomness=randomness,
        show_life=timedelta(seconds=settings.show_life_seconds),
    )
    issuer = Issuer(
        database=database,
        vault=vault,
        seal=seal,
        registry=registry,
        publisher=publisher,
        types=types,
        base_url=base_url,
        holder_keys=keeping,
        deliver=keeping.receive,
        recorder=LicenceRecorder(
            database=database,
            seal=seal,
            publisher=publisher,
            base_url=base_url,
            certificates=certificates,
            velocity=velocity,
            randomness=randomness,
        ),
        preparation_life=timedelta(seconds=settings.preparation_life_seconds),
    )
    copies = Copies(
        database=database,
        issuer=issuer,
        certificates=certificates,
        registry=registry,
        publisher=publisher,
        base_url=base_url,
        claims_of=keeping.claims_of,
        randomness=randomness,
    )
    uses = Uses(database=database)
    counters = Counters(database=database)
    verdicts = Recorder(database=database, vault=vault, base_url=base_url, tell_holder=between_rooms.tell_holder(uses))
    trust = TrustCache(
        fetch=lambda now: registry.token(now=now), operator_keys=registry.operator_keys, refresh=settings.refresh
    )
    verifier = Verifier(
        database=database,
        counters=counters,
        trust=trust,
        statuses=StatusCache(fetch=between_rooms.own_lists(publisher, base_url), refresh=settings.refresh),
        types=by_vct,
        items=items,
        base_url=base_url,
        holder_side=between_rooms.holder_side(wallet),
        recorder=verdicts,
        logged=between_rooms.logged_before(database, base_url),
        randomness=randomness,
    )
    return House(
        settings=settings,
        database=database,
        types=types,
        items=items,
        root=root,
        vault=vault,
        registry=registry,
        certificates=certificates,
        log=transparency,
        browser=Browser(base_url),
        gate=gate,
        access=access,
        passkeys=Passkeys(
            database=database,
            access=access,
            nonces=nonces,
            ceremony=Ceremony(base_url),
            demanded=settings.staff_passkeys,
        ),
        four_eyes=FourEyes(database=database, randomness=randomness),
        clients=clients,
        client_credentials=ClientCredentials(
            database=database, clients=clients, access=access, gate=gate, nonces=nonces, base_url=base_url
        ),
        publisher=publisher,
        agencies=Agencies(database=database, vault=vault, registry=registry, vct=issuer.vct, types=types),
        issuer=issuer,
        copies=copies,
        openid4vci=doors.openid4vci(core, issuer, copies, nonces, gate),
        changes=StatusChanges(issuer=issuer, publisher=publisher, velocity=velocity),
        accounts=accounts,
        signing_in=doors.signing_in(core, accounts),
        wallet=wallet,
        uses=uses,
        counters=counters,
        verifier=verifier,
        verdicts=verdicts,
        exchange=doors.exchange(core, verifier, issuer),
        taking=doors.taking(core, keeping, trust, by_vct),
        answering=doors.answering(core, keeping, presenter),
    )
