"""An HSM keeps the key-encryption key: by PKCS #11, tried against SoftHSM."""

import os
import subprocess
from pathlib import Path
from shutil import which
from urllib.parse import quote

import pytest
from pydantic import SecretStr, ValidationError

from app.building import build
from app.custody import Pkcs11Key, another
from app.doctor import examine
from app.house import House
from app.setting_values import SettingsError
from app.settings import Settings
from keys.errors import KeySealBrokenError
from keys.models import KeyPurpose
from tests.races.test_many_at_once import at_once
from tests.records.tables import findings
from tests.world import BASE_URL, World

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "271828"
SECRET = bytes(range(32))


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A token `city` with the AES keys `kek` and `other`, which never leave it; returns the URI of `kek`."""
    if not SOFTHSM.exists() or which("softhsm2-util") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("SoftHSM is not here: apt install softhsm2")
    place = tmp_path_factory.mktemp("hsm")
    (place / "tokens").mkdir()
    (place / "conf").write_text(
        f"directories.tokendir = {place}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(place / "conf")
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "city", "--pin", PIN, "--so-pin", "314159"],
        check=True, capture_output=True,
    )  # fmt: skip
    import pkcs11  # noqa: PLC0415 - only once SoftHSM is there

    with pkcs11.lib(str(SOFTHSM)).get_token(token_label="city").open(rw=True, user_pin=PIN) as session:
        for label in ("kek", "other"):
            hidden = {pkcs11.Attribute.EXTRACTABLE: False, pkcs11.Attribute.SENSITIVE: True}
            session.generate_key(pkcs11.KeyType.AES, 256, label=label, store=True, template=hidden)
    pin = place / "pin"
    pin.touch(mode=0o600)
    pin.write_text(PIN + "\n")
    return f"pkcs11:token=city;object=kek?module-path={SOFTHSM}&pin-source=file:{quote(str(pin))}"


def pin_file(hsm: str) -> Path:
    return Path(hsm.rpartition("file:")[2])


def under(world: World, hsm: str) -> House:
    """A house over the same database whose key is the HSM's."""
    return build(Settings(base_url=BASE_URL, database_url=SecretStr(world.database_url), kek_pkcs11=hsm, demo=True))


def test_there_and_back(world: World, hsm: str) -> None:
    """A file's key is left for the HSM's: everything opens, under that key alone; and from there to a file's again."""
    permit = world.issue()
    secret = world.house.root.open()
    assert world.house.root.rewrap(another(hsm, None, os.urandom), actor="operator:op", now=world.now)
    house = under(world, hsm)
    assert house.root.open() == secret
    assert house.vault.active("police", KeyPurpose.LICENCE).signer is not None
    assert house.issuer.read("police", permit).licence_id == permit
    house.vault.create("samr", KeyPurpose.LICENCE, actor="operator:op", now=world.now)
    with pytest.raises(KeySealBrokenError):
        world.house.root.open()
    with pytest.raises(KeySealBrokenError):
        under(world, hsm.replace("object=kek", "object=other")).root.open()
    file = pin_file(hsm).with_name(f"kek-{world.now.timestamp()}-{os.getpid()}")
    file.touch(mode=0o600)
    file.write_text("A" * 43)
    assert house.root.rewrap(another(str(file), None, os.urandom), actor="operator:op", now=world.now)
    with pytest.raises(KeySealBrokenError):
        house.root.open()
    file.unlink()


def test_many_at_once(hsm: str) -> None:
    """A login is the whole process's: sixteen that ask at once are answered all the same."""
    one, other = (Pkcs11Key(hsm, randomness=os.urandom) for _ in range(2))
    wrapped = one.wrap(SECRET)
    assert at_once([lambda: one.unwrap(wrapped), lambda: other.unwrap(wrapped)] * 8) == [SECRET] * 16


def test_what_it_never_wrapped(hsm: str) -> None:
    """Bent, cut, empty, another key's, with a PIN that was changed: `KeySealBrokenError`, and after it all goes on."""
    custodian = Pkcs11Key(hsm, randomness=os.urandom)
    wrapped = custodian.wrap(SECRET)
    assert SECRET not in wrapped
    assert custodian.unwrap(wrapped) == SECRET
    for bent in (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), bytes([wrapped[0] ^ 1]) + wrapped[1:], wrapped[:20], b""):
        with pytest.raises(KeySealBrokenError):
            custodian.unwrap(bent)
    for name in ("object=other", "object=nobody"):
        with pytest.raises(KeySealBrokenError):
            Pkcs11Key(hsm.replace("object=kek", name), randomness=os.urandom).unwrap(wrapped)
    for name in ("token=nobody", "module-path=/nowhere.so"):
        bent_uri = hsm.replace("token=city", name) if "token" in name else hsm.replace(f"module-path={SOFTHSM}", name)
        with pytest.raises(KeySealBrokenError):
            Pkcs11Key(bent_uri, randomness=os.urandom).unwrap(wrapped)
    pin = pin_file(hsm)
    pin.write_text("000000")
    try:
        with pytest.raises(KeySealBrokenError):
            custodian.unwrap(wrapped)
    finally:
        pin.write_text(PIN)
    assert custodian.unwrap(wrapped) == SECRET


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:", "pkcs11:token=city", "pkcs11:token=city;object=kek?module-path=/lib.so",
        "pkcs11:token=;object=kek?module-path=/lib.so&pin-source=file:PIN",
        "pkcs11:token=city;object=kek;type=secret?module-path=/lib.so&pin-source=file:PIN",
        "pkcs11:token=city;token=town?module-path=/lib.so&pin-source=file:PIN",
        "pkcs11:token=city;object=kek?module-path=/lib.so&pin-source=file:/nowhere",
    ],
)  # fmt: skip
def test_uris_that_name_no_key(uri: str, tmp_path: Path) -> None:
    """Members that are missing, empty, unknown or twice, and a PIN that cannot be read."""
    pin = tmp_path / "pin"
    pin.touch(mode=0o600)
    with pytest.raises(SettingsError):
        another(uri.replace("PIN", str(pin)), None, os.urandom)


def test_one_key_only(hsm: str) -> None:
    """A file's key beside the HSM's: which counts is not guessed."""
    with pytest.raises(ValidationError):
        Settings(
            base_url=BASE_URL, database_url=SecretStr("sqlite://"), kek_pkcs11=hsm, kek=SecretStr("A" * 43), demo=True
        )


def test_the_books_are_sound(world: World, hsm: str) -> None:
    """Doctor finds nothing amiss in a database whose secret the HSM wraps."""
    world.house.root.rewrap(another(hsm, None, os.urandom), actor="operator:op", now=world.now)
    house = under(world, hsm)
    house.vault.create("samr", KeyPurpose.LICENCE, actor="operator:op", now=world.now)
    assert [one for one in examine(house, deep=True, now=world.now) if one[1]] == []
    assert any("key_seal_broken" in wrong for _, wrong in findings(world))  # of the house with the old key
