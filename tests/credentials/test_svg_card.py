"""Cards: templates draw and nothing else; values are text."""

from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import catalogue
from credentials import svg_card
from issuers import type_metadata
from tests.tokens import refused

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'


def drawn(inside: str, **values: str) -> str:
    """What is drawn of a template."""
    return svg_card.fill(f"{OPEN}{inside}</svg>".encode(), values).decode()


def test_values_are_put_in_as_text():
    """Markup in a value is text on the card; a place without a value is empty."""
    card = drawn("<text>{{name}}|{{other}}</text>", name="</text><script>alert(1)</script>&{{other}}")
    assert "<script" not in card
    assert Xml.fromstring(card)[0].text == "</text><script>alert(1)</script>&{{other}}|"


def test_every_types_card_is_drawn():
    """The cards that the service publishes keep its own rules."""
    for kind in catalogue.licence_types().values():
        card = svg_card.fill(type_metadata.card(kind), dict.fromkeys(kind.claims, "甲"))
        assert kind.names["zh"] in card.decode()
        assert "{{" not in card.decode()


def test_a_long_value_is_cut():
    """Nothing endless is drawn."""
    assert len(drawn("<text>{{a}}</text>", a="长" * 5000)) < 400


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>", "<style>*{fill:url(https://x)}</style>", "<a href='https://x'/>",
        "<image href='https://x/y.png'/>", "<use href='#a'/>", "<foreignObject/>", "<animate/>", "<set/>",
        "<iframe xmlns='http://www.w3.org/1999/xhtml'/>", "<rect onload='alert(1)'/>", "<rect style='fill:red'/>",
        "<rect fill='url(https://x)'/>", "<rect fill=' URL(//x) '/>", "<rect fill='url(#a) url(https://x)'/>",
        r"<rect fill='\75rl(https://x)'/>", "<rect fill='u/**/rl(https://x)\\'/>",
        "<text xml:base='https://x'>a</text>", "<text xmlns:l='http://www.w3.org/1999/xlink' l:href='x'>a</text>",
        "<!-- a -->", "<![CDATA[a]]>", "<?xml-stylesheet href='https://x'?>", "<rect", "&nbsp;", "<feImage/>",
    ],
)  # fmt: skip
def test_a_template_that_does_more_than_draw_is_refused(inside):
    """No script, style, link, image, import, animation, entity or comment."""
    with refused("malformed"):
        drawn(inside)


@pytest.mark.parametrize(
    "template",
    [
        b"", b"\xff", b"<html/>", b"<svg/>", b"<svg xmlns='http://www.w3.org/1999/xhtml'/>",
        b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg xmlns='http://www.w3.org/2000/svg'>&a;</svg>",
        f"{OPEN}{' ' * svg_card.MAX_BYTES}</svg>".encode(),
    ],
    ids=["empty", "bytes", "html", "no namespace", "another namespace", "entities", "large"],
)  # fmt: skip
def test_what_is_no_card_is_refused(template):
    """Other documents, entities, and what is too large."""
    with refused("malformed"):
        svg_card.fill(template, {})


@given(st.text())
def test_any_value_gives_well_formed_xml(value):
    """Whatever a claim says, the card can be read."""
    assert Xml.fromstring(drawn("<text>{{a}}</text>", a=value)).tag == f"{{{svg_card.SVG}}}svg"


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("a\tb\nc d", "a\tb\nc d"),
        ("a\x00\x08\x0b\x0c\x1fb", "ab"),
        ("\x20\x7f", "\x20\x7f"),
        ("\ud7ff\ud800\udbff\udc00\udfff\ue000", "\ud7ff\ue000"),
        ("\ufffd\ufffe\uffff\U00010000\U0010ffff", "\ufffd\U00010000\U0010ffff"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("\0" * 99 + "x" * 200, "x" * 200),
    ],
    ids=range(8),
)
def test_what_xml_holds_is_drawn_and_the_rest_is_left_out(value, seen):
    """XML 1.0 section 2.2 to the character; 200 are drawn, and of more 199 and an ellipsis."""
    assert Xml.fromstring(drawn("<text>{{a}}</text>", a=value))[0].text == seen


def test_a_place_behind_an_element_is_filled_too():
    """Text inside and text behind, several places in one, and a name that is not quite one stays as it is."""
    card = Xml.fromstring(drawn("<text>{{a}}-{{a}}<tspan>{{b_1}}</tspan>{{a}}{{ a }}{{1}}</text>", a="甲", b_1="乙"))
    assert (card[0].text, card[0][0].text, card[0][0].tail) == ("甲-甲", "乙", "甲{{ a }}{{1}}")


def test_the_largest_template_is_drawn():
    """64 KiB are allowed, and a byte more is not."""
    start, end = f"{OPEN}<text>".encode(), b"</text></svg>"
    fill = b"x" * (64 * 1024 - len(start) - len(end))
    assert svg_card.fill(start + fill + end, {})
    with refused("malformed"):
        svg_card.fill(start + fill + b"x" + end, {})


@pytest.mark.parametrize("inside", ['<g fill="url(#a-1_B)"/>', '<g clip-path="url(#a)"/>', '<g fill="#fff"/>'])
def test_a_reference_inside_the_card_is_drawn(inside):
    """A gradient or a clip of the same card loads nothing."""
    assert drawn(inside)
