"""The doors to other wallets, issuers and verifiers: OpenID4VCI and OpenID4VP, over the rooms of `building.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.database import EngineDatabase
from app.settings import Settings
from app.vouching import vouched
from credentials.errors import CertificateRefusedError
from credentials.jwk import import_public
from credentials.licence_type import LicenceType
from credentials.x509 import CertifiedKey
from issuers.copies import Copies
from issuers.issuer import Issuer
from issuers.openid4vci.access_tokens import AccessTokens
from issuers.openid4vci.api import Doors
from issuers.openid4vci.attestation import Attesters
from issuers.openid4vci.authorization.authorization import Authorizations
from issuers.openid4vci.clients import Clients
from issuers.openid4vci.credential import CredentialEndpoint
from issuers.openid4vci.encrypting import Encrypting
from issuers.openid4vci.offers import Offers
from issuers.openid4vci.tokens import Tokens
from keys.certificates import Certificates
from keys.encryption import Seal
from keys.models import KeyPurpose, KeyState
from keys.oauth.dpop_gate import DpopGate
from keys.oauth.nonces import Nonces
from keys.trust_list import OPERATOR, TrustList, issuer_url
from keys.vault import KeyMaker, Vault
from verifier.class_lists import adding
from verifier.openid4vp.exchange import Exchange
from verifier.verifier import Verifier
from wallet.accounts import Accounts
from wallet.keeping import Keeping
from wallet.mandates.mandates import Mandates
from wallet.openid4vc.answering import Answering
from wallet.openid4vc.attesting import Attesting, Provider
from wallet.openid4vc.credential_vetting import Vetting
from wallet.openid4vc.discovery import Discovery
from wallet.openid4vc.fetching import Fetch
from wallet.openid4vc.pages import CALLBACK
from wallet.openid4vc.taking import Taking
from wallet.openid4vc.verifier_request import MayAsk
from wallet.presenting import Presenter
from wallet.sign_in import pages as sign_in_pages
from wallet.sign_in.provider import Provider as IdentityProvider
from wallet.sign_in.provider import Registration
from wallet.sign_in.signing_in import SigningIn, WhoIsWho


@dataclass(frozen=True)
class Core:
    """What every door stands on."""

    settings: Settings
    database: EngineDatabase
    seal: Seal
    vault: Vault
    certificates: Certificates
    make_key: KeyMaker
    randomness: Callable[[int], bytes]
    fetch: Fetch

    @property
    def base_url(self) -> str:
        """This service's public address."""
        return self.settings.base_url

    @property
    def wallet_id(self) -> str:
        """How our wallet names itself to authorization servers."""
        return f"{self.base_url}/wallet"


def openid4vci(core: Core, issuer: Issuer, copies: Copies, nonces: Nonces, gate: DpopGate) -> Doors:
    """Build the doors at which other wallets take licences."""
    common: dict[str, Any] = {"database": core.database, "base_url": core.base_url, "randomness": core.randomness}
    attesters = Attesters(
        core.settings.anchors(core.settings.attesters_file),
        own=lambda now: core.certificates.anchor(now=now),
        own_wallet=core.wallet_id,
    )
    clients = Clients(
        database=core.database,
        attesters=attesters,
        nonces=nonces,
        issuer_url=lambda key: issuer_url(core.base_url, key),
    )
    return Doors(
        issuer=issuer,
        offers=Offers(issuer=issuer, vault=core.vault, seal=core.seal, signs_in=core.settings.signs_in, **common),
        authorizations=Authorizations(issuer=issuer, signs_in=core.settings.signs_in, **common),
        clients=clients,
        gate=gate,
        tokens=Tokens(seal=core.seal, gate=gate, clients=clients, **common),
        access_tokens=AccessTokens(database=core.database, gate=gate, base_url=core.base_url),
        nonces=nonces,
        credentials=CredentialEndpoint(
            issuer=issuer,
            copies=copies,
            nonces=nonces,
            attesters=attesters,
            **common,
        ),
        encrypting=Encrypting(vault=core.vault, make_key=core.make_key, randomness=core.randomness),
        certificates=core.certificates,
        base_url=core.base_url,
        refresh=core.settings.refresh,
    )


def exchange(core: Core, verifier: Verifier, issuer: Issuer) -> Exchange:
    """Build the exchange in which counters ask other wallets."""
    return Exchange(
        database=core.database,
        verifier=verifier,
        vault=core.vault,
        certificates=core.certificates,
        seal=core.seal,
        make_key=core.make_key,
        base_url=core.base_url,
        vct=issuer.vct,
        collect=adding.collect,
        randomness=core.randomness,
    )


def taking(
    core: Core, keeping: Keeping, trust: Callable[[datetime], TrustList], types: Mapping[str, LicenceType]
) -> Taking:
    """Build our wallet's way to take from other issuers."""
    anchors = core.settings.anchors(core.settings.foreign_issuers_file)
    return Taking(
        database=core.database,
        seal=core.seal,
        fetch=core.fetch,
        keeping=keeping,
        discovery=Discovery(fetch=core.fetch, anchors=lambda now: [core.certificates.anchor(now=now), *anchors]),
        vetting=Vetting(fetch=core.fetch, vouched=vouched(trust, anchors, types), types=types),
        attesting=Attesting(client_id=core.wallet_id, provider=_wallet_provider(core), randomness=core.randomness),
        redirect_uri=f"{core.base_url}{CALLBACK}",
        make_key=core.make_key,
        randomness=core.randomness,
    )


def answering(core: Core, keeping: Keeping, presenter: Presenter, mandates: Mandates) -> Answering:
    """Build our wallet's way to answer verifiers: those under the operator's authority, and those configured."""
    others = core.settings.anchors(core.settings.foreign_verifiers_file)
    return Answering(
        database=core.database,
        seal=core.seal,
        fetch=core.fetch,
        presenter=presenter,
        keeping=keeping,
        mandates=mandates,
        anchors=lambda now: [core.certificates.anchor(now=now), *others],
        may_ask=_may_ask(core),
        make_key=core.make_key,
        randomness=core.randomness,
    )


def _may_ask(core: Core) -> MayAsk:
    """Return the check that a key under the operator's authority is a counter's own, for requests, and in use."""

    def check(certified: CertifiedKey, now: datetime) -> None:
        if certified.anchor != core.certificates.anchor(now=now):
            return
        start = f"{core.base_url}/verifier/counters/"
        owners = [f"counter/{uri.removeprefix(start)}" for uri in certified.uris if uri.startswith(start)]
        rows = [row for owner in owners for row in core.vault.key_rows(owner, KeyPurpose.REQUEST)]
        if not any(
            row.state == KeyState.ACTIVE and import_public(row.jwk).thumbprint == certified.key.thumbprint
            for row in rows
        ):
            raise CertificateRefusedError("that certificate asks for nothing")

    return check


def _wallet_provider(core: Core) -> Callable[[datetime], Provider]:
    """Return the operator's key as wallet provider, made when it is first needed."""

    def provider(now: datetime) -> Provider:
        if not core.vault.key_rows(OPERATOR, KeyPurpose.WALLET):
            core.vault.create(OPERATOR, KeyPurpose.WALLET, actor=OPERATOR, now=now)
        name = {"en": "Licence Wallet provider"}
        key = core.certificates.signer(OPERATOR, KeyPurpose.WALLET, name=name, uri=core.wallet_id, now=now)
        return Provider(key.signer, key.x5c)

    return provider


def signing_in(core: Core, accounts: Accounts) -> SigningIn | None:
    """Build the way to sign in at the city's identity platform, None where none is configured."""
    settings = core.settings
    if settings.oidc_issuer is None:
        return None
    registration = Registration(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None,
        client_key=settings.oidc_client_key(),
        redirect_uri=f"{core.base_url}{sign_in_pages.CALLBACK}",
        scope=settings.oidc_scope,
        levels=tuple(settings.oidc_levels.split()),
        max_age=timedelta(seconds=settings.oidc_max_age_seconds),
    )
    who = WhoIsWho(
        settings.oidc_code_type, settings.oidc_code_claim, settings.oidc_name_claim, settings.oidc_verified_claim
    )
    return SigningIn(
        database=core.database,
        seal=core.seal,
        accounts=accounts,
        provider=IdentityProvider(registration, core.fetch),
        who=who,
        randomness=core.randomness,
    )
