"""Who keeps the key-encryption key: a file, the environment, or one that never gives it out: Vault or an HSM."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import unquote

import httpx2

from app.setting_values import SettingsError, kek_in, private_text
from app.settings import Settings
from keys.encryption import NONCE_BYTES
from keys.errors import KeySealBrokenError
from keys.key_encryption import CONTEXT, Custodian, KeyInFile

DEADLINE_SECONDS = 3.0  # for Vault
TAG_BITS = 128
ONE_AT_THE_HSM = Lock()  # a login there is the whole process's, not a session's (PKCS #11 section 5.6)


def custodian(settings: Settings, randomness: Callable[[int], bytes]) -> Custodian:
    """Return the custodian that the settings name; raises `SettingsError` if what it needs is missing."""
    if settings.kek_vault is not None and settings.kek_vault_token_file is not None:
        return VaultTransit(settings.kek_vault, settings.kek_vault_token_file)
    if settings.kek_pkcs11 is not None:
        return Pkcs11Key(settings.kek_pkcs11, randomness=randomness)
    return KeyInFile(settings.key_encryption_key(), randomness=randomness)


def another(to: str, token_file: Path | None, randomness: Callable[[int], bytes]) -> Custodian:
    """Return a custodian to change to: a file, a `pkcs11:` URI, or with `token_file` the address of a key of Vault."""
    if token_file is not None:
        return VaultTransit(Settings.vault_key(to), token_file)
    if to.startswith("pkcs11:"):
        return Pkcs11Key(to, randomness=randomness)
    return KeyInFile(kek_in(Path(to)), randomness=randomness)


class VaultTransit:
    """A key of Vault's transit engine, `https://HOST/MOUNT/KEY`: wraps and unwraps there.

    Vault may rotate the key; what an older version wrapped opens still. The token is read each time, so that an agent
    can renew it. No proxy of the environment and no redirect is followed.
    """

    def __init__(self, address: str, token_file: Path) -> None:
        self._base, self._mount, self._key = address.rsplit("/", 2)
        self._token_file = token_file
        private_text(token_file)

    @property
    def name(self) -> str:
        """`vault:` mount and key; Vault itself may move to another host."""
        return f"vault:{self._mount}/{self._key}"

    def wrap(self, secret: bytes) -> bytes:
        """Return a secret wrapped (`vault:v1:…`); raises `KeySealBrokenError` if Vault does not do it."""
        plaintext = b64encode(CONTEXT + secret).decode("ascii")
        return self._ask("encrypt", {"plaintext": plaintext}, "ciphertext").encode("ascii")

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return what was wrapped with this key; anything else, and silence, raises `KeySealBrokenError`."""
        try:
            opened = b64decode(
                self._ask("decrypt", {"ciphertext": wrapped.decode("ascii")}, "plaintext"), validate=True
            )
        except ValueError as error:
            raise KeySealBrokenError("Vault gave back what is not ours") from error
        if not opened.startswith(CONTEXT):
            raise KeySealBrokenError("Vault gave back what is not ours")
        return opened.removeprefix(CONTEXT)

    def _ask(self, verb: str, body: dict[str, str], member: str) -> str:
        try:
            answer = httpx2.post(
                f"{self._base}/v1/{self._mount}/{verb}/{self._key}", json=body, timeout=DEADLINE_SECONDS,
                headers={"X-Vault-Token": private_text(self._token_file).strip()}, trust_env=False,
            )  # fmt: skip
            answer.raise_for_status()
            told: Any = answer.json()["data"][member]
        except (httpx2.HTTPError, httpx2.InvalidURL, SettingsError, ValueError, KeyError, TypeError) as error:
            raise KeySealBrokenError(f"Vault did not {verb}: {type(error).__name__}") from error
        if not isinstance(told, str) or not told.isascii():
            raise KeySealBrokenError(f"Vault did not {verb}: no {member}")
        return told


class Pkcs11Key:
    """An AES key in an HSM, named by a URI (RFC 7512) with `token`, `object`, `module-path` and `pin-source`.

    It never leaves: the HSM encrypts and decrypts (AES-256-GCM). A session is opened for each use. An HSM that will not
    take a nonce from outside does not fit.
    """

    def __init__(self, uri: str, *, randomness: Callable[[int], bytes]) -> None:
        self._token, self._key, self._module, pin_file = _parts(uri)
        self._pin_file = pin_file
        self._randomness = randomness
        private_text(pin_file)
        self._library()

    @property
    def name(self) -> str:
        """`pkcs11:` token and key; the library that speaks to the HSM may change."""
        return f"pkcs11:{self._token}/{self._key}"

    def wrap(self, secret: bytes) -> bytes:
        """Return a secret wrapped; raises `KeySealBrokenError` if the HSM does not do it."""
        nonce = self._randomness(NONCE_BYTES)
        return nonce + self._do("encrypt", secret, nonce)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return what was wrapped with this key; anything else, and an HSM that fails, raises `KeySealBrokenError`."""
        return self._do("decrypt", wrapped[NONCE_BYTES:], wrapped[:NONCE_BYTES])

    def _do(self, verb: str, what: bytes, nonce: bytes) -> bytes:
        with ONE_AT_THE_HSM:
            return self._done(verb, what, nonce)

    def _done(self, verb: str, what: bytes, nonce: bytes) -> bytes:
        pkcs11 = self._library()
        try:
            token = pkcs11.lib(self._module).get_token(token_label=self._token)
            with token.open(user_pin=private_text(self._pin_file).strip()) as session:
                key = session.get_key(object_class=pkcs11.ObjectClass.SECRET_KEY, label=self._key)
                parameters = pkcs11.GCMParams(nonce, CONTEXT, TAG_BITS)
                done: bytes = getattr(key, verb)(what, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=parameters)
                return done
        except (pkcs11.PKCS11Error, SettingsError, ValueError, TypeError) as error:
            raise KeySealBrokenError(f"the HSM did not {verb}: {type(error).__name__}") from error

    def _library(self) -> Any:
        try:
            return import_module("pkcs11")
        except ImportError as error:
            raise SettingsError(
                "请安装密码机组件 · install what speaks to HSMs: pip install -r requirements-hsm.txt"
            ) from error


def _parts(uri: str) -> tuple[str, str, str, Path]:
    """Return token, key, library and PIN file of a PKCS #11 URI (RFC 7512 section 2.3); raises `SettingsError`."""
    scheme, _, rest = uri.partition(":")
    path, _, query = rest.partition("?")
    named = [one.partition("=") for one in [*path.split(";"), *query.split("&")]]
    found = {name: unquote(value) for name, _, value in named}
    wanted = ["token", "object", "module-path", "pin-source"]
    if scheme != "pkcs11" or sorted(found) != sorted(wanted) or len(named) != len(wanted) or not all(found.values()):
        raise SettingsError("an HSM's key is pkcs11:token=T;object=K?module-path=/…/lib.so&pin-source=file:/…/pin")
    return found["token"], found["object"], found["module-path"], Path(found["pin-source"].removeprefix("file:"))
