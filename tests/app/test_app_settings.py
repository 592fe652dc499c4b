"""Settings: what is missing or unsafe does not start."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.cli.failing import failure
from app.setting_values import SettingsError
from app.settings import ONE_KEK, Settings
from credentials import base64url
from tests.world import KEK

GOOD: dict[str, Any] = {"base_url": "https://licence.example.gov.cn", "database_url": "sqlite://", "kek": KEK}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("LICENCE_"):
            monkeypatch.delenv(name)


def _refused(changes: dict[str, Any]) -> str:
    kept = {name: value for name, value in (GOOD | changes).items() if value is not None}
    with pytest.raises(ValidationError) as caught:
        Settings(**kept)
    return str(caught.value)


def test_the_good_ones_start() -> None:
    """The settings that the tests below bend are good."""
    made = Settings(**GOOD)
    assert made.key_encryption_key() == bytes(range(32))
    assert (made.demo, made.show_life_seconds) == (False, 60)


@pytest.mark.parametrize("name", ["base_url", "database_url", "kek"])
def test_nothing_has_a_trusting_default(name: str) -> None:
    """Without a public address, a database or a key-encryption key there are no settings."""
    assert ("LICENCE_KEK" if name == "kek" else name) in _refused({name: None})


def test_one_key_encryption_key(tmp_path: Path) -> None:
    """A key in the environment and one in a file together are refused: which one counts would be a guess."""
    assert "LICENCE_KEK" in _refused({"kek_file": tmp_path / "kek"})


@pytest.mark.parametrize(
    "url",
    [
        "http://licence.example.gov.cn", "http://10.0.0.1", "http://0.0.0.0:8080", "http://[::]:8080",
        "http://localhost.example.gov.cn", "http://127.0.0.1.example", "ftp://127.0.0.1", "licence.example.gov.cn",
        "https://", "https://licence.example.gov.cn/", "https://licence.example.gov.cn?a=1", "https://a#b", "",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(url: str) -> None:
    """Plain http beyond loopback, other schemes, slashes at the end, queries and fragments are refused."""
    assert "base_url" in _refused({"base_url": url})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080", "https://a.cn/x"])
def test_addresses_that_are_taken(url: str) -> None:
    """Loopback may be plain http; elsewhere it is https."""
    assert Settings(**GOOD | {"base_url": url}).base_url == url


def test_an_address_with_a_password_is_refused() -> None:
    """A public address that carries credentials would put them into every token and log."""
    assert "base_url" in _refused({"base_url": "https://user:secret@licence.example.gov.cn"})


def test_the_demonstration_stays_on_loopback() -> None:
    """Sign-in by link is for loopback alone, and only the demonstration sets its clock ahead."""
    assert "loopback" in _refused({"demo": True})
    assert "demonstration" in _refused({"demo_clock_ahead_seconds": 5})
    assert Settings(**GOOD | {"base_url": "http://127.0.0.1:1", "demo": True}).demo


@pytest.mark.parametrize(("name", "value"), [("show_life_seconds", 29), ("show_life_seconds", 301), ("nonsense", 1)])
def test_values_out_of_range(name: str, value: int) -> None:
    """A code's life outside 30 to 300 seconds, and a setting that does not exist, are refused."""
    assert name in _refused({name: value})


@pytest.mark.parametrize("kek", ["", "short", KEK + "AAAA", "!" * 43, "钥" * 11])
def test_a_key_that_is_none(kek: str) -> None:
    """A key-encryption key that is not 32 bytes of base64url is refused, without being repeated."""
    with pytest.raises((SettingsError, ValidationError)) as caught:
        Settings(**GOOD | {"kek": kek}).key_encryption_key()
    assert not kek or kek not in str(caught.value)


def test_a_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    """A key file that others may read is refused; 0600 is taken; a missing one is said."""
    path = tmp_path / "kek"
    settings = Settings(**{name: value for name, value in GOOD.items() if name != "kek"}, kek_file=path)
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.key_encryption_key()
    path.write_text(KEK + "\n")
    for mode in (0o644, 0o640, 0o604):
        path.chmod(mode)
        with pytest.raises(SettingsError, match="chmod 600"):
            settings.key_encryption_key()
    path.chmod(0o600)
    assert settings.key_encryption_key() == bytes(range(32))


def test_settings_tell_no_secret() -> None:
    """Printing the settings shows neither the key nor the database's password."""
    made = Settings(**GOOD | {"database_url": "postgresql+psycopg://me:hunter2@db/licence"})
    for text in (repr(made), str(made), made.model_dump_json()):
        assert KEK not in text
        assert "hunter2" not in text
        assert base64url.encode(bytes(range(32))) not in text


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from LICENCE_ variables."""
    for name, value in GOOD.items():
        monkeypatch.setenv(f"LICENCE_{name.upper()}", value)
    assert Settings().base_url == GOOD["base_url"]


def test_what_is_missing_is_told_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is missing at once, with what it looks like; and which of the keys there may be."""
    with pytest.raises(ValidationError) as caught:
        Settings()
    told = failure(caught.value)
    assert told is not None
    for name in ("LICENCE_BASE_URL", "LICENCE_DATABASE_URL"):
        assert f"{name}: 未设置，请设置，如 " in told.sentence
    assert "is missing: set it, as https://licence.example" in told.sentence
    assert told.sentence.endswith(ONE_KEK)
    monkeypatch.setenv("LICENCE_BASE_URL", "https://licence.example")
    monkeypatch.setenv("LICENCE_DATABASE_URL", "sqlite://")
    with pytest.raises(ValidationError) as caught:
        Settings()
    told = failure(caught.value)
    assert told is not None
    assert "请只设置其中一项" in told.sentence
    assert "set one of LICENCE_KEK_FILE" in told.sentence
