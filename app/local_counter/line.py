"""The line home: calls with the device's own key and tokens (RFC 7523, RFC 9449); down is an error of its own."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from app.cli.client import Answer, CallRefusedError, Client
from app.settings import SettingsError
from credentials import dpop, jws, strict_json
from credentials.jwk import export_public
from keys.oauth.client_credentials import ASSERTION, ASSERTION_LIFE_SECONDS

KEY, DEVICE = "device.pem", "device.json"
MARGIN = timedelta(seconds=60)
Now = Callable[[], datetime]


class LineDownError(Exception):
    """Home does not answer, or something else than home does."""


@dataclass(frozen=True, slots=True)
class Device:
    """What this machine is at home: its key, its client identifier, home's address."""

    private: EllipticCurvePrivateKey
    client_id: str
    home: str


def read(folder: Path) -> Device | None:
    """Return the device that a folder holds, None if it was never enrolled."""
    if not (folder / DEVICE).exists():
        return None
    said = strict_json.loads_object((folder / DEVICE).read_bytes())
    private = load_pem_private_key((folder / KEY).read_bytes(), None)
    if not isinstance(private, EllipticCurvePrivateKey):
        raise SettingsError(f"{folder / KEY} holds no P-256 key")
    return Device(private, said["client_id"], said["home"])


def enrol(folder: Path, home: str, code: str, name: str, *, now: datetime) -> Device:
    """Become a counter's with the operator's one-time code; the key is made here and stays here."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = generate_private_key(SECP256R1())
    file = folder / KEY
    file.touch(mode=0o600)
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    headers = {"DPoP": proof(private, "POST", f"{home}/verifier/enrol", now=now)}
    client = Client(home)
    made = client.post("/verifier/enrol", {"code": code, "name": name}, headers=headers)
    client.close()
    (folder / DEVICE).write_bytes(strict_json.dumps({"client_id": made["client_id"], "home": home}))
    return Device(private, made["client_id"], home)


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
        self._device = device
        self._now = now
        self._client = client or Client(device.home)
        self._token, self._until = "", now()

    def call(self, method: str, path: str, body: bytes = b"", kind: str = "", *, seconds: float) -> Answer:
        """Return home's answer, whatever it is; none within `seconds`, or one that is not home's, `LineDownError`."""
        try:
            token = self._fresh_token(seconds)
            bare = self._device.home + path.partition("?")[0]
            headers = {
                "Authorization": f"DPoP {token}",
                "DPoP": proof(self._device.private, method, bare, now=self._now(), access_token=token),
            } | ({"Content-Type": kind} if kind else {})
            got = self._client.pass_on(method, path, content=body, headers=headers, timeout=seconds)
        except CallRefusedError as error:
            self.up = error.problem.get("code") != "unreachable"
            raise LineDownError(str(error)) from error
        self.up = got.status < 500
        if not self.up:
            raise LineDownError(f"HTTP {got.status}")
        if got.status == 401:
            self._token = ""
        return got

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def json(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, seconds: float) -> dict[str, Any]:
        """Return the JSON of a call that home did; a refused one raises `LineDownError`, too."""
        sent = strict_json.dumps(dict(body)) if body is not None else b""
        got = self.call(method, path, sent, "application/json" if body is not None else "", seconds=seconds)
        if got.status >= 400:
            raise LineDownError(got.text()[:500])
        return strict_json.loads_object(got.body)

    def _fresh_token(self, seconds: float) -> str:
        if self._token and self._now() < self._until:
            return self._token
        now, endpoint = self._now(), f"{self._device.home}/oauth/token"
        form = {
            "grant_type": "client_credentials", "client_assertion_type": ASSERTION,
            "client_assertion": assertion(self._device.private, self._device.client_id, endpoint, now=now),
        }  # fmt: skip
        headers = {"DPoP": proof(self._device.private, "POST", endpoint, now=now)}
        told = self._client.call("POST", "/oauth/token", data=form, headers=headers, timeout=seconds)
        self._token = str(told["access_token"])
        self._until = now + timedelta(seconds=int(told["expires_in"])) - MARGIN
        return self._token
