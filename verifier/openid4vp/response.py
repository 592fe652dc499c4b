"""The authorization response (OpenID4VP 1.0 section 8): read here, without IO; nothing in it is believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from credentials import jwe, strict_json
from credentials.errors import EncryptionRefusedError, MalformedError

MAX_PRESENTATIONS = 16


@dataclass(frozen=True, slots=True)
class Posted:
    """What a wallet posted: presentations by query id, or the code of its refusal."""

    state: str | None
    vp_token: Mapping[str, list[str]]
    error: str | None = None


def read(form: Mapping[str, str], agree: jwe.Agree | None) -> Posted:
    """Return what a form holds; `agree` opens encrypted answers, None where plain ones were asked for.

    Raises `EncryptionRefusedError` for the other mode than was asked, `MalformedError` for anything else.
    """
    if "error" in form:  # refusals come in clear in either mode (section 8.5)
        return Posted(form.get("state"), {}, form["error"][:64])
    if agree is None:
        if "vp_token" not in form:
            raise MalformedError("vp_token is missing")
        return Posted(form.get("state"), vp_token(strict_json.loads(form["vp_token"].encode())))
    if "response" not in form:
        raise EncryptionRefusedError("the answer was to be encrypted")
    payload = strict_json.loads_object(jwe.decrypt(jwe.parse(form["response"]), agree))
    state = payload.get("state")
    if "error" in payload:
        return Posted(state if isinstance(state, str) else None, {}, str(payload["error"])[:64])
    return Posted(state if isinstance(state, str) else None, vp_token(payload.get("vp_token")))


def vp_token(value: object) -> dict[str, list[str]]:
    """Return presentations by query id (section 8.1): arrays always; anything else raises `MalformedError`."""
    if not isinstance(value, dict) or not value:
        raise MalformedError("vp_token is an object with an array for every query")
    for several in value.values():
        if not isinstance(several, list) or not several or not all(isinstance(one, str) for one in several):
            raise MalformedError("vp_token holds arrays of texts")
    if sum(map(len, value.values())) > MAX_PRESENTATIONS:
        raise MalformedError("too many presentations")
    return value


def secret_hash(secret: str) -> str:
    """Return what is kept of a response code or session: it is told, never stored."""
    return sha256(f"response code {secret}".encode()).hexdigest()


def with_code(return_to: str, code: str) -> str:
    """Return the page that asked, with the response code that proves to it who comes back (section 14.2)."""
    return f"{return_to}{'&' if '?' in return_to else '?'}response_code={quote(code)}"
