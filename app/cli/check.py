"""`licence check …`: doors for outside suites. No network, no storage; JSON out; exit 0, 1, 2 or 3."""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app import clock
from app.cli.files import FileNotJsonError, read_json
from app.cli.output import CANNOT_CONFIRM, REFUSED, WRONG_USAGE, print_json
from credentials import base64url, jws, key_binding, sd_jwt, sd_jwt_vc, status_list, strict_json, x509
from credentials.errors import (
    ClaimInvalidError,
    ExpiredError,
    FormatError,
    HeaderRefusedError,
    HolderBindingInvalidError,
    HolderBindingMissingError,
    MalformedError,
    NotYetValidError,
    UnknownError,
)
from credentials.jwk import PublicKey, import_public
from keys.errors import TrustListRefusedError
from verifier.errors import CopyChangedError, CopyIncomparableError

app = typer.Typer(help="Check tokens against given keys, without network (for test suites).", no_args_is_help=True)
KeyFile = Annotated[Path, typer.Option("--jwk", exists=True, dir_okay=False, help="Public JWK.")]
Json = Annotated[bool, typer.Option("--json", help="Nothing changes: the answer is JSON always.")]
Now = Annotated[int | None, typer.Option(min=0, max=jws.LAST_SECOND, help="The present, in seconds since 1970.")]
MAX_LINE = 16 * 1024 * 1024  # characters


@app.command("jws")
def check_jws(jwk: KeyFile, json_output: Json = False) -> None:  # noqa: ARG001 - always JSON
    """Verify a compact JWS from standard input."""
    finish(lambda: _jws({"input": read_text(), "jwk": read_given(jwk)}))


@app.command("sd-jwt")
def check_sd_jwt(  # noqa: PLR0917 - typer's options
    issuer_jwk: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    holder_jwk: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    aud: Annotated[
        str | None, typer.Option(help="Expected audience: key binding is demanded, made for it within a minute.")
    ] = None,
    nonce: str | None = None,
    now: Now = None,
    vc: Annotated[
        bool, typer.Option("--vc", help="Demand an SD-JWT VC: its type, vct, and what it says of keys and status.")
    ] = False,
    json_output: Json = False,  # noqa: ARG001 - always JSON
) -> None:
    """Verify an SD-JWT from standard input and print its processed payload (RFC 9901 section 7).

    Key binding is demanded with --aud and --nonce or --holder-jwk. One that nobody asked for must hold all the same:
    the holder's signature over these very disclosures, whoever it was made for and whenever.
    """
    if (aud is None) != (nonce is None):
        raise typer.BadParameter("--aud and --nonce go together")
    request = {"input": read_text(), "jwk": read_given(issuer_jwk), "aud": aud, "nonce": nonce, "now": now, "vc": vc}
    if holder_jwk is not None:
        request["holder_jwk"] = read_given(holder_jwk)
    finish(lambda: _sd_jwt(request))


@app.command("status-list")
def check_status_list(  # noqa: PLR0917 - typer's options
    index: Annotated[int, typer.Option(help="The entry to read.")],
    jwk: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    uri: str | None = None,
    now: Now = None,
    raw: Annotated[bool, typer.Option("--raw", help="The input is an lst value, not a token.")] = False,
    bits: Annotated[int | None, typer.Option(help="Bits an entry, with --raw.")] = None,
    json_output: Json = False,  # noqa: ARG001 - always JSON
) -> None:
    """Read one status from a status list token, or from an lst value."""
    if raw in {bits is None, jwk is not None}:
        raise typer.BadParameter("a token needs --jwk, --raw needs --bits")
    request = {"input": read_text(), "index": index, "uri": uri, "now": now, "bits": bits}
    if jwk is not None:
        request["jwk"] = read_given(jwk)
    finish(lambda: _status_list(request))


@app.command("batch")
def check_batch(json_output: Json = False) -> None:  # noqa: ARG001 - always JSON
    """Read one request a line (NDJSON) and print one result a line, in order; a bad line is a refused line."""
    while line := sys.stdin.buffer.readline(MAX_LINE + 1):
        rest = line
        while len(line) > MAX_LINE and rest and not rest.endswith(b"\n"):
            rest = sys.stdin.buffer.readline(MAX_LINE)  # an endless line is refused whole, as one
        print_json(_line(line), compact=True)


def _line(line: bytes) -> dict[str, Any]:
    try:
        if len(line) > MAX_LINE:
            raise MalformedError("line too long")
        request = strict_json.loads_object(line.strip())
        work = _KINDS.get(request.get("kind", "")) if isinstance(request.get("kind"), str) else None
        if work is None or not isinstance(request.get("input"), str):
            raise MalformedError("kind or input is missing")
        return work(request)
    except FormatError as error:
        return _refusal(error)


def _jws(request: Mapping[str, Any]) -> dict[str, Any]:
    token = jws.verify(jws.parse(request["input"], jws.ANY), import_public(request.get("jwk")))
    try:
        payload = token.payload_bytes.decode("utf-8")
    except UnicodeDecodeError:
        payload = base64url.encode(token.payload_bytes)
    return {"accepted": True, "header": dict(token.header), "payload": payload}


def _sd_jwt(request: Mapping[str, Any]) -> dict[str, Any]:
    now, audience, nonce = _now(request), request.get("aud"), request.get("nonce")
    if [type(one) for one in (audience, nonce)] not in ([str, str], [type(None), type(None)]):
        raise MalformedError("aud and nonce are texts, and go together")
    parts = sd_jwt.parse(request["input"])
    issuer = import_public(request["jwk"] if "jwk" in request else request.get("issuer_jwk"))
    token = jws.verify(jws.parse(parts.jwt, jws.LICENCE if request.get("vc") else jws.ANY_SD_JWT), issuer)
    _check_leaf(token, issuer)
    claims = (
        sd_jwt_vc.processed(token.payload(), parts)
        if request.get("vc")
        else sd_jwt.process(token.payload(), parts.disclosures)
    )
    _check_dates(claims, now)
    if request.get("vc"):
        sd_jwt_vc.check_profile(claims)
    answer = {"accepted": True, "payload": claims, "key_binding": parts.key_binding is not None}
    if audience is None and parts.key_binding is None and "holder_jwk" not in request:
        return answer
    key = _holder_key(request, claims)
    if audience is None:
        key_binding.verified_payload(parts, key, jws.ANY_KEY_BINDING)
    else:
        key_binding.check(parts, key, audience=audience, nonce=str(nonce), now=now, purpose=jws.ANY_KEY_BINDING)
    return answer | {"key_binding_verified": True}


def _check_leaf(token: jws.Verified, key: PublicKey) -> None:
    """Refuse a token whose `x5c` names another key than the one it was checked with; the chain is not checked."""
    if "x5c" not in token.header:
        return
    leaf = x509.parse_chain(token.header["x5c"])[0].public_key()
    if leaf != key.key:
        raise HeaderRefusedError("the leaf of x5c is another key")


def _check_dates(claims: Mapping[str, Any], now: datetime) -> None:
    expires_at, not_before = jws.numeric_date(claims, "exp"), jws.numeric_date(claims, "nbf")
    issued_at = jws.numeric_date(claims, "iat")
    if issued_at is not None and expires_at is not None and expires_at < issued_at:
        raise ClaimInvalidError("exp is before iat")
    if not_before is not None and now.timestamp() < not_before:
        raise NotYetValidError
    if expires_at is not None and now.timestamp() >= expires_at:
        raise ExpiredError


def _holder_key(request: Mapping[str, Any], claims: Mapping[str, Any]) -> PublicKey:
    confirmed = claims.get("cnf")
    jwk = confirmed.get("jwk") if isinstance(confirmed, dict) else None
    if jwk is None and "holder_jwk" not in request:
        raise HolderBindingMissingError("no cnf.jwk")
    key = import_public(request.get("holder_jwk", jwk))
    if jwk is not None and import_public(jwk).thumbprint != key.thumbprint:
        raise HolderBindingInvalidError("cnf is another key")
    return key


def _status_list(request: Mapping[str, Any]) -> dict[str, Any]:
    if "jwk" not in request:
        return {
            "accepted": True,
            "status": status_list.unpack(request["input"], request.get("bits")).read(request.get("index")),
        }
    uri = request.get("uri")
    if uri is not None and not isinstance(uri, str):
        raise MalformedError("uri is a text")
    unverified = jws.parse(request["input"], jws.ANY_STATUS_LIST)
    key = import_public(request["jwk"])
    verified = jws.verify(unverified, key)
    _check_leaf(verified, key)
    token = status_list.read_token(verified, uri=uri)
    token.check_current(now=_now(request))
    return {"accepted": True, "status": token.list.read(request.get("index"))}


_KINDS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "jws": _jws,
    "sd-jwt": _sd_jwt,
    "status-list": _status_list,
}


def _now(request: Mapping[str, Any]) -> datetime:
    seconds = request.get("now")
    if seconds is None:
        return clock.now()
    if type(seconds) is not int or not 0 <= seconds <= jws.LAST_SECOND:
        raise MalformedError("now is a whole second")
    return datetime.fromtimestamp(seconds, UTC)


def read_text() -> str:
    """Return standard input without the line end that every shell adds; other white space is the token's."""
    data = sys.stdin.buffer.read(MAX_LINE + 1)
    text = data.decode("utf-8", errors="surrogateescape")
    return text.removesuffix("\n").removesuffix("\r")


def read_given(path: Path, reason: str = "key_refused") -> Any:
    """Return a file's JSON; one that has none is said as a verdict is, and ends the command."""
    try:
        return read_json(path)
    except FileNotJsonError as error:
        print_json({"accepted": False, "reason": reason, "detail": str(error)})
        raise typer.Exit(WRONG_USAGE) from error


def _refusal(error: FormatError) -> dict[str, Any]:
    return {
        "accepted": False,
        "reason": error.code,
        "detail": error.detail,
        "cannot_confirm": isinstance(error, UnknownError),
    }


def finish(work: Callable[[], dict[str, Any]]) -> None:
    """Print what `work` finds, or its refusal, and end with the exit code of either."""
    try:
        print_json(work())
    except FormatError as error:
        print_json(_refusal(error))
        raise typer.Exit(CANNOT_CONFIRM if isinstance(error, UnknownError) else REFUSED) from error
    except (CopyChangedError, CopyIncomparableError) as error:
        unsure = isinstance(error, CopyIncomparableError)
        print_json({"accepted": False, "reason": error.code, "detail": str(error), "cannot_confirm": unsure})
        raise typer.Exit(CANNOT_CONFIRM if unsure else REFUSED) from error
    except TrustListRefusedError as error:
        print_json({"accepted": False, "reason": error.code, "detail": str(error), "cannot_confirm": True})
        raise typer.Exit(CANNOT_CONFIRM) from error
