"""What a setting may be: addresses, rates, secrets in files; and how a wrong one is refused."""

import stat
from base64 import urlsafe_b64decode
from binascii import Error
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from limits import parse
from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from keys.encryption import KEK_BYTES


class SettingsError(Exception):
    """The configuration is incomplete or unsafe; the sentence says what to set."""


def base_url(value: str) -> str:
    """Return a public address; any other raises `ValueError`."""
    parts = _address(value)
    if value.endswith("/"):
        raise ValueError("must not end in a slash")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("must be https unless it is loopback")
    return value


def database(value: SecretStr) -> SecretStr:
    """Return the address of a database that this service works on; any other raises `ValueError`."""
    try:
        kind = make_url(value.get_secret_value()).drivername
    except ArgumentError:
        kind = ""
    if kind not in {"postgresql+psycopg", "sqlite", "sqlite+pysqlite"}:
        raise ValueError("应为 · must be postgresql+psycopg://USER:PASSWORD@HOST/NAME, or sqlite:///FILE")
    return value


def collector(value: str) -> str:
    """Return the address of a collector of traces; any other raises `ValueError`."""
    _address(value)
    return value.rstrip("/")


def _address(value: str) -> SplitResult:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an http(s) address without user, query and fragment")
    return parts


def limit(value: str) -> str:
    """Return a rate as `limits` spells it; any other raises `ValueError`."""
    parse(value)  # raises ValueError
    return value


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def private_text(path: Path) -> str:
    """Return the text of a file that its owner alone may read."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError(f"{path} 只应本人可读，请 chmod 600 · must be readable by its owner alone: chmod 600")
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"密钥无法读取，请核对路径 · the key cannot be read, check its path: {error}") from error


def kek_in(path: Path) -> bytes:
    """Return the key-encryption key of a file; raises `SettingsError`."""
    return kek_of(private_text(path))


def kek_of(text: str) -> bytes:
    """Return the key-encryption key of a text: 32 bytes, base64url; raises `SettingsError`."""
    text = text.strip()
    try:
        key = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Error, ValueError) as error:
        raise SettingsError(
            "主密钥不是 base64url，请整段复制 · the key-encryption key is not base64url: copy all of it"
        ) from error
    if len(key) != KEK_BYTES:
        raise SettingsError(
            f"主密钥应为 {KEK_BYTES} 字节，用 licence keys new-kek 生成 · "
            f"the key-encryption key has {KEK_BYTES} bytes: make one with `licence keys new-kek`"
        )
    return key
