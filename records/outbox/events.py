"""Which acts others are told of, as what, and in which words; no word of theirs says what a licence says."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """An event's type, and what a message to the holder says (zh, en)."""

    type: str
    zh: str
    en: str


_OPEN = "详情请在电子证照钱包中查看。", "See your licence wallet."


def _told(kind: str, zh: str, en: str) -> Told:
    return Told(kind, f"{zh}{_OPEN[0]}", f"{en} {_OPEN[1]}")


EVENTS: Mapping[str, Told] = {
    "licence.signed": _told("licence.issued", "您的一份电子证照已签发。", "A licence of yours was issued."),
    "licence.suspended": _told("licence.suspended", "您的一份电子证照已暂停。", "A licence of yours was suspended."),
    "licence.reinstated": _told("licence.reinstated", "您的一份电子证照已恢复。", "A licence of yours is valid again."),
    "licence.revoked": _told("licence.revoked", "您的一份电子证照已废止。", "A licence of yours was revoked."),
    "licence.near_expiry": _told("licence.near_expiry", "您的一份电子证照即将到期。", "A licence of yours ends soon."),
    "consent.asked": _told("consent.asked", "有窗口请求查看您的证照，请确认。", "A counter asks to see your licences."),
    "case.opened": _told("case.opened", "您的诉求已提交。", "Your case was opened."),
    "case.in_hand": _told("case.changed", "您的诉求已有进展。", "There is news of your case."),
    "case.upheld": _told("case.changed", "您的诉求已有进展。", "There is news of your case."),
    "case.rejected": _told("case.changed", "您的诉求已有进展。", "There is news of your case."),
    "use.show_code": _told("licence.used", "您的电子证照刚被出示。", "Licences of yours were just shown."),
    "use.vp_token": _told("licence.used", "您的电子证照刚被出示。", "Licences of yours were just shown."),
    "use.openid4vp": _told("licence.used", "您的电子证照刚被出示。", "Licences of yours were just shown."),
    "use.offline_pass": _told("licence.used", "您生成了一个离线凭证。", "You made an offline pass."),
    "use.ask": _told("licence.used", "您的电子证照刚被出示。", "Licences of yours were just shown."),
    "use.receipt": _told("receipt.relied_on", "您的一份核验回执被采用。", "A receipt of yours was relied on."),
    "mandate.given": _told("mandate.given", "有一项代办授权已建立。", "Somebody may show licences for somebody else."),
    "mandate.withdrawn": _told("mandate.withdrawn", "有一项代办授权已撤回。", "A mandate was withdrawn."),
    "verification.accepted": _told("verification.accepted", "一次核验已通过。", "A verification was accepted."),
    "verification.refused": _told("verification.refused", "一次核验未通过。", "A verification was refused."),
}
"""By act of the audit."""
TYPES = frozenset(one.type for one in EVENTS.values())
_LICENCES = frozenset({"licence.issued", "licence.suspended", "licence.reinstated", "licence.revoked"})
_VERIFIED = frozenset({"verification.accepted", "verification.refused"})
BY_OWNER: Mapping[str, frozenset[str]] = {
    "agency": _LICENCES, "counter": _VERIFIED | (_LICENCES - {"licence.issued"}), "gateway": TYPES - _VERIFIED,
}  # fmt: skip
"""Who can be told of what: agencies of their licences, counters of their verdicts and of what they relied on."""
BY_TYPE: Mapping[str, Told] = {one.type: one for one in EVENTS.values()}
