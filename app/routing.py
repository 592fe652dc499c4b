"""Which routes each room has: every router, handed what it needs of the house. How one is found: `finder.py`."""

import secrets
from collections.abc import Callable, Collection
from typing import Any

from app import admin, between_rooms, catalogue, overview, problems, staff, webhooks
from app.house import House
from app.web import operator, rendering, web, words
from issuers import api as issuers_api
from issuers import type_metadata
from issuers.batch import api as batch_api
from issuers.mass import api as mass_api
from issuers.openid4vci import api as openid4vci_api
from issuers.web import pages as console_pages
from keys import api as keys_api
from keys.access import Caller
from keys.auth import Clock, visitor_of
from keys.passkeys import api as passkeys_api
from keys.passkeys import pages as passkeys_pages
from keys.server_sent_events import Telling
from records import idempotency
from verifier import api as verifier_api
from verifier.asks import api as asks_api
from verifier.checks import api as checks_api
from verifier.class_lists import api as class_lists_api
from verifier.class_lists import pages as class_lists_pages
from verifier.file_copies import api as file_copies_api
from verifier.file_copies import pages as file_copies_pages
from verifier.openid4vp import api as openid4vp_api
from verifier.web import pages as counter_pages
from wallet import api as wallet_api
from wallet import qr
from wallet.cases import api as cases_api
from wallet.consents import api as consents_api
from wallet.mandates import api as mandates_api
from wallet.openid4vc import api as wallet_openid4vc_api
from wallet.openid4vc import pages as wallet_openid4vc_pages
from wallet.sign_in import api as sign_in_api
from wallet.sign_in import pages as sign_in_pages
from wallet.sign_in import signing_in
from wallet.web import pages as wallet_pages


def attempt(caller: Caller, key: str | None, operation: str, body: dict[str, Any]) -> idempotency.Attempt:
    """Return a caller's attempt; without a key of its own it gets one that nobody will send again."""
    return idempotency.attempt(caller.name, key or f"none-{secrets.token_urlsafe(16)}", operation, body)


def routers(house: House, caller: Callable[..., Caller], now: Clock, rooms: Collection[str]) -> list[Any]:
    """Return the routers of the named rooms; public keys are always there."""
    base_url = house.settings.base_url
    telling = Telling()
    visitor, by_link = visitor_of(house.access, house.browser, now), house.settings.demo
    routers: list[Any] = []
    if "verifier" in rooms:
        routers.append(checks_api.routes(house.verifier, caller_of=caller, clock=now, randomness=secrets.token_bytes))
        routers.append(verifier_api.scanning_routes(house.verifier, caller_of=caller, clock=now))
        routers.append(
            file_copies_api.routes(
                house.file_copies, house.verifier, caller_of=caller, trust=house.verifier.trust, clock=now
            )
        )
    routers += [
        keys_api.routes(house.registry, lambda at: house.certificates.anchor(now=at), now),
        keys_api.log_routes(house.log, now),
        keys_api.caller_routes(caller),
        keys_api.oauth_routes(house.client_credentials, now),
    ]
    if rooms:
        routers.append(rendering.routes())
    if set(rooms) - {"verifier"}:
        routers += [
            passkeys_api.routes(house.passkeys, house.access, caller_of=caller, clock=now),
            passkeys_pages.routes(),
        ]
    if "issuers" in rooms:
        routers.append(
            console_pages.routes(
                rendering.page, words.language_of, house.types, catalogue.agency_name,
                two_agree=house.settings.two_must_agree,
            )
        )  # fmt: skip
        routers.append(
            issuers_api.routes(
                house.issuer, house.changes, house.publisher, house.vault,
                caller_of=caller, attempts=attempt, clock=now, base_url=base_url,
            )
        )  # fmt: skip
        routers.append(cases_api.agency_routes(house.cases, caller_of=caller, telling=telling, clock=now))
        routers.append(overview.agency_routes(house, caller_of=caller, clock=now))
        routers.append(batch_api.routes(house.batches, caller_of=caller, attempts=attempt, clock=now, telling=telling))
        routers.append(mass_api.routes(house.mass_changes, caller_of=caller, attempts=attempt, clock=now))
        routers.append(
            openid4vci_api.routes(
                house.openid4vci,
                caller_of=caller,
                clock=now,
                picture=qr.picture,
                visitor_of=visitor,
                browser=house.browser,
                sign_in_page=signing_in.SIGN_IN if house.settings.signs_in else None,
            )
        )
    if "wallet" in rooms:
        routers.append(
            wallet_api.routes(
                house.wallet,
                house.uses,
                caller_of=caller,
                clock=now,
                card_template=type_metadata.card,
                file_copy=between_rooms.copy_of(house.file_copies),
            )
        )
        routers.append(cases_api.routes(house.cases, caller_of=caller, attempts=attempt, telling=telling, clock=now))
        routers.append(
            consents_api.routes(house.consents, house.wallet.used, caller_of=caller, telling=telling, clock=now)
        )
        routers.append(mandates_api.routes(house.mandates, caller_of=caller, attempts=attempt, clock=now))
        routers.append(
            sign_in_api.routes(
                house.access, house.accounts, house.browser, caller_of=caller, clock=now, by_link=by_link
            )
        )
        routers.append(
            sign_in_pages.routes(
                sign_in_pages.Sessions(house.access, house.browser, visitor),
                house.accounts,
                house.signing_in,
                words=problems.words,
                by_link=by_link,
                clock=now,
            )
        )
        routers.append(wallet_pages.routes(web.wallet_pages(house, visitor), now))
        routers.append(
            wallet_openid4vc_api.routes(
                house.taking, house.answering, caller_of=caller, name_of=house.uses.name_of, clock=now
            )
        )
        routers.append(wallet_openid4vc_pages.routes())
    if "verifier" in rooms:
        routers.append(
            verifier_api.routes(
                house.verifier,
                house.reuse,
                caller_of=caller,
                clock=now,
                attempts=attempt,
                vct=house.issuer.vct,
                trust_bundle=house.trust_bundle,
                log=house.log,
            )
        )
        routers.append(
            file_copies_pages.routes(house.file_copies, trust=house.verifier.trust, words=problems.words, clock=now)
        )
        routers.append(verifier_api.reported_routes(house.reported, caller_of=caller, clock=now))
        routers.append(counter_pages.routes(rendering.page))
        routers.append(class_lists_pages.routes(house.class_lists, words=problems.words, picture=qr.png, clock=now))
        routers.append(
            class_lists_api.routes(house.class_lists, house.verifier, caller_of=caller, attempts=attempt, clock=now)
        )
        routers.append(asks_api.routes(house.asks, house.verifier, caller_of=caller, attempts=attempt, clock=now))
        routers.append(verifier_api.enrolment_routes(house.clients, house.gate, base_url=base_url, clock=now))
        routers.append(
            openid4vp_api.routes(house.exchange, house.verifier, caller_of=caller, clock=now, picture=qr.picture)
        )
    if "operator" in rooms:
        routers.append(admin.routes(house, caller_of=caller, clock=now))
        routers.append(overview.routes(house, caller_of=caller, clock=now))
        routers.append(operator.routes(house, now))
        routers.append(staff.routes(house, caller_of=caller))
        routers.append(webhooks.routes(house, caller_of=caller, clock=now))
    return routers
