"""JSON that means one thing only: no duplicate members, no NaN, no lone surrogates, bounded depth.

RFC 8259 leaves these open and two readers may differ; RFC 8725 section 2.4 names the attack.

A text that orjson reads and writes back byte for byte has one meaning: a member that came twice, a number out of range
or a second spelling would not come back. Whatever does not is read again, slowly, and refused for its own reason.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import isfinite
from typing import Any, NoReturn

import orjson

from credentials.errors import MalformedError

MAX_DEPTH = 32  # nested objects and arrays
MAX_INTEGER_DIGITS = 20  # longer integers are not numbers that any other reader keeps


def loads(data: bytes) -> Any:
    """Return the value of UTF-8 JSON `data`; everything ambiguous raises `MalformedError`."""
    try:
        value = orjson.loads(data)
        plain = orjson.dumps(value) == data
    except (ValueError, TypeError):  # no JSON, or nested deeper than it goes
        plain = False
    if plain:
        if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
            _refuse_depth(value, MAX_DEPTH)
        return value
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not UTF-8") from error
    return _value(text)


def loads_text(text: str) -> Any:
    """Return the value of JSON `text`; everything ambiguous raises `MalformedError`."""
    try:
        text.encode("utf-8")  # what came as bytes has no lone surrogate but an escaped one
    except UnicodeEncodeError as error:
        raise MalformedError("lone surrogate") from error
    return _value(text)


def _value(text: str) -> Any:
    if text.startswith("\ufeff"):
        raise MalformedError("byte order mark before JSON")
    try:
        value, end = _SCAN(text, 0)
        if end != len(text):  # white space around it, or junk behind
            value = _DECODER.decode(text)
    except StopIteration:
        value = _spaced(text)
    except (ValueError, RecursionError) as error:
        raise _not_json(error) from error
    if "\\u" in text:
        _refuse_surrogates(value)
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _refuse_depth(value, MAX_DEPTH)
    return value


def _spaced(text: str) -> Any:
    """Return the value of a text that begins with white space, or is none."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise _not_json(error) from error


def _not_json(error: Exception) -> MalformedError:
    """Return what is raised for a text that the standard library does not read: where it stopped."""
    if isinstance(error, json.JSONDecodeError):
        return MalformedError(f"not JSON at line {error.lineno}, column {error.colno}")
    return MalformedError("not JSON")


def loads_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object of `data`; anything else raises `MalformedError`."""
    value = loads(data)
    if not isinstance(value, dict):
        raise MalformedError("not a JSON object")
    return value


def dumps(value: object) -> bytes:
    """Return `value` as compact UTF-8 JSON, members in the order given; what JSON cannot say raises."""
    try:
        text = orjson.dumps(value, option=_PLAIN)
        if b"null" not in text or orjson.loads(text) == value or _all_finite(value):  # NaN would be one
            return text
    except TypeError:
        pass  # the other one takes longer integers, and says what it cannot take
    return _ENCODER.encode(value).encode("utf-8")


def dumps_read(value: object) -> bytes:
    """Return `value` likewise, whose numbers were all read from JSON or are whole: none is NaN, and nobody looks."""
    try:
        return orjson.dumps(value, option=_PLAIN)
    except TypeError:
        return dumps(value)


def canonical(value: Mapping[str, object]) -> bytes:
    """Return `value` with sorted members, for hashing; equal objects give equal bytes."""
    if _FLAT.issuperset(map(type, value.values())):  # of these both writers have one spelling; of floats they have not
        with suppress(TypeError):
            return orjson.dumps(value, option=_PLAIN | orjson.OPT_SORT_KEYS)
    return _CANONICAL.encode(value).encode("utf-8")


def _all_finite(value: object) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, dict):
        return all(map(_all_finite, value.values()))
    return all(map(_all_finite, value)) if isinstance(value, list | tuple) else True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise MalformedError("duplicate member")
    return value


def _constant(name: str) -> NoReturn:
    raise MalformedError(f"{name} is not JSON")


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise MalformedError("integer out of range")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise MalformedError("number out of range")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True)
_PLAIN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
_FLAT = frozenset({str, int, bool, type(None)})
_SCAN: Callable[[str, int], tuple[Any, int]] = _DECODER.scan_once  # type: ignore[attr-defined]


def _refuse_depth(value: object, left: int) -> None:
    if not isinstance(value, dict | list):
        return
    if left == 0:
        raise MalformedError("nested too deeply")
    for child in value.values() if isinstance(value, dict) else value:
        _refuse_depth(child, left - 1)


def _refuse_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (UnicodeEncodeError, RecursionError) as error:
        raise MalformedError("lone surrogate") from error
