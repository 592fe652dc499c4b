"""HTTP routes of the agencies: no deciding here."""

import gzip
import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Response

from credentials import strict_json
from issuers import type_metadata
from issuers.auth import AgencyKey
from issuers.errors import HistoryNotKeptError, NotAcceptableError, UnknownTypeError
from issuers.issuer import Issuer
from issuers.models import LicenceRow, LicenceState
from issuers.publishing import TIME_TO_LIVE, StatusPublisher
from issuers.schemas import (
    CURSOR,
    CauseIn,
    FindIn,
    IssueIn,
    LicenceOut,
    LicencePage,
    Nothing,
    PreparedOut,
    SignatureIn,
    licence_out,
    prepared_out,
)
from issuers.status_changes import StatusChanges
from keys.access import Caller
from keys.auth import Attempts, Clock, IdempotencyKey
from keys.models import KeyPurpose
from keys.trust_list import issuer_url
from keys.vault import Vault, public_set

_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
STATUS_LIST_TYPE = "application/statuslist+jwt"
ListNumber = Annotated[str, Path(pattern="^[cx]?[1-9][0-9]{0,8}$", examples=["1"])]


def routes(  # noqa: C901 - a list of routes, one after another, with nothing to decide
    issuer: Issuer,
    changes: StatusChanges,
    publisher: StatusPublisher,
    vault: Vault,
    *,
    caller_of: Callable[..., Caller],
    attempts: Attempts,
    clock: Clock,
    base_url: str,
) -> APIRouter:
    """Return the agencies' routes."""
    router = APIRouter(tags=["issuers"])
    Agency = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("/issuers/{agency}/licences", status_code=201)
    def issue(agency: AgencyKey, body: IssueIn, caller: Agency, key: IdempotencyKey = None) -> LicenceOut:
        """Sign a licence with the agency's key in the vault and put it into the holder's wallet."""
        this = attempts(caller, key, "issue", body.model_dump(mode="json"))
        return licence_out(issuer.issue(agency, body.order(), this, actor=caller.name, now=clock()))

    @router.post("/issuers/{agency}/licences/prepare", status_code=201)
    def prepare(agency: AgencyKey, body: IssueIn, caller: Agency, key: IdempotencyKey = None) -> PreparedOut:
        """Record a licence and return the exact bytes for the agency to sign with a key it never shares."""
        this = attempts(caller, key, "prepare", body.model_dump(mode="json"))
        return prepared_out(issuer.prepare(agency, body.order(), this, actor=caller.name, now=clock()))

    @router.post("/issuers/{agency}/licences/{licence_id}/complete")
    def complete(agency: AgencyKey, licence_id: str, body: SignatureIn, caller: Agency) -> LicenceOut:
        """Take the agency's signature, check it, deliver the licence. The same call again answers the same."""
        row = issuer.complete(agency, licence_id, body.signature_bytes(), actor=caller.name, now=clock())
        return licence_out(row)

    @router.post("/issuers/{agency}/licences/{licence_id}/renew", status_code=201)
    def renew(
        agency: AgencyKey, licence_id: str, body: IssueIn, caller: Agency, key: IdempotencyKey = None
    ) -> LicenceOut:
        """Issue the licence's next version; the old one is superseded once the new one is signed."""
        this = attempts(caller, key, f"renew {licence_id}", body.model_dump(mode="json"))
        row = issuer.issue(agency, body.order(), this, actor=caller.name, now=clock(), supersedes=licence_id)
        return licence_out(row)

    @router.post("/issuers/{agency}/licences/{licence_id}/renew/prepare", status_code=201)
    def prepare_renewal(
        agency: AgencyKey, licence_id: str, body: IssueIn, caller: Agency, key: IdempotencyKey = None
    ) -> PreparedOut:
        """Record the licence's next version for the agency to sign itself; `complete` it like any other."""
        this = attempts(caller, key, f"prepare renewal {licence_id}", body.model_dump(mode="json"))
        row = issuer.prepare(agency, body.order(), this, actor=caller.name, now=clock(), supersedes=licence_id)
        return prepared_out(row)

    @router.get("/issuers/{agency}/licences")
    def licences(
        agency: AgencyKey,
        _caller: Agency,
        cursor: Annotated[str, Query(max_length=128, pattern=CURSOR)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        state: LicenceState | None = None,
        reference: Annotated[str | None, Query(max_length=128)] = None,
    ) -> LicencePage:
        """List the agency's licences, a page at a time."""
        rows = issuer.page(agency, after=cursor, limit=limit + 1, state=state, reference=reference)
        more = rows[limit - 1].licence_id if len(rows) > limit else None
        return LicencePage(items=[licence_out(row) for row in rows[:limit]], next_cursor=more)

    @router.post("/issuers/{agency}/licences/find")
    def find(agency: AgencyKey, body: FindIn, _caller: Agency) -> LicencePage:
        """Find what was issued to whoever has a number; in the body, so that the number stands in no address."""
        rows = issuer.of_holder(agency, body.code_type, body.code, after=body.cursor, limit=body.limit + 1)
        more = rows[body.limit - 1].licence_id if len(rows) > body.limit else None
        return LicencePage(items=[licence_out(row) for row in rows[: body.limit]], next_cursor=more)

    @router.get("/issuers/{agency}/licences/{licence_id}")
    def licence(agency: AgencyKey, licence_id: str, _caller: Agency) -> LicenceOut:
        """Read one licence's ledger entry."""
        return licence_out(issuer.read(agency, licence_id))

    def changed(
        agency: str, caller: Caller, licence_id: str, to: LicenceState, cause: str | None, key: str | None
    ) -> LicenceRow:
        this = attempts(caller, key, f"{to} {licence_id}", {"cause": cause})
        return changes.change(agency, licence_id, to, this, cause=cause, actor=caller.name, now=clock())

    @router.post("/issuers/{agency}/licences/{licence_id}/suspend")
    def suspend(
        agency: AgencyKey, licence_id: str, body: CauseIn, caller: Agency, key: IdempotencyKey = None
    ) -> LicenceOut:
        """Suspend a licence; it can be reinstated."""
        return licence_out(changed(agency, caller, licence_id, LicenceState.SUSPENDED, body.cause, key))

    @router.post("/issuers/{agency}/licences/{licence_id}/reinstate")
    def reinstate(
        agency: AgencyKey,
        licence_id: str,
        caller: Agency,
        _body: Annotated[Nothing | None, Body(examples=[{}])] = None,
        key: IdempotencyKey = None,
    ) -> LicenceOut:
        """Make a suspended licence valid again."""
        return licence_out(changed(agency, caller, licence_id, LicenceState.VALID, None, key))

    @router.post("/issuers/{agency}/licences/{licence_id}/revoke")
    def revoke(
        agency: AgencyKey, licence_id: str, body: CauseIn, caller: Agency, key: IdempotencyKey = None
    ) -> LicenceOut:
        """Revoke a licence for good."""
        return licence_out(changed(agency, caller, licence_id, LicenceState.REVOKED, body.cause, key))

    _add_public(router, issuer, publisher, vault, base_url=base_url, clock=clock)
    return router


def _add_public(  # noqa: C901 - a list of routes, one after another
    router: APIRouter, issuer: Issuer, publisher: StatusPublisher, vault: Vault, *, base_url: str, clock: Clock
) -> None:
    """Add what anybody may read: status lists, licence types, keys."""

    @router.get(
        "/issuers/{agency}/status/{number}",
        response_class=Response,
        responses={200: {"content": {"application/statuslist+jwt": {"example": "eyJhbGciOiJFUzI1NiIs…"}}}},
    )
    def status_list(
        agency: AgencyKey,
        number: ListNumber,
        time: Annotated[str | None, Query(description="Not kept here: 501.")] = None,
        accept: Annotated[str, Header()] = "*/*",
        accept_encoding: Annotated[str, Header()] = "",
        if_none_match: Annotated[str, Header()] = "",
    ) -> Response:
        """Return a status list token (Token Status List section 8), for everybody; 304 if it is the one they have."""
        if time is not None:
            raise HistoryNotKeptError
        if not accepts(accept, STATUS_LIST_TYPE):
            raise NotAcceptableError
        token = publisher.token(f"{agency}/{number}", now=clock())
        packed = accepts(accept_encoding, "gzip")
        tag = _tag(token, "-gzip" if packed else "")
        headers = {
            "Cache-Control": f"public, max-age={int(TIME_TO_LIVE.total_seconds())}",
            "Access-Control-Allow-Origin": "*",
            "Vary": "Accept, Accept-Encoding",
            "ETag": tag,
        }
        if not {tag, "*"}.isdisjoint(one.strip().removeprefix("W/") for one in if_none_match.split(",")):
            return Response(status_code=304, headers=headers)
        if packed:
            return Response(_packed(token), media_type=STATUS_LIST_TYPE, headers=headers | {"Content-Encoding": "gzip"})
        return Response(token, media_type=STATUS_LIST_TYPE, headers=headers)

    @router.get("/issuers/{agency}/status", responses=_example({"status_lists": ["https://…/issuers/police/status/1"]}))
    def status_lists(agency: AgencyKey) -> Response:
        """Name all of an agency's status lists, for nightly prefetch (Token Status List section 9)."""
        issuer.agency(agency)
        return _public(strict_json.dumps({"status_lists": publisher.uris(agency)}), "application/json", seconds=300)

    @router.get("/issuers/types/{licence_type}", responses=_example({"vct": "https://…", "display": [], "claims": []}))
    def licence_type(licence_type: str) -> Response:
        """Return a licence type's metadata, with names and labels in Chinese and English."""
        kind = issuer.types.get(licence_type)
        if kind is None:
            raise UnknownTypeError
        return _public(type_metadata.document(kind, issuer.vct(kind.key)), "application/json")

    @router.get(
        "/issuers/types/{licence_type}/card.svg",
        response_class=Response,
        responses={200: {"content": {"image/svg+xml": {"example": "<svg>…</svg>"}}}},
    )
    def licence_card(licence_type: str) -> Response:
        """Return a licence type's card, an SVG template for wallets."""
        kind = issuer.types.get(licence_type)
        if kind is None:
            raise UnknownTypeError
        return _public(type_metadata.card(kind), "image/svg+xml")

    @router.get("/.well-known/jwt-vc-issuer/issuers/{agency}", responses=_example({"issuer": "https://…", "jwks": {}}))
    def issuer_metadata(agency: AgencyKey) -> Response:
        """Return an agency's issuer metadata (draft-ietf-oauth-sd-jwt-vc section 5): its public licence keys."""
        issuer.agency(agency)
        keys = public_set(vault.key_rows(agency, KeyPurpose.LICENCE))
        told = {"issuer": issuer_url(base_url, agency), "jwks": keys}
        return _public(strict_json.dumps(told), "application/json", seconds=300)


def accepts(header: str, wanted: str) -> bool:
    """Whether an Accept or Accept-Encoding header lets `wanted` through: the closest range counts (RFC 9110 12.5)."""
    qualities = _qualities(header)
    ranges = [wanted, f"{wanted.split('/', maxsplit=1)[0]}/*", "*/*"] if "/" in wanted else [wanted, "*"]
    return next((qualities[one] for one in ranges if one in qualities), 0.0) > 0


def prefers(header: str, wanted: str, over: str) -> bool:
    """Whether an Accept header names `wanted` itself, and puts it not below `over`."""
    qualities = _qualities(header)
    return qualities.get(wanted, 0.0) > 0 and qualities[wanted] >= qualities.get(over, 0.0)


def _qualities(header: str) -> dict[str, float]:
    """Return the ranges of an Accept header and their weights; a weight that is none counts as 0 (RFC 9110 12.4.2)."""
    found: dict[str, float] = {}
    for one in header.lower().split(","):
        name, *parameters = (part.strip() for part in one.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        found[name] = float(weight) if _WEIGHT.fullmatch(weight) else 0.0
    return found


def _public(data: bytes, media_type: str, *, seconds: int = 3600) -> Response:
    """Return what anybody may read and keep for a while."""
    headers = {"Cache-Control": f"public, max-age={seconds}", "Access-Control-Allow-Origin": "*"}
    return Response(data, media_type=media_type, headers=headers)


def _example(value: object) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": value}}}}


@lru_cache(maxsize=32)
def _tag(token: str, suffix: str) -> str:
    """Return what names a list's token in one encoding (RFC 9110 section 8.8.3)."""
    return f'"{sha256(token.encode()).hexdigest()[:32]}{suffix}"'


@lru_cache(maxsize=16)
def _packed(token: str) -> bytes:
    """Return a list's token as gzip; what everybody asks for is packed once."""
    return gzip.compress(token.encode("ascii"), mtime=0)
