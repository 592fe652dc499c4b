"""The composition root: builds every room and hands each what it needs of another."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key

from app import between_rooms, catalogue, custody, doors, webhooks
from app.database import EngineDatabase
from app.doors import Core
from app.fetcher import Fetcher
from app.house import House
from app.settings import Settings
from issuers.agencies import Agencies
from issuers.batch.batches import Batches
from issuers.batch.preparing import Preparer
from issuers.batch.working import BatchWorker
from issuers.completing import Completer
from issuers.copies import Copies
from issuers.issuer import Issuer
from issuers.mass.mass_changes import MassChanges
from issuers.publishing import StatusPublisher
from issuers.recording import Recorder as LicenceRecorder
from issuers.status_changes import StatusChanges
from issuers.velocity import Velocity
from keys.access import Access
from keys.auth import Browser
from keys.certificates import Certificates
from keys.encryption import Seal
from keys.four_eyes import FourEyes
from keys.key_encryption import Root
from keys.oauth.client_credentials import ClientCredentials
from keys.oauth.clients import OAuthClients
from keys.oauth.dpop_gate import DpopGate
from keys.oauth.nonces import Nonces
from keys.passkeys.ceremony import Ceremony
from keys.passkeys.passkeys import Passkeys
from keys.registry import TrustRegistry
from keys.transparency import TransparencyLog
from keys.vault import Vault
from records.outbox.outbox import Outbox
from verifier.asks.asks import Asks
from verifier.class_lists.class_lists import ClassLists
from verifier.counters import Counters
from verifier.errors import UnknownServiceItemError
from verifier.file_copies.file_copies import FileCopies
from verifier.receipts_reused import Reuse
from verifier.recording import Recorder
from verifier.reported import Reported
from verifier.trust_cache import StatusCache, TrustCache
from verifier.verifier import Verifier
from wallet import qr
from wallet.accounts import Accounts
from wallet.cases.cases import Cases
from wallet.consents.consents import Consents
from wallet.keeping import Keeping
from wallet.keeping_many import KeepingMany
from wallet.mandates.mandates import Mandates
from wallet.matters import Matter
from wallet.openid4vc.fetching import Fetch
from wallet.presenting import Presenter
from wallet.uses import Uses
from wallet.wallet import Wallet


def build(
    settings: Settings,
    *,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
    make_key: Callable[[], EllipticCurvePrivateKey] = lambda: generate_private_key(SECP256R1()),
    fetch: Fetch | None = None,
) -> House:
    """Build every room over one database; raises `SettingsError` if a secret is missing. `fetch` is the way out."""
    base_url = settings.base_url
    tell = fetch or Fetcher(hosts=None, loopback=settings.demo, inner=settings.inner)  # whom the operator registered
    fetch = fetch or Fetcher(hosts=settings.hosts, own_url=base_url, loopback=settings.demo)
    database = EngineDatabase(settings.database_url.get_secret_value(), connections=settings.database_connections)
    root = Root(database=database, custodian=custody.custodian(settings, randomness), randomness=randomness)
    seal = Seal(root.open, randomness=randomness)
    types, items = catalogue.licence_types(), catalogue.items()
    vault = Vault(database=database, seal=seal, make_key=make_key, remember=settings.refresh)
    registry = TrustRegistry(database=database, vault=vault, base_url=base_url)
    certificates = Certificates(database=database, vault=vault, base_url=base_url, randomness=randomness)
    publisher = StatusPublisher(database=database, vault=vault, certificates=certificates, base_url=base_url)
    nonces = Nonces(seal=seal, randomness=randomness)
    gate = DpopGate(database=database, nonces=nonces)
    access = Access(database=database, randomness=randomness, remember=settings.refresh)
    clients = OAuthClients(database=database, randomness=randomness, secrets_allowed=settings.demo)
    transparency = TransparencyLog(database=database, vault=vault, base_url=base_url)
    core = Core(settings, database, seal, vault, certificates, make_key, randomness, fetch)
    by_vct = {f"{base_url}/issuers/types/{key}": kind for key, kind in types.items()}

    def states(licence_ids: Sequence[str]) -> Mapping[str, str]:
        return issuer.states(licence_ids)

    def matter(item: str) -> Matter:
        if item not in items:
            raise UnknownServiceItemError
        return between_rooms.matter_of(items[item])

    accounts = Accounts(database=database, seal=seal, randomness=randomness)
    mandates = Mandates(database=database, accounts=accounts, types=types, states=states, randomness=randomness)
    velocity = Velocity(
        database=database, per_hour=settings.limit_acts_per_hour, agency_per_hour=settings.limit_agency_acts_per_hour,
        revocations_per_hour=(
            settings.limit_revocations_per_hour if settings.two_must_agree else settings.limit_agency_acts_per_hour
        ),
    )  # fmt: skip
    keeping = Keeping(
        database=database, seal=seal, accounts=accounts, mandates=mandates, types=by_vct, make_key=make_key
    )
    presenter = Presenter(database=database, keeping=keeping, randomness=randomness)
    wallet = Wallet(
        database=database,
        keeping=keeping,
        presenter=presenter,
        base_url=base_url,
        mandates=mandates,
        matter=matter,
        states=states,
        randomness=randomness,
        show_life=timedelta(seconds=settings.show_life_seconds),
    )
    recorder = LicenceRecorder(
        database=database, seal=seal, publisher=publisher, base_url=base_url, certificates=certificates,
        velocity=velocity, randomness=randomness,
    )  # fmt: skip
    completer = Completer(database=database, publisher=publisher, recorder=recorder, deliver=keeping.receive)
    issuer = Issuer(
        database=database,
        vault=vault,
        seal=seal,
        registry=registry,
        publisher=publisher,
        types=types,
        base_url=base_url,
        holder_keys=keeping,
        recorder=recorder,
        completer=completer,
        preparation_life=timedelta(seconds=settings.preparation_life_seconds),
    )
    many = KeepingMany(database=database, seal=seal, accounts=accounts, keeping=keeping)
    preparer = Preparer(
        database=database, seal=seal, vault=vault, issuer=issuer, publisher=publisher, recorder=recorder,
        velocity=velocity, base_url=base_url, bind_many=many.bind, agent=keeping.account, randomness=randomness,
    )  # fmt: skip
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
    changes = StatusChanges(issuer=issuer, publisher=publisher, velocity=velocity)
    four_eyes = FourEyes(database=database, randomness=randomness)
    uses = Uses(database=database, mandates=mandates)
    counters = Counters(database=database, remember=settings.refresh)
    file_copies = FileCopies(
        database=database, seal=seal, base_url=base_url, agency_name=catalogue.agency_name, picture=qr.png,
        randomness=randomness,
    )  # fmt: skip
    verdicts = Recorder(
        database=database, vault=vault, base_url=base_url, tell_holder=uses.record_verdicts,
        file_copies=file_copies,
    )  # fmt: skip
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
        by_mandate=uses.by_mandate,
        recorder=verdicts,
        logged=between_rooms.logged_before(database, base_url),
        randomness=randomness,
    )
    consents = Consents(
        database=database, seal=seal, wallet=wallet, keeping=keeping, mandates=mandates, presenter=presenter,
        matter=matter, randomness=randomness,
    )  # fmt: skip
    exchange = doors.exchange(core, verifier, issuer)
    asked = between_rooms.AskedWallet(consents, catalogue.agency_name, wallet.asks_first)
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
        four_eyes=four_eyes,
        clients=clients,
        client_credentials=ClientCredentials(
            database=database, clients=clients, access=access, gate=gate, nonces=nonces, base_url=base_url
        ),
        publisher=publisher,
        agencies=Agencies(database=database, vault=vault, registry=registry, vct=issuer.vct, types=types),
        issuer=issuer,
        batches=Batches(
            database=database,
            seal=seal,
            vault=vault,
            issuer=issuer,
            rows_per_day=settings.limit_batch_rows_per_day,
            randomness=randomness,
        ),
        batch_worker=BatchWorker(
            database=database,
            seal=seal,
            vault=vault,
            issuer=issuer,
            preparer=preparer,
            recorder=recorder,
            deliver_many=many.receive,
        ),
        copies=copies,
        openid4vci=doors.openid4vci(core, issuer, copies, nonces, gate),
        changes=changes,
        mass_changes=MassChanges(
            database=database,
            changes=changes,
            publisher=publisher,
            four_eyes=four_eyes,
            velocity=velocity,
            two_must_agree=settings.two_must_agree,
            randomness=randomness,
        ),
        accounts=accounts,
        mandates=mandates,
        signing_in=doors.signing_in(core, accounts),
        wallet=wallet,
        uses=uses,
        counters=counters,
        verifier=verifier,
        consents=consents,
        cases=Cases(
            database=database,
            seal=seal,
            keeping=keeping,
            uses=uses,
            randomness=randomness,
            agency_of_issuer=lambda url: url.removeprefix(f"{base_url}/issuers/"),
            agency_of_counter=between_rooms.agency_of_counter(database),
        ),
        class_lists=ClassLists(
            database=database,
            verifier=verifier,
            exchange=exchange,
            base_url=base_url,
            made_by=uses.made_by,
            circle=mandates.circle,
            randomness=randomness,
        ),
        asks=Asks(database=database, verifier=verifier, holder_side=asked, randomness=randomness),
        reuse=Reuse(
            database=database,
            trust=trust,
            types=by_vct,
            holder_side=between_rooms.Relied(uses, issuer.good, randomness),
            recorder=verdicts,
            randomness=randomness,
        ),
        outbox=Outbox(
            database=database,
            close=seal.close,
            reveal=seal.open,
            send=webhooks.sender(tell),
            about=between_rooms.whose_licence(database),
            relying=between_rooms.relying(uses),
            randomness=randomness,
        ),
        reported=Reported(database=database, verifier=verifier, tell_holder=uses.record_verdicts),
        file_copies=file_copies,
        exchange=exchange,
        taking=doors.taking(core, keeping, trust, by_vct),
        answering=doors.answering(core, keeping, presenter, mandates),
    )
