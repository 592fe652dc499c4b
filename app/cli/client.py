"""The one door outward: HTTP calls of the command line to a service its user names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx2

TIMEOUT_SECONDS = 30.0
PATIENT = 900.0  # seconds, for what is received and checked whole before it is answered


class CallRefusedError(Exception):
    """The service answered with a problem."""

    def __init__(self, problem: dict[str, Any]) -> None:
        oauth = ": ".join(str(problem[name]) for name in ("error", "error_description") if problem.get(name))
        super().__init__(problem.get("detail") or problem.get("title") or oauth or "refused")
        self.problem = problem

    @property
    def passes(self) -> bool:
        """Whether the same call may go through a moment later: a restart, a failover, too many calls."""
        status = self.problem.get("status")
        if self.problem.get("code") in {"unreachable", "too_many_requests"}:
            return True
        return isinstance(status, int) and status >= 500


@dataclass(frozen=True, slots=True)
class Answer:
    """Whatever came back."""

    status: int
    kind: str
    body: bytes

    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode("utf-8", "replace")


class Client:
    """Calls a service with one access token; no environment proxies, no redirects."""

    def __init__(self, url: str, token: str | None = None, *, patience: float = TIMEOUT_SECONDS) -> None:
        """Call `url`; an answer is waited for as many seconds as `patience` says."""
        if token is not None and not token.isascii():
            raise CallRefusedError(
                {"code": "token_refused", "detail": "the access token is ASCII; was it copied whole?"}
            )
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            seconds = httpx2.Timeout(TIMEOUT_SECONDS, read=patience)
            self._http = httpx2.Client(base_url=url, headers=headers, timeout=seconds, trust_env=False)
        except httpx2.InvalidURL as error:
            raise _no_address(error) from error

    def __enter__(self) -> Self:
        """Use it for a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """And let go."""
        self.close()

    def call(self, method: str, path: str, **how: Any) -> Any:
        """Return the JSON (or text) of an answer; problems and silence raise `CallRefusedError`."""
        answer = self._answer(method, path, **how)
        kind = answer.headers.get("content-type", "").split(";")[0]
        return _json(answer) if kind == "application/json" else answer.text

    def fetch(self, path: str) -> bytes:
        """Return the bytes of a file."""
        return self._answer("GET", path).content

    def save(self, path: str, file: Path) -> None:
        """Write what an address answers to a file, as it comes."""
        try:
            with self._http.stream("GET", path) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise self._refused(answer)
                half = file.with_name(f"{file.name}.part")
                with half.open("wb") as out:
                    for piece in answer.iter_bytes():
                        out.write(piece)
                half.replace(file)
        except httpx2.HTTPError as error:
            raise self._silent(error) from error

    def pass_on(self, method: str, path: str, **how: Any) -> Answer:
        """Return whatever comes back, refusals too; silence raises `CallRefusedError`."""
        got = self._sent(method, path, **how)
        return Answer(got.status_code, got.headers.get("content-type", ""), got.content)

    def _answer(self, method: str, path: str, **how: Any) -> httpx2.Response:
        answer = self._sent(method, path, **how)
        if answer.status_code >= 400:
            raise self._refused(answer)
        return answer

    @staticmethod
    def _refused(answer: httpx2.Response) -> CallRefusedError:
        known = answer.headers.get("content-type", "").split(";")[0].endswith("json")
        return CallRefusedError(_json(answer) if known else {"code": "refused", "status": answer.status_code})

    def _silent(self, error: httpx2.HTTPError) -> CallRefusedError:
        sent = not isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
        where = self._http.base_url
        said = f"{where} 没有应答，请核对 LICENCE_URL · {where} does not answer: is it up, and LICENCE_URL right?"
        return CallRefusedError({"code": "unreachable", "detail": f"{said} ({error})", "sent": sent})

    def _sent(self, method: str, path: str, **how: Any) -> httpx2.Response:
        try:
            return self._http.request(method, path, **how)
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise _no_address(error) from error
        except httpx2.HTTPError as error:
            raise self._silent(error) from error

    def get(self, path: str, **how: Any) -> Any:
        """GET."""
        return self.call("GET", path, **how)

    def post(self, path: str, body: object = None, **how: Any) -> Any:
        """POST JSON."""
        return self.call("POST", path, **({"json": body} if body is not None else {}), **how)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


def _no_address(error: Exception) -> CallRefusedError:
    said = "地址有误，请核对 LICENCE_URL · the address is none: check LICENCE_URL"
    return CallRefusedError({"code": "wrong_usage", "detail": f"{said} ({error})", "sent": False})


def _json(answer: httpx2.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise CallRefusedError({"code": "unreachable", "detail": "what answers is not this service"}) from error
