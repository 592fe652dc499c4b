"""Forms as OAuth's endpoints take them (RFC 6749 section 3.2)."""

from urllib.parse import parse_qsl

from keys.oauth.errors import OAuthError

MAX_FORM_BYTES = 256 * 1024
MAX_FIELDS = 32
FORM = "application/x-www-form-urlencoded"


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
