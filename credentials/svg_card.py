"""SVG card templates (draft-ietf-oauth-sd-jwt-vc, "SVG Rendering"): checked against a list of what may stand in one,
then filled. A template draws; it cannot run, load, link or import anything, whoever wrote it.
"""

import re
from collections.abc import Mapping
from xml.etree import ElementTree as Xml

from credentials.errors import MalformedError

MAX_BYTES = 64 * 1024
MAX_VALUE = 200  # characters of a value that are drawn
SVG = "http://www.w3.org/2000/svg"
ELEMENTS = frozenset({
    "svg", "g", "defs", "title", "desc", "text", "tspan", "rect", "circle", "ellipse", "line", "path", "polygon",
    "polyline", "linearGradient", "radialGradient", "stop", "clipPath",
})  # fmt: skip
ATTRIBUTES = frozenset({
    "id", "viewBox", "width", "height", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "d",
    "dx", "dy", "points", "transform", "preserveAspectRatio", "fill", "fill-opacity", "fill-rule", "stroke",
    "stroke-width", "stroke-opacity", "stroke-linecap", "stroke-linejoin", "stroke-dasharray", "opacity", "clip-path",
    "offset", "stop-color", "stop-opacity", "gradientUnits", "gradientTransform", "spreadMethod", "font-family",
    "font-size", "font-weight", "font-style", "letter-spacing", "text-anchor", "dominant-baseline", "textLength",
    "lengthAdjust",
})  # fmt: skip
_PLACE = re.compile(r"\{\{([A-Za-z][A-Za-z0-9_]*)\}\}")
_LOCAL = re.compile(r"url\(#[A-Za-z0-9_-]+\)")

Xml.register_namespace("", SVG)


def fill(template: bytes, values: Mapping[str, str]) -> bytes:
    """Return a template with its `{{svg_id}}` filled in; a place with no value stays empty.

    Values are text and stay text. Raises `MalformedError` for a template with anything but drawing in it.
    """
    root = _checked(template)

    def put_in(text: str | None) -> str | None:
        return text and _PLACE.sub(lambda found: _drawn(values.get(found[1], "")), text)

    for one in root.iter():
        one.text, one.tail = put_in(one.text), put_in(one.tail)
    return Xml.tostring(root, encoding="unicode").encode("utf-8")


def _checked(template: bytes) -> Xml.Element:
    if len(template) > MAX_BYTES or b"<!" in template or b"<?" in template:
        raise MalformedError("a card is SVG without declarations, at most 64 KiB")
    try:
        root = Xml.fromstring(template.decode("utf-8"))  # noqa: S314 - without declarations there are no entities
    except (Xml.ParseError, ValueError) as error:
        raise MalformedError("a card is SVG in UTF-8") from error
    if root.tag != f"{{{SVG}}}svg":
        raise MalformedError("a card is SVG")
    for one in root.iter():
        namespace, _, name = str(one.tag).removeprefix("{").rpartition("}")
        if namespace != SVG or name not in ELEMENTS:
            raise MalformedError(f"a card draws; it has no {name}")
        for attribute, said in one.attrib.items():
            loads = "url(" in said.lower() or "\\" in said  # CSS spells anything with a backslash
            if attribute not in ATTRIBUTES or (loads and not _LOCAL.fullmatch(said)):
                raise MalformedError(f"a card draws; it has no such {attribute}")
    return root


def _drawn(value: str) -> str:
    """Return a value without what XML cannot hold (XML 1.0 section 2.2), and not endless."""
    text = "".join(
        one for one in value if one in "\t\n" or " " <= one < "\ud800" or "\ue000" <= one < "\ufffe" or one > "\uffff"
    )
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
