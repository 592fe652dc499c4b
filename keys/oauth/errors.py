"""What OAuth's endpoints refuse: `{"error", "error_description"}`, ASCII only (RFC 6749 section 5.2; VCI 8.3.1)."""

from collections.abc import Mapping


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
