"""The one table from an error's code to an HTTP status and to what a person should do, in Chinese and English.

A verdict is not a problem: it is answered with 200 whatever it says (*revoked* too), with its own reasons in
`verifier/reasons.py`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """An HTTP status and a sentence each in zh and en that says what to do next."""

    status: int
    zh: str
    en: str


PROBLEMS: dict[str, Problem] = {
    # 400: the bytes
    "malformed": Problem(
        400, "内容格式不正确，请按接口文档修改后重发。", "Malformed. Mend it as the API documents and send again."
    ),
    "malformed_json": Problem(
        400,
        "请求体不是规范的 JSON（重复成员、NaN、孤立代理等均不接受），请修改后重发。",
        "The body is not strict JSON: mend it and send again.",
    ),
    "picture_unreadable": Problem(
        400,
        "图片无法读取，或其中没有唯一的二维码，请重新拍摄。",
        "The picture cannot be read or does not hold one QR code. Take it again.",
    ),
    "table_unreadable": Problem(
        400,
        "文件无法读取：首行须为模板的列名，格式为 NDJSON、CSV 或 XLSX，请按模板修改后重新上传。",
        "The file cannot be read: it is NDJSON, CSV or XLSX with the template's columns. Mend it and send it again.",
    ),
    "too_many_rows": Problem(
        400, "一批最多一百万行，请分批上传。", "A batch has a million rows at most: send it in parts."
    ),
    # 401, 403: the caller
    "token_refused": Problem(
        401,
        "访问令牌缺失、过期或已撤销：请向运营方重新领取，持证人请重新登录。",
        "The access token is missing, expired or revoked. Get a new one from the operator; holders sign in again.",
    ),
    "dpop_refused": Problem(
        401,
        "DPoP 证明无效、过期或已用过，请为这次调用重新生成证明。",
        "The DPoP proof is wrong, old, or was used before. Make a new one for this very call.",
    ),
    "passkey_refused": Problem(
        401,
        "通行密钥的应答不可信或已过时，请重新操作。",
        "The passkey's answer does not hold or came too late. Begin anew.",
    ),
    "step_up_needed": Problem(
        401,
        "此操作须在十分钟内出示过通行密钥，请在 /passkeys/page 出示后重试。",
        "This needs a passkey shown within ten minutes. Show it on the page /passkeys/page, then try again.",
    ),
    "sign_in_refused": Problem(
        401, "登录链接无效或已使用，请重新获取。", "The sign-in link is unknown or used. Get a new one."
    ),
    "sign_in_failed": Problem(
        401,
        "身份认证平台的答复不可信或认证等级不足，请重新登录。",
        "The identity platform's answer is not enough to sign you in. Sign in again.",
    ),
    "sign_in_over": Problem(
        401, "此次登录已失效或在另一浏览器中开始，请重试。", "This sign-in is over, or another browser's. Begin anew."
    ),
    "identity_unverified": Problem(
        403,
        "身份认证平台尚未核实您的身份，请先在该平台完成实名认证。",
        "The identity platform has not verified who you are. Complete the verification there first.",
    ),
    "identity_changed": Problem(
        403,
        "该平台账号的身份与以前不同，请联系运营方。",
        "This account is another person's than it was. Contact the operator.",
    ),
    "cross_site_refused": Problem(
        403, "请求来自其他网站，请在本站页面上操作。", "The call came from another site. Use this site's own pages."
    ),
    "enrolment_refused": Problem(
        403,
        "登记码无效、已用或已过期，请运营方重新生成。",
        "The enrolment code is unknown, used or over. Ask the operator for a new one.",
    ),
    "scope_refused": Problem(
        403, "您的令牌无此权限，请向运营方申请。", "Your token does not allow this. Ask the operator for the scope."
    ),
    "type_not_authorised": Problem(
        403,
        "贵机关未获授权签发此类证照，请向运营方申请。",
        "Your agency may not sign this licence type. Ask the operator.",
    ),
    "counter_suspended": Problem(
        403, "本窗口已停用，请联系运营方。", "This counter is suspended. Contact the operator."
    ),
    "response_code_refused": Problem(
        403,
        "缺少或不符的应答码，请在发起办理的浏览器中继续。",
        "The response code is missing or another's. Go on in the browser where this began.",
    ),
    "entry_changed": Problem(
        409,
        "该条目刚刚变动，本次核验未计入名单。请刷新名单，核对人员后重扫。",
        "This entry changed just now, and the code was not added. Reload the list, check who it is, scan again.",
    ),
    "online_by_link": Problem(
        403,
        "网上办理不扫码：请用 /verifier/presentation-requests 生成链接，并注明页面会话。",
        "Online nobody scans: ask by a link (/verifier/presentation-requests), for your page's session.",
    ),
    "session_differs": Problem(
        403,
        "此请求属于另一会话，请在发起办理的页面中继续。",
        "This request belongs to another session. Go on in the page where this began.",
    ),
    "item_not_offered": Problem(
        403,
        "本窗口的渠道不办理此事项，请选择其他事项。",
        "This counter's channel does not offer this item. Choose another.",
    ),
    # 404, 405
    "not_found": Problem(404, "没有找到，请核对地址和编号。", "Not found. Check the address and the number."),
    "unknown_licence_type": Problem(
        404, "没有这种证照类型，请查看类型目录。", "There is no such licence type. See the catalogue."
    ),
    "unknown_client": Problem(404, "没有这个客户端，请核对编号。", "There is no such client. Check its identifier."),
    "unknown_passkey": Problem(404, "没有这个通行密钥，请先登记。", "There is no such passkey. Register one first."),
    "unknown_proposal": Problem(404, "没有这项提议，请核对编号。", "There is no such proposal. Check its identifier."),
    "proposal_over": Problem(
        409,
        "该提议已决定、已过期，或内容与您所看不同，请重新查看。",
        "The proposal was decided, is over, or differs from what you looked at. Look at it again.",
    ),
    "person_needed": Problem(
        403,
        "须两人同意时，令牌须注明个人：licence token grant operator op --person NAME。",
        "Where two must agree, tokens name the person: licence token grant operator op --person NAME.",
    ),
    "operator_token_refused": Problem(
        403,
        "须两人同意时，运营方令牌只能用命令行 licence token grant 发放。",
        "Where two must agree, operators' tokens come from the command line alone: licence token grant.",
    ),
    "same_person": Problem(
        409, "提议人不能批准自己的提议，请另一人批准。", "Whoever proposed it does not approve it. Ask somebody else."
    ),
    "unknown_key": Problem(404, "没有这个密钥，请核对编号。", "There is no such key. Check its kid."),
    "unknown_service_item": Problem(
        404, "没有这个事项，请查看事项目录。", "There is no such service item. See /verifier/service-items."
    ),
    "method_not_allowed": Problem(
        405, "此地址不支持该方法。", "This address does not take that method. See the API reference."
    ),
    "not_acceptable": Problem(
        406,
        "状态列表只有 application/statuslist+jwt 一种格式，请接受它。",
        "Status lists come as application/statuslist+jwt only. Accept that type.",
    ),
    # 409, 410: the state of things
    "undo_over": Problem(
        409,
        "仅批量暂停可在一小时内整体撤回一次；现请逐份或批量恢复。",
        "Only a suspension of many is undone as a whole, within an hour and once. Reinstate the licences instead.",
    ),
    "licence_revoked": Problem(
        409, "证照已废止，不能再变更；如需请重新签发。", "The licence is revoked for good. Issue a new one if needed."
    ),
    "wrong_state": Problem(
        409, "证照当前状态不允许此操作，请先查询状态。", "The licence's state does not allow this. Read it first."
    ),
    "not_prepared": Problem(409, "该证照不在待签状态。", "The licence does not wait for a signature. Read its state."),
    "agency_keeps_key": Problem(
        409, "贵机关自持密钥，请用 prepare 和 complete 签发。", "Your agency keeps its key: use prepare and complete."
    ),
    "owner_keeps_key": Problem(
        409, "该密钥由机关自持，请先登记其下一个公钥。", "The owner keeps this key: register its next public key first."
    ),
    "too_many_proposals": Problem(
        409, "您已有二十项提议待批，请先等候审批或撤回。", "Twenty proposals of yours wait. Have them decided first."
    ),
    "same_at_once": Problem(
        409,
        "同一请求正在处理，请用同一幂等键重试。",
        "The same request is being done. Send it again with the same key.",
    ),
    "passkey_known": Problem(
        409, "该通行密钥已登记，请换一个。", "This passkey is registered already. Use another authenticator."
    ),
    "agency_exists": Problem(
        409,
        "机关编号或统一社会信用代码已存在；需要新令牌请用 licence token grant agency，否则请换一个编号。",
        "An agency of this key or code exists. A new token for it: licence token grant agency; else choose another.",
    ),
    "counter_exists": Problem(409, "窗口编号已存在，请换一个。", "A counter of this key exists. Choose another."),
    "already_used": Problem(409, "此码已使用，不能撤回。", "The code was used already and cannot be withdrawn."),
    "sign_in_closed": Problem(
        409,
        "此处尚未开通公民登录，请只用预授权方式（pre-authorized_code）。",
        "Citizens cannot sign in here yet. Offer by pre-authorized code alone.",
    ),
    "authorization_over": Problem(
        410,
        "此领取请求已失效或已处理，请在钱包中重新发起。",
        "This request is over. Begin anew in the wallet.",
    ),
    "preparation_expired": Problem(
        410, "待签证照已超时作废，请重新准备。", "The prepared licence was not completed in time. Prepare a new one."
    ),
    "foreign_service_refused": Problem(
        409,
        "对方拒绝了请求：二维码可能已用过或已过期，或领取口令不对。请核对，或请对方重新出示。",
        "The other service says no: its code may be used or over, or the transaction code wrong. Ask for a new one.",
    ),
    "device_refused": Problem(
        403,
        "本机已被停用或登记已失效，请联系运营方。",
        "This machine was suspended, or is enrolled no more. Call the operator.",
    ),
    "no_line": Problem(
        503,
        "网络已断，此操作须联网办理；离线码仍可扫。网络恢复后会自动继续。",
        "The line is down, and this needs it. Offline passes can still be scanned; the rest works when it is back.",
    ),
    # 421, 429: where, and how often
    "wrong_host": Problem(
        421, "此服务不以该主机名提供，请使用公布的地址。", "This service has another name. Use its public address."
    ),
    "revocations_exceeded": Problem(
        429,
        "本小时逐个废止已达上限，已通知审计；请改用批量变更，由两人批准（status-changes）。",
        "This hour's limit of revoking one by one is reached; auditors see it. Revoke many as one: two agree on it.",
    ),
    "too_many_listening": Problem(
        429,
        "同时监听的页面过多，请关闭其他页面后再试。",
        "Too many pages of yours listen at once. Close others and try again.",
    ),
    "batch_limit": Problem(
        429,
        "本机构今日批量签发的行数已达上限，请明日再传，或请运营方调高上限。",
        "This agency has sent as many rows today as it may: send the rest tomorrow, or ask the operator for more.",
    ),
    "batch_busy": Problem(
        503,
        "正在接收的批量文件较多，请按 Retry-After 稍后重传。",
        "Many batches are being received at this moment. Send it again after the seconds of Retry-After.",
    ),
    "velocity_exceeded": Problem(
        429,
        "本小时签发和变更次数已达上限，已通知审计；如属正常业务，请联系运营方提高上限。",
        "This hour's limit of issuing and changing is reached, and auditors see it. Ask the operator to raise it.",
    ),
    "too_many_requests": Problem(
        429, "请求过于频繁，请按 Retry-After 稍后再试。", "Too many calls. Try again after the seconds of Retry-After."
    ),
    # 413, 415
    "body_too_large": Problem(413, "请求体过大，请缩小后重发。", "The body is too large. Send less."),
    "unsupported_media_type": Problem(415, "内容类型不受支持，请用 application/json。", "Send application/json."),
    # 422: the content
    "invalid_request": Problem(
        422, "请求内容有误，请按 faults 逐项修改后重发。", "The request has faults: mend each and send again."
    ),
    "claims_refused": Problem(
        422, "证照信息有误，请按 faults 逐项修改后重发。", "The claims have faults: mend each and send again."
    ),
    "unknown_cause": Problem(
        422, "此类证照没有该变更原因，请从目录中选择。", "This licence type has no such cause. Choose from its list."
    ),
    "idempotency_key_reused": Problem(
        422,
        "该幂等键已用于其他请求，请换一个新键。",
        "This idempotency key was used for another request. Use a new one.",
    ),
    "signature_invalid": Problem(
        422,
        "签名与待签内容不符，请检查密钥和编码。",
        "The signature does not fit the prepared bytes. Check key and encoding.",
    ),
    "client_secret_refused": Problem(
        422,
        "客户端密码仅限沙盒使用，请登记公钥（jwk）。",
        "Client secrets are for the sandbox only. Register a public key (jwk).",
    ),
    "key_refused": Problem(
        422, "密钥不符合要求，请提供 P-256 公钥。", "The key is not acceptable. Send a P-256 public JWK."
    ),
    "case_over": Problem(
        409, "该诉求已办结；如有新情况，请另提一件。", "The case is closed. Open another one for what is new."
    ),
    "too_many_cases": Problem(
        409, "您已有二十件诉求未办结，请等候答复。", "Twenty cases of yours are open. Wait for their answers."
    ),
    "class_link_over": Problem(
        410,
        "该链接已失效：名单已关闭、已交齐或已过期，请向学校索取新链接。",
        "The link is over: the list is closed, all is complete, or its days are past. Ask the school for a new one.",
    ),
    "copy_over": Problem(
        410,
        "该次核验没有留存加注件，或其保存期已满；如需留存，请重新询问持证人。",
        "No copy was kept of this, or its time is over. To keep one, ask the holder anew.",
    ),
    "copy_changed": Problem(
        422,
        "页面与回执所载内容不符，文件可能被改动，请勿采信，并向制作窗口核对。",
        "The pages are not those of the receipt: the file was changed. Do not rely on it; ask who made it.",
    ),
    "copy_incomparable": Problem(
        422,
        "该文件由另一版本的软件制作，页面无法在此核对；请用制作时的版本核对，或向制作窗口核对。",
        "The file was made by another version of the software, so its pages cannot be compared here. Ask who made it.",
    ),
    "copy_busy": Problem(
        503, "正在制作的加注件过多，请稍后重试。", "Too many copies are being drawn. Try again shortly."
    ),
    "class_list_over": Problem(409, "该名单已关闭，请另建名单。", "The list is closed. Make a new one."),
    "consent_over": Problem(
        409,
        "该请求已答复或已超过两分钟，请让对方重新询问。",
        "The question was answered or is over. Let them ask anew.",
    ),
    "question_changed": Problem(
        409,
        "将出示的内容已与您所看的不同，请重新查看后确认。",
        "What would leave has changed. Look again and confirm.",
    ),
    "ask_answered": Problem(
        409, "对方已经答复或询问已到时，请取结果。", "It was answered, or is over: get its answer."
    ),
    "ask_withdrawn": Problem(
        409, "本窗口已撤回此询问，请重新扫码。", "This counter took the question back. Scan again."
    ),
    "ask_over": Problem(
        409, "该询问的结果已告知一次，请查看核验记录。", "The answer was told already. Read the verification."
    ),
    "reuse_refused": Problem(
        422,
        "此记录的回执不能这样复用，请修改后重试。",
        "It cannot be reused so. Change it and try again.",
    ),
    "nothing_left": Problem(
        422, "全部不出示等于拒绝，请改为拒绝。", "With all that left out, nothing is shown: decline instead."
    ),
    "consent_refused": Problem(
        422, "只有可选部分可以不出示；不同意请选择拒绝。", "Only what is optional may stay out; else decline."
    ),
    "sensitive_unconfirmed": Problem(
        422,
        "涉及未满十四周岁儿童的信息，须单独勾选同意（接口为 sensitive: true）。",
        "It is about a child under fourteen: say yes to that, too (sensitive: true).",
    ),
    "mandate_refused": Problem(
        422, "不能这样授权，请修改后重试。", "This cannot be handed over so. Change it and try again."
    ),
    "mandate_withdrawn": Problem(
        403, "该授权已被撤回，请由持证人本人出示，或重新授权。", "The mandate was withdrawn. Ask for a new one."
    ),
    "mandate_ended": Problem(403, "该授权已到期，请重新授权。", "The mandate has ended. Ask for a new one."),
    "came_of_age": Problem(
        403, "子女已满十八周岁，请由其本人出示。", "The child is eighteen now and shows the licence in person."
    ),
    "claim_not_in_licence": Problem(
        422, "证照中没有这项信息，请重新选择。", "The licence has no such claim. Choose again."
    ),
    "for_whom": Problem(
        422,
        "您可代办多人，请用 principal 指明为谁办理（见 /wallet/mandates）。",
        "You act for several people. Say for whom in `principal` (see /wallet/mandates).",
    ),
    "nothing_to_show": Problem(
        422,
        "钱包中没有此事项所需的有效证照，请先到发证机关申领。",
        "The wallet holds no valid licence for this item. Get one issued first.",
    ),
    "offline_pass_not_allowed": Problem(
        422, "此类证照不能离线出示，请联网亮码。", "This type may not be shown offline. Show a code on line."
    ),
    "licence_not_in_force": Problem(
        409,
        "此证照已暂停、已废止或须重新领取，不能离线出示；请查看证照状态并联系发证机关。",
        "This licence is suspended or revoked, or is to be issued again: no pass is made of it. Ask its agency.",
    ),
    "offline_pass_too_large": Problem(
        422, "信息过多，一个二维码放不下，请少选几项。", "Too much for one QR code. Choose fewer claims."
    ),
    "delivery_refused": Problem(
        422,
        "送达的内容不是该持证人的证照，请发证机关核对。",
        "What was delivered is no licence of this holder. The agency must look into it and deliver again.",
    ),
    "proof_refused": Problem(
        422, "密钥持有证明不符，请钱包重新生成。", "The proof of the key is not for this request. Make a new one."
    ),
    "not_an_offer_or_request": Problem(
        422,
        "这不是证照领取或出示请求，请核对后重新扫描。",
        "This is neither an offer of a licence nor a request to show one. Check it and scan again.",
    ),
    "credential_refused": Problem(
        422,
        "对方签发的证照不可信或与所述不符，未予收下，请联系发证方。",
        "What was issued is not to be trusted, or not what was offered, and was not taken. Ask its issuer.",
    ),
    "request_refused": Problem(
        422,
        "此出示请求不合规或身份不可信，请勿继续，请对方重新发起。",
        "The request is not sound, or who asks is not trusted. Do not go on; let them ask anew.",
    ),
    "type_not_offered": Problem(
        422, "此类证照不发放到其他钱包，请在本钱包中使用。", "This type is not offered to other wallets. Use this one."
    ),
    "foreign_host_refused": Problem(
        422,
        "链接所指的服务不在许可名单，未予访问；如属正当，请联系运营方。",
        "The link leads to a service that may not be called from here. If it is an honest one, ask the operator.",
    ),
    "foreign_service_failed": Problem(
        502,
        "对方服务不可用或答复不合规，请稍后再试或联系运营方。",
        "The other service does not answer as it should. Try later, or ask the operator.",
    ),
    # 500, 503: us
    "internal_error": Problem(
        500, "服务内部错误，请凭请求编号联系运营方。", "Something broke here. Give the request number to the operator."
    ),
    "history_not_kept": Problem(
        501, "不保存过去的状态列表，请读取当前列表。", "Lists of the past are not kept. Read the present one."
    ),
    "key_seal_broken": Problem(
        503,
        "签名密钥无法打开，暂不能签发，请联系运营方。",
        "The signing key does not open. Tell the operator; nothing can be signed until it does.",
    ),
    "holder_key_taken": Problem(
        503,
        "新生成的持有人密钥已被占用，随机数可能失效，请立即联系运营方。",
        "A key that was just made is somebody's already. Stop and tell the operator: the randomness may have failed.",
    ),
    "no_signing_key": Problem(503, "没有可用的签名密钥，请联系运营方。", "There is no signing key. Tell the operator."),
    "status_list_unsound": Problem(
        503, "状态列表未能发布，请稍后重试。", "The status list could not be published. Try again shortly."
    ),
    "clock_went_back": Problem(
        503,
        "服务器时钟倒退，暂停签发，请稍后用同一幂等键重试，并告知运营方。",
        "The clock went back, and signing pauses. Try again later with the same idempotency key; tell the operator.",
    ),
    "trust_list_refused": Problem(
        503, "信任名单不可用，请联系运营方。", "The trust list cannot be used. Tell the operator."
    ),
    "database_unavailable": Problem(
        503,
        "数据库暂不可用，请稍后用同一幂等键重试。",
        "The database is away. Try again with the same idempotency key.",
    ),
}
