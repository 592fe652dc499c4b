"""What pages say is said in both languages, with the same placeholders; nothing on a page is inline."""

import ast
import json
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from app import catalogue
from app.web import rendering, words
from credentials import fault_words
from issuers.web import views

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted(ROOT.glob("*/web/templates/**/*.html"))
SCRIPTS = sorted(ROOT.glob("*/web/static/*.js"))
CHINESE = re.compile("[\u4e00-\u9fff]")
WORD, PLACE = re.compile(r"_\('([^']*)'\)"), re.compile(r"{\w+}")


def said() -> set[str]:
    """Every text of templates, and of the views' tables."""
    found = {text for path in TEMPLATES for text in WORD.findall(path.read_text("utf-8"))}
    for path in ROOT.glob("*/web/views.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CHINESE.match(node.value):
                found.add(node.value)
    return found - {"、", "；", "男", "女"}  # values of claims stay as they are


ROOMS = ("app", "credentials", "issuers", "keys", "records", "verifier", "wallet")
IN_FAULTS = ("identifiers", "claim_values", "licence_type", "text", "strict_json")
"""Modules whose `MalformedError` becomes a fault's sentence."""


def sentences() -> set[str]:
    """What faults say, as it stands in the code; `{}` for what is filled in. What is said elsewhere is found there."""
    found = set[str]()
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id == "ValueError" and path.name.endswith("schemas.py"):
                found.add(_template(node.args[0]))
            malformed = node.func.id == "MalformedError" and path.parent.name == "credentials"
            if node.func.id in {"MandateRefusedError", "ReuseRefusedError"}:
                found.add(_template(node.args[0]))
            elif node.func.id == "Fault" and len(node.args) == 3:
                found.add(_template(node.args[2]))
            elif malformed and path.stem in IN_FAULTS and node.args:
                found.add(_template(node.args[0]))
            elif node.func.id == "_demand":
                found.add(f"must be {_template(node.args[1])}")
    return found - {"", "must be "}


def _template(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


FILLED = {"{}: {}", "must be {}"}  # a sentence within another: each is there by itself
ELSEWHERE = {"not a licence identifier", "there is no version after 999"}  # no fault of anything that is sent


@pytest.mark.parametrize("sentence", sorted(sentences() - FILLED - ELSEWHERE))
def test_every_fault_has_its_chinese(sentence: str) -> None:
    """What is wrong is said in Chinese, with all that is filled in."""
    filled = sentence.replace("{}", "7")
    chinese = fault_words.in_chinese(filled)
    assert chinese is not None
    assert CHINESE.search(chinese)
    assert chinese.count("7") >= sentence.count("{}")


def patterns(contract: object) -> set[str]:
    """Every pattern of a contract."""
    if isinstance(contract, list):
        return set[str]().union(*map(patterns, contract))
    if not isinstance(contract, dict):
        return set()
    own = {contract["pattern"]} if isinstance(contract.get("pattern"), str) else set[str]()
    return own.union(*map(patterns, contract.values()))


@pytest.mark.parametrize(
    "pattern", sorted(patterns([json.loads(one.read_text("utf-8")) for one in (ROOT / "openapi").glob("*.json")]))
)
def test_no_pattern_is_shown_to_a_person(pattern: str) -> None:
    """What a pattern means is said in both languages."""
    told = fault_words.message(f"String should match pattern '{pattern}'")
    assert CHINESE.search(told["zh"])
    assert not any(sign in one for one in told.values() for sign in "^$[]|")


@pytest.mark.parametrize(
    ("sent", "chinese"),
    [
        ({"name": 3}, "应为文本"), ({}, "缺少此项"), ({"name": ""}, "至少 1 个字符"), ({"name": "x" * 9}, "最多 8 个字符"),
        ({"name": "A"}, "格式应为 ^[a-z]+$"), ({"name": "a", "more": 1}, "没有这一项，请删去"),
        ({"name": "a", "kind": "z"}, "应为 'x' 或 'y'"), ({"name": "a", "many": []}, "至少 1 项，现有 0 项"),
        ({"name": "a", "many": [1, 2, 3]}, "最多 2 项，现有 3 项"), ({"name": "a", "count": "a"}, "应为整数"),
        ({"name": "a", "count": 0}, "不得小于 1"), ({"name": "a", "sure": 7}, "应为 true 或 false"),
        ({"name": "a", "day": "x"}, "应为日期，如 2026-01-31"), ({"name": "a", "at": "x"}, "应为时间，如 2026-01-31T08:00:00+08:00"),
        ({"name": "a", "at": "2026-01-31T08:00:00"}, "时间须带时区，如 +08:00"), ({"name": "a", "of": 3}, "应为 JSON 对象"),
    ],
)  # fmt: skip
def test_what_a_schema_refuses_has_its_chinese(sent: dict[str, object], chinese: str) -> None:
    """The sentences are the library's: a new release that says another one fails here."""
    with pytest.raises(ValidationError) as refused:
        _Sent.model_validate_json(json.dumps(sent))
    assert fault_words.message(refused.value.errors()[0]["msg"])["zh"] == chinese


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: Annotated[str, Field(min_length=1, max_length=8, pattern="^[a-z]+$")]
    kind: Literal["x", "y"] = "x"
    many: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    count: Annotated[int, Field(ge=1)] = 1
    sure: bool = True
    day: date | None = None
    at: AwareDatetime | None = None
    of: dict[str, int] = {}


def test_a_fault_within_another_and_one_that_nobody_knows() -> None:
    """What a fault is about stands before it; a sentence that has no Chinese is shown as it is, and said to be a fault."""
    about = fault_words.message("1.2.156.3005.2.x: must be one of 男|女")
    assert about["zh"] == "1.2.156.3005.2.x：应为以下之一：男|女"
    assert fault_words.message("Value error, quite new")["zh"] == "此项有误（Value error, quite new）"
    assert fault_words.message("take the agency police in first")["zh"] == "请先登记 单位 police"
    for long in ("a: " * 300 + "must be {}", "a: " * 9000, "must be " * 120):
        assert fault_words.message(long)["en"] == long
    assert fault_words.message("name 'a' or 'b', quite new")["zh"].startswith("此项有误")
    assert fault_words.message("quite new") == {"zh": "此项有误（quite new）", "en": "quite new"}


def test_every_text_has_its_english() -> None:
    """Nothing is missing and nothing is left over."""
    assert said() == set(words.english())


@pytest.mark.parametrize("text", sorted(said()))
def test_placeholders_are_the_same(text: str) -> None:
    """Both languages name the same places; English is English."""
    english = words.english()[text]
    assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(english))
    assert not CHINESE.search(english)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_inline(path: Path) -> None:
    """No script, style or handler stands in a template, no address of another host, no Chinese outside the catalogue."""
    text = path.read_text("utf-8")
    assert not re.search(r"<style|style=|\son\w+=|javascript:|https?://(?!www\.w3\.org)", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    bare = re.sub(r"_\('[^']*'\)|{{ '中文'.*?}}|join\('、'\)|：", "", text)
    assert not CHINESE.search(bare)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_make_no_text_into_markup(path: Path) -> None:
    """No eval, no innerHTML: what comes from outside stays text."""
    assert not re.search(
        r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write", path.read_text("utf-8")
    )


def test_the_wallet_s_first_load_is_small() -> None:
    """Styles and scripts of the wallet's home come to less than 60 kB compressed."""
    names = ["base.css", "base.js", "wallet.css", "wallet.js", "icon.svg", "wallet.webmanifest"]
    assert sum(len(rendering.assets()[name].zipped) for name in names) < 40_000


@pytest.mark.parametrize(
    ("instant", "chinese", "english"),
    [
        ("2027-09-01T16:00:00Z", "2027年9月1日", "1 Sept 2027"),  # the first second of the second of September there
        ("2027-09-02T00:00:00+08:00", "2027年9月1日", "1 Sept 2027"),
        ("2027-09-01T16:00:01Z", "2027年9月2日 00:00:01", "2 Sept 2027, 00:00:01"),
    ],
)
def test_until_when_is_told_by_its_last_day(instant: str, chinese: str, english: str) -> None:
    """What ends with a day is good through that day, for whoever reads it, wherever the machine is."""
    assert (words.until(instant, "zh"), words.until(instant, "en")) == (chinese, english)


def test_every_document_of_a_holder_has_a_name() -> None:
    """A clerk chooses by name whatever a licence type takes."""
    taken = {code for kind in catalogue.licence_types().values() for code in kind.code_types}
    assert taken <= views.CODE_TYPES.keys()
