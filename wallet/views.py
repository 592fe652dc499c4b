"""What holders are shown of rows: licences with labels in one language, uses with names."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from credentials.licence_type import LicenceType
from wallet.keeping import Opened
from wallet.models import Use
from wallet.schemas import LicenceView, UseOut

NUMBER_LABELS = {
    "licence_id": {"zh": "证照标识", "en": "Licence identifier"},
    "issued_on": {"zh": "证照颁发日期", "en": "Date of issue"},
}


def licence_view(opened: Opened, state: str, language: str, viewer: str, name_of: Callable[[str], str]) -> LicenceView:
    """Return a licence with its labels in `language` (zh or en), as `viewer` sees it."""
    holder_id = opened.row.holder_id
    principal = None if holder_id == viewer else {"holder_id": holder_id, "name": name_of(holder_id)}
    kind, licence, described = opened.kind, opened.licence, opened.row.described or {}
    selective = opened.selective
    return LicenceView(
        licence_id=opened.row.licence_id,
        principal=principal,
        licence_type=kind.key if kind else licence.vct,
        name=licence_name(opened, language),
        issuer=licence.issuer or in_language(described.get("issuer", {}), language) or "",
        state=state,
        issued_at=datetime.fromtimestamp(licence.issued_at, UTC) if licence.issued_at is not None else None,
        expires_at=datetime.fromtimestamp(licence.expires_at, UTC) if licence.expires_at is not None else None,
        claims=[
            {"name": name, "label": label(opened, name, language), "value": value, "selective": name in selective}
            for name, value in licence.claims.items()
        ],
    )


def licence_name(opened: Opened, language: str) -> str:
    """Return what a licence is called; another issuer's that has no name is called by its `vct`."""
    if opened.kind is not None:
        return opened.kind.names[language]
    return in_language((opened.row.described or {}).get("names", {}), language) or opened.licence.vct


def label(opened: Opened, name: str, language: str) -> str:
    """Return what a claim is called; one that nobody named is called as it is."""
    if opened.kind is not None:
        return claim_label(opened.kind, name, language)
    return in_language((opened.row.described or {}).get("labels", {}).get(name, {}), language) or name


def claim_label(kind: LicenceType | None, name: str, language: str) -> str:
    """Return what a claim of a type is called; one that it does not name is called as it is."""
    if name in NUMBER_LABELS:
        return NUMBER_LABELS[name][language]
    claim = kind.claims.get(name) if kind else None
    return claim.labels.get(language, name) if claim else name


def in_language(by_locale: Mapping[str, str], language: str) -> str | None:
    """Return what another issuer says in a language: that one, else English, else any."""
    for wanted in (language, "en", ""):
        for locale, text in by_locale.items():
            if locale.lower().startswith(wanted):
                return text
    return None


def use_out(row: Use, name_of: Callable[[str], str]) -> UseOut:
    """Return a use as JSON."""
    return UseOut(**row.model_dump(), holder_name=name_of(row.holder_id), actor_name=name_of(row.actor))
