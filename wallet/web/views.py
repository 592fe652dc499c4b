"""What the wallet's pages tell, in one language: cards, questions, uses; what is sensitive is masked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from credentials import jws
from credentials.licence_type import LicenceType
from wallet.consents.consents import Part, Question
from wallet.keeping import Opened
from wallet.mandates.models import Kind
from wallet.models import Use
from wallet.views import claim_label, label, licence_view

Names = Callable[[str], Mapping[str, str]]
"""Returns what something of the catalogue is called, zh and en, by its key."""
STATES = {
    "valid": "有效", "suspended": "已暂停", "revoked": "已废止",
    "key_compromised": "签名密钥失窃，请向发证机关重新领取", "unknown": "状态未知",
}  # fmt: skip
CONSENTS = {
    "waiting": "等待您答复", "confirmed": "已同意", "declined": "已拒绝", "withdrawn": "对方已撤回",
    "expired": "已超时",
}  # fmt: skip
MANDATES = {"in_force": "有效", "withdrawn": "已收回", "ended": "已结束"}
KINDS = {
    Kind.PARENT: "父母或监护人", Kind.REPRESENTATIVE: "法定代表人", Kind.MANAGER: "管理人", Kind.AGENT: "经办人",
    Kind.HELPER: "家人或助手",
}  # fmt: skip
CASES = {"open": "已提交", "in_hand": "办理中", "upheld": "已采纳", "rejected": "未采纳"}
CASE_KINDS = {"correction": "更正", "objection": "异议"}
OUTCOMES = {"accepted": ("已被接受", "good"), "refused": ("未被接受", "bad"), "cannot_confirm": ("无法确认", "unsure")}
WHY = {
    "revoked": "证照已废止，请询问发证机关。", "suspended": "证照已暂停，请询问发证机关。",
    "licence_expired": "证照已过有效期，请换领。", "licence_not_yet_valid": "证照尚未生效。",
    "key_compromised": "签名密钥失窃，请向发证机关重新领取", "nothing_presented": "没有出示此事项所列的内容。",
    "status_stale": "当时无法取得最新的证照状态，可再出示一次。", "declined": "您没有同意出示。",
}  # fmt: skip
"""Why a use was not accepted, in words for its holder; of what is the verifier's own affair nothing is said."""
UNNAMED = {"offline_pass": "离线码：何处核验，尚未得知"}
LONGEST_MASK = 10
SPARED = 2  # characters that a mask leaves at either end


def card(
    opened: Opened, state: str, language: str, viewer: str, name_of: Callable[[str], str], names: Names
) -> dict[str, Any]:
    """Return a licence as a card; a value of a sensitive claim is masked, and whole beside it."""
    view = licence_view(opened, state, language, viewer, name_of)
    agency = view.issuer.rsplit("/", 1)[-1]
    kind = opened.kind
    return {
        "licence_id": view.licence_id,
        "name": view.name,
        "state": view.state,
        "state_name": STATES.get(view.state, STATES["unknown"]),
        "whose": view.principal["name"] if view.principal else "",
        "agency": names(agency).get(language) or view.issuer,
        "issued_at": view.issued_at,
        "expires_at": view.expires_at,
        "drawn": kind is not None,
        "offline_pass": kind is not None and kind.offline_pass,
        "claims": [
            {**one, "value": text, "masked": text if _open(opened, one["name"]) else mask(text)}
            for one in view.claims
            for text in [spelt(one["value"])]
        ],
    }


def _open(opened: Opened, name: str) -> bool:
    claim = opened.kind.claims.get(name) if opened.kind else None
    return claim is not None and claim.sensitivity == "public"


def mask(text: str) -> str:
    """Return a text with its middle hidden; of a short one only the first character stays."""
    if len(text) <= SPARED * 2 + 1:
        return text[:1] + "*" * (len(text) - 1)
    return text[:SPARED] + "*" * min(len(text) - 2 * SPARED, LONGEST_MASK) + text[-SPARED:]


def spelt(value: object) -> str:
    """Return a claim's value as people read it."""
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, Mapping):
        return "；".join(f"{name}: {spelt(one)}" for name, one in value.items())
    return "、".join(map(spelt, value)) if isinstance(value, list) else str(value)


def asked(
    question: Question, language: str, viewer: str, name_of: Callable[[str], str], type_name: Names
) -> dict[str, Any]:
    """Return a question as the holder reads it."""

    def part(one: Part) -> dict[str, Any]:
        whose = one.opened.row.holder_id
        return {
            "licence_type": one.wanted.licence_type,
            "name": type_name(one.wanted.licence_type).get(language, one.wanted.licence_type),
            "whose": "" if whose == viewer else name_of(whose),
            "why": one.wanted.why.get(language, ""),
            "shown": [
                {"label": label(one.opened, name, language), "value": spelt(one.opened.licence.claims[name])}
                for name in one.shown
                if name in one.opened.licence.claims
            ],
            "kept": [label(one.opened, name, language) for name in one.kept],
            "optional": one.optional,
        }

    row = question.row
    return {
        "consent_id": row.consent_id,
        "seen": question.seen,
        "who": row.agency_name.get(language, row.counter),
        "where": row.counter_name.get(language, row.counter),
        "matter": question.matter.names.get(language, row.service_item),
        "until": row.expires_at,
        "copy_days": question.row.copy_days,
        "replaces": list(question.matter.replaces),
        "parts": [part(one) for one in question.parts],
        "sensitive": any(one.sensitive for one in question.parts),
        "missing": [
            {
                "name": type_name(one.licence_type).get(language, one.licence_type),
                "why": one.why.get(language, ""),
                "at": [name.get(language, "") for name in one.where],
            }
            for one in question.missing
        ],
    }


def use(
    row: Use,
    language: str,
    viewer: str,
    name_of: Callable[[str], str],
    types: Mapping[str, LicenceType],
    item: Names,
) -> dict[str, Any]:
    """Return a use as the holder reads it."""
    outcome, colour = OUTCOMES.get(row.verdict or "", ("结果未知", "unsure"))
    held: Sequence[Mapping[str, Any]] = row.licences
    return {
        "use_id": row.use_id,
        "who": row.verifier_name.get(language, ""),
        "unnamed": UNNAMED.get(row.channel, "未知的核验方"),
        "why": WHY.get(row.reason or "", ""),
        "may_object": row.verdict is not None,
        "at": row.at,
        "matter": item(row.service_item).get(language, row.service_item) if row.service_item else "",
        "actor": "" if row.actor == viewer else name_of(row.actor),
        "whose": "" if row.holder_id == viewer else name_of(row.holder_id),
        "outcome": outcome,
        "colour": colour,
        "accepted": row.verdict == "accepted" and bool(row.receipt),
        "has_copy": row.actor == viewer and _has_copy(row.receipt),
        "reusable_until": None if row.reuse_withdrawn_at else row.reusable_until,
        "licences": [
            {
                "name": kind.names[language] if kind else one["licence_type"],
                "claims": [claim_label(kind, name, language) for name in one["claims"]],
            }
            for one in held
            for kind in [types.get(one["licence_type"])]
        ],
    }


def _has_copy(receipt: str | None) -> bool:
    return bool(receipt) and "copy_sha256" in jws.parse(str(receipt), jws.RECEIPT).unverified_payload()
