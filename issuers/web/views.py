"""Forms made of licence types: one field a claim, by the kind of value that it holds."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from credentials.claim_values import ClaimDefinition
from credentials.code_lists import ETHNIC_GROUPS
from credentials.licence_type import LicenceType
from issuers.orders import OF_HOLDER, WORKED_OUT

CHOICES: Mapping[str, tuple[str, ...]] = {"code:GB/T2261.1": ("男", "女"), "code:GB/T3304": ETHNIC_GROUPS}
"""Short lists of what a coded claim mostly is; the API takes every value of the national list."""
CODE_TYPES = {
    "111": "居民身份证", "001": "统一社会信用代码", "414": "普通护照", "516": "港澳居民来往内地通行证",
    "511": "台湾居民来往大陆通行证", "553": "外国人永久居留身份证", "114": "军官证", "115": "武警警官证",
    "118": "士兵证", "119": "武警士兵证", "120": "文职人员证", "122": "武警文职人员证", "411": "外交护照",
    "412": "公务护照", "413": "公务普通护照", "999": "其他自然人证件", "099": "其他法人或组织证件",
}  # fmt: skip
"""Kinds of documents that people and organisations are known by."""
STATES = {
    "prepared": "待签名", "valid": "有效", "suspended": "已暂停", "revoked": "已废止", "burnt": "已作废编号",
}  # fmt: skip


EFFECTS = {"suspend": "暂停", "revoke": "废止（不可恢复）", "flag_only": "仅提示"}
Names = Callable[[str], Mapping[str, str]]
"""Returns what an agency is called, zh and en, by its key."""


def forms(types: Iterable[LicenceType], language: str) -> list[dict[str, Any]]:
    """Return what the issue form of each type asks, and why a licence of it may be suspended or revoked."""
    return [
        {
            "key": one.key,
            "name": one.names[language],
            "agencies": list(one.issuer_agencies),
            "code_types": [{"code": code, "name": CODE_TYPES.get(code, code)} for code in sorted(one.code_types)],
            "minor": one.minor_holder,
            "company": one.holder_kind == "legal",
            "fields": [
                _field(claim, language)
                for claim in one.claims.values()
                if claim.derived_from not in WORKED_OUT and claim.name not in OF_HOLDER
            ],
            "causes": [
                {"code": cause.code, "effect": cause.effect, "label": cause.labels.get(language, cause.code)}
                for cause in one.causes.values()
            ],
        }
        for one in types
    ]


def types(all_types: Iterable[LicenceType], language: str, agency: Names) -> list[dict[str, Any]]:
    """Return what each licence type is: who issues it, what it says, what of that only the holder discloses."""
    return [
        {
            "name": one.names[language],
            "key": one.key,
            "code": one.type_code,
            "agencies": [agency(key).get(language, key) for key in one.issuer_agencies],
            "offline_pass": one.offline_pass,
            "claims": [
                {
                    "label": claim.labels.get(language, claim.name),
                    "name": claim.name,
                    "required": claim.required,
                    "always": claim.always,
                }
                for claim in one.claims.values()
            ],
            "causes": [
                {"label": cause.labels.get(language, cause.code), "effect": EFFECTS.get(cause.effect, cause.effect)}
                for cause in one.causes.values()
            ],
        }
        for one in all_types
    ]


def _field(claim: ClaimDefinition, language: str) -> dict[str, Any]:
    inner = claim.type.removeprefix("array[").removesuffix("]")
    several = inner != claim.type
    choices = tuple(inner.removeprefix("enum:").split("|")) if inner.startswith("enum:") else CHOICES.get(inner, ())
    return {
        "name": claim.name,
        "label": claim.labels.get(language, claim.name),
        "required": claim.required,
        "kind": "choices" if several and choices else "lines" if several else "choice" if choices else _kind(inner),
        "choices": choices,
        "pattern": claim.pattern.pattern if claim.pattern else "",
    }


def _kind(kind: str) -> str:
    return {"date": "date", "integer": "number", "boolean": "boolean"}.get(kind, "text")
