"""What a copy for the file says, as data: the receipt holds its digest, so that nothing in it can be changed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from credentials import strict_json
from credentials.errors import MalformedError
from credentials.licence_type import CITY_TIME

FORM = "licence-copy/1"
MEMBERS = frozenset(
    {"form", "salt", "verification_id", "url", "made_with", "matter", "counter", "agency", "operator", "made_at",
     "until", "licences"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Marks:
    """What a copy is marked with: who holds it for what matter, since when, until when."""

    verification_id: str
    url: str
    made_with: str
    matter: Mapping[str, str]
    counter: Mapping[str, str]
    agency: Mapping[str, str]
    operator: str | None
    made_at: datetime
    until: datetime


def compose(marks: Marks, licences: Collection[Mapping[str, Any]], *, salt: str) -> dict[str, Any]:
    """Return the document of a copy of `licences`, as a verdict tells them.

    `salt` is 128 random bits: who has the receipt alone cannot try claims against its digest.
    """
    return {
        "form": FORM,
        "salt": salt,
        "verification_id": marks.verification_id,
        "url": marks.url,
        "made_with": marks.made_with,
        "matter": dict(marks.matter),
        "counter": dict(marks.counter),
        "agency": dict(marks.agency),
        "operator": marks.operator,
        "made_at": _city(marks.made_at),
        "until": _city(marks.until),
        "licences": [
            {
                "name": one["name"],
                "agency": one["agency_name"],
                "issued_at": _city_text(one["issued_at"]),
                "expires_at": _city_text(one["expires_at"]),
                "claims": [
                    {"label": one["labels"].get(name, {"zh": name, "en": name}), "text": spelt(value)}
                    for name, value in one["claims"].items()
                ],
            }
            for one in licences
        ],
    }


def digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) by which a receipt names its copy."""
    return sha256(strict_json.canonical(document)).hexdigest()


def check(document: Mapping[str, Any], receipt: Mapping[str, Any]) -> None:
    """Raise `MalformedError` unless this is the copy that a receipt names."""
    if document.keys() != MEMBERS or document["form"] != FORM:
        raise MalformedError("not a copy for the file")
    if receipt.get("copy_sha256") != digest(document):
        raise MalformedError("the receipt is of another copy, or this one was changed")


def both(said: Mapping[str, str]) -> str:
    """Return what is said in Chinese and English, once where both are the same."""
    return " · ".join(dict.fromkeys(one for one in (said.get("zh", ""), said.get("en", "")) if one))


def spelt(value: object) -> str:
    """Return a claim's value as people read it."""
    if isinstance(value, bool):
        return "是 Yes" if value else "否 No"
    if isinstance(value, Mapping):
        return "；".join(f"{name}: {spelt(one)}" for name, one in value.items())
    if isinstance(value, Collection) and not isinstance(value, str):
        return "、".join(spelt(one) for one in value)
    return str(value)


def _city_text(instant: str | None) -> str | None:
    return None if instant is None else _city(datetime.fromisoformat(instant))


def _city(instant: datetime) -> str:
    return instant.astimezone(CITY_TIME).isoformat(timespec="seconds")
