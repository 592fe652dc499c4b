"""The way out, as the wallet needs it; `app/fetcher.py` guards it: allowed hosts, no redirects, caps, a deadline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from credentials import strict_json
from credentials.errors import FormatError
from wallet.errors import ForeignRefusalError, ForeignServiceError


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a foreign service answered."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> dict[str, Any]:
        """Return the JSON object that was answered; anything else raises `ForeignServiceError`."""
        if self.media_type != "application/json" and not self.media_type.endswith("+json"):
            raise ForeignServiceError(f"it answered {self.media_type or 'nothing readable'}")
        try:
            return strict_json.loads_object(self.body)
        except FormatError as error:
            raise ForeignServiceError("it answered broken JSON") from error

    def error(self) -> str:
        """Return the OAuth error code of a refusal, or its HTTP status."""
        try:
            said = strict_json.loads_object(self.body).get("error")
        except FormatError:
            said = None
        return said[:64] if isinstance(said, str) and said.isascii() else f"HTTP {self.status}"


def good(answer: Fetched) -> Fetched:
    """Return an answer that says yes (2xx); a no (4xx) raises `ForeignRefusalError`, all else `ForeignServiceError`."""
    if 400 <= answer.status < 500:
        raise ForeignRefusalError(answer.error())
    if not 200 <= answer.status < 300:
        raise ForeignServiceError(answer.error())
    return answer


class Fetch(Protocol):
    """Calls a foreign service."""

    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
        jwt: str | None = None,
    ) -> Fetched:
        """Return what `url` answered; a host that is not allowed, or silence, raises `ForeignServiceError`."""

    def must_allow(self, url: str) -> None:
        """Raise `ForeignHostError` unless `url` may be called; nothing is sent."""
