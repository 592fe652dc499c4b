"""Who may do what: the one table. A route without a row does not start, and tests try every row with every caller.

A row names the scope that a token must have and the roles that may have it; `own` is the part of the address that must
be the caller's own name, and to everybody else it is as if nothing were there. `fresh` rows want a passkey shown
just now of whoever has one. Below an address, rooms look for things of the caller's own only: another holder's licence,
another counter's request do not exist for them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.routing import BaseRoute

from app import finder
from issuers.errors import UnknownAgencyError
from keys.access import PEOPLE, Caller, Role
from keys.errors import ScopeRefusedError


@dataclass(frozen=True, slots=True)
class Row:
    """Who may: `scope` None for everybody, ANY_SCOPE for any token of these roles."""

    scope: str | None
    roles: tuple[Role, ...] = ()
    own: str | None = None
    fresh: bool = False


ANY_SCOPE = "*"
ANYBODY = Row(None)
PROTOCOL = Row(None)
"""Anybody may call; who it is shows in the protocol: a code, a proof, a signed object, a page's own session."""
_AGENCY = (Role.AGENCY, Role.CLERK)
ISSUE = Row("licences:issue", _AGENCY, own="agency")
READ = Row("licences:read", _AGENCY, own="agency")
STATUS = Row("licences:status", _AGENCY, own="agency")
STATUS_FRESH = Row("licences:status", _AGENCY, own="agency", fresh=True)
HOLDER = Row("wallet", (Role.HOLDER,))
HOLDER_FRESH = Row("wallet", (Role.HOLDER,), fresh=True)
COUNTER = Row("verify", (Role.COUNTER,))
OPERATOR = Row("operate", (Role.OPERATOR,))
OPERATOR_FRESH = Row("operate", (Role.OPERATOR,), fresh=True)
PERSON = Row(ANY_SCOPE, (Role.HOLDER, *sorted(PEOPLE)))
AUDITOR = Row("audit", (Role.AUDITOR,))
SUPPORT = Row("support", (Role.SUPPORT,))

TABLE: Mapping[str, Row] = {
    # Agencies
    "POST /issuers/{agency}/licences": ISSUE,
    "POST /issuers/{agency}/licences/prepare": ISSUE,
    "POST /issuers/{agency}/licences/{licence_id}/complete": ISSUE,
    "POST /issuers/{agency}/licences/{licence_id}/renew": ISSUE,
    "POST /issuers/{agency}/licences/{licence_id}/renew/prepare": ISSUE,
    "GET /issuers/{agency}/licences": READ,
    "POST /issuers/{agency}/licences/find": READ,
    "GET /issuers/{agency}/licences/{licence_id}": READ,
    "POST /issuers/{agency}/licences/{licence_id}/suspend": STATUS,
    "POST /issuers/{agency}/licences/{licence_id}/reinstate": STATUS,
    "POST /issuers/{agency}/licences/{licence_id}/revoke": STATUS,
    "POST /issuers/{agency}/batches": ISSUE,
    "GET /issuers/{agency}/batches": READ,
    "GET /issuers/{agency}/batches/template.{form}": READ,
    "GET /issuers/{agency}/batches/{job_id}": READ,
    "GET /issuers/{agency}/batches/{job_id}/events": READ,
    "GET /issuers/{agency}/batches/{job_id}/report": READ,
    "POST /issuers/{agency}/status-changes": STATUS_FRESH,
    "GET /issuers/{agency}/status-changes": STATUS,
    "GET /issuers/{agency}/status-changes/{proposal_id}": STATUS,
    "POST /issuers/{agency}/status-changes/{proposal_id}/approve": STATUS_FRESH,
    "POST /issuers/{agency}/status-changes/{proposal_id}/decline": STATUS,
    "POST /issuers/{agency}/status-changes/{change_id}/undo": STATUS,
    "GET /issuers/{agency}/figures": READ,
    "GET /issuers/{agency}/cases": READ,
    "GET /issuers/{agency}/cases/{case_id}": READ,
    "GET /issuers/{agency}/cases/{case_id}/events": READ,
    "POST /issuers/{agency}/cases/{case_id}/answer": STATUS,
    "POST /issuers/{agency}/offers": ISSUE,
    "GET /issuers/{agency}/offers/{offer_id}": ISSUE,
    "POST /issuers/{agency}/offers/{offer_id}/approve": ISSUE,
    "POST /issuers/{agency}/offers/{offer_id}/deny": ISSUE,
    # Other wallets, at an agency's doors
    "POST /issuers/{agency}/par": PROTOCOL,
    "POST /issuers/{agency}/challenge": PROTOCOL,
    "POST /issuers/{agency}/token": PROTOCOL,
    "POST /issuers/{agency}/nonce": PROTOCOL,
    "POST /issuers/{agency}/credential": PROTOCOL,
    "POST /issuers/{agency}/deferred-credential": PROTOCOL,
    "POST /issuers/{agency}/notification": PROTOCOL,
    "GET /issuers/{agency}/credential-offers/{secret}": PROTOCOL,
    "GET /issuers/{agency}/authorize": PROTOCOL,
    "POST /issuers/{agency}/authorize": PROTOCOL,
    # Holders
    "GET /wallet/licences": HOLDER,
    "GET /wallet/licences/{licence_id}": HOLDER,
    "GET /wallet/licences/{licence_id}/card.svg": HOLDER,
    "POST /wallet/shows": HOLDER,
    "DELETE /wallet/shows/{show_id}": HOLDER,
    "POST /wallet/presentations": HOLDER,
    "POST /wallet/passes": HOLDER,
    "GET /wallet/uses": HOLDER,
    "GET /wallet/uses/{use_id}/copy": HOLDER,
    "PUT /wallet/uses/{use_id}/reuse": HOLDER,
    "DELETE /wallet/uses/{use_id}/reuse": HOLDER,
    "PUT /wallet/uses/{use_id}/notice": HOLDER,
    "DELETE /wallet/uses/{use_id}/notice": HOLDER,
    "POST /wallet/cases": HOLDER,
    "GET /wallet/cases": HOLDER,
    "GET /wallet/cases/{case_id}": HOLDER,
    "GET /wallet/cases/{case_id}/events": HOLDER,
    "POST /wallet/cases/{case_id}/words": HOLDER,
    "GET /wallet/consents": HOLDER,
    "GET /wallet/consents/{consent_id}": HOLDER,
    "POST /wallet/consents/{consent_id}/confirm": HOLDER,
    "POST /wallet/consents/{consent_id}/decline": HOLDER,
    "GET /wallet/events": HOLDER,
    "GET /wallet/mandates": HOLDER,
    "POST /wallet/mandates": HOLDER_FRESH,
    "DELETE /wallet/mandates/{mandate_id}": HOLDER,
    "GET /wallet/sessions": HOLDER,
    "DELETE /wallet/sessions/{session_id}": HOLDER_FRESH,
    "POST /wallet/sign-out": HOLDER,
    "POST /wallet/offers/look": HOLDER,
    "POST /wallet/offers/take": HOLDER,
    "POST /wallet/offers/start": HOLDER,
    "POST /wallet/offers/finish": HOLDER,
    "GET /wallet/issuances": HOLDER,
    "POST /wallet/issuances/{issuance_id}/collect": HOLDER,
    "POST /wallet/requests": HOLDER,
    "POST /wallet/requests/{request_id}/answer": HOLDER,
    "GET /wallet/sign-in": PROTOCOL,
    "POST /wallet/sign-in": PROTOCOL,
    "POST /wallet/sign-in/link": PROTOCOL,
    "GET /wallet/sign-in/callback": PROTOCOL,
    "GET /wallet/authorized": ANYBODY,
    # The wallet's pages: whoever is not signed in is sent to sign in
    "GET /w": PROTOCOL,
    "GET /w/cards/{licence_id}": PROTOCOL,
    "GET /w/asked/{consent_id}": PROTOCOL,
    "GET /w/uses": PROTOCOL,
    "GET /w/more": PROTOCOL,
    "GET /w/open": PROTOCOL,
    "GET /w/offline": ANYBODY,
    "GET /w/worker.js": ANYBODY,
    "GET /s": ANYBODY,
    "GET /static/{name}": ANYBODY,
    # Counters
    "POST /verifier/enrol": PROTOCOL,
    "GET /verifier/service-items": COUNTER,
    "POST /verifier/checks": COUNTER,
    "POST /verifier/verifications": COUNTER,
    "POST /verifier/verifications/picture": COUNTER,
    "GET /verifier/verifications/{verification_id}": COUNTER,
    "GET /verifier/verifications/{verification_id}/proof": COUNTER,
    "GET /verifier/verifications/{verification_id}/copy": COUNTER,
    "POST /verifier/copies/check": COUNTER,
    "POST /verifier/receipts/check": COUNTER,
    "GET /verifier/receipts/{verification_id}": ANYBODY,
    "GET /receipts/{verification_id}": ANYBODY,
    "POST /verifier/class-lists": COUNTER,
    "GET /verifier/class-lists": COUNTER,
    "GET /verifier/class-lists/{list_id}": COUNTER,
    "POST /verifier/class-lists/{list_id}/entries/{number}/verifications": COUNTER,
    "POST /verifier/class-lists/{list_id}/entries/{number}/link": COUNTER,
    "POST /verifier/class-lists/{list_id}/close": COUNTER,
    "GET /verifier/class-lists/links/{secret}": PROTOCOL,
    "POST /verifier/class-lists/links/{secret}": PROTOCOL,
    "POST /verifier/scans": COUNTER,
    "POST /verifier/pictures": COUNTER,
    "GET /verifier/counter": COUNTER,
    "GET /c": ANYBODY,
    "POST /verifier/offline-verdicts": COUNTER,
    "POST /verifier/asks": COUNTER,
    "GET /verifier/asks/{ask_id}": COUNTER,
    "DELETE /verifier/asks/{ask_id}": COUNTER,
    "POST /verifier/requests": COUNTER,
    "POST /verifier/requests/{request_id}/answer": COUNTER,
    "GET /verifier/trust-bundle": COUNTER,
    "POST /verifier/presentation-requests": COUNTER,
    "GET /verifier/presentation-requests/{request_id}": COUNTER,
    # Other wallets, at a counter's doors
    "GET /verifier/presentation-requests/{request_id}/request-object": PROTOCOL,
    "POST /verifier/presentation-requests/{request_id}/request-object": PROTOCOL,
    "POST /verifier/presentation-requests/{request_id}/response": PROTOCOL,
    # Systems and devices, for their own tokens
    "POST /oauth/token": PROTOCOL,
    # People, for their passkeys
    "POST /passkeys/registration-options": PERSON,
    "POST /passkeys": PERSON,
    "GET /passkeys": PERSON,
    "DELETE /passkeys/{passkey_id}": PERSON,
    "POST /passkeys/step-up-options": PERSON,
    "POST /passkeys/step-up": PERSON,
    "POST /passkeys/sign-out": PERSON,
    "POST /passkeys/sign-in-options": PROTOCOL,
    "POST /passkeys/sign-in": PROTOCOL,
    "GET /passkeys/page": ANYBODY,
    "GET /passkeys/page.js": ANYBODY,
    # The operator
    "POST /admin/agencies": OPERATOR_FRESH,
    "PUT /admin/agencies/{agency}/types/{licence_type_key}": OPERATOR_FRESH,
    "DELETE /admin/agencies/{agency}/types/{licence_type_key}": OPERATOR_FRESH,
    "GET /admin/agencies": OPERATOR,
    "GET /admin/counters": OPERATOR,
    "GET /admin/keys": OPERATOR,
    "GET /admin/service-items": OPERATOR,
    "GET /admin/figures": OPERATOR,
    "GET /admin/reports": OPERATOR,
    "POST /admin/counters": OPERATOR,
    "POST /admin/counters/{counter}/suspend": OPERATOR,
    "POST /admin/counters/{counter}/resume": OPERATOR_FRESH,
    "POST /admin/counters/{counter}/enrolment-codes": OPERATOR_FRESH,
    "POST /admin/holders": OPERATOR,
    "POST /admin/holders/{holder_id}/sign-in-link": OPERATOR,
    "POST /admin/tokens": OPERATOR_FRESH,
    "GET /admin/tokens": OPERATOR,
    "DELETE /admin/tokens/{token_id}": OPERATOR_FRESH,
    "POST /admin/clients": OPERATOR_FRESH,
    "GET /admin/clients": OPERATOR,
    "POST /admin/clients/{client_id}/suspend": OPERATOR,
    "POST /admin/clients/{client_id}/resume": OPERATOR_FRESH,
    "GET /admin/passkeys": OPERATOR,
    "DELETE /admin/passkeys/{passkey_id}": OPERATOR_FRESH,
    "GET /admin/proposals": OPERATOR,
    "POST /admin/proposals/{proposal_id}/approve": OPERATOR_FRESH,
    "POST /admin/proposals/{proposal_id}/decline": OPERATOR_FRESH,
    "POST /admin/webhooks": OPERATOR_FRESH,
    "GET /admin/webhooks": OPERATOR,
    "DELETE /admin/webhooks/{webhook_id}": OPERATOR,
    "GET /admin/webhooks/{webhook_id}/deliveries": OPERATOR,
    "POST /admin/webhooks/{webhook_id}/replay": OPERATOR,
    "POST /admin/keys": OPERATOR_FRESH,
    "POST /admin/keys/rotate": OPERATOR_FRESH,
    "POST /admin/keys/{kid}/compromise": OPERATOR_FRESH,
    # The operator's people
    "GET /admin/audit": AUDITOR,
    "GET /admin/audit/entries": AUDITOR,
    "GET /admin/requests/{number}": SUPPORT,
    # Whoever has a token
    "GET /caller": Row(ANY_SCOPE, tuple(Role)),
    # Everybody
    "GET /console": ANYBODY,
    "GET /": ANYBODY,
    "GET /operator": ANYBODY,
    "GET /operator/items/{key}": ANYBODY,
    "GET /keys/trust-list": ANYBODY,
    "GET /keys/operator": ANYBODY,
    "GET /keys/authority": ANYBODY,
    "GET /log/checkpoint": ANYBODY,
    "GET /log/leaves": ANYBODY,
    "GET /log/consistency": ANYBODY,
    "GET /issuers/{agency}/status": ANYBODY,
    "GET /issuers/{agency}/status/{number}": ANYBODY,
    "GET /issuers/types/{licence_type}": ANYBODY,
    "GET /issuers/types/{licence_type}/card.svg": ANYBODY,
    "GET /.well-known/jwt-vc-issuer/issuers/{agency}": ANYBODY,
    "GET /.well-known/openid-credential-issuer/issuers/{agency}": ANYBODY,
    "GET /.well-known/oauth-authorization-server/issuers/{agency}": ANYBODY,
    "GET /.well-known/oauth-authorization-server": ANYBODY,
    "GET /problems/{code}": ANYBODY,
    "GET /problems": ANYBODY,
    "GET /healthz": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /metrics": PROTOCOL,  # by peer address: `LICENCE_METRICS_FROM`
    "GET /docs": ANYBODY,
    "GET /docs/oauth2-redirect": ANYBODY,
    "GET /openapi.json": ANYBODY,
    "HEAD /openapi.json": ANYBODY,
}


MOUNTED = frozenset({"/static-offline-docs"})
"""The API reference's assets, out of a package, for everybody."""


def permit(request: Request, caller: Caller, must_be_fresh: Callable[[Caller], None]) -> None:
    """Raise `ScopeRefusedError` unless the caller may make this request, `UnknownAgencyError` if it is another's.

    Where a row wants a passkey shown just now, `must_be_fresh` raises unless it was.
    """
    row = TABLE[f"{request.method} {request.scope['route'].path}"]
    if caller.role not in row.roles or row.scope not in {ANY_SCOPE, *caller.scopes}:
        raise ScopeRefusedError
    if row.own is not None and request.path_params[row.own] != caller.subject:
        raise UnknownAgencyError(f"the token is {caller.subject}'s, the address names {request.path_params[row.own]}")
    if row.fresh:
        must_be_fresh(caller)


def must_be_whole(routes: list[BaseRoute]) -> None:
    """Raise `LookupError` if a route has no row: nobody has thought about who may call it."""
    missing = [one for one in finder.operations(routes) if one not in TABLE]
    missing += [
        str(getattr(one, "path", one)) for one in finder.others(routes) if getattr(one, "path", "") not in MOUNTED
    ]
    if missing:
        raise LookupError(f"app/permissions.py has no row for {', '.join(missing)}")
