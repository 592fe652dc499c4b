"""JSON in and out of the verifying room. Inputs forbid unknown members."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from keys.schemas import Cleaned, Input, example
from verifier.reasons import Outcome

MAX_SCAN = 8 * 1024  # characters


class AskIn(Input):
    """Open a request for a service item."""

    service_item: str = Field(min_length=1, max_length=64)

    model_config = example({"service_item": "school_transfer"})


Operator = Annotated[str, Field(max_length=64), Cleaned]
"""A clerk's name or number, without what nobody sees: it goes into the records."""


class ScanIn(Input):
    """What a scanner read (a show code's URL, a typed code, an offline pass), and what it is for."""

    scanned: str = Field(min_length=1, max_length=MAX_SCAN)
    service_item: str = Field(min_length=1, max_length=64)
    operator: Operator | None = Field(default=None, description="The clerk at the counter.")

    model_config = example(
        {
            "scanned": "http://127.0.0.1:8080/s#5ZK8Q2M4X7T9R1C3V6B0N8P2GH",
            "service_item": "school_transfer",
            "operator": "clerk-07",
        }
    )


class ReceiptIn(Input):
    """A receipt that a holder brings in place of showing again, and what it is for."""

    receipt: str = Field(min_length=1, max_length=16 * 1024)
    service_item: str = Field(min_length=1, max_length=64)
    operator: Operator | None = None

    model_config = example({"receipt": "eyJ…", "service_item": "school_transfer"})


class AnswerIn(Input):
    """A wallet's answer to a request (OpenID4VP section 8.1): presentations by credential query id."""

    vp_token: dict[str, list[str]] = Field(max_length=16)
    operator: Operator | None = None

    model_config = example({"vp_token": {"residence_permit": ["eyJhbGciOiJFUzI1NiIs…~WyJ…~eyJ…"]}})


class RequestOut(BaseModel):
    """A request, as OpenID4VP has it: `client_id` is the audience, `nonce` is for one answer."""

    request_id: str
    client_id: str
    nonce: str
    dcql_query: dict[str, Any]
    expires_at: datetime

    model_config = example(
        {
            "request_id": "u1C8mB0dQ2yWkz5e",
            "client_id": "http://127.0.0.1:8080/verifier/counters/school2_office",
            "nonce": "c2l4dGVlbi1ieXRlcy1vci1tb3Jl",
            "dcql_query": {"credentials": []},
            "expires_at": "2026-11-23T08:02:00Z",
        }
    )


class VerdictOut(BaseModel):
    """The verdict, the same in every channel."""

    verification_id: str
    verdict: Outcome
    reason: str
    reason_at: str | None = Field(
        description="The instant that the reason is about: when a code was used or ended, as of when a stale status is."
    )
    message: dict[str, str]
    channel: str
    offline: bool
    checks: list[dict[str, Any]]
    licences: list[dict[str, Any]]
    missing: list[dict[str, Any]]
    verified_at: str
    status_as_of: str | None
    status_age_seconds: int | None
    receipt: str | None
    copy_until: str | None = None

    model_config = example(
        {
            "verification_id": "x0T4bV9sLr2pNq7a",
            "verdict": "refused",
            "reason": "revoked",
            "reason_at": None,
            "message": {
                "zh": "证照已废止，不再有效，请勿受理。",
                "en": "The licence is revoked for good. Do not accept.",
            },
            "channel": "show_code",
            "offline": False,
            "checks": [{"number": 7, "step": "status", "outcome": "failed", "reason": "revoked"}],
            "licences": [],
            "missing": [],
            "verified_at": "2026-11-23T08:00:30+00:00",
            "status_as_of": None,
            "status_age_seconds": None,
            "receipt": "eyJ…",
            "copy_until": None,
        }
    )


class VerificationOut(BaseModel):
    """What was recorded of a verification: steps and reasons, no claim."""

    verification_id: str
    counter: str
    operator: str | None
    at: datetime
    channel: str
    service_item: str
    verdict: Outcome
    reason: str
    checks: list[dict[str, Any]]
    receipt: str

    model_config = example(
        {
            "verification_id": "x0T4bV9sLr2pNq7a",
            "counter": "school2_office",
            "operator": "clerk-07",
            "at": "2026-11-23T08:00:30Z",
            "channel": "show_code",
            "service_item": "school_transfer",
            "verdict": "accepted",
            "reason": "accepted",
            "checks": [],
            "receipt": "eyJ…",
        }
    )


class ServiceItemOut(BaseModel):
    """A service item: what may be asked for, and why; which papers and visits that saves."""

    key: str
    item_code: str
    version: int
    nature: str
    applicant_kind: str
    replaces: list[str]
    visits_before: int
    visits_after: int
    handling_limit_working_days: int
    receipts_days: int
    copy_days: int
    name: dict[str, str]
    agency: str
    channels: list[str]
    needs: list[dict[str, Any]]

    model_config = example(
        {
            "key": "school_transfer",
            "item_code": "1244019900DEM0066N2000000001000",
            "version": 1,
            "nature": "公共服务",
            "applicant_kind": "guardian_of_minor",
            "replaces": ["学籍证明", "就读证明"],
            "visits_before": 3,
            "visits_after": 0,
            "handling_limit_working_days": 5,
            "receipts_days": 30,
            "copy_days": 0,
            "name": {"zh": "小学生转学", "en": "Primary school transfer"},
            "agency": "school2",
            "channels": ["online", "hall_counter", "kiosk"],
            "needs": [{"licence_type": "residence_permit", "claims": ["residence_district"], "required": False}],
        }
    )


class ServiceItems(BaseModel):
    """Every service item."""

    items: list[ServiceItemOut]

    model_config = example({"items": []})


class ReceiptProof(BaseModel):
    """That a verdict is in the transparency log: the act as it was chained, and the way from its hash to a signed root.

    The leaf is SHA-256 over 0x00 and the act's `hash`; `detail.receipt` is the SHA-256 of the receipt's text.
    """

    act: dict[str, Any]
    leaf_index: int
    path: list[str]
    checkpoint: str

    model_config = example(
                {
                    "act": {
                        "stream": "verifier/school2_office", "sequence": 3, "at": "2026-11-23T04:00:00+00:00",
                        "actor": "counter:school2_office", "act": "verification.accepted",
                        "subject": "0n8Qd1Tz3m5PZK2v", "detail": "{}", "previous_hash": "9f86…", "hash": "60303ae2…",
                    },
                    "leaf_index": 5,
                    "path": ["CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="],
                    "checkpoint": "wallet.city.example/log\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— …\n",
                }
            )  # fmt: skip


class ScannedOut(BaseModel):
    """What a QR code in a picture says."""

    scanned: str

    model_config = example({"scanned": "http://127.0.0.1:8080/s#5ZK8…"})


class CounterOut(BaseModel):
    """A counter as it is enrolled; `opened_types` where it is no agency's."""

    key: str
    agency: str
    name: dict[str, str]
    channel: str
    opened_types: list[str] | None

    model_config = example(
                {
                    "key": "school2_office", "agency": "school2", "name": {"zh": "教务处", "en": "Office"},
                    "channel": "hall_counter", "opened_types": None,
                }
            )  # fmt: skip


class EnrolIn(Input):
    """A device that becomes a counter's; its key is the one that the `DPoP` header proves."""

    code: str = Field(min_length=16, max_length=40)
    name: str = Field(min_length=1, max_length=120)

    model_config = example({"code": "7K2M-9QX4-0HTR-5B3C", "name": "教务处平板 1"})


class EnrolOut(BaseModel):
    """What the device calls itself from now on, and where it gets its tokens."""

    client_id: str
    token_endpoint: str

    model_config = example({"client_id": "k3V0yq8Zt1Lm", "token_endpoint": "http://127.0.0.1:8080/oauth/token"})
