"""HashiCorp Vault keeps the key-encryption key: its transit API, a Vault that fails, and moving there and back."""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr, ValidationError

from app.building import build
from app.custody import VaultTransit, another
from app.house import House
from app.setting_values import SettingsError
from app.settings import Settings
from credentials import base64url
from keys.errors import KeySealBrokenError
from keys.models import KeyPurpose
from tests.records.tables import acts
from tests.world import BASE_URL, World

TOKEN = "s.right"
KEK = bytes(range(32))


class StandIn(ThreadingHTTPServer):
    """Vault's transit engine with one key, `transit/city`, as its API describes it, and whatever fault is wished."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Transit)
        self.key = AESGCM(os.urandom(32))
        self.fault: tuple[int, bytes] | None = None
        self.asked = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/transit/city"


class Transit(BaseHTTPRequestHandler):
    """POST /v1/transit/encrypt/city and …/decrypt/city."""

    def do_POST(self) -> None:
        server = cast("StandIn", self.server)
        server.asked += 1
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if server.fault is not None:
            return self.say(*server.fault)
        if self.headers["X-Vault-Token"] != TOKEN:
            return self.refuse(403, "permission denied")
        if self.path == "/v1/transit/encrypt/city":
            nonce = os.urandom(12)
            sealed = b64encode(nonce + server.key.encrypt(nonce, b64decode(body["plaintext"]), None)).decode()
            return self.tell({"ciphertext": f"vault:v1:{sealed}", "key_version": 1})
        if self.path == "/v1/transit/decrypt/city":
            blob = b64decode(body["ciphertext"].removeprefix("vault:v1:"))
            try:
                return self.tell({"plaintext": b64encode(server.key.decrypt(blob[:12], blob[12:], None)).decode()})
            except (InvalidTag, ValueError):
                return self.refuse(400, "cipher: message authentication failed")
        return self.refuse(404, "no handler for route")

    def tell(self, data: dict[str, Any]) -> None:
        self.say(200, json.dumps({"request_id": "x", "data": data, "warnings": None}).encode())

    def refuse(self, status: int, why: str) -> None:
        self.say(status, json.dumps({"errors": [why]}).encode())

    def say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.fixture
def vault() -> Iterator[StandIn]:
    server = StandIn()
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "vault-token"
    file.touch(mode=0o600)
    file.write_text(TOKEN + "\n")
    return file


def under(world: World, vault: StandIn, token: Path) -> House:
    """A house over the same database whose key is Vault's."""
    return build(
        Settings(
            base_url=BASE_URL, database_url=SecretStr(world.database_url), kek_vault=vault.address,
            kek_vault_token_file=token, demo=True,
        )
    )  # fmt: skip


def test_there_and_back(world: World, vault: StandIn, token: Path) -> None:
    """A file's key is left for Vault's and Vault's for a file's: everything opens, and only under the key that is set."""
    permit = world.issue()
    secret = world.house.root.open()
    custodian = VaultTransit(vault.address, token)
    assert world.house.root.rewrap(custodian, actor="operator:op", now=world.now)
    assert not world.house.root.rewrap(custodian, actor="operator:op", now=world.now)
    assert under(world, vault, token).root.rewrap(custodian, actor="operator:op", now=world.now)
    house = under(world, vault, token)
    assert house.root.open() == secret
    signed = house.vault.active("police", KeyPurpose.LICENCE)
    assert signed.signer is not None
    assert house.issuer.read("police", permit).licence_id == permit
    with pytest.raises(KeySealBrokenError):
        world.house.root.open()
    file = token.with_name("kek")
    file.touch(mode=0o600)
    file.write_text(base64url.encode(KEK))
    assert house.root.rewrap(another(str(file), None, os.urandom), actor="operator:op", now=world.now)
    with pytest.raises(KeySealBrokenError):
        house.root.open()
    told = [subject for _, act, subject in acts(world, "keys") if act == "kek.changed"]
    assert told == ["root"] * 3


def test_another_vault_of_the_same_name(world: World, vault: StandIn, token: Path) -> None:
    """Mount and key called alike, another key: what is here moves there; a key that opens not what it wrapped is refused."""
    world.house.root.rewrap(VaultTransit(vault.address, token), actor="operator:op", now=world.now)
    house, secret = under(world, vault, token), world.house.root
    other = StandIn()
    Thread(target=other.serve_forever, daemon=True).start()
    assert house.root.rewrap(VaultTransit(other.address, token), actor="operator:op", now=world.now)
    assert under(world, other, token).root.open()
    with pytest.raises(KeySealBrokenError):
        under(world, vault, token).root.open()
    with pytest.raises(KeySealBrokenError):
        secret.rewrap(VaultTransit(vault.address, token), actor="operator:op", now=world.now)
    other.shutdown()
    other.server_close()


def test_vault_is_asked_once(world: World, vault: StandIn, token: Path) -> None:
    """A house asks when it first needs the secret and not again: Vault may be away afterwards."""
    world.house.root.rewrap(VaultTransit(vault.address, token), actor="operator:op", now=world.now)
    house = under(world, vault, token)
    house.vault.create("samr", KeyPurpose.LICENCE, actor="operator:op", now=world.now)
    asked = vault.asked
    vault.fault = (503, b'{"errors": ["Vault is sealed"]}')
    house.vault.create("samr", KeyPurpose.STATUS_LIST, actor="operator:op", now=world.now)
    assert vault.asked == asked


@pytest.mark.parametrize(
    "fault",
    [
        (503, b'{"errors": ["Vault is sealed"]}'),
        (403, b'{"errors": ["permission denied"]}'),
        (307, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"data": null}'),
        (200, b'{"data": {"plaintext": 7, "ciphertext": 7}}'),
        (200, b'{"data": {"plaintext": "!!!", "ciphertext": "\xc3\xa9"}}'),
        (200, b'{"data": {"plaintext": "bm90IG91cnM=", "ciphertext": null}}'),
    ],
    ids=str,
)
def test_a_vault_that_fails(vault: StandIn, token: Path, fault: tuple[int, bytes]) -> None:
    """Whatever it answers but the secret is `KeySealBrokenError`, which callers hear as 503."""
    custodian = VaultTransit(vault.address, token)
    wrapped = custodian.wrap(KEK)
    assert custodian.unwrap(wrapped) == KEK
    vault.fault = fault
    with pytest.raises(KeySealBrokenError):
        custodian.unwrap(wrapped)
    with pytest.raises(KeySealBrokenError):
        custodian.wrap(KEK)


def test_what_vault_never_wrapped(vault: StandIn, token: Path) -> None:
    """A bent blob, bytes that are no text, another key's, and a token that was taken away."""
    custodian = VaultTransit(vault.address, token)
    wrapped = custodian.wrap(KEK)
    for bent in (wrapped[:-8] + b"AAAAAAA=", b"\xff\x00", b"vault:v1:", b""):
        with pytest.raises(KeySealBrokenError):
            custodian.unwrap(bent)
    token.chmod(0o640)
    with pytest.raises(KeySealBrokenError):
        custodian.unwrap(wrapped)
    token.chmod(0o600)
    token.write_text("s.wrong")
    with pytest.raises(KeySealBrokenError):
        custodian.unwrap(wrapped)
    token.write_text(TOKEN)
    assert custodian.unwrap(wrapped) == KEK


def test_a_vault_that_is_not_there(vault: StandIn, token: Path) -> None:
    """Nobody listens: the same error, at once."""
    custodian = VaultTransit(vault.address, token)
    vault.shutdown()
    vault.server_close()
    with pytest.raises(KeySealBrokenError):
        custodian.wrap(KEK)


def test_an_old_database_is_not_locked(world: World, vault: StandIn, token: Path) -> None:
    """Vault named over what was sealed under a file's key, before it was wrapped: refused, and nothing made."""
    world.issue()
    with world.house.database.write() as session:
        from sqlalchemy import text  # noqa: PLC0415 - only here

        session.execute(text("DELETE FROM wrapped_root"))
    with pytest.raises(KeySealBrokenError, match="start it once"):
        under(world, vault, token).root.open()


@pytest.mark.parametrize(
    "address",
    [
        "http://vault.example/transit/city", "https://vault.example/city", "https://vault.example/v1/transit/city",
        "https://vault.example/transit/city?x=1", "https://user@vault.example/transit/city", "https:///transit/city",
        "vault.example/transit/city", "https://vault.example:abc/transit/city", "https://:pw@vault.example/transit/city", "https://vault.example/transit/..", "file:///transit/city",
    ],
)  # fmt: skip
def test_addresses_that_are_none(address: str, token: Path) -> None:
    """A key of Vault is asked for over TLS, by host, mount and name."""
    with pytest.raises(SettingsError):
        another(address, token, os.urandom)
    with pytest.raises((SettingsError, ValidationError)):
        Settings(
            base_url=BASE_URL, database_url=SecretStr("sqlite://"), kek_vault=address, kek_vault_token_file=token,
            demo=True,
        )  # fmt: skip


def test_settings_go_together(token: Path) -> None:
    """Vault without a token, a token without Vault, two keys at once, and a token that others can read."""
    whole = {"base_url": BASE_URL, "database_url": "sqlite://", "demo": True}
    address = "https://vault.example/transit/city"
    for more in (
        {"kek_vault": address},
        {"kek_vault_token_file": token},
        {"kek_vault": address, "kek_vault_token_file": token, "kek": base64url.encode(KEK)},
    ):
        with pytest.raises((SettingsError, ValidationError)):
            Settings(**whole | more)
    token.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        VaultTransit(address, token)


def test_a_real_vault(token: Path) -> None:
    """The same against Vault itself, where one answers: LICENCE_TEST_VAULT=http://127.0.0.1:8200/transit/KEY."""
    address = os.environ.get("LICENCE_TEST_VAULT")
    if not address:
        pytest.skip("no Vault: set LICENCE_TEST_VAULT and LICENCE_TEST_VAULT_TOKEN")
    token.write_text(os.environ["LICENCE_TEST_VAULT_TOKEN"])
    custodian = another(address, token, os.urandom)
    wrapped = custodian.wrap(KEK)
    assert custodian.unwrap(wrapped) == KEK
    with pytest.raises(KeySealBrokenError):
        custodian.unwrap(wrapped[:-4] + b"AAA=")
