"""RFC 9457 problems: one shape, two languages, a page for each code; and the headers on every answer."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.problem_codes import PROBLEMS
from credentials.errors import FormatError
from issuers.errors import IssuerError
from keys.errors import CustodyError
from records.errors import AuditBrokenError, RecordError
from tests.world import BASE_URL, CHILD, Answer, World
from verifier.errors import RefusalError, VerifierError
from verifier.reasons import REASONS
from wallet.errors import WalletError

ROOT = Path(__file__).parents[2]
MEMBERS = {"type", "title", "status", "code", "detail", "message", "instance"}
FAMILIES = (FormatError, RecordError, CustodyError, IssuerError, WalletError, VerifierError)


def _leaves(root: type[Exception]) -> Iterator[type[Exception]]:
    for one in root.__subclasses__():
        if one.__subclasses__():
            yield from _leaves(one)
        else:
            yield one


def _raised() -> dict[str, str]:
    for path in sorted(ROOT.glob("*/*.py")):
        if path.parent.name in {"credentials", "records", "keys", "issuers", "wallet", "verifier"}:
            importlib.import_module(f"{path.parent.name}.{path.stem}")
    never = {RefusalError, AuditBrokenError}  # one ends in a verdict, the other only in the doctor's report
    return {one.code: one.__name__ for root in FAMILIES for one in _leaves(root) if one not in never}


def _asked(world: World) -> dict[str, Answer]:
    world.issue()
    shown = world.show()
    world.scan(shown["url"])
    return {
        "token_refused": world.anybody.get("/wallet/licences"),
        "scope_refused": world.counter().get("/wallet/licences"),
        "not_found": world.holder().get("/wallet/licences/none"),
        "method_not_allowed": world.anybody.post("/healthz"),
        "already_used": world.holder().delete(f"/wallet/shows/{shown['show_id']}"),
        "invalid_request": world.holder().post("/wallet/shows", {}),
        "malformed_json": world.operator.call(
            "POST", "/admin/holders", content=b"{", headers={"Content-Type": "application/json"}
        ),
        "claims_refused": world.agency("police").post("/issuers/police/licences", world.order(claims={"grade": 1})),
        "nothing_to_show": world.holder(CHILD).post("/wallet/shows", {"service_item": "school_transfer"}),
        "unknown_service_item": world.counter().post("/verifier/requests", {"service_item": "none"}),
        "picture_unreadable": world.counter().post(
            "/verifier/verifications/picture?service_item=school_transfer", content=b"x",
            headers={"Content-Type": "image/png"},
        ),
    }  # fmt: skip


def test_every_problem_has_one_shape(world: World) -> None:
    """Problems of every kind have the same members, both languages, a type that opens and a number to quote."""
    instances = set()
    for code, answer in _asked(world).items():
        assert answer["code"] == code
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.body.keys() - {"faults"} == MEMBERS
        assert answer["status"] == answer.status == PROBLEMS[code].status
        assert answer["type"] == f"{BASE_URL}/problems/{code}"
        assert answer["message"]["zh"].startswith(PROBLEMS[code].zh)  # and why, where that is known
        assert answer["message"]["en"].startswith(PROBLEMS[code].en)
        assert re.fullmatch("urn:request:[0-9a-f]{16}", answer["instance"])
        assert answer["instance"].removeprefix("urn:request:") == answer.headers["x-request-id"]
        instances.add(answer["instance"])
        page = world.anybody.get(answer["type"].removeprefix(BASE_URL))
        assert page.status == 200
        assert PROBLEMS[code].zh in page.body
    assert len(instances) == 11


def test_401_and_405_and_503_carry_their_headers(world: World) -> None:
    """401 names the scheme, 405 the methods that are allowed."""
    assert world.anybody.get("/wallet/licences").headers["www-authenticate"] == "Bearer"
    assert world.anybody.post("/healthz").headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/nowhere", "/wallet", "/wallet/", "/s/x", "/admin", "/docs/x", "/problems/", "/x//"])
def test_404_is_a_problem(world: World, path: str) -> None:
    """An address that is not there answers with a problem."""
    answer = world.anybody.get(path)
    assert (answer.status, answer["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "TRACE", "OPTIONS"])
def test_405_is_a_problem(world: World, method: str) -> None:
    """A method that an address does not take answers with a problem."""
    answer = world.anybody.call(method, "/wallet/shows")
    assert (answer.status, answer["code"]) == (405, "method_not_allowed")


def test_every_code_has_a_page_in_both_languages(world: World) -> None:
    """Whatever code an error of any room has, its page opens and says in Chinese and English what to do."""
    codes = _raised()
    assert {"not_found", "delivery_refused", "signature_invalid", "licence_revoked"} <= codes.keys()
    missing = []
    for code in sorted(codes.keys() | PROBLEMS.keys() | REASONS.keys()):
        page = world.anybody.get(f"/problems/{code}")
        if page.status != 200:
            missing.append(code)
            continue
        assert re.search("lang=zh-CN>[^<]*[\u4e00-\u9fff]", page.body)
        assert re.search("lang=en>[^<]*[a-z]", page.body)
    assert missing == []


def test_a_page_says_where_a_code_is_met(world: World) -> None:
    """A reason's page has the colour that the counter sees, a refusal's the HTTP status."""
    said = {code: world.anybody.get(f"/problems/{code}").body for code in ("revoked", "status_stale", "accepted")}
    assert "At a counter (red)" in said["revoked"]
    assert "At a counter (amber)" in said["status_stale"]
    assert "窗口核验（绿）" in said["accepted"]
    refused = world.anybody.get("/problems/claims_refused").body
    assert "In the API (HTTP 422): " in refused
    assert "接口调用（HTTP 422）：" in refused


def test_a_page_escapes_what_it_shows(world: World) -> None:
    """A made-up code is 404 and is not repeated as markup."""
    answer = world.anybody.get("/problems/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert answer.status == 404
    assert "<script>" not in str(answer.body)


def _crashing(world: World) -> TestClient:
    app = create_app(world.build(), now=lambda: world.now)

    @app.get("/boom")
    def boom() -> None:
        raise RuntimeError("of 440199198708220021 with lw_holder_abcdefgh")

    return TestClient(app, BASE_URL, raise_server_exceptions=False)


def test_what_nobody_foresaw_is_a_problem_too(capsys: pytest.CaptureFixture[str], world: World) -> None:
    """A crash answers with a problem that tells nothing; the log has it under the same number, secrets blotted."""
    with _crashing(world) as http:
        got = http.get("/boom")
    assert (got.status_code, got.json()["code"]) == (500, "internal_error")
    assert got.headers["content-type"] == "application/problem+json"
    assert "440199198708220021" not in got.text
    log = capsys.readouterr().err
    assert '"event": "crashed"' in log
    assert "440199198708220021" not in log
    assert "lw_holder_abcdefgh" not in log
    assert got.json()["instance"].removeprefix("urn:request:") in log


def test_a_crash_has_the_safe_headers_too(world: World) -> None:
    """The answer to a crash is not stored or sniffed either, and names its request."""
    with _crashing(world) as http:
        got = http.get("/boom")
    assert got.headers.get("cache-control") == "no-store"
    assert got.headers.get("x-content-type-options") == "nosniff"
    assert got.headers.get("x-request-id") == got.json()["instance"].removeprefix("urn:request:")


def test_a_crash_is_logged_with_its_number(capsys: pytest.CaptureFixture[str], world: World) -> None:
    """The log line of a crash names the request that the caller was told to quote."""
    with _crashing(world) as http:
        got = http.get("/boom")
    number = got.json()["instance"].removeprefix("urn:request:")
    lines = [line for line in capsys.readouterr().err.splitlines() if '"event": "crashed"' in line]
    assert lines
    assert all(number in line for line in lines)


def test_safe_headers_on_every_answer(world: World) -> None:
    """Personal answers are not stored, nothing is sniffed, every answer has a number; public lists may be cached."""
    for answer in (*_asked(world).values(), world.holder().get("/wallet/licences"), world.anybody.get("/healthz")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])
    for path in ("/keys/trust-list", "/issuers/police/status/1"):
        assert world.anybody.get(path).headers["cache-control"] == "public, max-age=60"


def test_health_and_readiness(world: World) -> None:
    """The process says that it lives, and that it is ready only over a database of its own version."""
    assert (world.anybody.get("/healthz").status, world.anybody.get("/healthz").body) == (200, {"status": "ok"})
    assert world.anybody.get("/readyz").body == {"status": "ready"}
    engine = world.house.database.engine
    with engine.begin() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
    ready = world.anybody.get("/readyz")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    assert (ready.status, ready.body) == (503, {"status": "not ready"})
    assert world.anybody.get("/healthz").status == 200


def test_the_reference_asks_nothing_of_another_host(world: World) -> None:
    """The API reference and all it loads come from this service."""
    page = world.anybody.get("/docs")
    assert page.status == 200
    assert re.findall(r"(?:src|href)=[\"'](?:https?:)?//", page.body) == []
    assets = re.findall(r"(?:src|href)=[\"'](/[^\"']+)", page.body)
    assert len(assets) >= 2
    for asset in assets:
        assert world.anybody.get(asset).status == 200


def test_a_browser_is_led_home(world: World) -> None:
    """Whoever follows a wrong link in a browser reads what it is and where to go; a program gets the problem."""
    for path in ("/nowhere", "/problems/nonsense"):
        page = world.http.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (404, "text/html")
        assert "没有找到" in page.text
        assert "href='/'" in page.text
        assert world.anybody.get(path)["code"] == "not_found"
