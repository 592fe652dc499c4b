"""What OAuth's endpoints have in common, whichever room they are in: refusals and forms.

A refusal is `{"error", "error_description"}`, ASCII only (RFC 6749 section 5.2; OpenID4VCI section 8.3.1).
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

MAX_FORM_BYTES = 256 * 1024
MAX_FIELDS = 32
FORM = "application/x-www-form-urlencoded"


class OAuthError(Exception):
    """A refusal with its registered code; `status` 400 unless the specification says otherwise."""

    def __init__(
        self, error: str, description: str = "", *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers or {})

    def body(self) -> dict[str, str]:
        """Return the JSON to answer; the description keeps to the characters RFC 6749 section 5.2 allows."""
        said = "".join(one for one in self.description if " " <= one <= "~" and one not in '"\\')
        return {"error": self.error} | ({"error_description": said} if said else {})


def invalid_token(scheme: str, description: str) -> OAuthError:
    """Return the refusal of an access token (RFC 6750 section 3, RFC 9449 section 7.1)."""
    challenge = f'{scheme} error="invalid_token", error_description="{description}"'
    return OAuthError("invalid_token", description, status=401, headers={"WWW-Authenticate": challenge})


def media_type(content_type: str) -> str:
    """Return a Content-Type header's media type alone."""
    return content_type.split(";", maxsplit=1)[0].strip().lower()


def read_form(content_type: str, raw: bytes) -> dict[str, str]:
    """Return a form's members; a member that comes twice is refused (RFC 6749 section 3.2), an empty one is absent."""
    if media_type(content_type) != FORM or len(raw) > MAX_FORM_BYTES:
        raise OAuthError("invalid_request", f"send a form ({FORM})")
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, strict_parsing=bool(raw), max_num_fields=MAX_FIELDS,
            errors="strict",
        )  # fmt: skip
    except ValueError as error:
        raise OAuthError("invalid_request", "the form cannot be read") from error
    if len(dict(pairs)) != len(pairs) or any("\0" in value for _, value in pairs):
        raise OAuthError("invalid_request", "a member of the form came twice")
    return {name: value for name, value in pairs if value}
