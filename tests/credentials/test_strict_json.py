"""Strict JSON: what passes means one thing, and what goes out comes back."""

import json
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import strict_json
from tests.tokens import attempt, refused

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


@given(VALUES)
def test_a_value_comes_back(value):
    """What `dumps` writes, `loads` reads as the same value."""
    assert strict_json.loads(strict_json.dumps(value)) == value


@given(VALUES)
def test_escapes_and_spacing_do_not_matter(value):
    """The same value in ASCII escapes and with white space reads alike."""
    assert strict_json.loads(json.dumps(value, indent=1).encode()) == value


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data):
    """No bytes make the reader fail in another way."""
    assert attempt(strict_json.loads, data)[1] in {None, "malformed"}


@given(st.dictionaries(TEXTS, st.integers(0, 9), max_size=6), st.randoms(use_true_random=False))
def test_canonical_bytes_do_not_depend_on_order(members, random):
    """Equal objects have equal canonical bytes, however they were put together."""
    shuffled = list(members.items())
    random.shuffle(shuffled)
    assert strict_json.canonical(dict(shuffled)) == strict_json.canonical(members)


def test_output_is_compact_and_in_the_order_given():
    """Members keep their order, nothing is escaped that need not be, and there is no white space."""
    assert strict_json.dumps({"b": [1, "张"], "a": None}) == '{"b":[1,"张"],"a":null}'.encode()
    assert strict_json.canonical({"b": 1, "a": "\u00e9"}) == '{"a":"é","b":1}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), [float("nan")]], ids=repr)
def test_what_is_not_json_is_never_written(value):
    """NaN and the infinities are a programmer's error on the way out."""
    with pytest.raises(ValueError, match="JSON compliant"):
        strict_json.dumps(value)
    with pytest.raises(ValueError, match="JSON compliant"):
        strict_json.canonical({"a": value})


@pytest.mark.parametrize(
    ("brackets", "accepted"),
    [(31, True), (32, True), (33, False), (100, False), (900, False), (100_000, False)],
)
@pytest.mark.parametrize("opening", ["[", '{"a":'], ids=["arrays", "objects"])
def test_depth_is_bounded_at_32(brackets, accepted, opening):
    """Thirty-two nested arrays or objects pass and thirty-three do not, however many follow."""
    closing = "]" if opening == "[" else "}"
    text = opening * brackets + ("" if opening == "[" else "1") + closing * brackets
    if accepted:
        assert strict_json.loads(text.encode())
    else:
        with refused("malformed"):
            strict_json.loads(text.encode())


def test_width_is_not_depth():
    """Many arrays beside each other are not nested."""
    assert len(strict_json.loads(b"[" + b",".join([b"[[]]"] * 1_000) + b"]")) == 1_000


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("1" * 20, True),
        ("-" + "1" * 19, True),
        ("1" * 21, False),
        ("-" + "1" * 20, False),
        ("1" + "0" * 5000, False),
        ("1e308", True),
        ("1e309", False),
        ("-1e309", False),
        ("1e-400", True),
    ],
    ids=lambda value: str(value)[:12],
)
def test_numbers_are_bounded(text, accepted):
    """Integers of up to 20 characters and finite floats pass."""
    if accepted:
        assert strict_json.loads(text.encode()) == json.loads(text)
    else:
        with refused("malformed"):
            strict_json.loads(text.encode())


@pytest.mark.parametrize("data", [b"[]", b"1", b'"a"', b"null", b"true", b"", b" ", b"{}{}", b"{"], ids=repr)
def test_an_object_is_demanded(data):
    """Where an object is wanted, anything else is refused."""
    with refused("malformed"):
        strict_json.loads_object(data)
    assert strict_json.loads_object(b' {"a" : 1 } ') == {"a": 1}


@pytest.mark.parametrize(
    "code", [0x20, 0x7F, 0x80, 0x2028, 0xD7FF, 0xE000, 0xFFFD, 0xFFFF, 0x10000, 0x20BB7, 0x10FFFF], ids=hex
)
def test_every_scalar_value_is_text(code):
    """Every Unicode scalar value passes, raw and escaped, at the edges of the surrogates too."""
    raw = chr(code)
    assert strict_json.loads(json.dumps(raw, ensure_ascii=False).encode()) == raw
    assert strict_json.loads(json.dumps(raw).encode()) == raw


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_json_is_never_hashed(value):
    """A thumbprint or digest over something that no reader reads would bind nothing."""
    with pytest.raises(ValueError, match="JSON"):
        strict_json.canonical({"a": value})


def test_canonical_bytes_are_compact_utf_8():
    """Characters stand for themselves, also inside; members in order at every depth."""
    assert strict_json.canonical({"b": {"d": 1, "c": "é"}, "a": ["张"]}) == '{"a":["张"],"b":{"c":"é","d":1}}'.encode()


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none()))
def test_flat_objects_have_the_one_spelling(members):
    """What the quick writer takes over it writes as the other one does, to the byte: hashes were made with that."""
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    try:
        wanted = text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate
        with pytest.raises(UnicodeEncodeError):
            strict_json.canonical(members)
        return
    assert strict_json.canonical(members) == wanted


@given(st.recursive(st.none() | st.floats() | TEXTS, lambda inner: st.lists(inner) | st.tuples(inner)))
def test_no_number_is_written_as_null(value):
    """What holds NaN or infinity is refused, however deep; all else comes back."""
    if any(not isfinite(one) for one in _floats(value)):
        with pytest.raises(ValueError, match="JSON compliant"):
            strict_json.dumps(value)
    else:
        assert json.loads(strict_json.dumps(value)) == json.loads(json.dumps(value))


def _floats(value):
    if isinstance(value, list | tuple):
        return [one for child in value for one in _floats(child)]
    return [value] if isinstance(value, float) else []
