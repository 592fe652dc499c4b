"""RFC 9457 problems: every error of every room is answered as `app/problem_codes.py` has it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.logs import log, request_id
from app.problem_codes import PROBLEMS, Problem
from credentials import fault_words
from credentials.claim_values import Fault
from credentials.errors import FormatError
from issuers.errors import IssuerError
from keys import pages
from keys.errors import CustodyError
from records.errors import RecordError
from verifier.errors import VerifierError
from verifier.reasons import REASONS, Outcome
from wallet.errors import WalletError

MEDIA_TYPE = "application/problem+json"
AGAIN_SECONDS = {503: "5", 429: "3600"}
"""When to come again, where nobody knows better: limits that are no rate are of an hour or a day."""
MAX_FAULTS = 100
CODE_HEADER = "x-problem-code"


_BY_HTTP_STATUS = {
    401: "token_refused",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
_OUTCOMES = {
    Outcome.ACCEPTED: ("绿", "green"), Outcome.REFUSED: ("红", "red"), Outcome.CANNOT_CONFIRM: ("黄", "amber"),
}  # fmt: skip
_CHALLENGES = {
    "step_up_needed": 'Bearer error="insufficient_user_authentication"',  # RFC 9470 section 3
    "dpop_refused": 'DPoP error="invalid_dpop_proof", algs="ES256"',  # RFC 9449 section 7.1
}
MethodsOf = Callable[[str], Sequence[str]]
"""Returns the methods that an address takes (RFC 9110 section 10.2.1)."""
MoreFaults = Callable[[object], Sequence[Fault]]


def response(
    base_url: str,
    code: str,
    *,
    detail: str = "",
    faults: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem; codes that are not in the table are of the content's making (422)."""
    known = PROBLEMS.get(code) or Problem(422, *_reason(code))
    why = fault_words.in_chinese(detail) if detail else None
    body: dict[str, Any] = {
        "type": f"{base_url}/problems/{code}",
        "title": known.en,
        "status": known.status,
        "code": code,
        "detail": detail or known.en,
        "message": {
            "zh": known.zh + (f"（{why}）" if why else ""),
            "en": known.en + (f" ({detail})" if why else ""),
        },
        "instance": f"urn:request:{request_id()}",
    }
    if faults:
        body["faults"] = list(faults)[:MAX_FAULTS]
    extra = {**(headers or {}), CODE_HEADER: code}
    if known.status == 401:
        extra["WWW-Authenticate"] = _CHALLENGES.get(code, "Bearer")
    if known.status in AGAIN_SECONDS:
        extra.setdefault("Retry-After", AGAIN_SECONDS[known.status])
    return JSONResponse(body, known.status, extra, MEDIA_TYPE)


def install(
    app: FastAPI, base_url: str, more_faults: Mapping[str, MoreFaults], *, methods_of: MethodsOf, hotline: str
) -> None:
    """Answer every error of every room with a problem; `more_faults` by route path adds what the schema cannot see."""

    def coded(_request: Request, error: Exception) -> Response:
        code, faults = getattr(error, "code", "internal_error"), getattr(error, "faults", ())
        detail = "" if str(error) == code or faults else str(error)
        return response(base_url, code, detail=detail, faults=[_fault(one) for one in faults])

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json" and any(
            row["loc"] == ("body",) and row["type"] != "missing" for row in error.errors()
        ):
            return response(base_url, "unsupported_media_type")
        return _invalid(base_url, error, more_faults.get(getattr(request.scope.get("route"), "path", "")))

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
        code = _BY_HTTP_STATUS.get(error.status_code, "malformed" if error.status_code < 500 else "internal_error")
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(methods_of(request.url.path))
        made = response(base_url, code, headers=headers)
        looked_at = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        return _for_people(made, PROBLEMS[code]) if looked_at else made

    def database(_request: Request, error: Exception) -> Response:
        log.error("database.unavailable", kind=type(error).__name__)
        return response(base_url, "database_unavailable")

    for family in (FormatError, RecordError, CustodyError, IssuerError, WalletError, VerifierError):
        app.add_exception_handler(family, coded)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(DBAPIError, database)
    app.add_exception_handler(PoolTimeoutError, database)
    app.add_exception_handler(DataError, lambda _request, _error: response(base_url, "malformed"))
    _add_pages(app, hotline)


def _for_people(made: Response, known: Problem) -> Response:
    """Return a refusal as a page, for a browser that was led to an address that is none."""
    told = f"<p lang=zh-CN>{escape(known.zh)}</p><p lang=en>{escape(known.en)}</p>"
    shown = pages.page(f"{told}<p><a href='/'>首页 · Home</a></p>", known.status)
    shown.headers.update({name: made.headers[name] for name in (CODE_HEADER, "allow") if name in made.headers})
    return shown


def _add_pages(app: FastAPI, hotline: str) -> None:
    """Add the pages that explain codes to people."""

    @app.get("/problems/{code}", include_in_schema=False)
    def page(code: str) -> HTMLResponse:
        """Explain a code to a person."""
        said = [*_at_a_counter(code), *_in_the_api(code)]
        if not said:
            raise HTTPException(404)
        call = (
            f"仍需帮助，请致电 {hotline}，告知此代码和请求编号或核验编号。",
            f"For help call {hotline}; tell this code and the number of the request or verification.",
        )
        text = f"<h1>{escape(code)}</h1>" + "".join(
            f"<p lang=zh-CN>{escape(zh)}</p><p lang=en>{escape(en)}</p>"
            for zh, en in [*said, *([call] if hotline else [])]
        )
        text += "<p><a href='/problems'>所有代码 · All codes</a></p>"
        return pages.page(text)

    @app.get("/problems", include_in_schema=False)
    def all_pages() -> HTMLResponse:
        """List every code that a person may meet, for whoever answers the telephone."""
        told = {code: (one.zh, one.en) for code, one in REASONS.items()}
        told |= {code: (one.zh, one.en) for code, one in PROBLEMS.items()}
        rows = "".join(
            f"<dt><a href='/problems/{escape(code)}'>{escape(code)}</a><dd>{escape(zh)} · {escape(en)}"
            for code, (zh, en) in sorted(told.items())
        )
        return pages.page(f"<h1>代码 · Codes</h1><dl>{rows}</dl>")


def _at_a_counter(code: str) -> Iterator[tuple[str, str]]:
    """Yield what a code means as a verdict's reason (zh, en)."""
    if reason := REASONS.get(code):
        zh, en = _OUTCOMES[reason.outcome]
        yield f"窗口核验（{zh}）：{reason.zh}", f"At a counter ({en}): {reason.en}"


def _in_the_api(code: str) -> Iterator[tuple[str, str]]:
    """Yield what it means as a refusal (zh, en)."""
    if problem := PROBLEMS.get(code):
        yield f"接口调用（HTTP {problem.status}）：{problem.zh}", f"In the API (HTTP {problem.status}): {problem.en}"


def words(code: str) -> str:
    """Return what a code tells a person, in Chinese and English."""
    known = PROBLEMS.get(code)
    return f"{known.zh} · {known.en}" if known else code


def crashed(base_url: str) -> Response:
    """Return the problem for what nobody foresaw; the log has the rest."""
    return response(base_url, "internal_error")


def _invalid(base_url: str, error: RequestValidationError, more: MoreFaults | None) -> Response:
    rows = error.errors()
    if any(row["type"] == "json_invalid" for row in rows):
        return response(base_url, "malformed_json", detail=str(rows[0].get("ctx", {}).get("error", "")))
    if all(row["loc"][0] == "path" for row in rows):
        return response(base_url, "not_found")
    faults = [_row(row) for row in rows]
    named = {fault["pointer"] for fault in faults}
    faults += [_fault(one) for one in (more(error.body) if more else ()) if one.pointer not in named]
    return response(base_url, "invalid_request", faults=faults)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    where, *path = row["loc"]
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return _told(str(where), Fault(pointer, row["type"], row["msg"]))


def _fault(one: Fault) -> dict[str, Any]:
    return _told("body", one)


def _told(where: str, one: Fault) -> dict[str, Any]:
    said = fault_words.message(one.detail)
    return {"in": where, "pointer": one.pointer, "code": one.code, "detail": one.detail, "message": said}


def _reason(code: str) -> tuple[str, str]:
    known = REASONS.get(code)
    return (known.zh, known.en) if known else (PROBLEMS["invalid_request"].zh, PROBLEMS["invalid_request"].en)
