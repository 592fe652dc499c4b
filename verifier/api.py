"""HTTP routes of the counters: no deciding here. A verdict is an answer (200), whatever it says."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from keys.access import Caller
from keys.auth import Attempts, Clock, IdempotencyKey
from keys.oauth.clients import OAuthClients
from keys.oauth.dpop_gate import DpopGate
from keys.transparency import TransparencyLog
from records import audit
from verifier import by_hand, picture
from verifier.receipts_reused import Reuse
from verifier.reported import Reported
from verifier.reported_schemas import OfflineVerdictsIn, RefusedOut, ReportedOut
from verifier.schemas import (
    AnswerIn,
    AskIn,
    CounterOut,
    EnrolIn,
    EnrolOut,
    ReceiptIn,
    ReceiptProof,
    RequestOut,
    ScanIn,
    ScannedOut,
    ServiceItemOut,
    ServiceItems,
    VerdictOut,
    VerificationOut,
)
from verifier.service_items import ServiceItem
from verifier.verifier import Verifier


def routes(
    verifier: Verifier,
    reuse: Reuse,
    *,
    caller_of: Callable[..., Caller],
    clock: Clock,
    attempts: Attempts,
    vct: Callable[[str], str],
    trust_bundle: Callable[[datetime], dict[str, Any]],
    log: TransparencyLog,
) -> APIRouter:
    """Return the counters' routes."""
    router = APIRouter(prefix="/verifier", tags=["verifier"])
    Here = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.get("/service-items")
    def service_items(_here: Here) -> ServiceItems:
        """List what may be asked for, and why."""
        return ServiceItems(items=[item_out(one) for one in verifier.items.values()])

    _add_pictures(router, verifier, caller_of, clock)

    @router.get("/counter")
    def this_counter(here: Here) -> CounterOut:
        """Read which counter this is: its name, whose, and by which channel it serves."""
        row = verifier.counters.get(here.subject)
        shown = {"key", "agency", "name", "channel", "opened_types"}
        return CounterOut(**row.model_dump(include=shown))

    @router.post("/requests", status_code=201)
    def ask(here: Here, body: AskIn, key: IdempotencyKey = None) -> RequestOut:
        """Open a request: nonce, audience and DCQL query for a wallet to answer once."""
        question = verifier.question(here.subject, body.service_item, None)
        this = attempts(here, key, "ask", body.model_dump())
        row = verifier.ask(question, this, now=clock())
        return RequestOut(
            request_id=row.request_id,
            client_id=verifier.audience(here.subject),
            nonce=row.nonce,
            dcql_query=question.item.dcql(vct),
            expires_at=row.expires_at,
        )

    @router.post("/requests/{request_id}/answer", response_model=VerdictOut)
    def verify_answer(here: Here, request_id: str, body: AnswerIn) -> Response:
        """Verify a `vp_token` as the one answer to a request."""
        made = verifier.verify_answer(request_id, body.vp_token, here.subject, body.operator, now=clock())
        return by_hand.json(made.as_json())

    @router.post("/receipts/check", response_model=VerdictOut)
    def check_receipt(here: Here, body: ReceiptIn) -> Response:
        """Rely on a receipt in place of a presentation: the original verdict, each licence now, what is lacking."""
        question = verifier.question(here.subject, body.service_item, body.operator)
        return by_hand.json(reuse.check(body.receipt, question, now=clock()).as_json())

    @router.get("/verifications/{verification_id}")
    def verification(here: Here, verification_id: str) -> VerificationOut:
        """Read what was recorded of a verification."""
        return VerificationOut(**verifier.verification(verification_id, here.subject).model_dump())

    @router.get("/verifications/{verification_id}/proof")
    def proof(here: Here, verification_id: str) -> ReceiptProof:
        """Prove that a verdict stands in the transparency log, so that its receipt can be checked years later."""
        row = verifier.verification(verification_id, here.subject)
        found = log.proof(f"verifier/{row.counter}", verification_id, now=clock())
        return ReceiptProof(
            act=audit.told(found.entry), leaf_index=found.index, checkpoint=found.note,
            path=[b64encode(one).decode("ascii") for one in found.path],
        )  # fmt: skip

    @router.get(
        "/trust-bundle", responses={200: {"content": {"application/json": {"example": {"trust_list": "eyJ…"}}}}}
    )
    def bundle(_here: Here) -> dict[str, Any]:
        """Return all a counter needs to verify offline passes: keys, trust list, status lists, licence types."""
        return trust_bundle(clock())

    return router


def scanning_routes(verifier: Verifier, *, caller_of: Callable[..., Caller], clock: Clock) -> APIRouter:
    """Return where a scanner's reads go."""
    router = APIRouter(prefix="/verifier", tags=["verifier"], route_class=by_hand.ByHand)

    @router.post("/verifications", openapi_extra=by_hand.takes(ScanIn), responses={200: {"model": VerdictOut}})
    async def verify_scan(request: Request) -> Response:
        """Verify what a scanner read: a show code or an offline pass."""

        def verified() -> Response:
            here, now = caller_of(request, None), clock()
            said = by_hand.read(request, ScanIn)
            question = verifier.question(here.subject, said.service_item, said.operator, now=now)
            return by_hand.json(verifier.verify_scan(said.scanned, question, now=now).as_json())

        return await run_in_threadpool(verified)

    return router


def _add_pictures(router: APIRouter, verifier: Verifier, caller_of: Callable[..., Caller], clock: Clock) -> None:
    """Add what takes codes as pictures."""
    Here = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("/verifications/picture", openapi_extra=_PICTURE, response_model=VerdictOut)
    def verify_picture(
        here: Here,
        picture_bytes: Annotated[bytes, Body(media_type="image/png")],
        service_item: Annotated[str, Query(min_length=1, max_length=64)],
        operator: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Response:
        """Verify a photo of a QR code (PNG, JPEG, WebP)."""
        now = clock()
        question = verifier.question(here.subject, service_item, operator, now=now)
        return by_hand.json(verifier.verify_scan(picture.read(picture_bytes), question, now=now).as_json())

    @router.post("/pictures", openapi_extra=_PICTURE)
    def read_picture(_here: Here, picture_bytes: Annotated[bytes, Body(media_type="image/png")]) -> ScannedOut:
        """Read the QR code in a photo (PNG, JPEG, WebP); nothing is verified or used up."""
        return ScannedOut(scanned=picture.read(picture_bytes))


def reported_routes(reported: Reported, *, caller_of: Callable[..., Caller], clock: Clock) -> APIRouter:
    """Return where a counter's own machine reports what it verified while its line was down."""
    router = APIRouter(prefix="/verifier", tags=["verifier"])
    Here = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("/offline-verdicts")
    def take_offline_verdicts(here: Here, body: OfflineVerdictsIn) -> ReportedOut:
        """Record verdicts that were made off line; each counts once, however often sent, and is refused alone."""
        new, refused = reported.take(here.subject, [one.told() for one in body.items], now=clock())
        told = [RefusedOut(verification_id=name, code=code) for name, code in refused.items()]
        return ReportedOut(recorded=new, refused=told)

    return router


def enrolment_routes(clients: OAuthClients, gate: DpopGate, *, base_url: str, clock: Clock) -> APIRouter:
    """Return where a device becomes a counter's."""
    router = APIRouter(prefix="/verifier", tags=["verifier"])

    @router.post("/enrol", status_code=201)
    def enrol(
        body: EnrolIn, dpop: Annotated[str, Header(max_length=4096, description="The proof of its key (RFC 9449).")]
    ) -> EnrolOut:
        """Enrol a counter's device with the operator's one-time code; the device keeps its key."""
        now = clock()
        proof = gate.key_of(dpop, "POST", f"{base_url}/verifier/enrol", now=now)
        client_id = clients.enrol(body.code, body.name, proof.key, now=now)
        return EnrolOut(client_id=client_id, token_endpoint=f"{base_url}/oauth/token")

    return router


_PICTURE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}, "example": "(the picture's bytes)"}
            for kind in ("image/png", "image/jpeg", "image/webp")
        },
    }
}


def item_out(one: ServiceItem) -> ServiceItemOut:
    """Return a service item as JSON."""
    return ServiceItemOut(
        key=one.key,
        name=dict(one.names),
        agency=one.agency,
        channels=list(one.channels),
        item_code=one.item_code,
        version=one.version,
        nature=one.nature,
        applicant_kind=one.applicant_kind,
        replaces=list(one.replaces),
        visits_before=one.visits[0],
        visits_after=one.visits[1],
        handling_limit_working_days=one.working_days,
        receipts_days=one.receipts_days,
        copy_days=one.copy_days,
        needs=[asdict(need) for need in one.needs],
    )
