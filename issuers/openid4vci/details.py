"""`authorization_details` of type `openid_credential` (RFC 9396; VCI section 5.1.1)."""

from collections.abc import Collection
from typing import Any

from credentials import strict_json
from credentials.errors import MalformedError
from keys.oauth.errors import OAuthError

OPENID_CREDENTIAL = "openid_credential"
MAX_DETAILS = 16


def details(text: str, offered: Collection[str], issuer: str) -> list[dict[str, Any]]:
    """Return the details of a request, each with type and configuration; all but what is `offered` is refused."""
    try:
        told = strict_json.loads(text.encode())
    except (MalformedError, UnicodeError) as error:
        raise OAuthError("invalid_authorization_details", "authorization_details is not JSON") from error
    if not isinstance(told, list) or not 0 < len(told) <= MAX_DETAILS or not all(isinstance(one, dict) for one in told):
        raise OAuthError("invalid_authorization_details", "authorization_details is a list of objects")
    names = [one.get("credential_configuration_id") for one in told]
    if any(one.get("type") != OPENID_CREDENTIAL or one.get("locations", [issuer]) != [issuer] for one in told):
        raise OAuthError("invalid_authorization_details", "only openid_credential at this issuer")
    if not all(isinstance(name, str) and name in offered for name in names) or len(set(names)) != len(names):
        raise OAuthError("invalid_authorization_details", "that is not offered, or asked for twice")
    return [{"type": OPENID_CREDENTIAL, "credential_configuration_id": name} for name in names]
