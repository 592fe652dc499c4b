"""The line home: calls with the device's own key and tokens (RFC 7523, RFC 9449); down is an error of its own."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from app.cli.client import Answer, CallRefusedError, Client
from app.setting_values import SettingsError
from credentials import dpop, jws, strict_json
from credentials.jwk import export_public
from keys.oauth.client_credentials import ASSERTION, ASSERTION_LIFE_SECONDS

KEY, DEVICE = "device.pem", "device.json"
MARGIN = timedelta(seconds=60)
DISOWNED = frozenset({"invalid_client", "unauthorized_client", "invalid_grant"})
"""What home's token endpoint says of a device that it knows no more (RFC 6749 section 5.2); all else is the line's."""
MAY_BE_DONE = frozenset({500, 504})
HOME_SAYS = frozenset({"application/json", "application/problem+json", "application/pdf", ""})
Now = Callable[[], datetime]


class LineDownError(Exception):
    """Home was not reached, or something else answers in its place."""


class NoAnswerError(Exception):
    """Home was reached and did not answer in time: what it was asked may be done, or not."""


class RefusedAtHomeError(Exception):
    """Home knows this device no more, or does not let it verify."""


@dataclass(frozen=True, slots=True)
class Device:
    """What this machine is at home: its key, its client identifier, home's address."""

    private: EllipticCurvePrivateKey
    client_id: str
    home: str
    operator_keys: tuple[Mapping[str, Any], ...]
    """The pin: trust lists are believed under these alone."""


def read(folder: Path) -> Device | None:
    """Return the device that a folder holds, None if it was never enrolled."""
    if not (folder / DEVICE).exists():
        return None
    said = strict_json.loads_object((folder / DEVICE).read_bytes())
    private = load_pem_private_key((folder / KEY).read_bytes(), None)
    if not isinstance(private, EllipticCurvePrivateKey):
        raise SettingsError(f"{folder / KEY} holds no P-256 key")
    return Device(private, said["client_id"], said["home"], tuple(said["operator_keys"]))


def enrol(folder: Path, home: str, code: str, name: str, *, now: datetime) -> Device:
    """Become a counter's with the operator's one-time code; the key is made here and stays here."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = generate_private_key(SECP256R1())
    file = folder / KEY
    file.touch(mode=0o600)
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    headers = {"DPoP": proof(private, "POST", f"{home}/verifier/enrol", now=now)}
    with Client(home) as client:
        made = client.post("/verifier/enrol", {"code": code, "name": name}, headers=headers)
        return _kept(folder, Device(private, made["client_id"], home, _operator_keys(client)))


def pin_again(folder: Path, device: Device) -> Device:
    """Pin the operator's keys of today: for when the operator says that they changed."""
    with Client(device.home) as client:
        return _kept(folder, replace(device, operator_keys=_operator_keys(client)))


def _operator_keys(client: Client) -> tuple[Mapping[str, Any], ...]:
    return tuple(client.get("/keys/operator")["keys"])


def _kept(folder: Path, device: Device) -> Device:
    told = {"client_id": device.client_id, "home": device.home, "operator_keys": list(device.operator_keys)}
    new = folder / f"{DEVICE}.new"
    new.write_bytes(strict_json.dumps(told))
    new.replace(folder / DEVICE)
    return device


def proof(
    private: EllipticCurvePrivateKey, method: str, url: str, *, now: datetime, access_token: str | None = None
) -> str:
    """Return a DPoP proof for one call."""
    return dpop.prove(
        jws.es256(private), export_public(private), method=method, url=url, jti=secrets.token_urlsafe(16), now=now,
        access_token=access_token,
    )  # fmt: skip


def assertion(private: EllipticCurvePrivateKey, client_id: str, endpoint: str, *, now: datetime) -> str:
    """Return what proves to a token endpoint which client this is (RFC 7523 section 3)."""
    second = int(now.timestamp())
    claims = {
        "iss": client_id, "sub": client_id, "aud": endpoint, "iat": second, "exp": second + ASSERTION_LIFE_SECONDS,
        "jti": secrets.token_urlsafe(16),
    }  # fmt: skip
    return jws.sign(jws.CLIENT_ASSERTION, claims, jws.es256(private), more={"typ": "JWT"})


class Line:
    """Calls home as the device. `up` is what the last call found."""

    def __init__(self, device: Device, *, now: Now, client: Client | None = None) -> None:
        self.up = False
        self.device = device
        self._now = now
        self._client = client or Client(device.home)
        self._token, self._until = "", now()

    def call(self, method: str, path: str, body: bytes = b"", kind: str = "", *, seconds: float) -> Answer:
        """Return home's answer, whatever it is.

        Raises `LineDownError` if home was not reached, or something else answers; `NoAnswerError` if it was, and said
        nothing within `seconds`: what was asked may be done; `RefusedAtHomeError` if home knows this device no more.
        """
        got = self._once(method, path, body, kind, seconds)
        if got.status == 401:  # this token is over before its time
            self._token = ""
            got = self._once(method, path, body, kind, seconds)
        if method == "POST" and got.status in MAY_BE_DONE:
            self.up = False
            raise NoAnswerError(f"HTTP {got.status}")
        self.up = got.status < 500 and got.kind.partition(";")[0] in HOME_SAYS
        if not self.up:
            raise LineDownError(f"HTTP {got.status} {got.kind}")
        if got.status == 401:
            raise RefusedAtHomeError(got.text()[:200])
        return got

    def _once(self, method: str, path: str, body: bytes, kind: str, seconds: float) -> Answer:
        bare = self.device.home + path.partition("?")[0]
        token = self._fresh_token(seconds)
        headers = {
            "Authorization": f"DPoP {token}",
            "DPoP": proof(self.device.private, method, bare, now=self._now(), access_token=token),
        } | ({"Content-Type": kind} if kind else {})
        try:
            return self._client.pass_on(method, path, content=body, headers=headers, timeout=seconds)
        except CallRefusedError as error:
            self.up = False
            raise (NoAnswerError if error.problem.get("sent") else LineDownError)(str(error)) from error

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def json(self, method: str, path: str, *, seconds: float) -> dict[str, Any]:
        """Return the JSON of a call that home did; one that it refuses to this counter raises `RefusedAtHomeError`."""
        got = self.call(method, path, seconds=seconds)
        if got.status == 403:
            raise RefusedAtHomeError(got.text()[:200])
        if got.status >= 400:
            raise LineDownError(got.text()[:200])
        return strict_json.loads_object(got.body)

    def _fresh_token(self, seconds: float) -> str:
        if self._token and self._now() < self._until:
            return self._token
        now, endpoint = self._now(), f"{self.device.home}/oauth/token"
        form = {
            "grant_type": "client_credentials", "client_assertion_type": ASSERTION,
            "client_assertion": assertion(self.device.private, self.device.client_id, endpoint, now=now),
        }  # fmt: skip
        headers = {"DPoP": proof(self.device.private, "POST", endpoint, now=now)}
        try:
            told = self._client.call("POST", "/oauth/token", data=form, headers=headers, timeout=seconds)
        except CallRefusedError as error:
            refused = error.problem.get("error") in DISOWNED
            self.up = refused
            raise (RefusedAtHomeError if refused else LineDownError)(str(error)) from error
        if not isinstance(told, dict) or not {"access_token", "expires_in"} <= told.keys():
            raise LineDownError("what answers is not home")
        self._token = str(told["access_token"])
        self._until = now + timedelta(seconds=int(told["expires_in"])) - MARGIN
        return self._token
