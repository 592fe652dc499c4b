"""What is wrong with what was sent, in Chinese: each sentence of a fault (`Fault.detail`) beside its Chinese one.

The sentences are written in English where the fault is found; `{}` stands for what differs from one to the next. A
fault that is not here is a fault of ours (`tests/contracts/test_catalogue_of_words.py`), and is told as it is.
"""

import re
from functools import cache, lru_cache

WITHIN = frozenset({"{}' 或 '{}"})  # what is a sentence within another one alone
DEPTH, LONGEST = 4, 1000  # sentences within each other; characters of one
UNKNOWN = "此项有误（{}）"
ZH: dict[str, str] = {
    # People, companies and their numbers
    "4 to 32 digits and capital letters": "应为 4 至 32 位数字和大写字母",
    "a citizen number has 17 digits and a digit or X": "公民身份号码应为 17 位数字加 1 位数字或 X",
    "the check digit of the citizen number is wrong": "公民身份号码校验码不对，请核对",
    "the birth date of the citizen number is none": "公民身份号码中的出生日期不存在，请核对",
    "a social credit code has 18 characters without I, O, S, V and Z": "统一社会信用代码应为 18 位，不含 I、O、S、V、Z",
    "the check character of the social credit code is wrong": "统一社会信用代码校验码不对，请核对",
    "the organisation code inside the social credit code is wrong": "统一社会信用代码中的组织机构代码不对，请核对",
    "this type is not for such holders": "此类证照不发给这类持证主体",
    "a person acts for others, no company": "监护人、代表人应为自然人",
    "this licence type is not for minors": "此类证照不发给未成年人，不填监护人",
    "this licence type is not for companies": "此类证照不发给单位，不填代表人",
    "a renewal is for the same holder": "换证只能发给同一持证人",
    # Claims
    "there is no such licence type; there are: {}": "没有这一证照类型，现有：{}",
    "this claim is required": "此项必填",
    "this licence type has no such claim": "此类证照没有这一项",
    "the licence has no such claim": "该证照没有这一项",
    "this contradicts the holder or another claim": "与持证人或其他项不一致，请核对",
    "a list of 1 to {} values": "应为 1 至 {} 项的列表",
    "must be {}": "应为{}",
    "a text of 1 to 512 characters": " 1 至 512 个字符的文本",
    "a text that is not blank": "非空白的文本",
    "true or false": " true 或 false",
    "a whole number, 0 to {}": " 0 至 {} 的整数",
    "one of {}": "以下之一：{}",
    "one of: {}": "应为以下之一：{}",
    "none, this type knows no such change": "无（此类证照不能作此变更）",
    "a code or a name of {}": " {} 中的代码或名称",
    "of the form {}": "如下格式：{}",
    "a date as 2026-01-31": "日期，如 2026-01-31",
    "a day of the calendar": "历法中存在的日期",
    "a date between 1850 and 2200": " 1850 年至 2200 年之间的日期",
    "a time as 2026-01-31T08:00:00+08:00 (RFC 3339)": "时间，如 2026-01-31T08:00:00+08:00（RFC 3339）",
    "a time of the calendar": "历法中存在的时间",
    "an invisible character": "含有不可见字符，请删去",
    "a character that was not readable: send the text as UTF-8": "含有乱码，请以 UTF-8 编码发送",
    "a noncharacter": "含有非字符码位，请删去",
    "it was renewed: the licence that supersedes it is the one to change": "它已换发，请办理取代它的那份证照",
    # Mandates and receipts
    "name and number do not go together": "姓名与号码对不上，请核对",
    "it goes to another person": "只能委托给另一个人",
    "it ends within a year": "结束日期应在今天之后、一年之内",
    "there is one for this already; withdraw it first": "已有相同的委托，请先收回",
    "at most {} in a day": "一天最多 {} 次",
    "at most {} managers; withdraw one first": "最多 {} 名管理人，请先收回一名",
    "name types of the catalogue, or none for all": "请选择目录中的证照类型，或不选（全部）",
    "a person names a helper, a company managers and agents": "个人可委托家人或助手，单位可委托管理人和经办人",
    "only one's own licences, or a company's": "只能委托自己的或本单位的证照",
    "nobody hands over more, or for longer, than they may themselves": "不能超出自己的权限或期限",
    "until an instant within a year": "期限应在一年之内",
    "only a use that was accepted is relied on": "只有已被接受的记录可以复用",
    "this use has no receipt": "此次使用没有回执",
    # Days
    "must lie after valid_from": "应晚于 valid_from",
    "must lie within a year of today": "应在今天前后一年之内",
    "must not lie after {}": "不得晚于 {}",
    "a renewal begins today": "换证自今天起生效",
    "the licence would be over before it began": "证照尚未生效便已到期，请核对起止日期",
    "the licence would be over before it began, or too late": "证照尚未生效便已到期，或到期过晚，请核对起止日期",
    "this licence type lasts until {} at most": "此类证照有效期最晚至 {}",
    "lies before the holder's birth": "早于持证人出生日期",
    "lies in the future": "晚于今天",
    "lies before the day it begins": "早于起始日期",
    "at most {} years ahead": "最多晚于今天 {} 年",
    "at most {} months ahead: endorsed period by period": "最多晚于今天 {} 个月：逐期签注",
    # Rows of a batch
    "a job is of one type": "一批只发一种证照",
    "each row has your own number of the case": "每行须填本单位的办件编号（reference）",
    "an earlier row of this job has the same reference": "本批前面已有一行使用同一编号",
    "this reference was issued before with another content: use a new one, or renew the licence": (
        "此编号已用于内容不同的证照：请用新编号，或办理换证"
    ),
    "no key could sign in time: send it under a new reference": "签名密钥未能及时启用：请用新编号重发",
    "{} bytes at most": "一行最多 {} 字节",
    "{} cells, {} columns": "本行有 {} 格，表头有 {} 列",
    "the spreadsheet has rounded it: write it as text": "表格软件已将此数舍入：请将单元格设为文本后重填",
    "a NUL character": "含有 NUL 字符，请删去",
    "not JSON": "不是 JSON",
    "not JSON at line {}, column {}": "第 {} 行第 {} 列不合 JSON 语法",
    "not a JSON object": "不是 JSON 对象",
    "a JSON object": "应为 JSON 对象",
    "not UTF-8": "不是 UTF-8 编码",
    "byte order mark before JSON": "JSON 前有字节顺序标记，请删去",
    "duplicate member": "同一成员出现两次",
    "nested too deeply": "嵌套过深",
    "integer out of range": "整数超出范围",
    "number out of range": "数字超出范围",
    "lone surrogate": "含有不成对的代理码位",
    "{} is not JSON": "{} 不是 JSON",
    # Many licences at once
    "named twice": "重复列出",
    "no such licence of this agency": "本单位没有这一证照",
    "the licence is prepared": "该证照尚未签发",
    "the licence is valid": "该证照现为有效",
    "the licence is suspended": "该证照已暂停",
    "the licence is revoked": "该证照已废止",
    "the licence is burnt": "该证照未能签发，已作废",
    # Agencies, counters, webhooks, tokens
    "a short lower-case name, as police": "应为简短的小写名称，如 police",
    "a short lower-case name, as school2_office": "应为简短的小写名称，如 school2_office",
    "six digits (GB/T 2260)": "应为 6 位行政区划代码（GB/T 2260）",
    "64 bytes in canonical base64url": "应为 64 字节签名的规范 base64url",
    "take the {} {} in first": "请先登记 {} {}",
    "{} is none {}": "{} 不是{}",
    "of an {}: {}": " {} 的事件类型，可用：{}",
    "this is no address": "不是网址",
    "an https address in ASCII without user and fragment": "应为 https 网址，仅 ASCII 字符，不含用户名和 #",
    "this service tells itself nothing": "不得指向本服务自己",
    "agency": "单位",
    "counter": "窗口",
    "gateway": "消息网关",
    "a clerk's, auditor's or support's token names its person": "经办、审计、客服的令牌须写明本人（person）",
    "name a licence, or an order to approve later": "请写一份证照，或一份待审的申请，二者择一",
    "name each grant once": "每种授权方式只写一次",
    "a transaction code goes with a pre-authorized code": "领取口令须与预授权码一同使用",
    "return_to is an http(s) address without user and fragment": "return_to 应为 http(s) 网址，不含用户名和 #",
    "return_to is https unless it is loopback": "return_to 除本机外应为 https",
    "name either licences or a service_item": "licences 与 service_item 二者择一",
    "name each licence once, with all its claims": "每份证照只列一次，其各项写在一起",
    # Verifying
    "a kiosk has none: it is nobody's desk": "自助终端没有经办人，请勿填写",
    "an online case belongs to its page's session": "网上办件须带其页面会话",
    "not a member of this": "没有这一成员",
    "a text of 1 to {} characters": "应为 1 至 {} 个字符的文本",
    "a list of 1 to {} texts": "应为 1 至 {} 段文本的列表",
    # What the schema of a request says (pydantic)
    "Field required": "缺少此项",
    "Extra inputs are not permitted": "没有这一项，请删去",
    "Input should be a valid string": "应为文本",
    "Input should be a valid integer": "应为整数",
    "Input should be a valid integer, unable to parse string as an integer": "应为整数",
    "Input should be a valid number": "应为数字",
    "Input should be a valid boolean": "应为 true 或 false",
    "Input should be a valid boolean, unable to interpret input": "应为 true 或 false",
    "Input should be a valid list": "应为列表",
    "Input should be an object": "应为 JSON 对象",
    "Input should be a valid dictionary": "应为 JSON 对象",
    "Input should be a valid dictionary or object to extract fields from": "应为 JSON 对象",
    "Input should be a valid date": "应为日期，如 2026-01-31",
    "Input should be a valid date or datetime, {}": "应为日期，如 2026-01-31",
    "Input should be a valid date in the format YYYY-MM-DD, {}": "应为日期，如 2026-01-31",
    "Input should be a valid datetime": "应为时间，如 2026-01-31T08:00:00+08:00",
    "Input should be a valid datetime, {}": "应为时间，如 2026-01-31T08:00:00+08:00",
    "Input should be a valid datetime or date, {}": "应为时间，如 2026-01-31T08:00:00+08:00",
    "Input should have timezone info": "时间须带时区，如 +08:00",
    "Input should be greater than or equal to {}": "不得小于 {}",
    "Input should be less than or equal to {}": "不得大于 {}",
    "Input should be greater than {}": "应大于 {}",
    "Input should be less than {}": "应小于 {}",
    "Input should be a valid integer, got a number with a fractional part": "应为整数",
    "Input should be '{}'": "应为 '{}'",
    "{}' or '{}": "{}' 或 '{}",
    "String should have at least {} character": "至少 {} 个字符",
    "String should have at least {} characters": "至少 {} 个字符",
    "String should have at most {} character": "最多 {} 个字符",
    "String should have at most {} characters": "最多 {} 个字符",
    "String should match pattern '{}'": "格式应为 {}",
    "List should have at least {} item after validation, not {}": "至少 {} 项，现有 {} 项",
    "List should have at least {} items after validation, not {}": "至少 {} 项，现有 {} 项",
    "List should have at most {} item after validation, not {}": "最多 {} 项，现有 {} 项",
    "List should have at most {} items after validation, not {}": "最多 {} 项，现有 {} 项",
    "Dictionary should have at most {} items after validation, not {}": "最多 {} 项，现有 {} 项",
    "Dictionary should have at least {} item after validation, not {}": "至少 {} 项，现有 {} 项",
}
SHAPES: dict[str, tuple[str, str]] = {
    "^[a-z][a-z0-9_]{1,31}$": (
        "应为 2 至 32 个小写字母、数字或下划线，以字母开头",
        "2 to 32 small letters, digits and underscores, a letter first",
    ),
    "^[1-9][0-9]{5}$": ("应为六位行政区划代码", "a division code of six digits"),
    "^[0-9]{3}$": ("应为三位数字的证件类型，如 111", "a kind of number of three digits, such as 111"),
    r"^(1\.2\.156\.[0-9A-Z.]+)?$": ("应为上一页给出的 next_cursor", "the next_cursor of the page before"),
    "^[0-9]{13}-[A-Za-z0-9_-]{12}$": ("应为上一页给出的 next_cursor", "the next_cursor of the page before"),
    "^[0-9a-f]{64}$": ("应为 64 位小写十六进制", "64 hexadecimal digits in small letters"),
    "^[A-Za-z0-9_-]{43}$": ("应为 43 个字符的 base64url 摘要", "a digest in base64url, of 43 characters"),
    "^[cx]?[1-9][0-9]{0,8}$": ("应为状态列表编号，如 1、c1、x1", "a status list's number, such as 1, c1 or x1"),
    "^offline-[A-Za-z0-9_-]{16}$": (
        "应为离线核验编号，如 offline-…",
        "the number of an offline verification, offline-…",
    ),
    "^(agency:[a-z][a-z0-9_]{1,31}|counter:[a-z][a-z0-9_]{1,31}|gateway)$": (
        "应为 agency:单位、counter:窗口 或 gateway",
        "agency:NAME, counter:NAME or gateway",
    ),
}
"""What a schema's pattern means; of a choice (`^(a|b)$`) the words themselves do."""
_SHAPE, _CHOICE = re.compile("String should match pattern '(.+)'"), re.compile(r"\^\(([a-z_|]+)\)\$")
_NAMED = re.compile(r"(\S+): (.+)")  # what a fault is about, and the fault


def message(detail: str) -> dict[str, str]:
    """Return a fault's sentence in both languages; a pattern as what it means."""
    shape = _SHAPE.fullmatch(detail)
    if shape and shape[1] in SHAPES:
        zh, en = SHAPES[shape[1]]
        return {"zh": zh, "en": en}
    if shape and (choice := _CHOICE.fullmatch(shape[1])):
        words = choice[1].split("|")
        return {"zh": f"应为以下之一：{'、'.join(words)}", "en": f"one of: {', '.join(words)}"}
    return {"zh": in_chinese(detail) or UNKNOWN.format(detail), "en": detail}


def in_chinese(detail: str) -> str | None:
    """Return the Chinese of a fault's sentence; None if there is none."""
    return _found(detail.removeprefix("Value error, "), DEPTH) if len(detail) <= LONGEST else None


@lru_cache(4096)
def _found(detail: str, depth: int) -> str | None:
    if not depth:
        return None
    for pattern, chinese in _patterns():
        if depth == DEPTH and chinese in WITHIN:
            continue
        if found := pattern.fullmatch(detail):
            return chinese.format(*(_found(one, depth - 1) or one for one in found.groups()))
    named = _NAMED.fullmatch(detail)
    said = _found(named[2], depth - 1) if named else None
    return f"{named[1]}：{said}" if named and said else None


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return what each sentence looks like, those with the fewest gaps first."""
    several = sorted(ZH, key=lambda one: (one.count("{}"), -len(one)))
    return [(re.compile("(.+)".join(map(re.escape, one.split("{}"))), re.DOTALL), ZH[one]) for one in several]
