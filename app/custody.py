"""Who keeps the key-encryption key: a file, the environment, or HashiCorp Vault, which never gives it out."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from app.settings import Settings, kek_in, private_text
from keys.errors import KeySealBrokenError
from keys.key_encryption import CONTEXT, Custodian, KeyInFile

DEADLINE_SECONDS = 3.0


def custodian(settings: Settings, randomness: Callable[[int], bytes]) -> Custodian:
    """Return the custodian that the settings name; raises `SettingsError` if what it needs is missing."""
    if settings.kek_vault is not None and settings.kek_vault_token_file is not None:
        return VaultTransit(settings.kek_vault, settings.kek_vault_token_file)
    return KeyInFile(settings.key_encryption_key(), randomness=randomness)


def another(to: str, token_file: Path | None, randomness: Callable[[int], bytes]) -> Custodian:
    """Return a custodian to change to: a file, or with `token_file` the address of a key of Vault."""
    if token_file is not None:
        return VaultTransit(Settings.vault_key(to), token_file)
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
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            raise KeySealBrokenError(f"Vault did not {verb}: {type(error).__name__}") from error
        if not isinstance(told, str) or not told.isascii():
            raise KeySealBrokenError(f"Vault did not {verb}: no {member}")
        return told
