"""JSON in and out of consents."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from keys.schemas import Input, example
from wallet.consents.consents import Part, Question
from wallet.consents.models import Consent, State
from wallet.schemas import LICENCE_ID, SENSITIVE

ASKED: dict[str, Any] = {
    "consent_id": "0n8Qd1Tz3m5PZK2v", "counter": "school2_office", "service_item": "school_transfer",
    "counter_name": {"zh": "示例市第二小学教务处", "en": "School office"},
    "agency_name": {"zh": "示例市第二小学", "en": "No.2 Primary School"}, "state": "waiting",
    "asked_at": "2026-11-23T08:00:00Z", "expires_at": "2026-11-23T08:02:00Z", "decided_at": None, "taken_at": None,
    "reported": None,
}  # fmt: skip


class ConfirmIn(Input):
    """The holder's yes to what was `seen`: less the optional types `without`, for `principal` as it was looked at."""

    seen: str = Field(max_length=64, description="As the question had it: what was looked at.")
    without: list[str] = Field(default=[], max_length=16)
    principal: str | None = Field(default=None, max_length=64)
    sensitive: bool = Field(default=False, description=SENSITIVE)

    model_config = example({"seen": "9f86d081884c7d65" * 4, "without": ["residence_permit"], "sensitive": True})


class DeclineIn(Input):
    """The holder's no; `report` says what was out of place with the question."""

    report: str | None = Field(default=None, min_length=1, max_length=500)

    model_config = example({"report": "对方以租房为由索要学籍信息"})


class ConsentOut(BaseModel):
    """A counter's question, and what became of it: its timeline, by event."""

    consent_id: str
    counter: str
    counter_name: dict[str, str]
    agency_name: dict[str, str]
    service_item: str
    state: Literal["waiting", "confirmed", "declined", "withdrawn", "expired"]
    asked_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    taken_at: datetime | None
    reported: str | None

    model_config = example(ASKED)


class ConsentsOut(BaseModel):
    """Questions."""

    items: list[ConsentOut]

    model_config = example({"items": [ASKED]})


class QuestionOut(ConsentOut):
    """A question with all that it means: what it is for, which claims would leave, which would not, what is missing."""

    item_name: dict[str, str]
    replaces: list[str]
    copy_days: int
    seen: str
    parts: list[dict[str, Any]]
    missing: list[dict[str, Any]]

    model_config = example(
                {
                    **ASKED, "item_name": {"zh": "小学生转学", "en": "School transfer"}, "replaces": ["学籍证明"],
                    "copy_days": 0, "seen": "9f86d081884c7d65" * 4,
                    "parts": [
                        {
                            "licence_type": "student_status_certificate", "licence_id": LICENCE_ID,
                            "holder_id": "q8VwTQ3vS0eX0mXq",
                            "shown": ["grade", "school_name"], "kept": ["student_status_no"], "optional": False,
                            "sensitive": True, "why": {"zh": "转出校学籍、年级", "en": "Enrolment and grade"},
                        }
                    ],
                    "missing": [],
                }
            )  # fmt: skip


def consent_out(row: Consent, now: datetime) -> dict[str, Any]:
    """Return a question as JSON."""
    told = row.model_dump(include=set(ConsentOut.model_fields))
    over = row.state == State.WAITING and now >= row.expires_at
    return told | {"state": "expired" if over else row.state}


def question_out(question: Question, now: datetime) -> QuestionOut:
    """Return a question with all that it means."""
    missing = [
        {"licence_type": one.licence_type, "why": dict(one.why), "where": [dict(name) for name in one.where]}
        for one in question.missing
    ]
    return QuestionOut(
        **consent_out(question.row, now),
        item_name=dict(question.matter.names),
        replaces=list(question.matter.replaces),
        copy_days=question.row.copy_days,
        seen=question.seen,
        parts=[_part(one) for one in question.parts],
        missing=missing,
    )


def _part(one: Part) -> dict[str, Any]:
    return {
        "licence_type": one.wanted.licence_type, "licence_id": one.opened.row.licence_id,
        "holder_id": one.opened.row.holder_id, "shown": list(one.shown), "kept": list(one.kept),
        "optional": one.optional, "sensitive": one.sensitive, "why": dict(one.wanted.why),
    }  # fmt: skip
