"""JSON bodies that mean two things, or nothing, or too much: refused as problems, never 500, nothing written."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest

from app.main import create_app
from tests.world import PARENT, Answer, World

HOLDERS = "/admin/holders"
GOOD = {"code_type": "111", "code": "440199198503150015", "name": "张示例"}
TEXT = json.dumps(GOOD, ensure_ascii=False)


def _deep(levels: int, pair: str) -> bytes:
    return (pair[0] * levels + pair[1] * levels).encode()


HOSTILE: dict[str, bytes] = {
    "duplicate members": TEXT.replace("{", '{"name": "别人", ', 1).encode(),
    "duplicate members, one escaped": TEXT.replace("{", '{"n\\u0061me": "别人", ', 1).encode(),
    "NaN": b'{"code_type": NaN}',
    "Infinity": b'{"code_type": Infinity}',
    "-Infinity": b'{"code_type": -Infinity}',
    "1e400": b'{"code_type": 1e400}',
    "-1e400": b'{"code_type": -1e400}',
    "an integer of 5,000 digits": b'{"code_type": ' + b"9" * 5000 + b"}",
    "lone surrogate": TEXT.replace("张", "\\ud800").encode(),
    "lone low surrogate": TEXT.replace("张", "\\udc00").encode(),
    "surrogates the wrong way round": TEXT.replace("张", "\\udc00\\ud800").encode(),
    "lone surrogate in a name": b'{"\\ud800": 1}',
    "NUL escaped": TEXT.replace("张", "\\u0000").encode(),
    "NUL raw": TEXT.replace("张", "\x00").encode(),
    "NUL in a name": b'{"na\\u0000me": 1}',
    "BOM": b"\xef\xbb\xbf" + TEXT.encode(),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16 without BOM": TEXT.encode("utf-16-le"),
    "UTF-32": TEXT.encode("utf-32"),
    "Latin-1": '{"name": "é"}'.encode("latin-1"),
    "overlong UTF-8": b'{"name": "\xc0\xaf"}',
    "surrogates in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "cut short": TEXT.encode()[:-1],
    "cut in a character": TEXT.encode()[:-4],
    "trailing junk": TEXT.encode() + b"x",
    "a second value": TEXT.encode() + TEXT.encode(),
    "trailing comma": b'{"name": "a",}',
    "comment": b'{"name": "a" /* no */}',
    "single quotes": b"{'name': 'a'}",
    "depth 40 of arrays": b'{"name": ' + _deep(40, "[]") + b"}",
    "depth 40 of objects": b'{"a":' * 40 + b"1" + b"}" * 40,
    "depth 100,000": b"[" * 100_000,
    "blank": b"   ",
    "one brace": b"{",
    "hexadecimal": b'{"code_type": 0x10}',
    "leading zero": b'{"code_type": 01}',
    "control character": b'{"name": "a\nb"}',
}
KINDS = ["application/json", "application/json; charset=utf-16", "APPLICATION/JSON", "application/problem+json"]


def _send(world: World, body: bytes, kind: str = "application/json", path: str = HOLDERS) -> Answer:
    return world.operator.call("POST", path, content=body, headers={"Content-Type": kind})


def _is_problem(answer: Answer, *statuses: int) -> None:
    assert answer.status in statuses, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer["status"] == answer.status


def test_hostile_json_is_refused(world: World) -> None:
    """Every body that two readers could take differently is a 400 problem, at each of several doors."""
    doors = (HOLDERS, "/admin/agencies", "/admin/tokens")
    for name, body in HOSTILE.items():
        for door in doors:
            answer = _send(world, body, path=door)
            _is_problem(answer, 400)
            assert answer["code"] == "malformed_json", (name, door)
    made = _send(world, TEXT.encode())
    assert made.status == 201


@pytest.mark.parametrize("kind", KINDS)
def test_the_gate_stands_before_every_spelling_of_json(world: World, kind: str) -> None:
    """However a caller spells JSON's media type, the gate reads the body first."""
    for name in ("duplicate members", "NaN", "1e400", "lone surrogate", "NUL escaped", "UTF-16"):
        answer = _send(world, HOSTILE[name], kind)
        _is_problem(answer, 400)
        assert answer["code"] == "malformed_json", name


@pytest.mark.parametrize(
    "kinds",
    [
        ["application/json", "text/plain"],
        ["text/plain", "application/json"],
        ["application/json", "application/octet-stream"],
    ],
)
def test_two_content_types_open_no_way_round_the_gate(world: World, kinds: list[str]) -> None:
    """A request with two Content-Type headers is read by the gate too, or not read as JSON at all."""
    for name in ("duplicate members", "NaN", "1e400", "lone surrogate", "NUL escaped"):
        headers = [("Authorization", f"Bearer {world.operator.token}"), *(("Content-Type", kind) for kind in kinds)]
        got = world.http.post(HOLDERS, content=HOSTILE[name], headers=headers)
        _is_problem(Answer(got.status_code, got.json(), got.headers), 400, 415, 422)


def test_bodies_without_a_media_type_are_not_json(world: World) -> None:
    """JSON that is not called JSON is not read as such: refused, never 500."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "", "nonsense"):
        for body in (TEXT.encode(), HOSTILE["NaN"], b"\xff\xfe"):
            _is_problem(_send(world, body, kind), 400, 415, 422)


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"text"', b"true", b""])
def test_json_that_is_no_object(world: World, body: bytes) -> None:
    """A body that is no object, or none, is a fault of the request."""
    answer = _send(world, body)
    _is_problem(answer, 422)
    assert answer["code"] == "invalid_request"
    assert answer["faults"][0]["in"] == "body"


def test_bodies_past_the_cap(world: World) -> None:
    """More than 256 kB of JSON are refused as too large; just as many are still read."""
    cap = 256 * 1024
    padded = TEXT.encode() + b" " * (cap - len(TEXT.encode()))
    assert _send(world, padded).status == 201
    for body in (padded + b" ", b'{"name": "' + b"a" * 2 * cap + b'"}'):
        answer = _send(world, body)
        _is_problem(answer, 413)
        assert answer["code"] == "body_too_large"


def test_bodies_past_the_outer_cap(world: World) -> None:
    """Nine megabytes are refused with a problem like three hundred kilobytes."""
    _is_problem(_send(world, b"[" * (9 * 1024 * 1024)), 413)


def _raw(world: World, chunks: Iterable[bytes], headers: list[tuple[bytes, bytes]]) -> tuple[int, dict[str, Any], int]:
    """Send a chunked body straight to the application; returns status, problem, and how many chunks were taken."""
    app = create_app(world.build(), now=lambda: world.now)
    messages: list[dict[str, Any]] = []
    taken = 0
    left = iter(chunks)

    async def receive() -> dict[str, Any]:
        nonlocal taken
        chunk = next(left, None)
        if chunk is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        taken += 1
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": HOLDERS, "raw_path": HOLDERS.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8080"), (b"transfer-encoding", b"chunked"), *headers],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    body = b"".join(one.get("body", b"") for one in messages)
    return messages[0]["status"], json.loads(body), taken


def test_chunked_bodies_are_capped_too(world: World) -> None:
    """A body in chunks without a length is refused once it is past the cap, not after it all arrived."""
    headers = [
        (b"content-type", b"application/json"),
        (b"authorization", f"Bearer {world.operator.token}".encode()),
    ]
    status, body, _ = _raw(world, [TEXT.encode()[:20], TEXT.encode()[20:]], headers)
    assert status == 201, body
    status, body, taken = _raw(world, (b" " * 65536 for _ in range(10_000)), headers)
    assert (status, body["code"]) == (413, "body_too_large")
    assert taken < 10


def test_a_hostile_body_writes_nothing(world: World) -> None:
    """After all hostile bodies no holder was made."""
    for body in HOSTILE.values():
        _send(world, body)
    with world.house.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM holder").scalar() == 0


WRONG = {
    "unknown member": ({**GOOD, "id": "mine"}, "/id"),
    "unknown member of an odd name": ({**GOOD, "a/b~c": 1}, "/a~1b~0c"),
    "number for a text": ({**GOOD, "code": 440199198503150015}, "/code"),
    "null for a text": ({**GOOD, "name": None}, "/name"),
    "list for a text": ({**GOOD, "name": ["张"]}, "/name"),
    "true for a text": ({**GOOD, "code_type": True}, "/code_type"),
    "missing": ({"code_type": "111", "code": GOOD["code"]}, "/name"),
    "too long": ({**GOOD, "name": "张" * 513}, "/name"),
    "too short": ({**GOOD, "name": ""}, "/name"),
    "pattern": ({**GOOD, "code_type": "11"}, "/code_type"),
    "pattern with a line end": ({**GOOD, "code_type": "111\n"}, "/code_type"),
    "full-width digits": ({**GOOD, "code_type": "１１１"}, "/code_type"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_members_are_named_by_pointer(world: World, name: str) -> None:
    """Unknown members, wrong types and lengths are 422, each fault with its RFC 6901 pointer and a code."""
    body, pointer = WRONG[name]
    answer = world.operator.post(HOLDERS, body)
    _is_problem(answer, 422)
    assert answer["code"] == "invalid_request"
    fault = next(one for one in answer["faults"] if one["pointer"] == pointer)
    assert fault["in"] == "body"
    assert fault["code"]
    assert fault["detail"]


def test_every_fault_at_once(world: World) -> None:
    """Several faults are told together, schema and claims alike."""
    world.holder()
    order = world.order(claims={"sex": "甲" * 600, "no_such": 1}) | {"reference": 7, "more": True}
    answer = world.agency("police").post("/issuers/police/licences", order)
    _is_problem(answer, 422)
    pointers = {one["pointer"] for one in answer["faults"]}
    assert {"/reference", "/more", "/claims/sex", "/claims/no_such"} <= pointers
    assert world.people[PARENT]["code"] not in str(answer.body)


def test_a_fault_repeats_no_value(world: World) -> None:
    """A problem never echoes what was sent: it may be a person's data."""
    secret = "秘密的姓名" * 200
    answer = world.operator.post(HOLDERS, {**GOOD, "name": secret, "code": {"inner": secret}})
    _is_problem(answer, 422)
    assert "秘密" not in str(answer.body)


NUL_PATHS = [
    ("GET", "/wallet/licences/%00", "holder"),
    ("DELETE", "/wallet/shows/a%00b", "holder"),
    ("GET", "/wallet/uses?cursor=%00", "holder"),
    ("GET", "/wallet/uses?cursor=a%ED%A0%80", "holder"),
    ("GET", "/verifier/verifications/%00", "counter"),
    ("POST", "/verifier/requests/%00/answer", "counter"),
    ("POST", "/admin/holders/%00/sign-in-link", "operator"),
    ("DELETE", "/admin/tokens/%00", "operator"),
    ("DELETE", "/admin/agencies/%00/types/%00", "operator"),
    ("GET", "/issuers/police/licences/%00", "agency"),
    ("GET", "/issuers/police/licences?cursor=%00", "agency"),
    ("GET", "/issuers/police/licences?reference=%00", "agency"),
    ("GET", "/issuers/%00/status/1", "anybody"),
    ("GET", "/issuers/police/status/99999999999999999999", "anybody"),
    ("GET", "/.well-known/jwt-vc-issuer/issuers/%00", "anybody"),
    ("GET", "/issuers/types/%00", "anybody"),
    ("GET", "/problems/%00", "anybody"),
]


@pytest.mark.parametrize(("method", "path", "role"), NUL_PATHS, ids=str)
def test_odd_characters_in_addresses_are_no_crash(world: World, method: str, path: str, role: str) -> None:
    """NUL, broken UTF-8 and giant numbers in a path or query are 4xx problems (or simply find nothing), never 5xx."""
    callers = {
        "holder": world.holder, "counter": world.counter, "operator": lambda: world.operator,
        "agency": lambda: world.agency("police"), "anybody": lambda: world.anybody,
    }  # fmt: skip
    world.agency("police")
    body = {"vp_token": {}} if path.endswith("/answer") else None
    answer = callers[role]().call(method, path, body)
    assert answer.status in {200, 400, 404, 422}, answer.body


@pytest.mark.parametrize("key", ["\x7f", "钥".encode().decode("latin-1"), "a" * 129, " "])
def test_odd_idempotency_keys_are_no_crash(world: World, key: str) -> None:
    """An idempotency key of odd characters or lengths issues once or is refused, never 5xx."""
    police = world.agency("police")
    answer = police.post("/issuers/police/licences", world.order(), headers={"Idempotency-Key": key.encode("latin-1")})
    assert answer.status in {201, 400, 422}, answer.body
