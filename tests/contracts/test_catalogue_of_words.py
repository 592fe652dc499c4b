"""What pages say is said in both languages, with the same placeholders; nothing on a page is inline."""

import ast
import re
from pathlib import Path

import pytest

from app.web import rendering, words

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
