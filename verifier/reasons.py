"""Every reason a verdict can have: its family and what it tells a person to do, in Chinese and English.

The family decides the verdict: what the licence or the request did wrong is refused; what the world kept
from us cannot be confirmed.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The three verdicts; there is no boolean."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    CANNOT_CONFIRM = "cannot_confirm"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: the verdict it makes, and a sentence each in zh and en that says what to do next."""

    outcome: Outcome
    zh: str
    en: str


def _refused(zh: str, en: str) -> Reason:
    return Reason(Outcome.REFUSED, zh, en)


def _unknown(zh: str, en: str) -> Reason:
    return Reason(Outcome.CANNOT_CONFIRM, zh, en)


REASONS: dict[str, Reason] = {
    "accepted": Reason(Outcome.ACCEPTED, "证照真实有效，可以接受。", "The licences are genuine and current. Accept."),
    # the request
    "not_a_licence_code": _refused(
        "这不是电子证照码，请持证人打开钱包重新亮码。",
        "This is not a licence code. Ask the holder to open the wallet and show a new one.",
    ),
    "code_unknown": _refused(
        "没有这个亮证码，请核对后重新扫描。", "There is no such show code. Check it and scan again."
    ),
    "already_used": _refused(
        "此码已使用过，每码只能用一次。请持证人重新亮码。",
        "This code was already used; a code works once. Ask the holder for a new one.",
    ),
    "code_expired": _refused("此码已过期，请持证人重新亮码。", "This code has expired. Ask the holder for a new one."),
    "code_withdrawn": _refused(
        "持证人已撤回此码，请当面确认后重新亮码。",
        "The holder withdrew this code. Ask, and scan a new one if they agree.",
    ),
    "too_many_tries": _refused(
        "输错次数过多，请一分钟后再试，或改用扫码。",
        "Too many wrong codes were typed. Wait a minute, or scan instead.",
    ),
    "request_expired": _refused("核验请求已过期，请重新发起。", "The request has expired. Start a new one."),
    "request_already_answered": _refused(
        "该核验请求已有答复，不能重复提交。请重新发起。",
        "The request was already answered, and is answered once. Start a new one.",
    ),
    "malformed": _refused(
        "出示的内容格式不正确，请持证人重新出示。",
        "What was presented is malformed. Ask the holder to present again.",
    ),
    "nothing_presented": _refused(
        "没有出示本事项所需的证照，请持证人选择相应证照后重新亮码。",
        "No licence that this matter needs was presented. Ask the holder to choose one and show again.",
    ),
    "another_person": _refused(
        "此名单条目先前出示的是另一人的证照，请核对人员，改扫到其本人的条目。",
        "This entry's licences are of another person. Check who stands here, and scan for their own entry.",
    ),
    "licence_not_requested": _refused(
        "出示了本事项未列的证照，请重新发起并只出示所列证照。",
        "A licence was presented that this matter does not list. Start again with the listed ones only.",
    ),
    # the token
    "algorithm_refused": _refused(
        "签名算法不被接受，请勿受理，并报告运维。",
        "The signature algorithm is not accepted. Do not accept; tell the operator.",
    ),
    "header_refused": _refused(
        "证照头部含有不允许的内容，请勿受理，并报告运维。",
        "The licence's header has members that are not allowed. Do not accept; tell the operator.",
    ),
    "wrong_token_type": _refused(
        "出示的不是电子证照，请持证人重新出示。",
        "What was presented is not a licence. Ask the holder to present again.",
    ),
    "key_refused": _refused(
        "密钥不符合要求，请勿受理，并报告运维。",
        "A key is not acceptable. Do not accept; tell the operator.",
    ),
    "query_unmet": _refused(
        "所出示的证照或信息与所请求的不符，请重新发起请求。",
        "What was presented is not what was asked for. Ask again.",
    ),
    "transaction_data_unmatched": _refused(
        "持证人未确认本次办理的内容，请重新发起请求。",
        "The holder did not confirm what this is about. Ask again.",
    ),
    "encryption_refused": _refused(
        "应答未按要求加密，请重新发起请求。", "The answer was not encrypted as asked. Ask again."
    ),
    "declined": _refused(
        "持证人未同意出示，请向其说明用途。", "The holder declined. Explain what it is for, or ask again."
    ),
    "type_rule_broken": _refused(
        "证照内容不符合其类型的规定，请勿受理，并报告发证机关。",
        "The licence is not what its type demands. Do not accept; tell the agency that signed it.",
    ),
    "certificate_refused": _refused(
        "证照所附证书不可信，请勿受理。",
        "The licence's certificate is not to be trusted. Do not accept.",
    ),
    "key_unknown": _refused(
        "签名密钥不属于该发证机关，疑似伪造，请勿受理。",
        "The signing key is not this agency's. It may be forged: do not accept.",
    ),
    "key_compromised": _refused(
        "签名密钥已作废，请持证人到发证机关换领。",
        "The signing key is compromised. The holder should have the licence reissued.",
    ),
    "signature_invalid": _refused(
        "签名不正确，证照系伪造或被篡改，请勿受理。",
        "The signature is wrong: the licence is forged or altered. Do not accept.",
    ),
    "claim_invalid": _refused(
        "证照的必备信息缺失或错误，请勿受理，并联系发证机关。",
        "A required part of the licence is missing or wrong. Do not accept; contact the agency.",
    ),
    "disclosures_altered": _refused(
        "披露的信息与签名不符，疑似篡改，请勿受理。",
        "What was disclosed does not fit the signature: altered. Do not accept.",
    ),
    # trust
    "untrusted_agency": _refused(
        "发证机关不在信任名单内，请勿受理。", "The agency is not on the trust list. Do not accept."
    ),
    "type_not_authorised": _refused(
        "该机关无权签发这类证照，请勿受理。",
        "This agency may not sign licences of this type. Do not accept.",
    ),
    # holder binding
    "holder_binding_missing": _refused(
        "没有持证人确认，请持证人用钱包重新出示。",
        "The holder's confirmation is missing. Ask the holder to present from the wallet.",
    ),
    "holder_binding_invalid": _refused(
        "持证人确认不正确，出示人可能不是持证人，请勿受理。",
        "The holder's confirmation is wrong: this may not be the holder. Do not accept.",
    ),
    "wrong_audience": _refused(
        "此次出示是给其他窗口的，请持证人向本窗口重新出示。",
        "This presentation was made for another verifier. Ask the holder to present to this one.",
    ),
    "wrong_nonce": _refused(
        "此次出示对应的是另一个请求，请重新发起。",
        "This presentation answers another request. Start a new one.",
    ),
    "presentation_stale": _refused(
        "出示已超时，请持证人重新出示；若仍提示超时，请校准时钟。",
        "The presentation is too old. Ask the holder to present again; if that is too old as well, set the clocks.",
    ),
    "clock_differs": _unknown(
        "时钟不一致，请校准本机和持证人手机的时间后重试。",
        "The clocks differ. Set this machine's and the holder's clock, then try again.",
    ),
    # receipts
    "receipt_accepted": Reason(
        Outcome.ACCEPTED,
        "回执有效，可代替重新出示；仍缺材料见 missing。",
        "The receipt stands in place of a presentation; `missing` says what is still lacking.",
    ),
    "receipt_refused": _refused(
        "回执不是本市核验服务签发，或签名不符，请持证人重新出示。",
        "This is no receipt of this city's verifiers. Ask the holder to present.",
    ),
    "receipt_of_no_acceptance": _refused(
        "该回执记录的核验未通过，请持证人重新出示。",
        "This receipt is of a verification that was not accepted. Ask the holder to present.",
    ),
    "receipts_not_taken": _refused(
        "本事项不接受以回执代替出示，请持证人出示证照。",
        "This matter takes no receipts. Ask the holder to present.",
    ),
    "receipt_too_old": _refused(
        "回执已超过本事项的时限，请持证人重新出示。", "The receipt is older than this matter allows. Ask for a new one."
    ),
    "receipt_not_permitted": _refused(
        "持证人未允许复用此回执，请其在钱包“使用记录”中允许，或重新出示。",
        "The holder has not permitted this receipt to be reused. The wallet's uses are where to, or present anew.",
    ),
    "receipt_expired": _refused(
        "持证人设定的复用期限已过，请重新出示。", "The time that the holder set for reuse is over. Present anew."
    ),
    "receipt_withdrawn": _refused(
        "持证人已撤回此回执的复用，请重新出示。", "The holder withdrew the reuse of this receipt. Present anew."
    ),
    "licence_superseded": _refused(
        "该证照已换发新版，请出示新证照。", "The licence was renewed since. Ask for the new one."
    ),
    # asking
    "consent_needed": _refused(
        "须先征得持证人同意：请用“询问”发起（POST /verifier/asks），由持证人在手机上确认。",
        "The holder must be asked first: open an ask (POST /verifier/asks), and wait for the word.",
    ),
    "consent_expired": _unknown(
        "持证人未在两分钟内答复，请重新扫码询问。", "The holder did not answer within two minutes. Scan and ask again."
    ),
    "consent_spent": _refused("该同意已被使用，请重新扫码询问。", "This consent was used already. Scan and ask again."),
    # acting for others
    "mandate_withdrawn": _refused(
        "出示人的代办授权已被撤回，请由持证人本人出示，或重新授权。",
        "The mandate to show this licence was withdrawn. Its holder shows it, or gives a new mandate.",
    ),
    "mandate_ended": _refused(
        "出示人的代办授权已到期，请由持证人本人出示，或重新授权。",
        "The mandate to show this licence has ended. Its holder shows it, or gives a new mandate.",
    ),
    "came_of_age": _refused(
        "子女已满十八周岁，请由其本人出示。", "The child is eighteen now and shows the licence in person."
    ),
    # dates
    "licence_not_yet_valid": _refused(
        "证照尚未生效，请在生效日之后办理。", "The licence is not yet valid. Come back on its first day."
    ),
    "licence_expired": _refused(
        "证照已过有效期，请持证人到发证机关换领。",
        "The licence has expired. The holder should have it renewed.",
    ),
    # status
    "suspended": _refused(
        "证照暂时失效，请持证人联系发证机关恢复。",
        "The licence is suspended. The holder should ask the agency to reinstate it.",
    ),
    "revoked": _refused("证照已废止，不再有效，请勿受理。", "The licence is revoked for good. Do not accept."),
    "status_unknown_value": _unknown(
        "证照状态无法识别，请联系发证机关核实。",
        "The licence's status is not one this service knows. Ask the agency.",
    ),
    "status_unavailable": _unknown(
        "暂时查不到证照状态，请稍后重试或改用人工核验。",
        "The licence's status cannot be had now. Try again shortly, or check by hand.",
    ),
    "status_stale": _unknown(
        "证照状态数据过旧，请联网更新信任包后重试。",
        "The status is too old to rely on. Refresh the trust bundle and try again.",
    ),
    "status_list_invalid": _unknown(
        "状态列表不可信，请稍后重试，并报告运维。",
        "The status list cannot be believed. Try again shortly; tell the operator.",
    ),
    "status_index_invalid": _unknown(
        "证照的状态编号不正确，请联系发证机关核实。",
        "The licence's place in the status list is wrong. Ask the agency.",
    ),
    "no_answer": _unknown(
        "服务没有及时答复，结果未知。请持证人换新码再扫。",
        "The service did not answer in time, and nobody knows what came of it. Ask for a new code.",
    ),
    "device_refused": _unknown(
        "本机已被停用或登记已失效，不能核验。请联系运营方。",
        "This machine was suspended, or is enrolled no more: it cannot verify. Call the operator.",
    ),
    "no_network": _unknown(
        "网络已断，亮证码须联网核验。请持证人改用离线码，或待网络恢复后换新码再扫。",
        "The line is down, and a show code needs it. Ask for an offline pass, or for a new code when the line is back.",
    ),
    "trust_list_refused": _unknown(
        "信任名单过期或不可信，请更新信任包后重试。",
        "The trust list is out of date or cannot be believed. Refresh it and try again.",
    ),
}


def outcome(code: str) -> Outcome:
    """Return the verdict that a reason makes."""
    return REASONS[code].outcome
