"""What happened in the last days, counted: issued, shown, refused by reason, proofs that nobody had to bring."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from pydantic import BaseModel

from app import store
from app.house import House
from credentials.licence_type import CITY_TIME
from keys.schemas import example
from verifier.reasons import Outcome

MOST_DAYS = 92


class DayOut(BaseModel):
    """One day in the city's time."""

    day: date
    issued: int
    accepted: int
    refused: int
    cannot_confirm: int


class ItemFigures(BaseModel):
    """What one service item brought: verdicts, and the licences that stood in for papers in accepted ones."""

    key: str
    name: dict[str, str]
    verified: int
    proofs_avoided: int


class Figures(BaseModel):
    """Figures of some days, this one included: of the whole service, or of one agency and its counters."""

    days: list[DayOut]
    issued_by_type: dict[str, int]
    not_accepted_by_reason: dict[str, int]
    items: list[ItemFigures]

    model_config = example(
                {
                    "days": [
                        {"day": "2026-11-23", "issued": 41, "accepted": 380, "refused": 12, "cannot_confirm": 1}
                    ],
                    "issued_by_type": {"residence_permit": 41}, "not_accepted_by_reason": {"code_expired": 9},
                    "items": [
                        {
                            "key": "school_transfer", "name": {"zh": "小学生转学", "en": "Primary school transfer"},
                            "verified": 390, "proofs_avoided": 1520,
                        }
                    ],
                }
            )  # fmt: skip


def figures(house: House, days: int, agency: str | None, *, now: datetime) -> Figures:
    """Return the figures of the last `days` days in the city's time, today among them."""
    today = now.astimezone(CITY_TIME).date()
    told, issued, reasons = list[DayOut](), Counter[str](), Counter[str]()
    verified, avoided = Counter[str](), Counter[str]()
    with house.database.read() as session:
        for back in reversed(range(days)):
            day = today - timedelta(days=back)
            start = datetime.combine(day, time(), CITY_TIME)
            between = start, start + timedelta(days=1)
            of_day = Counter(dict(store.issued_between(session, *between, agency)))
            verdicts: Counter[str] = Counter()
            for item, verdict, reason, count in store.verdicts_between(session, *between, agency):
                verdicts[verdict] += count
                verified[item] += count
                if verdict != Outcome.ACCEPTED:
                    reasons[reason] += count
            avoided.update(dict(store.presented_between(session, *between, agency)))
            issued += of_day
            told.append(_day(day, of_day.total(), verdicts))
    items = [
        ItemFigures(key=key, name=_name(house, key), verified=count, proofs_avoided=avoided[key])
        for key, count in verified.most_common()
    ]
    return Figures(
        days=told, issued_by_type=dict(issued.most_common()), not_accepted_by_reason=dict(reasons.most_common()),
        items=items,
    )  # fmt: skip


def _day(day: date, issued: int, verdicts: Mapping[str, int]) -> DayOut:
    counts: dict[str, Any] = {one.value: verdicts.get(one, 0) for one in Outcome}
    return DayOut(day=day, issued=issued, **counts)


def _name(house: House, key: str) -> dict[str, str]:
    return dict(house.items[key].names) if key in house.items else {}
